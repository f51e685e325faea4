/// Whole updates of pixel agents (PixelUpdates), the pictures that they need (PixelRendering), and their encoder, forward and backward, in alternating
/// rounds of one process: our kernels, our torch engine, TorchSharp eager with autograd; and PyTorch eager in a child process. The encoder's rates
/// are those of direct convolutions: what of the arithmetic is saved counts all the same.
module NE.Benchmarks.PixelBenchmark

open System
open System.Diagnostics
open NE.Benchmarks.Report
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Simd
open NE.Model.Networks.Torch
open TorchSharp

/// What is measured.
[<RequireQualifiedAccess>]
type Part =
    | Updates
    | Rendering
    | Encoder

type Options = {
    Parts: Part list
    Batches: int list
    /// The most threads; every number from 1 on is measured.
    Threads: int
    Size: int
    Channels: int
    Filters: int
    /// Of actor and critics.
    Hidden: int list
    Rounds: int
    SecondsPerRound: float
    Python: string
    Output: string option
}

let defaults = {
    Parts = [ Part.Updates; Part.Rendering ]
    Batches = [ 64; 256 ]
    Threads = 2
    Size = 84
    Channels = 9
    Filters = 32
    Hidden = [ 1024; 1024 ]
    Rounds = 7
    SecondsPerRound = 0.5
    Python = PyTorchPeer.Python
    Output = None
}

let private parts = [
    "updates", Part.Updates
    "rendering", Part.Rendering
    "encoder", Part.Encoder
]

let grammar: Arguments.Grammar<Options> =
    Arguments.optionsOnly [
        Arguments.parts "--parts" parts (fun parts options -> { options with Parts = parts })
        Arguments.widths "--batches" (fun batches options -> { options with Batches = batches })
        Arguments.int "--threads" 1 (fun n (options: Options) -> { options with Threads = n })
        Arguments.int "--size" 21 (fun n options -> { options with Size = n })
        Arguments.int "--channels" 1 (fun n options -> { options with Channels = n })
        Arguments.int "--filters" 8 (fun n options -> { options with Filters = n })
        Arguments.widths "--hidden" (fun widths options -> { options with Hidden = widths })
        Arguments.int "--rounds" 1 (fun n (options: Options) -> { options with Rounds = n })
        Arguments.seconds (fun s (options: Options) -> { options with SecondsPerRound = s })
        Arguments.python (fun file (options: Options) -> { options with Python = file })
        Arguments.json (fun file (options: Options) -> { options with Output = Some file })
    ]

/// Seconds of a batch.
[<Struct>]
type private Times = { Forward: float; Backward: float }

/// Something that computes batches.
type private Contender = {
    Name: string
    /// Works for about so many seconds.
    Round: float -> Times
    Rounds: ResizeArray<Times>
    Dispose: unit -> unit
}

let private layoutOf (options: Options) : BlockLayout =
    BlockLayout.OfForm(
        1,
        NetworkForms.encoder
            {
                Height = options.Size
                Width = options.Size
                Channels = options.Channels
            }
            options.Filters
    )

/// Floating-point operations of an image, a multiply-add counted as two: forward, and backward by all weights and by the input of all layers but
/// the first.
let private operations (layout: BlockLayout) : Times =
    let layers = [
        for layer in 0 .. layout.Layers - 1 do
            let slot = layout.Slot(0, layer)
            2.0 * float slot.Features * float slot.Inputs
    ]

    {
        Forward = List.sum layers
        Backward = List.sum layers + List.sum layers.Tail
    }

/// Seconds that work on one thread, or on several, is measured in. Of one thread it is the processor's time: what another process takes in between
/// is not counted.
let private clock (threads: int) : float =
    if threads = 1 then
        Environment.CpuUsage.TotalTime.TotalSeconds
    else
        Stopwatch.GetElapsedTime(0L).TotalSeconds

/// Rounds of two pieces of work in turn, on so many threads.
let private turns (threads: int) (forward: unit -> unit) (backward: unit -> unit) (seconds: float) : Times =
    let watch = Stopwatch.StartNew()
    let mutable ahead, back, count = 0.0, 0.0, 0

    while count = 0 || watch.Elapsed.TotalSeconds < seconds do
        let began = clock threads
        forward ()
        let middle = clock threads
        backward ()
        ahead <- ahead + middle - began
        back <- back + clock threads - middle
        count <- count + 1

    {
        Forward = ahead / float count
        Backward = back / float count
    }

