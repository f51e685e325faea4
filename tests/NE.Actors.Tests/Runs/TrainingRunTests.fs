module NE.Actors.Tests.Runs.TrainingRunTests

#nowarn "9" // the replay memory is read through a pointer

open System
open System.Collections.Generic
open System.Threading
open Akka.Actor
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Actors.Replay
open NE.Actors.Runs
open NE.Model.Replay
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

let private complete changes folder name =
    use created = create folder name
    let outcome = train toTheEnd (request created.Paths (settings changes))
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

/// Stops the run again and again, each time after so many more steps of its first environment, and lets it complete.
let private interrupted changes (stops: int list) folder name =
    use created = create folder name
    let settings = settings changes

    for steps in stops do
        let outcome = trainUntil steps (request created.Paths settings)
        Expect.equal outcome.Phase RunPhase.Interrupted $"stopped after {steps} more steps"

    let outcome = train toTheEnd (request created.Paths settings)
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

/// Rows of the committed window that differ from every other; continuous observations never repeat by chance.
let private distinctRows (paths: RunPaths) (manifest: CheckpointManifest) =
    match manifest.Replay with
    | null -> 0
    | replay ->
        use store = SegmentStore.Resume(paths.Replay, replay, replay.Head - replay.First)
        let source = store :> ITransitionSource
        let numbers = [| replay.First .. replay.Head - 1L |]
        let rows = Array.zeroCreate<float32>(numbers.Length * replay.RowFloats)
        use target = fixed rows
        source.Gather(ReadOnlySpan numbers, target, replay.RowFloats)
        rows |> Array.chunkBySize replay.RowFloats |> Array.distinct |> Array.length

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
                    expectSame (interrupted changes [ 1; 85; 125 ] folder "interrupted") whole "the run")

        testCase "on torch, too, a run that was stopped and resumed is the same, and not that of the simd engine"
        <| fun _ ->
            inFolder (fun folder ->
                let on engine = [ "run.steps", "400"; "compute.engine", engine ]
                let whole = complete (on "torch") folder "whole"
                expectSame (interrupted (on "torch") [ 130; 120 ] folder "interrupted") whole "the run"
                let other = complete (on "simd") folder "simd"
                Expect.notEqual other.State.Components["parameters"] whole.State.Components["parameters"] "other bits")

        testCase "on simd the number of threads may change at every resume, and nothing shows"
        <| fun _ ->
            inFolder (fun folder ->
                let on threads = [ "run.steps", "400"; "compute.engine", "simd"; "compute.threads", threads ]
                let whole = complete (on "1") folder "whole"
                use created = create folder "changing"

                for threads, steps in [ "2", 130; "3", 120 ] do
                    let outcome = trainUntil steps (request created.Paths (settings (on threads)))
                    Expect.equal outcome.Phase RunPhase.Interrupted $"stopped after {steps} more steps"

                let outcome = train toTheEnd (request created.Paths (settings (on "1")))
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                expectSame (identity created.Paths) whole "the run")

        for environment in [ "Ant-v4"; "Humanoid-v4" ] do
            testCase $"{environment}, whose rewards read lagged physics, resumes exactly"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [ "run.environment", environment; "run.steps", "400" ]
                    let whole = complete changes folder "whole"
                    expectSame (interrupted changes [ 130; 120 ] folder "interrupted") whole "the run")

        testCase "a learner that dies takes the whole run back to its last commit, and nothing shows"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = [ "schedule.environments", "2" ]
                let whole = complete changes folder "whole"
                use created = create folder "rewound"
                let mutable killed = false

                let kill (run: TrainingRun) =
                    if not killed && run.Status.CheckpointStep.GetValueOrDefault() >= 150L then
                        killed <- true
                        run.System.ActorSelection("/user/supervisor/run/learner").Tell(Kill.Instance)

                let outcome = train kill (request created.Paths (settings changes))
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                Expect.isTrue killed "the learner was killed"
                expectSame (identity created.Paths) whole "the run")

        testCase "heavy priming shows how far it is"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "primed"
                let endless = 1_000_000_000L
                let settings = settings [ "td3.primingUpdates", string endless ]
                let run = TrainingRun.Start(request created.Paths settings)
                let owed () = run.Status.GradientStepsOwed

                Expect.isTrue
                    (SpinWait.SpinUntil((fun () -> owed () > 0L), TimeSpan.FromMinutes 1.0))
                    $"it says what it owes: {run.Status}"

                Expect.isLessThan (owed ()) endless "of all"
                Expect.isGreaterThan run.Status.GradientStep 0L "the gradient steps taken so far"
                Expect.isLessThan run.Status.Step 110L "the environment waits"
                run.DisposeAsync().AsTask().Wait())

        testCase "a complete run that is resumed is complete at once and stays what it is"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "complete"
                let settings = settings [ "schedule.kind", "serial"; "run.steps", "300" ]

                let outcomes = [
                    for _ in 1..2 do
                        let outcome = train toTheEnd (request created.Paths settings)
                        Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                        identity created.Paths
                ]

                expectSame outcomes[1] outcomes[0] "resumed")

        testCase "a learner that dies again and again without a new commit ends the run with its reason"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "hopeless"

                let kill (run: TrainingRun) =
                    run.System.ActorSelection("/user/supervisor/*/learner").Tell(Kill.Instance)

                let outcome = train kill (request created.Paths (settings []))
                Expect.equal outcome.Phase RunPhase.Failed "the run ends"
                Expect.stringContains (string outcome.Message) "failed 6 times" "how often it was tried"
                let resumed = train toTheEnd (request created.Paths (settings []))
                Expect.equal resumed.Phase RunPhase.Completed $"it can be resumed: {resumed.Message}")

        testCase "td3 equals ne at start density 1 without prune and review, bit for bit"
        <| fun _ ->
            inFolder (fun folder ->
                let dense = [ "ne.startDensity", "1"; "ne.omega", "0"; "ne.review", "off" ]

                let components changes name =
                    let state = (complete changes folder name).State

                    [
                        for name in [ "parameters"; "targets"; "moments"; "environments"; "replay" ] -> state.Components[name]
                    ]

                Expect.equal (components (("run.method", "ne") :: dense) "ne") (components [ "run.method", "td3" ] "td3") "state")

        testCase "async with failing environments loses and doubles no transition"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "async"

                let settings =
                    settings [ "schedule.kind", "async"; "schedule.environments", "3"; "run.steps", "1200" ]

                let request =
                    RunRequest(
                        Paths = created.Paths,
                        Settings = settings,
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        Drills = [| FaultDrill(1, 300L); FaultDrill(2, 500L) |]
                    )

                let stopped = trainUntil 230 request
                Expect.equal stopped.Phase RunPhase.Interrupted "stopped"
                let outcome = train toTheEnd request
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                let checkpoint = CheckpointReader.Load(created.Paths, CheckpointChoice.Last)
                Expect.equal checkpoint.Manifest.Step 1200L "steps"
                Expect.equal checkpoint.Manifest.GradientStep 1100L "one gradient step for every step after the random ones"
                Expect.equal (distinctRows created.Paths checkpoint.Manifest) 400 "rows in the window, all different"

                use journal = JournalReader.Open created.Paths

                let restarts =
                    journal.Events()
                    |> Seq.filter (fun stored -> stored.Event.IsEnvironmentRestarted)
                    |> Seq.length

                Expect.equal restarts 2 "restarts in the history")
    ]
