/// Runs small but real trainings in this process: MuJoCo, libtorch, SQLite.
module NE.Actors.Tests.Runs.Training

open System
open System.Collections.Generic
open System.IO
open System.Threading
open System.Threading.Tasks
open NE.Actors.Conducting
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Model

/// A run of a few hundred steps in which everything happens: several commits, evaluations, topology events, review.
let settings (changes: (string * string) list) : Settings =
    let pairs =
        [
            "run.environment", "HalfCheetah-v4"
            "run.steps", "600"
            "network.hidden", "32,32"
            "learner.batchSize", "32"
            "learner.startSteps", "100"
            "learner.bufferSize", "400"
            "ne.growInterval", "20"
            "ne.pruneBatch", "64"
            "ne.reviewFirstStep", "50"
            "ne.reviewThreshold", "0.2"
            "ne.reviewWindow", "40"
            "checkpoint.every", "150"
            "evaluation.every", "100"
            "evaluation.episodes", "1"
            "log.metricsEvery", "50"
        ]
        @ changes
        |> List.map (fun (key, value) -> struct (key, value))

    match Settings.apply pairs Settings.defaults with
    | Ok settings -> fst (Settings.resolve settings)
    | Error errors -> failwithf "%A" errors

let request (paths: RunPaths) (settings: Settings) : RunRequest =
    RunRequest(Paths = paths, Settings = settings, ConfigurationText = "test", Versions = Dictionary())

/// A folder of its own, deleted afterwards.
let inFolder (body: string -> 'T) : 'T =
    let folder = Directory.CreateTempSubdirectory("ne-run-").FullName

    try
        body folder
    finally
        Directory.Delete(folder, true)

/// Runs to the end and returns how it ended; `watch` is called again and again in the meantime, and at the end.
let train (watch: TrainingRun -> unit) (request: RunRequest) : RunOutcome =
    let run = TrainingRun.Start request
    let deadline = DateTime.UtcNow.AddMinutes 2.0

    while not run.Completion.IsCompleted && DateTime.UtcNow < deadline do
        watch run
        run.Completion.Wait 5 |> ignore

    // A quick run ends before its first half second, and then its end is the first that is published.
    watch run

    let outcome =
        if run.Completion.IsCompleted then
            run.Completion.Result
        else
            RunOutcome(RunPhase.Failed, $"it did not end in time: {run.Status}", 0L)

    run.DisposeAsync().AsTask().Wait()
    outcome

let toTheEnd (_: TrainingRun) = ()

/// Passes everything on, and calls back after every step.
type private Watched(inner: IEnvironment, stepped: unit -> unit) =
    interface IEnvironment with
        member _.Spec = inner.Spec
        member _.IsInverted = inner.IsInverted
        member _.Reset(random, observation) = inner.Reset(random, observation)

        member _.Step(action, observation) =
            let result = inner.Step(action, observation)
            stepped ()
            result

        member _.SaveState() = inner.SaveState()
        member _.RestoreState(state, observation) = inner.RestoreState(state, observation)
        member _.Dispose() = inner.Dispose()

/// The environment, which says so after every step.
let watch (inner: IEnvironment) (stepped: unit -> unit) : IEnvironment = new Watched(inner, stepped)

/// Never ends an episode, and says so.
type private Endless(inner: IEnvironment) =
    let spec =
        EnvironmentSpec(
            inner.Spec.Id,
            inner.Spec.Observation,
            inner.Spec.ActionSize,
            inner.Spec.ActionLow,
            inner.Spec.ActionHigh,
            EnvironmentSpec.NoTimeLimit
        )

    interface IEnvironment with
        member _.Spec = spec
        member _.IsInverted = inner.IsInverted
        member _.Reset(random, observation) = inner.Reset(random, observation)

        member _.Step(action, observation) =
            let result = inner.Step(action, observation)
            StepResult(result.Reward, false, false)

        member _.SaveState() = inner.SaveState()
        member _.RestoreState(state, observation) = inner.RestoreState(state, observation)
        member _.Dispose() = inner.Dispose()

/// The environment without ends of episodes.
let endless (inner: IEnvironment) : IEnvironment = new Endless(inner)

/// Runs until environment 0 has taken this many steps in this process, and stops there: the environment asks for the stop in the middle of
/// a round and goes on only when the run has heard it, so that no machine is too fast or too slow.
let trainUntil (steps: int) (request: RunRequest) : RunOutcome =
    let started = TaskCompletionSource<TrainingRun>()
    let mutable taken = 0

    let stepped () =
        // The evaluator's environment is watched too.
        if Thread.CurrentThread.Name = "environment 0" then
            taken <- taken + 1

            if taken = steps then
                let run = started.Task.Result
                run.RequestStop "the test asked for it"

                SpinWait.SpinUntil((fun () -> run.Status.Phase = RunPhase.Stopping), TimeSpan.FromMinutes 1.0)
                |> ignore

    let watched =
        RunRequest(
            Paths = request.Paths,
            Settings = request.Settings,
            ConfigurationText = request.ConfigurationText,
            Versions = request.Versions,
            Drills = request.Drills,
            CreateEnvironment = fun id -> new Watched(EnvironmentFactory.Create id, stepped)
        )

    train (fun run -> started.TrySetResult run |> ignore) watched

let create folder name = RunFolder.Create(folder, name)
