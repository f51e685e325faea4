module NE.EndToEnd.FleetSweepTests

open System
open System.IO
open System.Text.RegularExpressions
open Expecto
open NE.Actors.Fleet.Cells
open NE.Model.Fleet
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable

let private file =
    """
name: shared
environments: [InvertedPendulum-v4]
methods: [ne]
seeds: 0-2
parallel: 2
keys:
  run.steps: 1200
  network.hidden: [32, 32]
  learner: {batchSize: 32, startSteps: 50}
  evaluation: {episodes: 1, every: 500}
  checkpoint.every: 100
  log.metricsEvery: 100
"""

let private cells = [ for seed in 0..2 -> $"shared-InvertedPendulum-v4-ne-s{seed}" ]

/// Step of a run's newest commit; 0 before the first.
let private committed runs name =
    try
        use journal = JournalReader.Open(RunPaths.Of(runs, name))

        journal.Manifests()
        |> Seq.tryHead
        |> Option.map _.Step
        |> Option.defaultValue 0L
    with
    | :? FileNotFoundException
    | :? InvalidDataException -> 0L // It is only just being made.

let private digest runs name =
    let printed = ne [ "digest"; name; "--runs"; runs ]
    Expect.equal printed.ExitCode 0 printed.Error
    (Regex.Match(printed.Output, "state +([0-9a-f]{64})")).Groups[1].Value

/// A node of a fleet, and where it is.
type private Node(folder: string, key: string, name: string, seeds: string list, more: string list) =
    let running =
        new Running(
            [ "NE_FLEET_KEY", key ],
            [
                "node"
                "--name"
                name
                "--port"
                "0"
                "--slots"
                "1"
                "--environments"
                "0"
                "--patience"
                "20"
                "--runs"
                folder
            ]
            @ List.collect (fun seed -> [ "--seed-node"; seed ]) seeds
            @ more
        )

    let joined = Regex @"is at (\S+?),"

    do
        waitUntil $"{name} to join" (fun () ->
            if running.HasExited then
                failwith $"{name} ended: {running.Wait(TimeSpan.FromSeconds 5.0)}"

            joined.IsMatch running.Printed)

    member _.Address = joined.Match(running.Printed).Groups[1].Value
    member _.Running = running

    interface IDisposable with
        member _.Dispose() = (running :> IDisposable).Dispose()

/// Lets a fleet work on a sweep, and watches.
let private handOver key (sweep: string) (address: string) (runs: string) =
    new Running([ "NE_FLEET_KEY", key ], [ "sweep"; sweep; "--fleet"; address; "--plain"; "--runs"; runs ])

/// The runs are those of a sweep of one machine, which is worked on in another folder.
let private expectPlain (sweep: string) (runs: string) (alone: string) =
    let plain = ne [ "sweep"; sweep; "--runs"; alone ]
    Expect.equal plain.ExitCode 0 plain.Error

    for name in cells do
        Expect.equal (digest runs name) (digest alone name) name

