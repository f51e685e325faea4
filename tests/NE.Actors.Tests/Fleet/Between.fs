/// What can be put between a run and its nodes: a gate for rounds, and a network that mislays messages.
module NE.Actors.Tests.Fleet.Between

open System
open System.Collections.Generic
open System.Threading
open System.Threading.Tasks
open Akka.Actor
open NE.Actors.Environments
open NE.Actors.Fleet
open NE.Actors.Fleet.Environments

/// Holds the rounds of a run back when so many have been taken, once for each number, until it is opened.
type Gate(holds: int list) =
    let waiting = Queue<unit -> unit>()
    let mutable holds = holds
    let mutable passed = 0

    member _.IsHolding = lock waiting (fun () -> waiting.Count > 0)

    member _.Pass(go: unit -> unit) =
        let goes =
            lock waiting (fun () ->
                match holds with
                | at :: _ when passed >= at ->
                    waiting.Enqueue go
                    false
                | _ ->
                    passed <- passed + 1
                    true)

        if goes then
            go ()

    member _.Open() =
        let held =
            lock waiting (fun () ->
                let held = waiting.ToArray()
                waiting.Clear()
                holds <- holds.Tail
                passed <- passed + held.Length
                held)

        for go in held do
            go ()

/// Behind a gate.
type GatedHost(inner: IEnvironmentHost, gate: Gate) =
    interface IEnvironmentHost with
        member _.Begin() = inner.Begin()
        member _.Step round = gate.Pass(fun () -> inner.Step round)
        member _.Capture() = inner.Capture()
        member _.Dispose() = inner.Dispose()

/// Loses, doubles and delays what passes, as its seed says; so the order changes, too.
type Mislaying(seed: int) =
    let random = Random seed
    let mutable lost = 0
    member _.Lost = Volatile.Read &lost

    member _.Pass(deliver: unit -> unit) =
        let draws =
            lock random (fun () -> [
                for _ in 1 .. (if random.NextDouble() < 0.1 then 2 else 1) -> random.NextDouble(), random.Next 40
            ])

        for draw, milliseconds in draws do
            if draw < 0.08 then
                Interlocked.Increment &lost |> ignore
            elif draw < 0.3 then
                Task.Delay(milliseconds).ContinueWith(fun (_: Task) -> deliver ()) |> ignore
            else
                deliver ()

/// To the keeper it is the run, to the run it is the node.
type private Face(run: IActorRef, node: IActorRef, between: Mislaying) =
    inherit UntypedActor()

    override _.OnReceive message =
        between.Pass(fun () -> run.Tell(message, node))

type private Relay(keeper: IActorRef, between: Mislaying) =
    inherit UntypedActor()
    let faces = Dictionary<IActorRef, IActorRef>()

    override this.OnReceive message =
        let run = this.Sender

        let face =
            match faces.TryGetValue run with
            | true, known -> known
            | _ ->
                let created =
                    UntypedActor.Context.ActorOf(Props.Create(typeof<Face>, run, this.Self, between))

                faces[run] <- created
                created

        between.Pass(fun () -> keeper.Tell(message, face))

/// Holds environments, behind a network that mislays.
type MislayingOffer(between: Mislaying) =
    interface IFleetPart with
        member _.Messages = [| EnvironmentSerializer.Messages |]

        member _.Begin(system, _) =
            let keeper =
                system.ActorOf(Props.Create(typeof<EnvironmentKeeper>, KeptBoard()), "kept-behind")

            system.ActorOf(Props.Create(typeof<Relay>, keeper, between), EnvironmentKeeper.Name)
            |> ignore
