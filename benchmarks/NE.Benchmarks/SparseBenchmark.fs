/// Whether it pays to skip the weights that a sparse topology lacks: the hidden layer's forward product, dense as the engine computes it
/// against one that goes through the existing weights alone, over the density.
module NE.Benchmarks.SparseBenchmark

open System
open System.Diagnostics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Networks.Simd

type Options = {
    Rows: int
    Inputs: int
    Outputs: int
    Rounds: int
    /// Where the report is written, if anywhere.
    Output: string option
}

let defaults = {
    Rows = 256
    Inputs = 256
    Outputs = 128
    Rounds = 201
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.optionsOnly [
        Arguments.int "--rounds" 1 (fun n options -> { options with Rounds = n })
        Arguments.json (fun file options -> { options with Output = Some file })
    ]

/// The existing weights of every output neuron (compressed rows): their inputs and values.
type private Rows = {
    Starts: int[]
    Inputs: AlignedMemory
    Values: AlignedMemory
}

/// One output neuron over 128 rows of the batch. Activations are kept by features, so that a weight meets eight vectors of neighbouring
/// rows; a mask in blocks would not help: at a density of 0.25 a block of 32 random weights is empty once in ten thousand.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private sparse
    (inputs: nativeptr<int>)
    (values: nativeptr<float32>)
    (count: int)
    (x: nativeptr<float32>)
    (stride: int)
    (y: nativeptr<float32>)
    =
    let mutable s0, s1, s2, s3 =
        Vector512<float32>.Zero, Vector512<float32>.Zero, Vector512<float32>.Zero, Vector512<float32>.Zero

    let mutable s4, s5, s6, s7 = s0, s0, s0, s0

    for i in 0 .. count - 1 do
        let w = Vector512.Create(NativePtr.get values i)
        let row = NativePtr.add x (NativePtr.get inputs i * stride)
        s0 <- Vector512.FusedMultiplyAdd(w, Vector512.Load row, s0)
        s1 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 16), s1)
        s2 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 32), s2)
        s3 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 48), s3)
        s4 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 64), s4)
        s5 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 80), s5)
        s6 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 96), s6)
        s7 <- Vector512.FusedMultiplyAdd(w, Vector512.Load(NativePtr.add row 112), s7)

    Vector512.Store(s0, y)
    Vector512.Store(s1, NativePtr.add y 16)
    Vector512.Store(s2, NativePtr.add y 32)
    Vector512.Store(s3, NativePtr.add y 48)
    Vector512.Store(s4, NativePtr.add y 64)
    Vector512.Store(s5, NativePtr.add y 80)
    Vector512.Store(s6, NativePtr.add y 96)
    Vector512.Store(s7, NativePtr.add y 112)

let private compress (density: float) (options: Options) (draws: Draws) =
    let found =
        Array.init options.Outputs (fun _ -> [|
            for input in 0 .. options.Inputs - 1 do
                if draws.Uniform(0.0, 1.0) < density then
                    input
        |])

    let all = Array.concat found
    let inputs = new AlignedMemory(max 16 all.Length)
    let values = new AlignedMemory(max 16 all.Length)

    let indices: nativeptr<int> =
        NativePtr.toNativeInt inputs.Address |> NativePtr.ofNativeInt

    for i in 0 .. all.Length - 1 do
        NativePtr.set indices i all[i]
        NativePtr.set values.Address i (float32 (draws.Uniform(-1.0, 1.0)))

    {
        Starts = Array.scan (fun sum (row: int[]) -> sum + row.Length) 0 found
        Inputs = inputs
        Values = values
    }

let private seconds (work: unit -> unit) =
    let start = Stopwatch.GetTimestamp()
    work ()
    Stopwatch.GetElapsedTime(start).TotalSeconds

/// The density where the ratio sparse / dense, rising with it, reaches 1.
let private breakEven (points: (float * float) list) =
    points
    |> List.pairwise
    |> List.tryPick (fun ((d0, r0), (d1, r1)) ->
        if r0 <= 1.0 && r1 > 1.0 then
            Some(d0 + (d1 - d0) * (1.0 - r0) / (r1 - r0))
        else
            None)

/// A layer that starts at `density` and grows to 1 along the cosine: the share of the run below the break-even density, and the layer's
/// time over the run relative to always dense, if the faster of the two is taken at every moment.
let private overRun (density: float) (ratioAt: float -> float) =
    let moments = [ for i in 0..999 -> (float i + 0.5) / 1000.0 ]

    let densities =
        moments
        |> List.map (fun t -> density + (1.0 - density) * (t + sin (Math.PI * t) / Math.PI))

    let ratios = densities |> List.map (fun d -> min 1.0 (ratioAt d))
    List.averageBy (fun r -> if r < 1.0 then 1.0 else 0.0) ratios, List.average ratios

