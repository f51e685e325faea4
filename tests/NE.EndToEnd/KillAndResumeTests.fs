module NE.EndToEnd.KillAndResumeTests

open System
open System.IO
open System.Threading
open Expecto
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Model.History
open NE.Actors.Journal
open NE.Tests.RunIdentity

/// Small networks with a learning rate that kills neurons, so that every event has something to prune.
let private configuration = [
    "network.hidden=48,48"
    "learner.batchSize=64"
    "learner.startSteps=200"
    "learner.bufferSize=1200"
    "learner.actorLearningRate=3e-3"
    "learner.criticLearningRate=3e-3"
    "ne.growInterval=80"
    "ne.pruneBatch=64"
    "ne.reviewFirstStep=100"
    "ne.reviewThreshold=0.2"
    "ne.reviewWindow=80"
    "evaluation.episodes=1"
    "evaluation.every=130"
    "checkpoint.every=200"
    "log.metricsEvery=100"
    "log.probeEvery=500"
]

let private train runs name environment schedule steps =
    [
        "train"
        environment
        "--steps"
        string steps
        "--seed"
        "3"
        "--name"
        name
        "--runs"
        runs
        "--schedule"
        schedule
        "--envs"
        "2"
    ]
    @ configuration

/// Evaluations that are not what a test is about.
let private briefly = [ "evaluation.maxSteps=100" ]

let private resume runs name = [ "resume"; name; "--runs"; runs ]

/// How often something happened in a run that makes the test worth its time.
let private richness (paths: RunPaths) =
    use journal = JournalReader.Open paths

    let pruning =
        journal.Events()
        |> Seq.filter (fun stored ->
            match stored.Event with
            | TopologyChanged(_, change) -> change.Layers |> Array.exists (fun layer -> layer.Pruned.Length > 0)
            | _ -> false)
        |> Seq.length

    let metrics name =
        let rows = File.ReadAllLines paths.Metrics |> Array.map _.Split(',')
        let column = rows[0] |> Array.findIndex ((=) name)
        rows[1..] |> Array.map (fun row -> row[column])

    let reviewed = metrics "review_fraction" |> Array.last |> float
    let probabilities = metrics "review_probability" |> Array.distinct |> Array.length

    let probes =
        metrics "critic_probe"
        |> Array.filter (fun value -> value <> "")
        |> Array.length

    pruning, reviewed, probabilities, probes

/// Kills the run after the given fractions of its usual duration, and lets it complete. Returns the phases in which the kills fell.
let private killed runs name (start: string list) (usual: TimeSpan) (moments: float list) =
    let paths = RunPaths.Of(runs, name)

    let phases = [
        for moment in moments do
            // A kill before the run directory exists leaves nothing to resume.
            let started = File.Exists paths.RunInfo
            use running = new Running(if started then resume runs name else start)
            Thread.Sleep(usual * moment)

            if running.HasExited then
                "complete already"
            else
                running.Kill()
                KillPhase.ofLog paths.Log
    ]

    let last =
        ne (
            if File.Exists paths.RunInfo then
                resume runs name
            else
                start
        )

    // A kill may fall between the last commit and the process's end.
    let isDone =
        List.contains "complete already" phases
        || last.Error.Contains "has done all its"

    if not isDone then
        Expect.equal last.ExitCode 0 $"the run completes after the kills {phases}: {last.Error}"

    phases

/// Seconds that the run takes when nobody kills it, and what it is.
let private uninterrupted runs (start: string -> string list) =
    let watch = Diagnostics.Stopwatch.StartNew()
    let execution = ne (start "whole")
    Expect.equal execution.ExitCode 0 $"the run completes: {execution.Error}"
    watch.Elapsed, RunPaths.Of(runs, "whole")

/// Whether a run that is killed after the given fractions of its usual duration ends as the one that is not.
let private expectUnmoved runs (start: string -> string list) (moments: float list) =
    let usual, whole = uninterrupted runs start
    let phases = killed runs "killed" (start "killed") usual moments
    expectSame (identity (RunPaths.Of(runs, "killed"))) (identity whole) $"killed while {phases}"
    whole

/// Rounds of kills are repeated this often; `NE_KILL_ROUNDS=20 ./ne test --filter-test-list kill` makes the long proof.
let private rounds =
    match Int32.TryParse(Environment.GetEnvironmentVariable "NE_KILL_ROUNDS") with
    | true, rounds -> rounds
    | _ -> 1

