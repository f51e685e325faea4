module NE.Actors.Tests.Runs.CycleTests

open System
open System.Collections.Generic
open System.IO
open System.Threading
open Akka.Actor
open Expecto
open NE.Actors.Conducting
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Model.History
open NE.Actors.Tests.Runs.Training
open NE.Tests.RunIdentity

/// Three tasks of different widths, twice, in phases of 120 steps: commits, evaluations and topology events fall into every phase.
let private small = [
    "run.environment", "cycle:Hopper-v4,HalfCheetah-v4,Swimmer-v4"
    "run.steps", "720"
    "cycle.cycles", "2"
    "cycle.steps", "120"
    "cycle.warmUp", "20"
    "learner.startSteps", "40"
    "learner.bufferSize", "100"
    "network.hidden", "16,16"
    "checkpoint.every", "50"
    "evaluation.every", "90"
    "log.metricsEvery", "30"
]

let private complete changes folder name =
    use created = create folder name
    let outcome = train toTheEnd (request created.Paths (settings (small @ changes)))
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    created.Paths, outcome

/// Stops the run again and again, each time after so many more steps of its first environment, and lets it complete.
let private stopped changes (stops: int list) folder name =
    use created = create folder name
    let settings = settings (small @ changes)

    for steps in stops do
        let outcome = trainUntil steps (request created.Paths settings)
        Expect.equal outcome.Phase RunPhase.Interrupted $"stopped after {steps} more steps"

    let outcome = train toTheEnd (request created.Paths settings)
    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
    identity created.Paths

/// Ends the process's part of a run without a word, when the last commit is that of a step and `isTime` says so, which sees every environment
/// that is created to act and every step. That environment is stopped in the middle of what it does, so that no other commit begins: half a commit is
/// what NE.EndToEnd kills processes for.
let private killed (committed: int64) (isTime: string -> int -> bool) (request: RunRequest) =
    use time = new ManualResetEventSlim()
    // Of the environment that acts now; the one that evaluates has another thread.
    let taken = ref 0

    let isActing () =
        Thread.CurrentThread.Name = "environment 0"

    let look id =
        if isActing () then
            if isTime id taken.Value then
                time.Set()
                StoppingThread.Token.WaitHandle.WaitOne() |> ignore

            taken.Value <- taken.Value + 1

    let create id =
        if isActing () then
            taken.Value <- 0

        look id
        watch (EnvironmentFactory.Create id) (fun () -> look id)

    let watched =
        RunRequest(
            Paths = request.Paths,
            Settings = request.Settings,
            ConfigurationText = request.ConfigurationText,
            Versions = request.Versions,
            CreateEnvironment = create
        )

    let run = TrainingRun.Start watched
    Expect.isTrue (time.Wait(TimeSpan.FromMinutes 1.0)) "the moment came"

    Expect.isTrue
        (SpinWait.SpinUntil((fun () -> run.Status.CheckpointStep = Nullable committed), TimeSpan.FromMinutes 1.0))
        $"the commit of step {committed}: {run.Status}"

    run.DisposeAsync().AsTask().Wait()

/// First row and head of the last commit's replay memory.
let private window (paths: RunPaths) =
    match CheckpointReader.LoadWithoutReplay(paths, CheckpointChoice.Last).Manifest.Replay with
    | null -> failtest "the commit has no replay memory"
    | replay -> replay.First, replay.Head

let private phases (paths: RunPaths) =
    File.ReadAllLines paths.Phases |> List.ofArray

