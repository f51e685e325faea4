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

/// Stops the run as soon as it is seen at each of these steps, resumes it, and lets it complete.
let private interrupted changes (stops: int64 list) folder name =
    use created = create folder name
    let settings = settings changes

    let phases =
        stops
        |> List.map (fun step -> (train id (fun status -> status.Step >= step) created.Paths settings).Phase)

    // A fast machine may complete the run before the last stop is noticed.
    Expect.equal phases.Head RunPhase.Interrupted "the first stop"
    let outcome = train id never created.Paths settings
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

let private same (actual, expected) =
    let step, state, history, metrics, evaluations, topology = expected
    let step', state', history', metrics', evaluations', topology' = actual
    Expect.equal step' step "step"
    Expect.equal (List.length history') (List.length history) "number of history events"

    for found, wanted in List.zip history' history do
        Expect.equal found wanted "history event"

    Expect.equal metrics' metrics "metrics.csv"
    Expect.equal evaluations' evaluations "eval.csv"
    Expect.equal topology' topology "topology.csv"
    Expect.equal state' state "state digest"

[<Tests>]
let tests =
    testSequenced
    <| testList "A training run" [
        for schedule in [ "serial"; "pipelined" ] do
            let changes = [ "schedule.kind", schedule; "schedule.environments", "2" ]

            testCase $"{schedule}: the same seed gives the same run, and so does one that was stopped and resumed"
            <| fun _ ->
                inFolder (fun folder ->
                    let whole = complete changes folder "whole"
                    same (complete changes folder "again", whole)
                    same (interrupted changes [ 1L; 170L; 420L ] folder "interrupted", whole))

        for environment in [ "Ant-v4"; "Humanoid-v4" ] do
            testCase $"{environment}, whose rewards read lagged physics, resumes exactly"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [ "run.environment", environment; "run.steps", "400" ]
                    let whole = complete changes folder "whole"
                    same (interrupted changes [ 130L; 250L ] folder "interrupted", whole))
    ]
