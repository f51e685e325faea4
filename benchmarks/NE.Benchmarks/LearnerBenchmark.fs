/// Gradient steps per second in alternating rounds of one process: TorchSharp eager, our dense TD3 on both engines, our Neuroplastic
/// Expansion. PyTorch, TorchSharp eager and the torch engine can be put on a GPU; the simd engine stays on the CPU beside them.
module NE.Benchmarks.LearnerBenchmark

open System
open System.Diagnostics
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Networks.Torch
open NE.Model.Networks.Simd
open NE.Model.Replay
open TorchSharp

type Options = {
    /// Of the simd engine's second column.
    Threads: int
    /// Of everything that is torch's: cpu, cuda or cuda:N.
    Device: string
    /// The Python of the PyTorch column.
    Python: string
    Observation: int
    Action: int
    Hidden: int list
    Batch: int
    ReplayRows: int
    Rounds: int
    SecondsPerRound: float
    /// Where the report is written, if anywhere.
    Output: string option
}

let defaults = {
    Threads = 2
    Device = "cpu"
    Python = PyTorchPeer.Python
    Observation = 17
    Action = 6
    Hidden = [ 256; 128 ]
    Batch = 256
    ReplayRows = 1_000_000
    Rounds = 41
    SecondsPerRound = 0.5
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.optionsOnly [
        Arguments.int "--threads" 1 (fun n options -> { options with Threads = n })
        Arguments.device (fun device options -> { options with Device = device })
        Arguments.python (fun file options -> { options with Python = file })
        Arguments.int "--observation" 1 (fun n options -> { options with Observation = n })
        Arguments.int "--action" 1 (fun n options -> { options with Action = n })
        Arguments.widths "--hidden" (fun widths options -> { options with Hidden = widths })
        Arguments.int "--batch" 1 (fun n options -> { options with Batch = n })
        Arguments.int "--replay" 1 (fun n options -> { options with ReplayRows = n })
        Arguments.int "--rounds" 1 (fun n options -> { options with Rounds = n })
        Arguments.seconds (fun s options -> { options with SecondsPerRound = s })
        Arguments.json (fun file options -> { options with Output = Some file })
    ]

/// Something that takes gradient steps.
type private Contender = {
    Name: string
    /// Works for so many seconds and returns its steps per second.
    Round: float -> float
    Rates: ResizeArray<float>
}

/// The eager baseline with its own replay: one tensor per column, as sfujim/TD3 keeps it. Batches are copied to the device.
let private eager (options: Options) (settings: Settings) (networks: Td3Networks) (replay: RandomReplay) =
    let device = torch.device options.Device
    let learner = new EagerTd3(networks, settings.Td3, device)
    let shape = replay.Shape

    let columns (count: int) =
        torch.zeros ([| int64 options.ReplayRows; int64 count |])

    let s, a = columns shape.ObservationSize, columns shape.ActionSize
    let r, notDone = columns 1, columns 1
    let s2 = columns shape.ObservationSize

    let fill (tensor: torch.Tensor) first count =
        let values = Array.zeroCreate<float32>(options.ReplayRows * count)

        for i in 0 .. options.ReplayRows - 1 do
            Array.blit (replay.Copy(int64 i)) first values (i * count) count

        tensor.copy_ (torch.tensor(values).reshape(int64 options.ReplayRows, int64 count))
        |> ignore

    fill s 0 shape.ObservationSize
    fill a shape.Action shape.ActionSize
    fill r shape.Reward 1
    fill notDone shape.NotDone 1
    fill s2 shape.NextObservation shape.ObservationSize
    let draws = Draws.Of(1L, Purpose.Batch)
    let rows = Array.zeroCreate<int64> options.Batch
    let deviation = float32 settings.Td3.TargetNoise

    fun count ->
        for _ in 1..count do
            use _ = torch.NewDisposeScope()
            AgeOrder.sampleUniform replay.Window draws (Span rows)
            let index = torch.tensor rows

            let take (tensor: torch.Tensor) =
                tensor.index_select(0L, index).``to`` device

            let actions = take a

            learner.Update {
                S = take s
                A = actions
                R = take r
                NotDone = take notDone
                S2 = take s2
                Noise = torch.randn_like (actions) * held deviation
            }

let private settingsOf (options: Options) method =
    let settings, _ =
        Settings.resolve {
            Settings.defaults with
                Run.Method = method
                Network.Hidden = options.Hidden
                Td3.BatchSize = options.Batch
        }

    // Review is on from the start, so that its cost is measured as in the later run.
    {
        settings with
            Ne.ReviewFirstStep = Is 0L
    }

/// Steps per second of a round, given what takes so many steps.
let private round (run: int -> unit) (seconds: float) =
    let watch = Stopwatch.StartNew()
    let mutable count = 0

    while watch.Elapsed.TotalSeconds < seconds do
        run 20
        count <- count + 20

    float count / watch.Elapsed.TotalSeconds

/// PyTorch on one thread: Debian's with the best kernels of OpenBLAS, or one with CUDA.
let private startPyTorch (options: Options) =
    PyTorchPeer.Start {
        Work = Learner
        Observation = options.Observation
        Action = options.Action
        Hidden = options.Hidden
        Batch = options.Batch
        MaxAction = 1.0
        ReplayRows = options.ReplayRows
        Threads = 1
        Device = options.Device
        Python = options.Python
    }

let private create (engine: IEngine) (options: Options) settings =
    Learners.createOn
        engine
        settings
        {
            ObservationSize = options.Observation
            ActionSize = options.Action
        }
        1.0f

/// Measures a topology event by itself: an NE agent with an event at every step against one without, both otherwise equal.
let private eventSeconds (makeEngine: unit -> IEngine) (options: Options) (replay: RandomReplay) =
    let run interval =
        let settings = settingsOf options Method.Ne

        use agent =
            create (makeEngine ()) options {
                settings with
                    Ne.GrowInterval = Is interval
                    Ne.Review = ReviewMode.Off
            }

        agent.Update(replay, replay.Window)
        let watch = Stopwatch.StartNew()
        let steps = 40

        for _ in 1..steps do
            agent.Update(replay, replay.Window)

        watch.Elapsed.TotalSeconds / float steps

    run 2L |> ignore
    (run 2L - run 1_000_000L) * 2.0

/// Rows of metrics are due every so many gradient steps at the default cadence and one update per environment step.
let private stepsPerRow = float Settings.defaults.Log.MetricsEvery

/// Seconds that a row of metrics and of every layer takes, on an agent that has learned a little.
let private measureSeconds (agent: ILearner) (replay: RandomReplay) =
    let one () =
        let watch = Stopwatch.StartNew()
        agent.Measure(replay, replay.Window, false) |> ignore
        watch.Elapsed.TotalSeconds

    // Long enough for the just-in-time compiler's second tier.
    for _ in 1..60 do
        one () |> ignore

    Report.median (Array.init 41 (fun _ -> one ()))

let measure (options: Options) : unit =
    let report = Report.Report options.Output
    LibTorch.ensureLoaded ()

    let shape = {
        ObservationSize = options.Observation
        ActionSize = options.Action
    }

    use replay = new RandomReplay(shape, options.ReplayRows, 1.0f, 3L)

    let denseSettings, neSettings =
        settingsOf options Method.Td3, settingsOf options Method.Ne

    let makeTorch () : IEngine = TorchEngine.Create(options.Device, 1)
    use torchAgent = create (makeTorch ()) options denseSettings
    use simdAgent = create (SimdEngine.Create 1) options denseSettings
    use lanesAgent = create (SimdEngine.Create options.Threads) options denseSettings
    use expanding = create (SimdEngine.Create 1) options neSettings
    use expandingTorch = create (makeTorch ()) options neSettings

    let step (agent: ILearner) count =
        for _ in 1..count do
            agent.Update(replay, replay.Window)

    let contender name round = {
        Name = name
        Round = round
        Rates = ResizeArray()
    }

    use _ = PeerProcess.KillAllOnSignals()
    let pyTorch = startPyTorch options

    match pyTorch with
    | Ok peer -> printfn $"PyTorch {peer.Versions.Torch}, {peer.Versions.Blas}, kernel {peer.Versions.Kernel}"
    | Error problem -> printfn $"without PyTorch: {problem}"

    use _ = {
        new IDisposable with
            member _.Dispose() =
                pyTorch |> Result.iter (fun peer -> (peer :> IDisposable).Dispose())
    }

    let severalLanes = $"simd {options.Threads} threads"

    let contenders = [
        match pyTorch with
        | Ok peer -> contender "pytorch" (fun seconds -> (peer.Round seconds).StepsPerSecond)
        | Error _ -> ()
        contender "eager" (round (eager options denseSettings torchAgent.Networks replay))
        contender "torch" (round (step torchAgent))
        contender "simd 1 thread" (round (step simdAgent))
        contender severalLanes (round (step lanesAgent))
        contender "ne" (round (step expanding))
        // Of the same engine as torch, so that the cost of NE is known for both.
        contender "ne torch" (round (step expandingTorch))
    ]

    let baseline = contenders.Head.Name

    // Long enough for the just-in-time compiler's second tier.
    for contender in contenders do
        contender.Round 3.0 |> ignore

    for number in 1 .. options.Rounds do
        for contender in contenders do
            contender.Rates.Add(contender.Round options.SecondsPerRound)

        let rates =
            contenders
            |> List.map (fun c -> $"{c.Name} {c.Rates[number - 1]:F0}/s")
            |> String.concat "  "

        printfn $"round {number}: {rates}"

    let rate name =
        (contenders |> List.find (fun c -> c.Name = name)).Rates
    // Rounds alternate, so ratios of neighbours are less disturbed by a busy machine than ratios of medians.
    let paired a b =
        Seq.map2 (fun (x: float) y -> x / y) (rate a) (rate b) |> Report.median

    let neOverDense = paired "ne" "simd 1 thread"
    let neOverDenseTorch = paired "ne torch" "torch"
    // Events and measurements are those of the engine that a run would take.
    let chosen, chosenAgent, makeChosen =
        if options.Device = "cpu" then
            "simd 1 thread", simdAgent, (fun () -> SimdEngine.Create 1 :> IEngine)
        else
            "torch", torchAgent, makeTorch

    let event = eventSeconds makeChosen options replay
    let interval = neSettings.Ne.GrowInterval.Value
    let eventShare = event / float interval * Report.median (rate chosen)

    let measurement = measureSeconds chosenAgent replay

    let measurementShare = measurement / stepsPerRow * Report.median (rate chosen)

    let allocated =
        let before = GC.GetAllocatedBytesForCurrentThread()
        step simdAgent 1000
        float (GC.GetAllocatedBytesForCurrentThread() - before) / 1000.0

    let peak = Roofline.measure 1.0

    let operations =
        Roofline.operationsPerUpdate options.Observation options.Action options.Hidden options.Batch denseSettings.Td3.PolicyDelay

    let threadsOf name =
        if name = severalLanes then float options.Threads else 1.0

    let billions (c: Contender) =
        operations * Report.median c.Rates / 1e9

    let isOnCpu (c: Contender) =
        options.Device = "cpu"
        || not (List.contains c.Name [ "pytorch"; "eager"; "torch"; "ne torch" ])

    /// Of the processor's peak.
    let share (c: Contender) =
        if isOnCpu c then
            Nullable(billions c / (threadsOf c.Name * peak.Registers))
        else
            Nullable()

    let figures = {|
        pyTorch =
            match pyTorch with
            | Ok peer -> $"{peer.Versions.Torch}, {peer.Versions.Blas}, kernel {peer.Versions.Kernel}, {peer.Versions.Threads} thread"
            | Error problem -> problem
        device = options.Device
        simd = (SimdEngine.Create 1 :> IEngine).Name
        torch = TorchEngine.Describe options.Device
        torchSharp = (LibTorch.describe ()).TorchSharpVersion
        observation = options.Observation
        action = options.Action
        hidden = options.Hidden
        batch = options.Batch
        replayRows = options.ReplayRows
        peakVectorBits = int peak.Width
        peakGigaflopsRegisters = peak.Registers
        peakGigaflopsProduct = peak.Product
        megaflopsPerUpdate = operations / 1e6
        updatesPerSecond =
            dict [
                for c in contenders ->
                    c.Name,
                    {|
                        median = Report.median c.Rates
                        overPyTorch =
                            (if baseline = "pytorch" then
                                 Nullable(paired c.Name "pytorch")
                             else
                                 Nullable())
                        overEager = paired c.Name "eager"
                        overTorch = paired c.Name "torch"
                        gigaflops = billions c
                        shareOfPeak = share c
                        rounds = c.Rates.ToArray()
                    |}
            ]
        neOverDense = neOverDense
        neOverheadPercent = 100.0 * (1.0 / neOverDense - 1.0)
        neOverheadPercentTorch = 100.0 * (1.0 / neOverDenseTorch - 1.0)
        topologyEventMilliseconds = 1000.0 * event
        growInterval = interval
        topologyEventSharePercent = 100.0 * eventShare
        metricsRowMilliseconds = 1000.0 * measurement
        metricsRowSharePercent = 100.0 * measurementShare
        managedBytesPerUpdate = allocated
    |}

    printfn
        $"one core: {peak.Registers:F0} GFLOP/s between registers of {int peak.Width} bits, {peak.Product:F0} in a 256 x 256 x 128 product; {operations / 1e6:F0} MFLOP per update"

    printfn $"at the product's rate, with nothing but matrix products: {peak.Product * 1e9 / operations:F0} updates/s per core"

    for c in contenders do
        let over, overTorch = paired c.Name baseline, paired c.Name "torch"

        let ofThePeak =
            match Option.ofNullable (share c) with
            | Some share -> $"{100.0 * share, 3:F0} %% of the peak"
            | None -> $"on {options.Device}"

        printfn
            $"{c.Name, -15} {Report.median c.Rates, 7:F1} updates/s [{Seq.min c.Rates, 6:F1} .. {Seq.max c.Rates, 6:F1}]  x{over:F2} {baseline}  x{overTorch:F2} torch  {billions c, 4:F0} GFLOP/s  {ofThePeak}"

    printfn $"ne overhead over dense: simd {100.0 * (1.0 / neOverDense - 1.0):F2} %%, torch {100.0 * (1.0 / neOverDenseTorch - 1.0):F2} %%"
    printfn $"one topology event of both networks {1000.0 * event:F1} ms = {100.0 * eventShare:F2} %% of a run with growInterval {interval}"

    printfn
        $"one row of metrics {1000.0 * measurement:F1} ms = {100.0 * measurementShare:F2} %% of the learner's time at a row per {stepsPerRow} gradient steps"

    printfn $"managed bytes per dense update {allocated:F0}"
    report.Write figures
