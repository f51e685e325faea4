/// The whole run: how long the learner waits for environments, how long it stands still for a commit, how soon a resume takes its
/// first step.
module NE.Benchmarks.RunBenchmark

open System
open System.Collections.Generic
open System.Diagnostics
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Model
open NE.Model.Tasks
open NE.Benchmarks.Report

type Options = {
    Environment: string
    /// Transitions stored when commits are measured.
    Stored: int64
    /// Environment steps that are learned from, for the rates.
    Steps: int64
    /// Where the report is written, if anywhere.
    Output: string option
}

let defaults = {
    Environment = "HalfCheetah-v4"
    Stored = 300_000L
    Steps = 10_000L
    Output = None
}

let grammar: Arguments.Grammar<Options> = {
    Arguments.optionsOnly [
        Arguments.int64 "--stored" 1L (fun n options -> { options with Stored = n })
        Arguments.int64 "--steps" 1L (fun n options -> { options with Steps = n })
        Arguments.json (fun file options -> { options with Output = Some file })
    ] with
        Words = "[TASK]"
        TakeWord =
            fun id options ->
                Registry.find id
                |> Result.map (fun task -> {
                    options with
                        Environment = task.Info.Id
                })
}

let private settings (options: Options) (changes: (string * string) list) =
    BenchmarkRun.settings (("run.environment", options.Environment) :: BenchmarkRun.quiet @ changes)

/// Runs to the end; `watch` sees the status about 200 times a second.
let private run (paths: RunPaths) (settings: Settings) (watch: RunStatus -> unit) =
    BenchmarkRun.toTheEnd 5 paths settings None (fun run -> watch run.Status)

/// Steps per second and the learner's mean waiting share of one schedule.
let private rates (options: Options) schedule environments =
    BenchmarkRun.inFolder (fun folder ->
        use created = RunFolder.Create(folder, "rates")
        let waiting, speed = ResizeArray<float>(), ResizeArray<float>()
        let mutable seen = 0.0

        run
            created.Paths
            (settings options [
                "run.steps", string options.Steps
                "learner.startSteps", "1000"
                // As in a run of a million steps.
                "ne.growInterval", "3333"
                "ne.endStep", "975000"
                "ne.reviewFirstStep", "0"
                "schedule.kind", schedule
                "schedule.environments", string environments
                "checkpoint.every", "1000000"
            ])
            (fun status ->
                // A new status twice a second; the first seconds compile.
                if status.ElapsedSeconds <> seen && status.GradientStep > 1500L then
                    seen <- status.ElapsedSeconds
                    waiting.Add status.LearnerWaiting
                    speed.Add status.UpdatesPerSecond)

        if speed.Count = 0 then
            raise (
                BenchmarkFailed
                    $"The run of {options.Steps} steps ended before a rate was sampled: a rate is published every 0.5 s, after 1500 gradient steps. Give more --steps (default {defaults.Steps})."
            )

        {|
            schedule = schedule
            environments = environments
            updatesPerSecond = Math.Round(Seq.average speed, 1)
            samples = [ for value in speed -> Math.Round(value, 1) ]
            learnerWaiting = Math.Round(Seq.average waiting, 4)
        |})

/// Milliseconds that the run stands still for a commit, and seconds from the start of a resume to its first new step.
let private commits (options: Options) =
    BenchmarkRun.inFolder (fun folder ->
        let changes steps = [
            "run.steps", string (options.Stored + steps)
            "learner.startSteps", string options.Stored
            "learner.bufferSize", string (options.Stored + 100_000L)
            "checkpoint.every", "250"
            "ne.growInterval", "1000"
            "ne.endStep", "10000"
        ]

        let pauses = Dictionary<int64, float>()

        let remember (status: RunStatus) =
            // The pause of a commit is set before the commit is done, so it is there when the commit's step shows.
            if status.CheckpointStep.HasValue && status.CheckpointStep.Value > options.Stored then
                pauses[status.CheckpointStep.Value] <- status.CheckpointPauseMilliseconds

        use created = RunFolder.Create(folder, "commits")
        run created.Paths (settings options (changes 2500L)) remember
        let watch = Stopwatch.StartNew()
        let mutable first = 0.0

        run created.Paths (settings options (changes 3000L)) (fun status ->
            if first = 0.0 && status.Step > options.Stored + 2500L then
                first <- watch.Elapsed.TotalSeconds)

        let sorted = pauses.Values |> Seq.sort |> Array.ofSeq

        {|
            storedTransitions = options.Stored
            commits = sorted.Length
            pauseMillisecondsMedian = Math.Round(sorted[sorted.Length / 2], 2)
            pauseMillisecondsMost = Math.Round(Array.last sorted, 2)
            resumeToFirstStepSeconds = Math.Round(first, 2)
        |})

let measure (options: Options) =
    let report = Report options.Output

    let schedules = [
        for schedule, environments in [ "serial", 1; "pipelined", 1; "pipelined", 2 ] do
            let found = rates options schedule environments

            printfn
                $"{schedule}, {environments} environments: {found.updatesPerSecond} updates/s, the learner waits {100.0 * found.learnerWaiting:F1} %% of its time"

            found
    ]

    let commits = commits options

    printfn
        $"commit with {commits.storedTransitions} transitions stored: pause {commits.pauseMillisecondsMedian} ms (median of {commits.commits}), {commits.pauseMillisecondsMost} ms (most); resume to first new step {commits.resumeToFirstStepSeconds} s"

    report.Write {|
        cores = Environment.ProcessorCount
        mujoco = NE.Actors.MuJoCo.MuJoCoLibrary.Current.Version
        environment = options.Environment
        stepsPerSchedule = options.Steps
        schedules = schedules
        commits = commits
    |}
