module NE.Actors.Tests.Runs.TrainingRunTests

open System.IO
open Expecto
open NE.Actors.Journal
open NE.Actors.Runs
open NE.Actors.Tests.Runs.Training

/// Everything that must be the same for two equal runs: state, ordered history, tables.
let private identity (paths: RunPaths) =
    use journal = JournalReader.Open paths

    let history =
        journal.Events()
        |> Seq.map _.Event
        |> Seq.filter RunEvents.IsHistory
        |> Seq.map string
        |> List.ofSeq

    let table name = File.ReadAllText(Path.Combine(paths.Root, name))
    let state = digest paths
    state.Step, state.State, history, table "metrics.csv", table "eval.csv", table "topology.csv"

let private complete changes folder name =
    use created = create folder name
    let outcome = train id never created.Paths (settings changes)
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

[<Tests>]
let tests =
    testSequenced
    <| testList "A training run" [
        for schedule in [ "serial"; "pipelined" ] do
            testCase $"{schedule}: the same seed gives the same run"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [ "schedule.kind", schedule; "schedule.environments", "2" ]
                    let first = complete changes folder "first"
                    Expect.equal (complete changes folder "second") first "state, history and tables")
    ]
