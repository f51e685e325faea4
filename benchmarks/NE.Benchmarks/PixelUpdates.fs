/// Whole gradient steps of DrQ and DrQ-v2, gathering of frames and shifts included, in alternating rounds: dense and with Neuroplastic Expansion on
/// our kernels, and an eager PyTorch program of the same update in a child process.
module NE.Benchmarks.PixelUpdates

open System
open System.Diagnostics
open System.Globalization
open NE.Benchmarks.Report
open NE.Model
open NE.Model.Agents
open NE.Model.Networks.Simd
open NE.Model.Replay

/// What is measured, and how long.
type Options = {
    Batches: int list
    /// The most threads; every number from 1 on is measured.
    Threads: int
    Size: int
    Filters: int
    Hidden: int list
    /// Components of an action.
    Action: int
    Rounds: int
    /// At least one update, whatever it takes.
    SecondsPerRound: float
    Python: string
}

/// Seconds of an update, round by round.
type private Contender = {
    Name: string
    Round: float -> float
    Rounds: ResizeArray<float>
    Dispose: unit -> unit
}

/// Ratios of one learner at one batch size on a number of threads, and what they are of.
type Measured = {
    Learner: string
    Batch: int
    Threads: int
    /// Updates that a step of the agent owes.
    UpdatesPerStep: float
    /// Milliseconds of an update by contender.
    Milliseconds: (string * float[]) list
    /// Median of the rounds' ratios; none without PyTorch.
    TimesAsFastAsPyTorch: float option
    /// The same of ne against dense: how much longer its update takes.
    NeOverheadPercent: float
    /// "measured", or why there is no PyTorch.
    PyTorch: string
} with

    /// Seconds of a dense update.
    member this.Seconds = 1e-3 * median (snd this.Milliseconds.Head)