let private contender name dispose round = {
    Name = name
    Round = round
    Rounds = ResizeArray()
    Dispose = dispose
}

let private pass (name: string) (engine: IEngine) (layout: BlockLayout) (batch: int) (threads: int) : Contender =
    let draws = Draws.Of(1L, Purpose.Initialisation)
    let block = engine.CreateBlock(layout, true)
    block.Write(Field.Weights, ReadOnlySpan(layout.Initialise draws))

    let filled columns =
        let values = Array.zeroCreate<float32>(batch * columns)
        draws.FillUniform(Span values, 0.5f)
        let matrix = engine.CreateMatrix(batch, columns)
        matrix.Write(ReadOnlySpan values)
        matrix

    let input, weight = filled layout.Inputs, filled layout.Outputs
    let pass = engine.CreatePass(block, 1, input, Linear, ParameterGradient)
    // Backward may change what it is given.
    let prepare () =
        engine.Copy(weight, pass.OutputGradient 0)

    let dispose () =
        pass.Dispose()
        input.Dispose()
        weight.Dispose()
        block.Dispose()
        engine.Dispose()

    contender name dispose (fun seconds ->
        torch.set_num_threads threads
        prepare ()
        turns threads pass.Forward pass.Backward seconds)

let private eager (name: string) (byPixels: bool) (layout: BlockLayout) (batch: int) (threads: int) : Contender =
    let encoder = new EagerEncoder(layout, batch, byPixels)

    contender name (encoder :> IDisposable).Dispose (fun seconds ->
        torch.set_num_threads threads
        turns threads encoder.Forward encoder.Backward seconds)

/// PyTorch in a child process, or why there is none.
let private pyTorch (options: Options) (batch: int) (threads: int) : Result<Contender, string> =
    PyTorchPeer.StartScript(
        "encoder_pytorch.py",
        options.Python,
        threads,
        [
            "--batch"
            string batch
            "--size"
            string options.Size
            "--channels"
            string options.Channels
            "--filters"
            string options.Filters
            "--threads"
            string threads
        ]
    )
    |> Result.map (fun peer ->
        contender "PyTorch eager" (peer :> IDisposable).Dispose (fun seconds ->
            let answer =
                peer.Ask(seconds.ToString("R", Globalization.CultureInfo.InvariantCulture))

            {
                Forward = answer.GetProperty("forward").GetDouble()
                Backward = answer.GetProperty("backward").GetDouble()
            }))

/// Medians of the ratios of neighbouring rounds: how many times as fast as the other is the first one.
let private faster (first: Contender) (other: Contender) : Times =
    let ratio pick =
        Seq.map2 (fun a b -> pick b / pick a) first.Rounds other.Rounds |> median

    {
        Forward = ratio _.Forward
        Backward = ratio _.Backward
    }

/// Measures one batch size on a number of threads.
let private compare (options: Options) (layout: BlockLayout) (batch: int) (threads: int) =
    let peer = pyTorch options batch threads

    let contenders = [
        pass "simd engine" (SimdEngine.Create threads) layout batch threads
        pass "simd engine, direct convolutions" (SimdEngine.Create(threads, ConvolutionKind.Direct)) layout batch threads
        eager "TorchSharp eager" false layout batch threads
        eager "TorchSharp eager, channels last" true layout batch threads
        pass "torch engine" (TorchEngine.Create("cpu", threads)) layout batch threads
        match peer with
        | Ok peer -> peer
        | Error _ -> ()
    ]

    try
        // The first rounds compile.
        for contender in contenders do
            contender.Round options.SecondsPerRound |> ignore

        for _ in 1 .. options.Rounds do
            for contender in contenders do
                contender.Rounds.Add(contender.Round options.SecondsPerRound)

        let perImage = operations layout

        printfn $"batch {batch}, {threads} threads: ms of a batch, GFLOP/s, times as fast as it is the simd engine"

        let found = [
            for contender in contenders do
                let forward, backward =
                    contender.Rounds |> Seq.map _.Forward, contender.Rounds |> Seq.map _.Backward

                let rate operations seconds =
                    operations * float batch / median seconds / 1e9

                let ratio = faster contenders.Head contender

                printfn
                    $"  {contender.Name, -32} forward %7.1f{1e3 * median forward} %7.1f{rate perImage.Forward forward} %6.2f{ratio.Forward}    backward %7.1f{1e3 * median backward} %7.1f{rate perImage.Backward backward} %6.2f{ratio.Backward}"

                {|
                    name = contender.Name
                    forwardMilliseconds = forward |> Seq.map (fun s -> 1e3 * s) |> figures 3
                    backwardMilliseconds = backward |> Seq.map (fun s -> 1e3 * s) |> figures 3
                    forwardGigaflops = Math.Round(rate perImage.Forward forward, 1)
                    backwardGigaflops = Math.Round(rate perImage.Backward backward, 1)
                    simdFasterForward = Math.Round(ratio.Forward, 3)
                    simdFasterBackward = Math.Round(ratio.Backward, 3)
                |}
        ]

        match peer with
        | Ok _ -> ()
        | Error problem -> printfn $"  PyTorch eager                    not measured: {problem}"

        {|
            batch = batch
            threads = threads
            contenders = found
            pytorch =
                match peer with
                | Ok _ -> "measured"
                | Error problem -> problem
        |}
    finally
        for contender in contenders do
            contender.Dispose()

