module NE.Actors.Tests.Runs.TrainingRunTests

#nowarn "9" // the replay memory is read through a pointer

open System
open System.Collections.Generic
open System.IO
open System.Threading
open System.Threading.Tasks
open Akka.Actor
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Conducting
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Environments.External
open NE.Actors.Journal
open NE.Actors.Replay
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Model.Replay
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

let private complete changes folder name =
    use created = create folder name
    let outcome = train toTheEnd (request created.Paths (settings changes))
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

/// What the run is whose keys are left as they are, when nothing happens to it.
let private usual = lazy (inFolder (fun folder -> complete [] folder "whole"))

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
                Expect.notEqual other.Run.State.Components["parameters"] whole.Run.State.Components["parameters"] "other bits")

        for method', changes in [ "plasticity-injection", [ "injection.step", "200" ]; "naive-growth", [] ] do
            testCase $"{method'}: a run that was stopped and resumed is the same"
            <| fun _ ->
                inFolder (fun folder ->
                    // The second stop is behind the injection: frozen bodies are in the checkpoint.
                    let changes = [ "run.method", method'; "run.steps", "400" ] @ changes
                    let whole = complete changes folder "whole"
                    expectSame (interrupted changes [ 130; 120 ] folder "interrupted") whole "the run")

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

        testCase "a learner that dies beside an environment that hangs takes the run back all the same, and nothing shows"
        <| fun _ ->
            inFolder (fun folder ->
                let whole = usual.Value
                use created = create folder "beside"
                use hang = new ManualResetEventSlim(false)
                let mutable steps = 0

                let step () =
                    if Thread.CurrentThread.Name = "environment 0" then
                        steps <- steps + 1

                        if steps = 200 then
                            hang.Wait()

                let request =
                    RunRequest(
                        Paths = created.Paths,
                        Settings = settings [],
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        CreateEnvironment = (fun id -> watch (EnvironmentFactory.Create id) step),
                        EndPatience = TimeSpan.FromMilliseconds 200.0
                    )

                let run = TrainingRun.Start request
                let errors = Inbox.Create run.System

                run.System.EventStream.Subscribe(errors.Receiver, typeof<Akka.Event.Error>)
                |> ignore

                let hangs () =
                    steps = 200 && run.Status.CheckpointStep = Nullable 150L

                Expect.isTrue (SpinWait.SpinUntil(hangs, TimeSpan.FromMinutes 1.0)) "it hangs"
                run.System.ActorSelection("/user/supervisor/run/learner").Tell(Kill.Instance)

                let said =
                    match errors.Receive(TimeSpan.FromMinutes 1.0) with
                    | :? Akka.Event.Error as error -> error
                    | other -> failtest $"{other}"

                Expect.isTrue (said.Cause :? ActorKilledException) $"what failed is in the log: {said.Cause}"
                Expect.isTrue (run.Completion.Wait(TimeSpan.FromMinutes 1.0)) "it goes on"
                hang.Set()
                run.DisposeAsync().AsTask().Wait()
                let outcome = run.Completion.Result
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                expectSame (identity created.Paths) whole "the run")

        testCase "a second run in a process leaves the log of simulators as it is, and what no run logs is shown"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = [ "run.steps", "200" ]
                complete changes folder "first" |> ignore
                let log = ExternalEnvironment.Log
                Expect.isNotNull log "there is one"
                complete changes folder "second" |> ignore
                Expect.isTrue (obj.ReferenceEquals(ExternalEnvironment.Log, log)) "it is still that one"

                let refused =
                    try
                        use _ =
                            new ExternalEnvironment([ "sh"; "-c"; "echo a cause >&2; echo an end >&2; exit 3" ], ExternalPatience.Default)

                        failtest "it was taken"
                    with :? EnvironmentUnusableException as problem ->
                        problem.Message

                Expect.stringContains refused "an end" "the last line"
                Expect.stringContains refused "a cause" "and those before")

        testCase "heavy priming shows how far it is"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "primed"
                let endless = 1_000_000_000L
                let settings = settings [ "learner.primingUpdates", string endless ]
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
                    let state = (complete changes folder name).Run.State

                    [
                        for name in [ "parameters"; "targets"; "moments"; "environments"; "replay" ] -> state.Components[name]
                    ]

                Expect.equal (components (("run.method", "ne") :: dense) "ne") (components [ "run.method", "td3" ] "td3") "state")

        testCase "the previous checkpoint is gone on from as if the newest had never been, and only once it is known to open"
        <| fun _ ->
            inFolder (fun folder ->
                let whole = usual.Value
                use created = create folder "rewound"
                let paths = created.Paths
                let request = request paths (settings [])
                trainUntil 350 request |> ignore

                let previous =
                    RunRequest(
                        Paths = paths,
                        Settings = request.Settings,
                        ConfigurationText = request.ConfigurationText,
                        Versions = request.Versions,
                        From = ResumeFrom.Previous
                    )

                let manifests () =
                    use journal = JournalReader.Open paths
                    [ for manifest in journal.Manifests() -> manifest.CommitId ]

                let before = manifests ()
                let table = File.ReadAllBytes paths.Metrics
                File.WriteAllText(paths.Metrics, "step")
                let refused = train toTheEnd previous
                Expect.equal refused.Phase RunPhase.Failed "the table is too short for either"
                Expect.stringContains (string refused.Message) "metrics.csv should have at least" "why"
                Expect.equal (manifests ()) before "the newest commit still counts"
                File.WriteAllBytes(paths.Metrics, table)

                let outcome = train toTheEnd previous
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                expectSame (identity paths) whole "the run")

        testCase "both checkpoints damaged: none is offered in the place of the other, and neither is touched"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "damaged"
                let request = request created.Paths (settings [])
                trainUntil 350 request |> ignore

                for blob in Directory.GetFiles created.Paths.Blobs do
                    File.WriteAllText(blob, "")

                let from choice =
                    (train
                        toTheEnd
                        (RunRequest(
                            Paths = created.Paths,
                            Settings = request.Settings,
                            ConfigurationText = request.ConfigurationText,
                            Versions = request.Versions,
                            From = choice
                        )))
                        .Message

                Expect.stringContains (string (from ResumeFrom.Latest)) "There is no other checkpoint" "the other is no better"
                let previous = string (from ResumeFrom.Previous)
                Expect.stringContains previous "The previous checkpoint is damaged" "which"
                Expect.stringContains previous "is damaged, too, and neither was touched" "the newest is no better")

        // The evaluation is that of step 100, which the commit of step 150 would deliver.
        for thread, last, reached, committed in [ "environment 0", 200, 0L, 150L; "evaluation", 1_050, 150L, 150L ] do
            testCase $"a stop does not wait for an environment that hangs, here on the thread '{thread}'"
            <| fun _ ->
                inFolder (fun folder ->
                    use created = create folder "hanging"
                    use hang = new ManualResetEventSlim(false)
                    let mutable steps = 0

                    let step () =
                        if Thread.CurrentThread.Name = thread then
                            steps <- steps + 1

                            if steps = last then
                                hang.Wait()

                    let request =
                        RunRequest(
                            Paths = created.Paths,
                            Settings = settings [],
                            ConfigurationText = "test",
                            Versions = Dictionary(),
                            CreateEnvironment = (fun id -> watch (EnvironmentFactory.Create id) step),
                            StopPatience = TimeSpan.FromMilliseconds 200.0
                        )

                    let run = TrainingRun.Start request

                    let hangs () =
                        steps = last && run.Status.Step >= reached

                    Expect.isTrue (SpinWait.SpinUntil(hangs, TimeSpan.FromMinutes 1.0)) "it hangs"
                    run.RequestStop "the test asked for it"
                    Expect.isTrue (run.Completion.Wait(TimeSpan.FromSeconds 30.0)) "it ends all the same"
                    Expect.equal run.Completion.Result.Phase RunPhase.Interrupted "interrupted"
                    Expect.equal run.Completion.Result.Step committed "at its last commit"
                    hang.Set()
                    run.DisposeAsync().AsTask().Wait())

        testCase "evaluations that are late for every checkpoint change nothing"
        <| fun _ ->
            inFolder (fun folder ->
                let whole = usual.Value
                use created = create folder "late"
                let started = TaskCompletionSource<TrainingRun>()
                let late = ResizeArray<int64 list>()
                let mutable taken = 0
                let mutable played = 0
                let mutable opened = 0

                let lateNow () =
                    List.ofSeq started.Task.Result.Status.LateEvaluations

                let waitUntil (condition: unit -> bool) =
                    SpinWait.SpinUntil(condition, TimeSpan.FromMinutes 1.0) |> ignore

                // By the step at which the run waits, behind each commit: the evaluations that this was made without, and how many may be
                // over before the next one.
                let gates =
                    Map [ 190, ([ 0L; 100L ], 2); 340, ([ 200L ], 3); 490, ([ 300L; 400L ], 7) ]

                let gated () =
                    match Option.ofObj Thread.CurrentThread.Name with
                    | Some "environment 0" ->
                        taken <- taken + 1

                        match gates.TryFind taken with
                        | Some(expected, count) ->
                            waitUntil (fun () -> lateNow () = expected)
                            late.Add(lateNow ())
                            opened <- count
                            waitUntil (fun () -> (lateNow ()).IsEmpty)
                        | None -> ()
                    | Some "evaluation" ->
                        // Each has 1,000 steps.
                        let number = played / 1_000 + 1
                        played <- played + 1
                        waitUntil (fun () -> number <= opened)
                    | _ -> ()

                let request =
                    RunRequest(
                        Paths = created.Paths,
                        Settings = settings [],
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        CreateEnvironment = (fun id -> watch (EnvironmentFactory.Create id) gated),
                        EvaluationPatience = TimeSpan.FromMilliseconds 1.0
                    )

                let outcome = train (fun run -> started.TrySetResult run |> ignore) request
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                Expect.equal (List.ofSeq late) [ [ 0L; 100L ]; [ 200L ]; [ 300L; 400L ] ] "late for each commit but the last"
                expectSame (identity created.Paths) whole "the run")

        testCase "a stop while the last evaluation is played commits all steps, and the resume plays it"
        <| fun _ ->
            inFolder (fun folder ->
                let whole = usual.Value
                use created = create folder "stopped"
                use hang = new ManualResetEventSlim(false)
                let mutable steps = 0

                let step () =
                    if Thread.CurrentThread.Name = "evaluation" then
                        steps <- steps + 1

                        // Six of the seven evaluations are over.
                        if steps = 6_050 then
                            hang.Wait()

                let request (create: string -> IEnvironment) =
                    RunRequest(
                        Paths = created.Paths,
                        Settings = settings [],
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        CreateEnvironment = (fun id -> create id)
                    )

                let run =
                    TrainingRun.Start(request (fun id -> watch (EnvironmentFactory.Create id) step))

                let waits () =
                    steps = 6_050
                    && run.Status.Step = 600L
                    && run.Status.Message = "waiting for evaluations before the checkpoint"

                Expect.isTrue (SpinWait.SpinUntil(waits, TimeSpan.FromMinutes 1.0)) "it waits"
                run.RequestStop "the test asked for it"
                Expect.isTrue (run.Completion.Wait(TimeSpan.FromSeconds 30.0)) "it ends"
                hang.Set()
                run.DisposeAsync().AsTask().Wait()
                Expect.equal run.Completion.Result.Phase RunPhase.Interrupted "interrupted"
                Expect.equal run.Completion.Result.Step 600L "with all steps"
                let outcome = train toTheEnd (request (fun id -> EnvironmentFactory.Create id))
                Expect.equal outcome.Phase RunPhase.Completed $"the rest: {outcome.Message}"
                expectSame (identity created.Paths) whole "the run")

        testCase "rows of eval.csv are there when their evaluations are over, and a resume makes those of no checkpoint anew"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = [ "checkpoint.every", "600" ]
                let whole = complete changes folder "whole"
                use created = create folder "stopped"

                let table () =
                    File.ReadAllText created.Paths.Evaluations

                let request = request created.Paths (settings changes)
                let started = TaskCompletionSource<TrainingRun>()
                let mutable taken = 0

                // In the middle of the run it waits until that has heard of the stop.
                let gated () =
                    if Thread.CurrentThread.Name = "environment 0" then
                        taken <- taken + 1

                        if taken = 350 then
                            let run = started.Task.Result

                            SpinWait.SpinUntil((fun () -> run.Status.Phase <> RunPhase.Training), TimeSpan.FromMinutes 1.0)
                            |> ignore

                let request =
                    RunRequest(
                        Paths = request.Paths,
                        Settings = request.Settings,
                        ConfigurationText = "test",
                        Versions = request.Versions,
                        CreateEnvironment = (fun id -> watch (EnvironmentFactory.Create id) gated)
                    )

                let run = TrainingRun.Start request
                started.SetResult run
                let shows () = (table ()).Contains "\n200,"

                Expect.isTrue
                    (SpinWait.SpinUntil((fun () -> File.Exists created.Paths.Evaluations && shows ()), TimeSpan.FromMinutes 1.0))
                    "rows, while it goes on"

                Expect.equal run.Status.CheckpointStep (Nullable 0L) "before any checkpoint has them"
                run.RequestStop "the test asked for it"
                Expect.isTrue (run.Completion.Wait(TimeSpan.FromMinutes 1.0)) "it ends"
                run.DisposeAsync().AsTask().Wait()
                let stopped = table ()
                Expect.isTrue (shows ()) "a stop leaves them"
                let wanted = Text.Encoding.UTF8.GetString whole.Run.Tables["eval.csv"]
                Expect.stringStarts wanted stopped "they are those of the run that never stopped"

                let manifest =
                    (CheckpointReader.Load(created.Paths, CheckpointChoice.Last)).Manifest

                Expect.isLessThan manifest.Files["eval.csv"].Length (int64 stopped.Length) "the checkpoint does not have them"
                let outcome = train toTheEnd request
                Expect.equal outcome.Phase RunPhase.Completed $"the rest: {outcome.Message}"
                expectSame (identity created.Paths) whole "the run")

        testCase "an evaluation ends in an environment that ends no episode"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "endless"

                let request =
                    RunRequest(
                        Paths = created.Paths,
                        Settings = settings [ "run.steps", "200"; "evaluation.maxSteps", "40"; "evaluation.episodes", "2" ],
                        ConfigurationText = "test",
                        Versions = Dictionary(),
                        CreateEnvironment = (fun id -> endless (EnvironmentFactory.Create id))
                    )

                let outcome = train toTheEnd request
                Expect.equal outcome.Phase RunPhase.Completed $"it completes: {outcome.Message}"
                use journal = JournalReader.Open created.Paths

                let lengths = [
                    for stored in journal.Events() do
                        match stored.Event with
                        | NE.Model.History.EvaluationEnded(_, evaluation) -> List.ofArray evaluation.Lengths
                        | _ -> ()
                ]

                Expect.equal lengths [ for _ in 0..2 -> [ 40; 40 ] ] "cut")

        let taken runs name =
            CheckpointReader.Load(RunPaths.Of(runs, name), CheckpointChoice.Last).Manifest.GradientStep

        // Of 601 steps 501 are learned from.
        for ratio, updates in [ "0.02", 10L; "2.5", 1_252L ] do
            testCase $"async: at a replay ratio of {ratio} {updates} gradient steps are taken"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [
                        "learner.updatesPerStep", ratio
                        "run.steps", "601"
                        "schedule.kind", "async"
                    ]

                    use created = create folder "async"
                    let outcome = train toTheEnd (request created.Paths (settings changes))
                    Expect.equal (outcome.Phase, outcome.Step) (RunPhase.Completed, 601L) $"it completes: {outcome.Message}"
                    Expect.equal (taken folder "async") updates "gradient steps")

        for schedule in [ "serial"; "pipelined" ] do
            testCase $"{schedule}: a gradient step every few steps, and a resume between two of them does not show"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [
                        "learner.updatesPerStep", "0.3"
                        "run.steps", "601"
                        "schedule.kind", schedule
                    ]

                    let whole = complete changes folder "whole"
                    Expect.equal (taken folder "whole") 150L "gradient steps"
                    expectSame (interrupted changes [ 131; 222 ] folder "interrupted") whole "the run")

        testCase "async: rows of metrics are of the steps at which they were due"
        <| fun _ ->
            inFolder (fun folder ->
                use created = create folder "metrics"

                let settings =
                    settings [
                        "schedule.kind", "async"
                        "schedule.environments", "4"
                        "run.steps", "1200"
                        "log.metricsEvery", "16"
                    ]

                let outcome = train toTheEnd (request created.Paths settings)
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"

                let steps = [
                    for line in Seq.skip 1 (File.ReadLines created.Paths.Metrics) -> int64 ((line.Split ',')[0])
                ]

                Expect.isGreaterThan steps.Length 10 "rows"
                Expect.equal steps (steps |> List.distinct |> List.sort) "each step once")

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