let private settingsOf (options: Options) (learner: LearnerKind) (batch: int) (method': Method) : Settings =
    let settings, _ =
        Settings.resolve {
            Settings.defaults with
                Run.Learner = learner
                Run.Method = method'
                Run.Steps = 500_000L
                Network.Hidden = Is options.Hidden
                Learner.BatchSize = batch
                Pixels.Size = options.Size
                Pixels.Filters = options.Filters
        }

    // Review is on from the start, so that its cost is measured as in the later run.
    {
        settings with
            Ne.ReviewFirstStep = Is 0L
    }

let private create (options: Options) (threads: int) (settings: Settings) : ILearner =
    Learners.createOn (SimdEngine.Create threads) settings {
        Observation = ObservationForm.Pixels settings.Pixels.Shape
        ActionSize = options.Action
        MaxAction = 1.0f
    }

/// Of one thread the processor's time: what another process takes in between is not counted.
let private clock (threads: int) : float =
    if threads = 1 then
        Environment.CpuUsage.TotalTime.TotalSeconds
    else
        Stopwatch.GetElapsedTime(0L).TotalSeconds

/// Seconds of an update, over updates for about so long.
let private updates (threads: int) (update: unit -> unit) (seconds: float) : float =
    let watch, began = Stopwatch.StartNew(), clock threads
    let mutable count = 0

    while count = 0 || watch.Elapsed.TotalSeconds < seconds do
        update ()
        count <- count + 1

    (clock threads - began) / float count

let private ours (options: Options) (replay: HeldRows) (threads: int) name (settings: Settings) : Contender =
    let agent = create options threads settings

    {
        Name = name
        Round = updates threads (fun () -> agent.Update(replay, replay.Window))
        Rounds = ResizeArray()
        Dispose = agent.Dispose
    }

/// PyTorch in a child process, or why there is none.
let private pyTorch (options: Options) (threads: int) (settings: Settings) : Result<Contender, string> =
    let pixels = settings.Pixels

    let arguments = [
        "--learner", LearnerKind.nameOf settings.Run.Learner
        "--batch", string settings.Learner.BatchSize
        "--size", string pixels.Size
        "--channels", string pixels.Shape.Channels
        "--filters", string pixels.Filters
        "--features", string pixels.Features
        "--hidden", options.Hidden |> List.map string |> String.concat ","
        "--action", string options.Action
        "--shifts", string pixels.Shifts.Value
        "--threads", string threads
    ]

    PyTorchPeer.StartScript("drq_pytorch.py", options.Python, threads, arguments |> List.collect (fun (name, value) -> [ name; value ]))
    |> Result.map (fun peer -> {
        Name = "PyTorch eager"
        Round =
            fun seconds ->
                let answer = peer.Ask(seconds.ToString("R", CultureInfo.InvariantCulture))

                answer.GetProperty("seconds").GetDouble()
                / float (answer.GetProperty("steps").GetInt32())
        Rounds = ResizeArray()
        Dispose = (peer :> IDisposable).Dispose
    })

/// Median of the ratios of neighbouring rounds: how many times as long as the other takes the first one.
let private times (first: Contender) (other: Contender) : float =
    Seq.map2 (/) first.Rounds other.Rounds |> median

let private compare (options: Options) (replay: HeldRows) (learner: LearnerKind) (batch: int) (threads: int) : Measured =
    let settings = settingsOf options learner batch
    let dense = ours options replay threads "dense" (settings Method.Td3)
    let ne = ours options replay threads "ne" (settings Method.Ne)
    let peer = pyTorch options threads (settings Method.Td3)

    let contenders = [ dense; ne; yield! Result.toList peer ]

    try
        // The first rounds compile.
        for contender in contenders do
            contender.Round options.SecondsPerRound |> ignore

        for _ in 1 .. options.Rounds do
            for contender in contenders do
                contender.Rounds.Add(contender.Round options.SecondsPerRound)

        let measured = {
            Learner = LearnerKind.nameOf learner
            Batch = batch
            Threads = threads
            UpdatesPerStep = float (settings Method.Td3).Learner.UpdatesPerStep.Value
            Milliseconds = [
                for contender in contenders -> contender.Name, [| for seconds in contender.Rounds -> 1e3 * seconds |]
            ]
            TimesAsFastAsPyTorch =
                match peer with
                | Ok peer -> Some(times peer dense)
                | Error _ -> None
            NeOverheadPercent = 100.0 * (times ne dense - 1.0)
            PyTorch =
                match peer with
                | Ok _ -> "measured"
                | Error problem -> problem
        }

        let shown =
            [
                for name, rounds in measured.Milliseconds -> $"{name} %.0f{median rounds} ms"
            ]
            |> String.concat ", "

        let against =
            match measured.TimesAsFastAsPyTorch with
            | Some ratio -> $"%.2f{ratio} times as fast as PyTorch"
            | None -> $"without PyTorch: {measured.PyTorch}"

        printfn
            $"  {measured.Learner, -6} batch {batch, 3}, {threads} threads: {shown}; {against}; ne takes %.1f{measured.NeOverheadPercent} %% longer"

        measured
    finally
        for contender in contenders do
            contender.Dispose()

/// What an event of both networks adds to an update of DrQ, in seconds of one thread; its updates are of a batch of one, since events have batches of
/// their own.
let private eventSeconds (options: Options) (replay: HeldRows) : float =
    let settings = settingsOf options LearnerKind.Drq 1 Method.Ne

    use agent =
        create options 1 {
            settings with
                Ne.GrowInterval = Is 2L
                Ne.Review = ReviewMode.Off
        }

    let one () =
        let began = clock 1
        agent.Update(replay, replay.Window)
        clock 1 - began

    // Step 2 compiles.
    for _ in 1..2 do
        one () |> ignore

    let without = one ()
    one () - without

/// Measures everything, for a report. The other learner's figures come last.
let measure (options: Options) =
    let shape = (settingsOf options LearnerKind.Drq 1 Method.Td3).Pixels.Shape
    let replay = PixelReplay.create shape options.Action 2
    printfn "whole updates:"

    let measured = [
        for learner in [ LearnerKind.DrqV2; LearnerKind.Drq ] do
            for batch in options.Batches do
                for threads in 1 .. options.Threads -> compare options replay learner batch threads
    ]

    let event = eventSeconds options replay

    let interval =
        (settingsOf options LearnerKind.Drq 1 Method.Ne).Ne.GrowInterval.Value

    let ofDrq =
        measured
        |> List.filter (fun found -> found.Learner = LearnerKind.nameOf LearnerKind.Drq && found.Threads = 1)
        |> List.last

    let share = event / (float interval * ofDrq.Seconds)

    printfn
        $"  an event of ne takes %.1f{event} s on one thread, %.2f{100.0 * share} %% of the drq updates of batch {ofDrq.Batch} between two of them ({interval} in a run of 500,000 steps)"

    {|
        Measured = measured
        EventSeconds = event
        GrowInterval = interval
        EventSharePercent = 100.0 * share
    |}