let private encoder (options: Options) =
    let layout = layoutOf options
    let peak = Roofline.measure 1.0
    printfn $"one core: {peak.Registers:F0} GFLOP/s between registers, {peak.Product:F0} in our matrix product"

    {|
        peakGigaflops = Math.Round(peak.Registers, 1)
        productGigaflops = Math.Round(peak.Product, 1)
        measured = [
            for batch in options.Batches do
                for threads in 1 .. options.Threads -> compare options layout batch threads
        ]
    |}

let private updates (options: Options) =
    PixelUpdates.measure {
        Batches = options.Batches
        Threads = options.Threads
        Size = options.Size
        Filters = options.Filters
        Hidden = options.Hidden
        // Walker's.
        Action = 6
        Rounds = options.Rounds
        SecondsPerRound = options.SecondsPerRound
        Python = options.Python
    }

let private rendering (options: Options) (updates: PixelUpdates.Measured list) =
    match PixelRendering.measure options.Size options.Rounds with
    | Ok found ->
        PixelRendering.print (median found.WithPicture) (median found.Simulation) updates

        {|
            simulationMilliseconds = Some(figures 3 found.Simulation)
            stepMilliseconds = Some(figures 3 found.WithPicture)
            renderer = "measured"
        |}
    | Error problem ->
        printfn $"pictures: not measured: {problem}"

        {|
            simulationMilliseconds = None
            stepMilliseconds = None
            renderer = problem
        |}

let measure (options: Options) : unit =
    let report = Report options.Output
    LibTorch.ensureLoaded ()
    use _ = PeerProcess.KillAllOnSignals()
    printfn $"{NE.Actors.RunDirectory.Hardware.Processor}, {Report.machine}, load {load ():F1}"

    let ifAsked part measure =
        if List.contains part options.Parts then
            Some(measure ())
        else
            None

    let whole = ifAsked Part.Updates (fun () -> updates options)

    let ofUpdates = whole |> Option.map _.Measured |> Option.defaultValue []

    let pictures = ifAsked Part.Rendering (fun () -> rendering options ofUpdates)
    let encoder = ifAsked Part.Encoder (fun () -> encoder options)

    report.Write {|
        size = options.Size
        channels = options.Channels
        filters = options.Filters
        hidden = options.Hidden
        updates =
            whole
            |> Option.map (fun whole -> {|
                measured =
                    whole.Measured
                    |> List.map (fun found -> {|
                        learner = found.Learner
                        batch = found.Batch
                        threads = found.Threads
                        milliseconds = dict [ for name, rounds in found.Milliseconds -> name, figures 1 rounds ]
                        timesAsFastAsPyTorch = found.TimesAsFastAsPyTorch |> Option.map (fun ratio -> Math.Round(ratio, 3))
                        neOverheadPercent = Math.Round(found.NeOverheadPercent, 2)
                        pytorch = found.PyTorch
                    |})
                eventSeconds = Math.Round(whole.EventSeconds, 3)
                growInterval = whole.GrowInterval
                eventSharePercent = Math.Round(whole.EventSharePercent, 3)
            |})
        rendering = pictures
        encoder = encoder
    |}
