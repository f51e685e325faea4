/// Whole runs for measurements: real ones, in a folder that is deleted afterwards.
module NE.Benchmarks.BenchmarkRun

open System
open System.Collections.Generic
open System.IO
open NE.Actors.Conducting
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Benchmarks.Report
open NE.Model

/// A logger of Akka that says nothing.
type Silent() =
    inherit Akka.Actor.UntypedActor()

    override this.OnReceive message =
        match message with
        | :? Akka.Event.InitializeLogger -> this.Sender.Tell(Akka.Event.LoggerInitialized(), this.Self)
        | _ -> ()

/// Only the evaluation of step 0, of one episode; no metrics.
let quiet = [
    "evaluation.every", "1000000000"
    "evaluation.episodes", "1"
    "log.metricsEvery", "1000000000"
]

/// Resolved settings from key and value; a later value of a key wins.
let settings (changes: (string * string) list) : Settings =
    let fail (errors: SettingsError list) =
        let lines =
            errors
            |> List.map (fun error -> $"{error.Key}: found '{error.Found}': {error.Problem}")

        raise (BenchmarkFailed(String.concat "\n" lines))

    let pairs = changes |> List.map (fun (key, value) -> struct (key, value))

    match Settings.apply pairs Settings.defaults with
    | Error errors -> fail errors
    | Ok settings ->
        let resolved = fst (Settings.resolve settings)

        match Settings.validate resolved with
        | [] -> resolved
        | errors -> fail errors

/// Starts a run in a directory that this process has locked. `wrap` goes around each environment that is trained in, not around those
/// that evaluate.
let start (paths: RunPaths) (settings: Settings) (wrap: (IEnvironment -> IEnvironment) option) : TrainingRun =
    let create (id: string) =
        let created = EnvironmentFactory.Create id

        match wrap with
        // Environments are made on their own threads, which have names.
        | Some wrap when (string Threading.Thread.CurrentThread.Name).StartsWith "environment" -> wrap created
        | _ -> created

    TrainingRun.Start(
        RunRequest(
            Paths = paths,
            Settings = settings,
            ConfigurationText = "benchmark",
            Versions = Dictionary(),
            Loggers = [| "NE.Benchmarks.BenchmarkRun+Silent, NE.Benchmarks" |],
            CreateEnvironment = create
        )
    )

/// Runs to the end; `watch` is called every so many milliseconds.
let toTheEnd (milliseconds: int) (paths: RunPaths) (settings: Settings) wrap (watch: TrainingRun -> unit) : unit =
    let run = start paths settings wrap

    while not run.Completion.IsCompleted do
        watch run
        run.Completion.Wait milliseconds |> ignore

    let outcome = run.Completion.Result
    run.DisposeAsync().AsTask().Wait()

    if outcome.Phase <> RunPhase.Completed then
        raise (BenchmarkFailed $"The run ended as {outcome.Phase}: {outcome.Message}")

/// A folder of its own, deleted afterwards.
let inFolder (body: string -> 'T) : 'T =
    let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName

    try
        body folder
    finally
        Directory.Delete(folder, true)