[<Tests>]
let tests =
    testSequenced
    <| testList "kill -9 at a random moment, then resume" [
        for schedule in [ "pipelined"; "serial" ] do
            testCase $"{schedule}: ends as the run that never stopped"
            <| fun _ ->
                inRuns (fun runs ->
                    let start name =
                        train runs name "HalfCheetah-v4" schedule 2600

                    let usual, whole = uninterrupted runs start
                    let pruning, reviewed, probabilities, probes = richness whole
                    Expect.isGreaterThanOrEqual pruning 5 "topology events that pruned something"
                    Expect.isGreaterThan reviewed 0.0 "reviewed batches"
                    Expect.isGreaterThanOrEqual probabilities 10 "a review that adapts"
                    Expect.equal probes 5 "probes of plasticity"
                    let expected = identity whole

                    for round in 1..rounds do
                        let random = Random(1000 * round + schedule.Length)
                        let moments = List.init 3 (fun _ -> 0.1 + 0.5 * random.NextDouble())
                        let name = $"killed-{round}"

                        let phases = killed runs name (start name) usual moments

                        printfn "%s round %d: killed while %s" schedule round (String.concat "; " phases)
                        expectSame (identity (RunPaths.Of(runs, name))) expected $"{schedule}, round {round}, killed while {phases}")

        for environment in [ "Ant-v4"; "Humanoid-v4" ] do
            testCase $"{environment}: a reward that reads lagged physics goes on exactly"
            <| fun _ ->
                inRuns (fun runs ->
                    expectUnmoved runs (fun name -> train runs name environment "pipelined" 1000 @ briefly) [ 0.5; 0.4 ]
                    |> ignore)

        for method', keys, acted in
            [
                "plasticity-injection", [ "injection.step=500" ], "injected"
                "redo+shrink-and-perturb+layer-norm",
                [ "redo.every=200"; "redo.threshold=0.1"; "shrinkAndPerturb.every=400" ],
                "perturbations"
                "ne+swd", [ "swd.horizon=600" ], "swd_sample_age"
                "redo+layer-norm", [ "run.learner=sac"; "redo.every=200"; "redo.threshold=0.1" ], "redo_redrawn"
                "ne", [ "normalise.observations=on"; "normalise.rewards=on" ], "review_fraction"
            ] do
            testCase $"{String.Join(' ', method' :: keys)}: other agents end as the run that never stopped, too"
            <| fun _ ->
                inRuns (fun runs ->
                    let start name =
                        train runs name "HalfCheetah-v4" "pipelined" 1000
                        @ [ "--method"; method' ]
                        @ keys
                        @ briefly

                    let whole = expectUnmoved runs start [ 0.4; 0.5 ]
                    let rows = [ for line in File.ReadAllLines whole.Metrics -> line.Split ',' ]
                    let column = Array.findIndex (fun name -> name = acted) rows.Head
                    Expect.isGreaterThan (float (List.last rows).[column]) 0.0 "it acted")

        for learner, method', acted in [ "drq", "ne+redo", "temperature"; "drqv2", "reset+layer-norm", "noise" ] do
            testCase $"{learner} with {method'} learns from pictures and ends as the run that never stopped"
            <| fun _ ->
                inRuns (fun runs ->
                    let start name =
                        train runs name "dmc/cheetah-run" "pipelined" 400
                        @ [
                            "--learner"
                            learner
                            "--method"
                            method'
                            "pixels.size=24"
                            // Drawn in software, an evaluation of a whole episode takes longer than the learning.
                            "evaluation.maxSteps=20"
                            "pixels.actionRepeat=8"
                            "pixels.filters=8"
                            "pixels.features=8"
                            "redo.every=100"
                            "reset.every=250"
                        ]

                    let whole = expectUnmoved runs start [ 0.5 ]
                    let rows = [ for line in File.ReadAllLines whole.Metrics -> line.Split ',' ]
                    let column = Array.findIndex (fun name -> name = acted) rows.Head
                    Expect.isGreaterThan (float (List.last rows).[column]) 0.0 acted)

        testCase "a cycle of tasks, killed wherever it was, ends as the one that never stopped"
        <| fun _ ->
            inRuns (fun runs ->
                // Six phases of 400 steps.
                let start name =
                    train runs name "cycle:Hopper-v4,HalfCheetah-v4" "pipelined" 2400

                let whole = expectUnmoved runs start [ 0.4; 0.35; 0.3; 0.25 ]
                Expect.equal (File.ReadAllLines whole.Phases).Length 7 "phases")

        testCase "after the last step's commit, but before the last evaluation, the run still completes"
        <| fun _ ->
            inRuns (fun runs ->
                // Twenty episodes take long enough for the kill to fall between the two.
                let start name =
                    train runs name "HalfCheetah-v4" "pipelined" 400
                    |> List.map (function
                        | "evaluation.episodes=1" -> "evaluation.episodes=20"
                        | "evaluation.every=130" -> "evaluation.every=400"
                        | other -> other)

                let whole = ne (start "whole")
                Expect.equal whole.ExitCode 0 whole.Error
                let paths = RunPaths.Of(runs, "killed")
                use running = new Running(start "killed")

                waitUntil "the commit of the last step" (fun () -> File.Exists paths.Log && KillPhase.hasCommitted 400L paths.Log)

                running.Kill()
                let resumed = ne (resume runs "killed")
                Expect.equal resumed.ExitCode 0 resumed.Error
                expectSame (identity paths) (identity (RunPaths.Of(runs, "whole"))) "the run"
                let again = ne (resume runs "killed")
                Expect.equal again.ExitCode 1 "a complete run is not resumed"
                Expect.stringContains again.Error "--steps" "how to extend it")
    ]