let measure (options: Options) : unit =
    let report = Report.Report options.Output

    if options.Rows % 128 <> 0 || options.Outputs % 32 <> 0 then
        invalidArg (nameof options) $"Expected rows in 128s and outputs in 32s, found {options.Rows} and {options.Outputs}."

    if not Vector512.IsHardwareAccelerated then
        invalidOp "This benchmark compares 512-bit kernels, which this processor does not have."

    let product = PanelProduct.create VectorWidth.Bits512
    use x = SimdMatrix.Create(options.Rows, options.Inputs)
    use y = SimdMatrix.Create(options.Rows, options.Outputs)
    use weights = new AlignedMemory(options.Inputs * options.Outputs)
    // By features; an odd number of cache lines between them.
    let stride = PanelLayout.Stride options.Rows
    use xByFeature = new AlignedMemory(options.Inputs * stride)
    use yByFeature = new AlignedMemory(options.Outputs * stride)

    let plain: Finish = {
        Bias = NativePtr.nullPtr
        Relu = false
        Activation = NativePtr.nullPtr
        ActivationStride = 0
    }

    let dense () =
        for panel in 0 .. options.Outputs / 32 - 1 do
            product.Multiply(
                x.Row 0,
                x.Stride,
                1,
                NativePtr.add weights.Address (panel * 32 * options.Inputs),
                32,
                NativePtr.add (y.Row 0) (32 * panel),
                y.Stride,
                options.Rows,
                32,
                options.Inputs,
                &plain
            )

    let points = [
        for density in [ 0.05; 0.1; 0.15; 0.2; 0.25; 0.3; 0.4; 0.5; 0.6; 0.8; 1.0 ] do
            let rows = compress density options (Draws.Of(0L, Purpose.Initialisation))

            let indices: nativeptr<int> =
                NativePtr.toNativeInt rows.Inputs.Address |> NativePtr.ofNativeInt

            let skipping () =
                for block in 0..128 .. options.Rows - 1 do
                    for output in 0 .. options.Outputs - 1 do
                        let start = rows.Starts[output]

                        sparse
                            (NativePtr.add indices start)
                            (NativePtr.add rows.Values.Address start)
                            (rows.Starts[output + 1] - start)
                            (NativePtr.add xByFeature.Address block)
                            stride
                            (NativePtr.add yByFeature.Address (output * stride + block))

            // The first rounds compile.
            for _ in 1..50 do
                dense ()
                skipping ()

            let pairs = [ for _ in 1 .. options.Rounds -> seconds dense, seconds skipping ]

            let ratio =
                pairs |> Seq.map (fun (dense, skipping) -> skipping / dense) |> Report.median

            let micro pick =
                1e6 * Report.median (Seq.map pick pairs)

            printfn $"density %.2f{density}   dense %7.1f{micro fst} us   skipping %7.1f{micro snd} us   ratio %.2f{ratio}"
            (rows.Inputs :> IDisposable).Dispose()
            (rows.Values :> IDisposable).Dispose()
            density, ratio
    ]

    let ratioAt (density: float) =
        match
            points
            |> List.pairwise
            |> List.tryFind (fun (_, (above, _)) -> density <= above)
        with
        | Some((d0, r0), (d1, r1)) -> r0 + (r1 - r0) * (density - d0) / (d1 - d0)
        | None -> snd (List.last points)

    let even = breakEven points

    let describe =
        even |> Option.map (fun d -> $"%.2f{d}") |> Option.defaultValue "none"

    printfn $"break-even density {describe}"

    let runs = [
        for start in [ 0.11; 0.18; 0.25 ] do
            let share, time = overRun start ratioAt

            printfn
                $"a layer that grows from %.2f{start} to 1: %.1f{100.0 * share} %% of the run below it; its forward product saves at most %.1f{100.0 * (1.0 - time)} %%"

            {|
                start = start
                shareBelowBreakEven = Math.Round(share, 4)
                timeRelativeToDense = Math.Round(time, 4)
            |}
    ]

    report.Write {|
        rows = options.Rows
        inputs = options.Inputs
        outputs = options.Outputs
        rounds = options.Rounds
        ratios = [
            for density, ratio in points ->
                {|
                    density = density
                    skippingOverDense = Math.Round(ratio, 3)
                |}
        ]
        breakEvenDensity = even |> Option.map (fun d -> Math.Round(d, 3)) |> Option.toNullable
        growing = runs
    |}