[<Tests>]
let tests =
    testSequencedGroup "fleet"
    <| testList "A sweep over a fleet" [
        testCase "whose nodes are killed, the coordinator's among them, ends as the sweep of one machine"
        <| fun _ ->
            inRuns (fun folder ->
                let inFolder name = Path.Combine(folder, name)
                let shared, alone, key = inFolder "fleet", inFolder "alone", inFolder "fleet.pem"
                let sweep = inFolder "sweep.yaml"
                File.WriteAllText(sweep, file)
                use first = new Node(shared, key, "first", [], [])
                use second = new Node(shared, key, "second", [ first.Address ], [])
                use third = new Node(shared, key, "third", [ first.Address; second.Address ], [])

                // Asked by a node that stays: the first, which is the oldest, coordinates.
                use watched = handOver key sweep second.Address (inFolder "nowhere")

                let progress () = List.sumBy (committed shared) cells

                let untilMore steps =
                    let before = progress ()
                    waitUntil "commits" (fun () -> watched.HasExited || progress () >= before + steps)

                untilMore 200L
                third.Running.Kill()
                untilMore 200L
                first.Running.Kill()
                let ended = watched.Wait(TimeSpan.FromMinutes 3.0)
                Expect.equal ended.ExitCode 0 $"{ended.Output}\n{ended.Error}"
                Expect.stringContains ended.Output "shared is complete: 3 cells." "end"
                Expect.stringContains ended.Output "another coordinator goes on with the sweep" "it moved"
                Expect.isFalse (Directory.Exists(inFolder "nowhere")) "who watches writes nothing"

                expectPlain sweep shared alone)

        testCase "of nodes with disks of their own ends as the sweep of one machine, though one of them is killed"
        <| fun _ ->
            inRuns (fun folder ->
                let inFolder name = Path.Combine(folder, name)
                let head, alone, key = inFolder "head", inFolder "alone", inFolder "fleet.pem"
                let sweep = inFolder "sweep.yaml"
                File.WriteAllText(sweep, file)
                use first = new Node(head, key, "first", [], [])

                let withDisk name =
                    new Node(inFolder name, key, name, [ first.Address ], [ "--own-disk" ])

                use _ = withDisk "second"
                use third = withDisk "third"

                use watched = handOver key sweep first.Address (inFolder "nowhere")

                // Cells that a node has on its own disk now, and that have been copied.
                let copied node =
                    let disk = Path.Combine(inFolder node, ".fleet", "nodes")

                    [
                        for cell in cells do
                            if
                                Directory.Exists disk
                                && Directory
                                    .GetDirectories(
                                        disk,
                                        cell,
                                        EnumerationOptions(RecurseSubdirectories = true, IgnoreInaccessible = true)
                                    )
                                    .Length
                                    >
                                    0
                                && committed head cell > 0L
                            then
                                cell
                    ]

                waitUntil "a copy" (fun () -> watched.HasExited || not (copied "third").IsEmpty)
                third.Running.Kill()
                let ended = watched.Wait(TimeSpan.FromMinutes 3.0)
                Expect.equal ended.ExitCode 0 $"{ended.Output}\n{ended.Error}"
                Expect.stringContains ended.Output "shared is complete: 3 cells." "end"
                Expect.stringContains ended.Output "node third was lost" "its cell went on elsewhere"

                expectPlain sweep head alone)

        testCase "a cell whose node says no more that it may go on dies by itself, and goes on from its commit"
        <| fun _ ->
            inRuns (fun runs ->
                let arguments = [
                    "InvertedPendulum-v4"
                    "--method"
                    "td3"
                    "--name"
                    "leased"
                    "--runs"
                    runs
                    "run.steps=1000000"
                    "learner.startSteps=50"
                    "network.hidden=32,32"
                    "checkpoint.every=200"
                    "evaluation.every=1000000"
                    "--lease"
                ]

                // Its input stays open, but says nothing after the first line.
                let until = SteadyClock.Now + 6000L

                let through = [
                    "bash"
                    "-c"
                    $"exec \"$@\" < <(echo {until}; exec sleep 60 2>/dev/null)"
                    "bash"
                ]

                use leased = new Running(through, [], "train" :: arguments)
                let ended = leased.Wait(TimeSpan.FromMinutes 1.0)
                Expect.isGreaterThanOrEqual SteadyClock.Now until "not before"
                Expect.equal ended.ExitCode CellExitCode.LeaseIsOver "at once, and says why"
                Expect.stringContains ended.Error "the right to work on this run is over" "why"

                let resumed =
                    ne [
                        "resume"
                        "leased"
                        "--runs"
                        runs
                        "--steps"
                        string (committed runs "leased" + 200L)
                    ]

                Expect.equal resumed.ExitCode 0 resumed.Error)
    ]
