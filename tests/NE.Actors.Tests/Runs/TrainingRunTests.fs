module NE.Actors.Tests.Runs.TrainingRunTests

open Expecto
open NE.Actors.Runs
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

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
                    expectSame (complete changes folder "again") whole "the run"
                    expectSame (interrupted changes [ 1L; 170L; 420L ] folder "interrupted") whole "the run")

        for environment in [ "Ant-v4"; "Humanoid-v4" ] do
            testCase $"{environment}, whose rewards read lagged physics, resumes exactly"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [ "run.environment", environment; "run.steps", "400" ]
                    let whole = complete changes folder "whole"
                    expectSame (interrupted changes [ 130L; 250L ] folder "interrupted") whole "the run")
    ]
