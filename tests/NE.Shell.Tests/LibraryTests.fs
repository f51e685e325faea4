/// Runs of programs: what `NE.Actors.Hosting` starts is a run of `ne`.
module NE.Shell.Tests.LibraryTests

open System
open System.Collections.Generic
open System.IO
open System.Text.Json
open System.Threading
open System.Threading.Tasks
open Expecto
open Microsoft.Extensions.DependencyInjection
open Microsoft.Extensions.Diagnostics.HealthChecks
open Microsoft.Extensions.Hosting
open NE.Actors.Checkpoints
open NE.Actors.Configuration
open NE.Actors.Hosting
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Shell.Host
open NE.Shell.Tests.Support

let private steps = 3_000L

/// Of a small run with commits, evaluations and topology events.
let private keys = [
    "run.environment", "InvertedPendulum-v4"
    "run.method", "ne"
    "run.seed", "7"
    "run.steps", string steps
    "network.hidden", "16,16"
    "learner.batchSize", "16"
    "learner.startSteps", "100"
    "compute.threads", "1"
    "evaluation.every", "500"
    "evaluation.episodes", "2"
    "checkpoint.every", "300"
]

let private dictionary (pairs: (string * string) list) = Dictionary<string, string>(dict pairs)

let private settings = dictionary keys

/// Output of a command line with real runs, which must succeed.
let private ne (runs: string) (arguments: string list) : string =
    let host =
        ShellHost(
            Output = new StringWriter(),
            Error = new StringWriter(),
            DefaultRuns = runs,
            FleetKey = "/nonexistent/fleet.pem",
            HasCuda = (fun () -> false),
            Processors = 2
        )

    let code, output, errors = execute host arguments
    Expect.equal code ExitCode.Ok $"{arguments}: {output}{errors}"
    output

let private train (runs: string) (name: string) =
    ne runs ([ "train"; "--name"; name ] @ [ for key, value in keys -> $"{key}={value}" ])
    |> ignore

/// Looks at every status until the run ends.
let private watch (see: RunStatus -> unit) (session: TrainingSession) : Task =
    task {
        let statuses = session.Watch(TimeSpan.FromMilliseconds 1.0).GetAsyncEnumerator()

        let mutable more = true

        while more do
            let! next = statuses.MoveNextAsync()
            more <- next

            if next then
                see statuses.Current

        do! statuses.DisposeAsync()
    }

/// A run of which something was learned and committed, and which is not over.
let private isUnderWay (status: RunStatus) =
    status.CheckpointStep.HasValue && status.CheckpointStep.Value >= 300L

/// Everything by which two runs are the same: the state, and the bytes of every table.
let private identity (runs: string) (name: string) =
    let paths = RunPaths.Of(runs, name)

    CheckpointReader.Digest(paths, CheckpointChoice.Last).State,
    [
        for table in [ paths.Metrics; paths.Layers; paths.Evaluations; paths.Topology ] -> File.ReadAllText table
    ]

