/// Memory of a run whose replay memory is full: bytes on disk, and what is resident beside the mapped replay memory.
module NE.Benchmarks.MemoryBenchmark

open System
open System.IO
open NE.Actors.Conducting
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.RunDirectory
open NE.Benchmarks.Report
open NE.Model
open NE.Model.Tasks

type Options = {
    Task: string
    /// Transitions that the replay memory holds.
    Rows: int64
    /// Gradient steps that are taken with the full memory.
    Updates: int64
    /// Configuration keys.
    Changes: (string * string) list
    Output: string option
}

let defaults = {
    Task = "HalfCheetah-v4"
    Rows = 1_000_000L
    Updates = 4000L
    Changes = []
    Output = None
}

/// Megabytes for a million HalfCheetah transitions on disk, and beside the mapped replay memory in main memory.
let private mostOnDisk, mostResident = 200.0, 600.0

let grammar: Arguments.Grammar<Options> =
    Arguments.taskAndKeys
        [
            Arguments.int64 "--rows" 10_000L (fun n options -> { options with Rows = n })
            Arguments.int64 "--updates" 1000L (fun n options -> { options with Updates = n })
            Arguments.json (fun file options -> { options with Output = Some file })
        ]
        (fun task options -> { options with Task = task })
        (fun change options -> {
            options with
                Changes = options.Changes @ [ change ]
        })

/// An environment whose first steps are random numbers instead of physics, one long episode; then it is itself.
let private filling (rows: int64) (inner: IEnvironment) : IEnvironment =
    let draws = Draws.Of(5L, Purpose.Metrics)
    let mutable left = rows

    {
        new IEnvironment with
            member _.Spec = inner.Spec
            member _.Reset(random, observation) = inner.Reset(random, observation)

            member _.Step(action, observation) =
                if left = 0L then
                    inner.Step(action, observation)
                else
                    left <- left - 1L
                    draws.FillNormal(observation, 1.0f)
                    StepResult(draws.Uniform(-1.0, 1.0), false, (left = 0L))

            member _.SaveState() = inner.SaveState()
            member _.RestoreState(state, observation) = inner.RestoreState(state, observation)
            member _.Dispose() = inner.Dispose()
    }

/// Steps of a round: filling goes fast, and the learner has whole rounds of work.
[<Literal>]
let private RoundSteps = 500L

let measure (options: Options) : unit =
    let report = Report options.Output
    // Whole rounds.
    let up (steps: int64) =
        (steps + RoundSteps - 1L) / RoundSteps * RoundSteps

    let rows = up options.Rows

    let settings =
        BenchmarkRun.settings [
            yield! BenchmarkRun.quiet
            "run.environment", options.Task
            yield! options.Changes
            "run.steps", string (rows + up options.Updates)
            "learner.bufferSize", string rows
            "learner.startSteps", string rows
            // With the memory just full, and at the end.
            "checkpoint.every", string rows
            "schedule.roundSteps", string RoundSteps
        ]

    let most: ProcessMemory.Resident option ref = ref None
    let last: ProcessMemory.Resident option ref = ref None

    let watch (run: TrainingRun) =
        let now = ProcessMemory.ofProcess Environment.ProcessId

        if run.Status.GradientStep > 0L then
            last.Value <- Some now

            match most.Value with
            | Some before when before.BesideReplay >= now.BesideReplay -> ()
            | _ -> most.Value <- Some now

    let onDisk =
        BenchmarkRun.inFolder (fun folder ->
            use created = RunFolder.Create(folder, "run")
            BenchmarkRun.toTheEnd 100 created.Paths settings (Some(filling rows)) watch

            let files = Directory.GetFiles(created.Paths.Replay)
            1e-6 * float (files |> Seq.sumBy (fun file -> FileInfo(file).Length)))

    match most.Value, last.Value with
    | Some most, Some last ->
        let spec = EnvironmentFactory.Describe options.Task
        let row = 4 * (2 * spec.ObservationSize + spec.ActionSize + 2)

        let verdict value limit =
            if value <= limit then "reached" else "MISSED"

        printfn $"{rows} transitions of {options.Task}, {row} bytes each; megabytes of 1e6 bytes"

        printfn
            $"segment files         {onDisk, 8:F1}   to reach, for a million of HalfCheetah: {mostOnDisk:F0} ({verdict onDisk mostOnDisk})"

        printfn $"resident              {last.Whole, 8:F1}"
        printfn $"  mapped replay       {last.Replay, 8:F1}   the system can drop and read these pages again"
        printfn $"  other files         {last.File - last.Replay, 8:F1}   libraries: the runtime, libtorch, MuJoCo"
        printfn $"  compiled code       {last.Shared, 8:F1}"
        printfn $"  anonymous           {last.Anonymous, 8:F1}"

        printfn
            $"beside the replay     {last.BesideReplay, 8:F1}   at most {most.BesideReplay:F1}; to reach: {mostResident:F0} ({verdict most.BesideReplay mostResident})"

        report.Write {|
            task = options.Task
            configuration = [ for key, value in options.Changes -> $"{key}={value}" ]
            rows = rows
            bytesPerRow = row
            megabytesOnDisk = Math.Round(onDisk, 1)
            residentMegabytes = last.Rounded
            mostMegabytes = most.Rounded
            targets = {|
                megabytesOnDisk = mostOnDisk
                besideReplay = mostResident
            |}
        |}
    | _ -> raise (BenchmarkFailed "The run ended before its memory was looked at. Give more --updates.")