[<Tests>]
let tests =
    testSequenced
    <| testList "A cycle of tasks" [
        testCase "visits every task, evaluates each on itself, and says so in tables and history"
        <| fun _ ->
            inFolder (fun folder ->
                let paths, outcome = complete [ "run.method", "td3" ] folder "cycle"
                Expect.equal outcome.Step 720L "steps"

                Expect.equal
                    (phases paths
                     |> List.map (fun line -> line.Split(','))
                     |> List.map (fun cells -> cells[0], cells[2], cells[3], cells[4]))
                    [
                        "step", "phase", "cycle", "task"
                        "0", "0", "0", "Hopper-v4"
                        "120", "1", "0", "HalfCheetah-v4"
                        "240", "2", "0", "Swimmer-v4"
                        "360", "3", "1", "Hopper-v4"
                        "480", "4", "1", "HalfCheetah-v4"
                        "600", "5", "1", "Swimmer-v4"
                    ]
                    "phases.csv"

                // Gradient steps of the first phase after its random steps, of the others after their warm-up.
                Expect.equal
                    (phases paths |> List.tail |> List.map (fun line -> int (line.Split(',')[1])))
                    [ 0; 80; 180; 280; 380; 480 ]
                    "gradient steps at the switches"

                use journal = JournalReader.Open paths
                let events = journal.Events() |> Seq.map _.Event |> List.ofSeq

                Expect.equal
                    (events
                     |> List.choose (function
                         | PhaseStarted(_, phase) -> Some(phase.Step, phase.Task)
                         | _ -> None))
                    [
                        0L, "Hopper-v4"
                        120L, "HalfCheetah-v4"
                        240L, "Swimmer-v4"
                        360L, "Hopper-v4"
                        480L, "HalfCheetah-v4"
                        600L, "Swimmer-v4"
                    ]
                    "history"

                Expect.equal (events |> List.filter _.IsRunResumed |> List.length) 0 "a switch is no resume"

                // Only Hopper falls; HalfCheetah and Swimmer always play to their limit.
                let lengths =
                    events
                    |> List.choose (function
                        | EvaluationEnded(_, e) -> Some(e.Step, e.Lengths[0])
                        | _ -> None)

                Expect.equal (List.map fst lengths) [ for step in 0L..90L..720L -> step ] "evaluations"

                for step, length in lengths do
                    let hopper = step <= 120L || step > 360L && step <= 480L
                    Expect.equal (length < 1000) hopper $"evaluation of step {step}: {length} steps"

                Expect.equal (window paths) (620L, 720L) "the buffer, which has wrapped in the last phase"
                Expect.equal (CheckpointReader.Phases paths).Count 6 "phases in the checkpoint")

        // Each schedule and each method once; the end-to-end tests kill the executable in a cycle, too.
        for kind, method' in [ "serial", "ne"; "pipelined", "td3" ] do
            testCase
                $"{kind}, {method'}: stopped and killed within phases, right at a switch and within one, it ends as if it had never stopped"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [
                        "schedule.kind", kind
                        "run.method", method'
                        if kind = "pipelined" then
                            "schedule.environments", "2"
                    ]

                    // Steps that the first environment takes in a phase.
                    let whole = if kind = "pipelined" then 60 else 120
                    let paths, _ = complete changes folder "whole"
                    use created = create folder "killed"
                    let start = request created.Paths (settings (small @ changes))

                    let stop steps =
                        let outcome = trainUntil steps start
                        Expect.equal outcome.Phase RunPhase.Interrupted $"stopped after {steps} more steps"

                    killed 50L (fun id taken -> id = "Hopper-v4" && taken = 60 * whole / 120) start

                    // At the last step of the phase, before the commit that ends it.
                    stop (70 * whole / 120)
                    // The environment of the next task is made: the switch is under way, and nothing of the phase is committed.
                    killed 120L (fun id taken -> id = "HalfCheetah-v4" && taken = 0) start
                    // In the warm-up.
                    stop (whole / 10)
                    killed 350L (fun id taken -> id = "Swimmer-v4" && taken = whole - 1) start
                    let outcome = train toTheEnd start
                    Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                    expectSame (identity created.Paths) (identity paths) "the run")

        for method', acted, changes in
            [
                "reset+redo+layer-norm", "resets", []
                "shrink-and-perturb+l2-init+crelu", "perturbations", [ "shrinkAndPerturb.every", "70" ]
                "continual-backprop",
                "continual_backprop_replaced",
                [
                    "continualBackprop.maturity", "10"
                    "continualBackprop.replacementRate", "0.02"
                ]
            ] do
            testCase $"{method'} in a cycle resumes exactly, too"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = [
                        "run.environment", "cycle:Hopper-v4,Swimmer-v4"
                        "run.method", method'
                        "run.steps", "240"
                        "cycle.cycles", "1"
                        yield! changes
                    ]

                    let paths, _ = complete changes folder "whole"
                    let table = [ for line in File.ReadAllLines paths.Metrics -> line.Split ',' ]
                    let column = Array.findIndex (fun name -> name = acted) table.Head
                    // Between the stop, in the second phase, and the end.
                    let count row = float table[row].[column]
                    Expect.isGreaterThan (count (table.Length - 1)) (count 1) "it acted"
                    expectSame (stopped changes [ 150 ] folder "stopped") (identity paths) "the run")

        testCase "a learner that dies goes back to the last commit of its phase, and a switch does not count as a failure"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = [ "run.method", "td3" ]
                let paths, _ = complete changes folder "whole"
                use created = create folder "rewound"
                let mutable deaths = 0

                let kill (run: TrainingRun) =
                    if
                        deaths < 2
                        && run.Status.CheckpointStep.GetValueOrDefault() >= 150L + 240L * int64 deaths
                    then
                        deaths <- deaths + 1
                        run.System.ActorSelection("/user/supervisor/*/learner").Tell(Kill.Instance)

                let outcome = train kill (request created.Paths (settings (small @ changes)))
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                Expect.equal deaths 2 "the learner died"
                expectSame (identity created.Paths) (identity paths) "the run")

        testCase "phases of episodes end with their last one"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = [
                    "run.environment", "cycle:Hopper-v4,InvertedPendulum-v4"
                    "run.method", "td3"
                    "run.steps", "1000000"
                    "cycle.steps", "0"
                    "cycle.episodes", "4"
                ]

                let paths, outcome = complete changes folder "episodes"
                use journal = JournalReader.Open paths

                let episodes =
                    journal.Events()
                    |> Seq.choose (fun stored ->
                        match stored.Event with
                        | EpisodeEnded(_, e) -> Some e
                        | _ -> None)
                    |> List.ofSeq

                Expect.equal episodes.Length 16 "four in each of four phases"
                Expect.equal [ for e in episodes -> e.Episode ] [ for i in 0L .. 15L -> i ] "numbered through"
                Expect.equal (List.last episodes).Step outcome.Step "the run ends with the last"

                let ends =
                    episodes |> List.chunkBySize 4 |> List.map (fun four -> (List.last four).Step)

                Expect.equal
                    (phases paths |> List.tail |> List.map (fun line -> int64 (line.Split(',')[0])))
                    (0L :: List.take 3 ends)
                    "switches"

                expectSame (stopped changes [ 40 ] folder "stopped") (identity paths) "the run")

        testCase "async goes through all phases and loses no transition"
        <| fun _ ->
            inFolder (fun folder ->
                let paths, outcome =
                    complete [ "schedule.kind", "async"; "schedule.environments", "2"; "run.method", "td3" ] folder "async"

                Expect.equal outcome.Step 720L "steps"

                Expect.equal (snd (window paths)) 720L "rows"
                Expect.equal (phases paths).Length 7 "phases")

        testCase "a complete cycle goes on when it gets more cycles"
        <| fun _ ->
            inFolder (fun folder ->
                let one = [ "run.method", "td3"; "run.steps", "360"; "cycle.cycles", "1" ]
                use created = create folder "longer"
                let first = train toTheEnd (request created.Paths (settings (small @ one)))
                Expect.equal first.Step 360L "one cycle"

                let longer =
                    train toTheEnd (request created.Paths (settings (small @ [ "run.method", "td3" ])))

                Expect.equal (longer.Phase, longer.Step) (RunPhase.Completed, 720L) $"two: {longer.Message}"
                Expect.equal (phases created.Paths).Length 7 "phases")
    ]
