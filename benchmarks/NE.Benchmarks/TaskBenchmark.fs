/// A whole task, end to end: environment steps per second of the serial PyTorch loop and of our runs, in alternating rounds, each in a
/// process of its own. One gradient step is taken per environment step.
module NE.Benchmarks.TaskBenchmark

open System
open System.Diagnostics
open System.IO
open NE.Actors.MuJoCo
open NE.Benchmarks.Report
open NE.Benchmarks.TaskReport
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Tasks

type Options = {
    Task: string
    StepsPerRound: int
    Rounds: int
    /// More environments in one more pipelined run; 1 makes none.
    Environments: int
    /// Threads of our learner, and of torch and its BLAS.
    Threads: int
    /// Configuration keys that all our runs get.
    Changes: (string * string) list
    Output: string option
}

let defaults = {
    Task = "HalfCheetah-v4"
    StepsPerRound = 2000
    Rounds = 11
    Environments = 1
    Threads = 1
    Changes = []
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.taskAndKeys
        [
            Arguments.int "--steps-per-round" 100 (fun n options -> { options with StepsPerRound = n })
            Arguments.int "--rounds" 1 (fun n options -> { options with Rounds = n })
            Arguments.int "--envs" 1 (fun n options -> { options with Environments = n })
            Arguments.int "--threads" 1 (fun n options -> { options with Threads = n })
            Arguments.json (fun file options -> { options with Output = Some file })
        ]
        (fun task options -> { options with Task = task })
        (fun change options -> {
            options with
                Changes = options.Changes @ [ change ]
        })

/// The keys of our runs, as in a run of a million steps. Review works from the start, so that its cost is that of the later run. Every
/// round has one checkpoint, where a run by default has one in 25,000 steps.
let private changes (options: Options) method schedule environments = [
    "run.environment", options.Task
    "run.steps", "1000000000"
    "learner.startSteps", "1000"
    "learner.bufferSize", "1000000"
    "ne.growInterval", "3333"
    "ne.endStep", "975000"
    "ne.reviewFirstStep", "0"
    "evaluation.every", "1000000000"
    "evaluation.episodes", "1"
    "checkpoint.every", string options.StepsPerRound
    "compute.threads", string options.Threads
    yield! options.Changes
    "run.method", method
    "schedule.kind", schedule
    "schedule.environments", string environments
]

/// Our runs: name, method, schedule, environments.
let private runs (options: Options) = [
    "td3 serial", "td3", "serial", 1
    "td3 pipelined", "td3", "pipelined", 1
    "ne pipelined", "ne", "pipelined", 1
    if options.Environments > 1 then
        $"td3 pipelined x{options.Environments}", "td3", "pipelined", options.Environments
]

let private startPyTorch (options: Options) (settings: Settings) (info: TaskInfo) (folder: string) =
    let model = Path.Combine(folder, "model.xml")
    File.WriteAllText(model, Robots.read info.Robot)

    PyTorchPeer.Start {
        Work = Loop(MuJoCoLibrary.Current.Path, model, info.FrameSkip, info.TimeLimit)
        Observation = info.ObservationSize
        Action = info.ActionSize
        Hidden = settings.Network.Hidden.Value
        Batch = settings.Learner.BatchSize
        MaxAction = float info.ActionHigh[0]
        ReplayRows = int settings.Learner.BufferSize.Value
        Threads = options.Threads
        Device = "cpu"
        Python = PyTorchPeer.Python
    }

/// Measures control steps and gradient steps by themselves: microseconds of one.
[<Sealed>]
type private PartsMeter(settings: Settings, task: ITask) =
    let info = task.Info

    let loop =
        let tape = EnvironmentTape.Record(task, 4000)
        new EnvironmentLoop(tape)

    let shape: NE.Model.Replay.TransitionShape = {
        ObservationSize = info.ObservationSize
        ActionSize = info.ActionSize
    }

    // About as many rows as the runs hold.
    let replay = new RandomReplay(shape, 20_000, info.ActionHigh[0], 3L)

    let learner = Learners.create settings (AgentTask.Of(shape, info.ActionHigh[0]))

    /// Repeats pieces of work for so many seconds.
    let microseconds seconds (steps: int) (work: unit -> unit) =
        let watch = Stopwatch.StartNew()
        let mutable done' = 0

        while watch.Elapsed.TotalSeconds < seconds do
            work ()
            done' <- done' + steps

        1e6 * watch.Elapsed.TotalSeconds / float done'

    member _.Physics seconds =
        microseconds seconds 500 (fun () -> loop.Play 500 |> ignore)

    member _.Gradient seconds =
        microseconds seconds 20 (fun () ->
            for _ in 1..20 do
                learner.Update(replay, replay.Window))

    interface IDisposable with
        member _.Dispose() =
            (loop :> IDisposable).Dispose()
            learner.Dispose()
            (replay :> IDisposable).Dispose()

/// The rounds: everybody after the other, so that ratios are of neighbours.
let private playRounds (options: Options) (torch: PyTorchPeer option) (peers: (RunPeer * int) list) (meter: PartsMeter) =
    // PyTorch's turns are in seconds; they are made about as many steps as ours.
    let torch =
        torch
        |> Option.map (fun torch ->
            torch.Round 2.0 |> ignore
            torch, float options.StepsPerRound / (torch.Round 2.0).StepsPerSecond)

    meter.Physics 2.0 |> ignore
    meter.Gradient 3.0 |> ignore
    let physics, gradient = ResizeArray<float>(), ResizeArray<float>()
    let torchRates = ResizeArray<float>()
    let rounds = peers |> List.map (fun _ -> ResizeArray<RunRound>())

    for number in 1 .. options.Rounds do
        match torch with
        | Some(torch, seconds) -> torchRates.Add (torch.Round seconds).StepsPerSecond
        | None -> ()

        for (peer, environments), found in List.zip peers rounds do
            found.Add(peer.Round(int64 (options.StepsPerRound / environments)))

        physics.Add(meter.Physics 0.3)
        gradient.Add(meter.Gradient 1.0)

        let ours =
            List.zip peers rounds
            |> List.map (fun ((peer, _), found) -> $"{peer.Name} {(Seq.last found).StepsPerSecond:F0}")

        let theirs =
            torchRates |> Seq.tryLast |> Option.map (fun rate -> $"pytorch {rate:F0}")

        printfn $"""round {number}, env steps/s: {String.concat "  " (Option.toList theirs @ ours)}"""

    let torch =
        torch
        |> Option.map (fun (torch, _) -> {
            Name = "pytorch"
            Rates = torchRates.ToArray()
            UpdatesPerStep = 1.0
            Rounds = [||]
            Memory = ProcessMemory.ofProcess torch.Id
        })

    let ours =
        List.zip peers rounds
        |> List.map (fun ((peer, _), found) -> {
            Name = peer.Name
            Rates = found |> Seq.map _.StepsPerSecond |> Array.ofSeq
            UpdatesPerStep = found |> Seq.averageBy _.UpdatesPerStep
            Rounds = found.ToArray()
            Memory = peer.Memory
        })

    Option.toList torch @ ours,
    {
        Physics = physics.ToArray()
        Gradient = gradient.ToArray()
    }

let measure (options: Options) : unit =
    let task = Registry.find options.Task |> Result.defaultWith failwith
    let settings = BenchmarkRun.settings (changes options "td3" "serial" 1)
    let library = MuJoCoLibrary.Current
    let report = Report options.Output
    use _ = PeerProcess.KillAllOnSignals()

    BenchmarkRun.inFolder (fun folder ->
        let torch = startPyTorch options settings task.Info folder
        let peers = ResizeArray<RunPeer * int>()

        try
            match torch with
            | Ok _ -> ()
            | Error problem -> printfn $"without PyTorch: {problem}"

            for name, method, schedule, environments in runs options do
                let changes = changes options method schedule environments
                let peer = new RunPeer(name, Path.Combine(folder, name.Replace(' ', '-')), changes)
                peers.Add((peer, environments))
                // One after the other: a warm-up should not be disturbed by another one.
                peer.WarmUp()

            use meter = new PartsMeter(settings, task)

            let contenders, parts =
                playRounds options (Result.toOption torch) (List.ofSeq peers) meter

            let found = publish contenders parts

            report.Write {|
                found with
                    torchSharp = (LibTorch.describe ()).TorchSharpVersion
                    mujoco = library.Version
                    library = library.Path
                    pytorch =
                        match torch with
                        | Ok peer -> box peer.Versions
                        | Error problem -> problem
                    task = options.Task
                    stepsPerRound = options.StepsPerRound
                    threads = options.Threads
                    // What was computed with, resolved.
                    compute = [
                        for key in Settings.keys do
                            if key.Name.StartsWith "compute." then
                                $"{key.Name}={key.Get settings}"
                    ]
                    configuration = [ for key, value in changes options "td3" "serial" 1 -> $"{key}={value}" ]
            |}
        finally
            for peer, _ in peers do
                (peer :> IDisposable).Dispose()

            torch |> Result.iter (fun peer -> (peer :> IDisposable).Dispose()))
