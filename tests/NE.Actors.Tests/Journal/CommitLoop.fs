/// A process that trains nothing but commits for ever, for the kill test: started with its arguments instead of the tests, it appends rows,
/// commits beside that, and says on standard output how far it is, until it is killed.
module NE.Actors.Tests.Journal.CommitLoop

open System
open System.Threading.Tasks
open Akka.Actor
open Akka.Configuration
open NE.Actors.Cast
open NE.Actors.Journal
open NE.Actors.Replay
open NE.Actors.RunDirectory
open NE.Actors.Tests.DurableSupport

[<Literal>]
let Argument = "--commit-loop"

let floats = 16
let capacity = 4_000L
let private segmentRows = 512
let private rowsPerRound = 37
// Beyond this it waits for its commit, as the run does when the next one is due.
let private roundsPerCommit = 60

/// What a commit of this step holds.
let stateOf step ordinal replay =
    frozenWith
        step
        ordinal
        [
            "parameters", contentOf step 100_000
            "counters", BitConverter.GetBytes(step: int64)
        ]
        replay
        null

let run (runs: string) =
    let exists =
        RunFolder.List runs |> Seq.contains "run"
        || IO.File.Exists(RunPaths.Of(runs, "run").Journal)

    use folder =
        if exists then
            RunFolder.Open(runs, "run")
        else
            RunFolder.Create(runs, "run", true)

    let paths = folder.Paths

    let quiet =
        ConfigurationFactory.ParseString "akka.loglevel = OFF\nakka.stdout-loglevel = OFF"

    let system = ActorSystem.Create("loop", JournalConfig.SystemSetup(paths, quiet))
    let outbox = system.ActorOf(JournalOutbox.Props(paths, ActorRefs.Nobody))
    let recovered = outbox.Ask<Recovered>(GetRecovered()).GetAwaiter().GetResult()

    let store =
        match List.ofSeq recovered.Manifests with
        | [] ->
            SegmentFiles.Sweep(paths.Replay, []) |> ignore
            SegmentStore.Create(paths.Replay, floats, capacity, segmentRows)
        | newest :: _ ->
            SegmentFiles.Sweep(paths.Replay, [ for m in recovered.Manifests -> there m.Replay ])
            |> ignore

            SegmentStore.Resume(paths.Replay, there newest.Replay, capacity)

    let mutable id = recovered.NextId
    let mutable ordinal = recovered.HistoryOrdinal
    let mutable history = []
    let mutable sinceCommit = 0
    let mutable commit: Task = Task.CompletedTask

    while true do
        append store rowsPerRound
        store.ReleaseBefore store.First
        history <- episode ordinal :: history
        ordinal <- ordinal + 1L
        sinceCommit <- sinceCommit + 1

        if sinceCommit >= roundsPerCommit then
            commit.GetAwaiter().GetResult()

        if commit.IsCompleted then
            let state = stateOf store.Head ordinal (store.Capture())
            commit <- outbox.Ask<Committed>(Commit(id, state, List.rev history))
            id <- id + 1L
            history <- []
            sinceCommit <- 0

        Console.Out.WriteLine store.Head
        Console.Out.Flush()

    0
