/// What a node tells the coordinator of the cells that it was given, with processes that the test ends.
module NE.Actors.Tests.Fleet.CellKeeperTests

open System
open System.Collections.Concurrent
open System.IO
open System.Threading.Tasks
open Akka.Actor
open Expecto
open NE.Actors.Fleet
open NE.Actors.Fleet.Cells
open NE.Actors.Tests.Fleet.FleetKit
open NE.Model.Fleet

/// A process that ends when it is told to.
type private Ending() =
    let over = TaskCompletionSource<CellEnd>()
    member val Stops = 0 with get, set

    member _.Finish(code, words) =
        over.TrySetResult {
            ExitCode = code
            ProcessId = 1
            LastWords = words
        }
        |> ignore

    interface ICellProcess with
        member _.End = over.Task
        member _.Renew _ = ()
        member this.RequestStop() = this.Stops <- this.Stops + 1
        member this.Kill() = this.Finish(137, "")
        member _.Dispose() = ()

/// Begins the same process whatever it is asked for, or fails to.
type private Starter(begins: unit -> ICellProcess) =
    interface ICellStarter with
        member _.IsSameBuild = true
        member _.Start(_, _, _) = begins ()

/// In the coordinator's place: grants one cell to whoever renews, as long as it is held or was not yet, and keeps what it heard.
type private Coordinator(heard: ConcurrentQueue<Renew>, task: unit -> CellTask) =
    inherit UntypedActor()

    override this.OnReceive message =
        match message with
        | :? Renew as renew ->
            heard.Enqueue renew
            this.Sender.Tell(Grant(renew.SentAt, [| task () |]))
        | _ -> ()

let private cell = "a-cell"

let private waitUntil (what: string) (condition: unit -> bool) =
    let deadline = DateTime.UtcNow.AddSeconds 60.0

    while not (condition ()) do
        if DateTime.UtcNow > deadline then
            failtest $"{what}: not within a minute"

        Threading.Thread.Sleep 20

/// Gives a node a cell and lets the body wait until it says something of it.
let private during begins (stopping: unit -> bool) (body: ((Renew -> HeldCell -> bool) -> string -> unit) -> unit) =
    let folder = Directory.CreateTempSubdirectory("ne-keeper-").FullName

    try
        FleetKit.during (member' "node" []) (fun joined ->
            let heard = ConcurrentQueue<Renew>()

            let node =
                NodeCells("node", 2, SharedFolder.Of folder, null, Starter begins, Unchecked.defaultof<ISweepHost>)

            let coordinator =
                joined.Actors.ActorOf(Props.Create(fun () -> Coordinator(heard, fun () -> CellTask(cell, 1L, "", stopping ()))))

            joined.Actors.ActorOf(Props.Create(fun () -> CellKeeper(node, coordinator, patience)))
            |> ignore

            let says (what: Renew -> HeldCell -> bool) (name: string) =
                waitUntil name (fun () -> heard |> Seq.exists (fun renew -> renew.Cells |> Seq.exists (what renew)))

            body says)
    finally
        Directory.Delete(folder, true)

/// The exit code of its process; none while that works.
let private exitCode (held: HeldCell) =
    held.End |> Option.ofObj |> Option.map _.ExitCode

[<Tests>]
let tests =
    testList "a node's cells" [
        for stops in [ false; true ] do
            testCase
                $"""a process whose right was not renewed in time gives its cell back{if stops then ", and so does one that was to stop" else ""}"""
            <| fun _ ->
                let working = new Ending()
                let mutable isStopping = false

                during (fun () -> working) (fun () -> isStopping) (fun says ->
                    says (fun _ held -> exitCode held = None) "it works"
                    isStopping <- stops

                    waitUntil "it is asked to stop" (fun () -> not stops || working.Stops > 0)

                    working.Finish(CellExitCode.LeaseIsOver, "")
                    says (fun _ held -> held.Returned && exitCode held = Some CellExitCode.LeaseIsOver) "it gives it back")

        testCase "a process that somebody killed has ended, whatever it said"
        <| fun _ ->
            let working = new Ending()

            during (fun () -> working) (fun () -> false) (fun says ->
                says (fun _ held -> exitCode held = None) "it works"
                working.Finish(137, "the right to work on this run is over")
                says (fun _ held -> not held.Returned && exitCode held = Some 137) "it says how")

        testCase "a cell that cannot be begun is another node's, and this one takes none for a while"
        <| fun _ ->
            during (fun () -> raise (IOException "no space left on device")) (fun () -> false) (fun says ->
                says (fun renew held -> held.Returned && renew.Slots = 0) "it gives it back")

        testCase "a cell that nobody understands has ended everywhere"
        <| fun _ ->
            during (fun () -> raise (InvalidDataException "an order of another program")) (fun () -> false) (fun says ->
                says (fun renew held -> not held.Returned && renew.Slots = 2 && exitCode held = Some 1) "it says that it has failed")
    ]