let private await (task: Task<'T>) = task.GetAwaiter().GetResult()

/// The run, stopped by its program when it is under way.
let private stopped (runs: string) (name: string) =
    let session = Training.Start(runs, name, settings)

    (session
     |> watch (fun status ->
         if isUnderWay status then
             session.Stop "half-way"))
        .Wait()

    await session.Completion

let private host (runs: string) (name: string) (stopHost: bool) : IHost =
    let builder =
        Host.CreateApplicationBuilder(HostApplicationBuilderSettings(DisableDefaults = true))

    builder.Services.AddTraining(HostedTraining(runs, name, settings, stopHost))
    |> ignore

    builder.Build()

let private health (host: IHost) =
    let report =
        host.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync()
        |> await

    let entry = report.Entries["training hosted"]
    entry.Status, string entry.Description

// Their logs are the process's only one.
[<Tests>]
let tests =
    testSequenced
    <| testList "the library" [
        test "stopped and resumed by a program, or by ne, a run is the run of ne train with the same keys, bit for bit" {
            use folder = new TemporaryFolder()
            let runs = folder.Path
            train runs "whole"

            let outcome = stopped runs "by-program"
            Expect.equal (outcome.Phase, outcome.Message) (RunPhase.Interrupted, "half-way") "stopped"
            Expect.isTrue (outcome.Step >= 300L && outcome.Step < steps) $"in the middle: {outcome.Step}"
            let info = RunInfo.Read(RunPaths.Of(runs, "by-program").RunInfo)
            Expect.equal (info.Status, info.StatusReason) (RunState.Interrupted, "half-way") "run.json"

            let resumed = Training.Resume(runs, "by-program", settings)
            let seen = List<RunStatus>()
            (resumed |> watch seen.Add).Wait()
            Expect.equal (await resumed.Completion).Phase RunPhase.Completed "completed"
            Expect.equal (Seq.last seen).Phase RunPhase.Completed "the last status says so"
            Expect.equal (identity runs "by-program") (identity runs "whole") "by its program"

            stopped runs "by-ne" |> ignore
            ne runs [ "resume"; "by-ne" ] |> ignore
            Expect.equal (identity runs "by-ne") (identity runs "whole") "by-ne"

            let configuration name =
                File.ReadAllText(RunPaths.Of(runs, name).Configuration)

            Expect.equal (configuration "by-program") (configuration "whole") "config.yaml"
            ne runs [ "verify"; "--deep" ] |> ignore
            use status = JsonDocument.Parse(ne runs [ "status"; "by-program"; "--json" ])
            Expect.equal (status.RootElement.GetProperty("state").GetString()) "completed" "ne status"
        }

        test "evaluate plays the episodes of ne eval; a run of ne train is extended" {
            use folder = new TemporaryFolder()
            train folder.Path "a"
            let evaluation = Training.Evaluate(folder.Path, "a", 3)

            use json =
                JsonDocument.Parse(ne folder.Path [ "eval"; "a"; "--episodes"; "3"; "--json" ])

            let returns = [
                for value in json.RootElement.GetProperty("returns").EnumerateArray() -> value.GetDouble()
            ]

            Expect.equal (List.ofSeq evaluation.Returns) returns "returns"
            Expect.equal evaluation.Mean (json.RootElement.GetProperty("mean").GetDouble()) "mean"
            Expect.equal evaluation.Step (json.RootElement.GetProperty("step").GetInt64()) "step"

            let longer = Training.Resume(folder.Path, "a", dictionary [ "run.steps", "3600" ])
            Expect.equal (await longer.Completion) (RunOutcome(RunPhase.Completed, null, 3600L)) "extended"
        }

        test "what cannot be is one message with every problem, and nothing is created" {
            use folder = new TemporaryFolder()
            let runs = folder.File "runs"

            let problems (changes: (string * string) list) =
                try
                    Training.Start(runs, "a", dictionary (keys @ changes |> List.rev |> List.distinctBy fst))
                    |> ignore

                    []
                with :? ConfigurationException as problem ->
                    for one in problem.Problems do
                        Expect.stringContains problem.Message one.Text "in the message"

                    [ for one in problem.Problems -> one.Text.Split(' ')[0] ]

            Expect.equal
                (List.sort (problems [ "run.environment", "Nope-v9"; "learner.batchSize", "many"; "no.such", "1" ]))
                [ "learner.batchSize"; "no.such"; "run.environment" ]
                "all at once"

            Expect.isFalse (Directory.Exists runs) "nothing was created"

            Expect.throwsT<RunFolderException> (fun () -> Training.Resume(runs, "a") |> ignore) "no such run"
            Expect.throwsT<RunFolderException> (fun () -> Training.Evaluate(runs, "a") |> ignore) "nor its policy"
            Expect.throwsT<RunFolderException> (fun () -> Training.Start(runs, "a/b", settings) |> ignore) "no name"
        }

        test "a run is begun, held while it works, gone on with, and left alone when it is complete" {
            use folder = new TemporaryFolder()

            let again (changes: (string * string) list) =
                Training.StartOrResume(folder.Path, "a", dictionary ((changes @ keys) |> List.distinctBy fst))

            let first = nonNull (again [])
            Expect.throwsT<RunFolderException> (fun () -> again [] |> ignore) "one process at a time"
            Expect.throwsT<RunFolderException> (fun () -> Training.Start(folder.Path, "a", settings) |> ignore) "the name is taken"
            (first.DisposeAsync().AsTask()).Wait()
            Expect.equal (await first.Completion).Phase RunPhase.Interrupted "disposing stops"
            Expect.throwsT<ConfigurationException> (fun () -> again [ "run.seed", "8" ] |> ignore) "another run"
            Expect.equal (await (nonNull (again [])).Completion).Phase RunPhase.Completed "gone on"
            Expect.isNull (again []) "complete"
            Expect.throwsT<RunFolderException> (fun () -> Training.Resume(folder.Path, "a") |> ignore) "nothing to resume"
        }

        test "a host trains, says how the run is, stops it with a commit and goes on the next time" {
            use folder = new TemporaryFolder()
            let runs = folder.Path
            train runs "whole"

            let trainAndStop () =
                use host = host runs "hosted" false
                Expect.equal (health host) (HealthStatus.Healthy, "the run has not begun") "before the start"
                host.Start()

                let session =
                    nonNull (host.Services.GetRequiredKeyedService<TrainingService> "hosted").Session

                Expect.isTrue (SpinWait.SpinUntil((fun () -> isUnderWay session.Status), TimeSpan.FromMinutes 1.0)) "under way"
                Expect.equal (fst (health host)) HealthStatus.Healthy "at work"
                host.StopAsync().Wait()
                let info = RunInfo.Read(RunPaths.Of(runs, "hosted").RunInfo)
                Expect.equal (info.Status, info.StatusReason) (RunState.Interrupted, "its host stops") "run.json"
                Expect.equal (fst (health host)) HealthStatus.Healthy "stopped as it should"

            let goOnToTheEnd () =
                use host = host runs "hosted" true
                host.Start()
                // The run's end stops this host.
                Expect.isTrue (host.WaitForShutdownAsync().Wait(TimeSpan.FromMinutes 1.0)) "stopped"
                Expect.equal (snd (health host)) "the run is completed at step 3000" "complete"
                Expect.equal (identity runs "hosted") (identity runs "whole") "bit for bit"

            trainAndStop ()
            goOnToTheEnd ()
            use third = host runs "hosted" false
            third.Start()
            Expect.equal (health third) (HealthStatus.Healthy, "the run is complete") "nothing to do"
            third.StopAsync().Wait()
        }

        test "a host with settings that cannot be used does not start" {
            use folder = new TemporaryFolder()

            let builder =
                Host.CreateApplicationBuilder(HostApplicationBuilderSettings(DisableDefaults = true))

            builder.Services.AddTraining(HostedTraining(folder.Path, "a", dictionary [ "no.such", "1" ]))
            |> ignore

            use built = builder.Build()
            Expect.throwsT<ConfigurationException> (fun () -> built.Start()) "refused"
        }
    ]
