/// What this processor can do at best, so that rates can be given as shares of it.
module NE.Benchmarks.Roofline

open System.Diagnostics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Networks.Simd

/// Billions of floating-point operations per second of one core.
type Peak = {
    /// Fused multiply-adds between registers alone, in the widest vectors.
    Registers: float
    /// Our matrix product at the size of TD3's largest layer, all of it in the second-level cache.
    Product: float
}

/// Multiply-adds on 16 independent sums, enough for two units with a latency of four or five cycles.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private multiplyAdds (rounds: int) (x: Vector512<float32>) (y: Vector512<float32>) =
    let mutable a, b, c, d, e, f, g, h = x, x, x, x, x, x, x, x
    let mutable i, j, k, l, m, n, o, p = y, y, y, y, y, y, y, y

    for _ in 1..rounds do
        a <- Vector512.FusedMultiplyAdd(a, x, y)
        b <- Vector512.FusedMultiplyAdd(b, x, y)
        c <- Vector512.FusedMultiplyAdd(c, x, y)
        d <- Vector512.FusedMultiplyAdd(d, x, y)
        e <- Vector512.FusedMultiplyAdd(e, x, y)
        f <- Vector512.FusedMultiplyAdd(f, x, y)
        g <- Vector512.FusedMultiplyAdd(g, x, y)
        h <- Vector512.FusedMultiplyAdd(h, x, y)
        i <- Vector512.FusedMultiplyAdd(i, x, y)
        j <- Vector512.FusedMultiplyAdd(j, x, y)
        k <- Vector512.FusedMultiplyAdd(k, x, y)
        l <- Vector512.FusedMultiplyAdd(l, x, y)
        m <- Vector512.FusedMultiplyAdd(m, x, y)
        n <- Vector512.FusedMultiplyAdd(n, x, y)
        o <- Vector512.FusedMultiplyAdd(o, x, y)
        p <- Vector512.FusedMultiplyAdd(p, x, y)

    a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p

/// The best of many short measurements: what disturbs this process only ever takes away.
let private best (operations: float) (work: unit -> unit) =
    let mutable seconds = infinity
    let whole = Stopwatch.StartNew()

    while whole.Elapsed.TotalSeconds < 1.0 do
        let start = Stopwatch.GetTimestamp()
        work ()
        seconds <- min seconds (Stopwatch.GetElapsedTime(start).TotalSeconds)

    operations / seconds / 1e9

/// Measures for about two seconds.
let measure () : Peak =
    let rounds = 20_000
    let small, one = Vector512.Create 0.5f, Vector512.Create 1.0f
    let mutable sink = 0.0f

    let registers =
        best (float rounds * 16.0 * 32.0) (fun () -> sink <- sink + Vector512.Sum(multiplyAdds rounds small one))

    if not (System.Single.IsFinite sink) then
        invalidOp "the sums of the peak measurement overflowed"

    let rows, inputs, outputs = 256, 256, 128
    let product = PanelProduct.create (VectorWidth.best ())
    use x = SimdMatrix.Create(rows, inputs)
    use y = SimdMatrix.Create(rows, outputs)
    use weights = new AlignedMemory(inputs * outputs)

    let plain: Finish = {
        Bias = NativePtr.nullPtr
        Relu = false
        Activation = NativePtr.nullPtr
        ActivationStride = 0
    }

    let multiply () =
        for panel in 0..3 do
            product.Multiply(
                x.Row 0,
                x.Stride,
                1,
                NativePtr.add weights.Address (panel * 32 * inputs),
                32,
                NativePtr.add (y.Row 0) (32 * panel),
                y.Stride,
                rows,
                32,
                inputs,
                &plain
            )

    {
        Registers = registers
        Product = best (2.0 * float rows * float inputs * float outputs) multiply
    }

/// Floating-point operations of one gradient step of TD3, a multiply-add counted as two; only the matrix products.
let operationsPerUpdate (observation: int) (action: int) (hidden: int list) (batch: int) (policyDelay: int) : float =
    let products widths =
        widths
        |> List.pairwise
        |> List.map (fun (inputs, outputs) -> 2.0 * float batch * float inputs * float outputs)

    let actor = products [ observation; yield! hidden; action ]
    let critic = products [ observation + action; yield! hidden; 1 ]
    // Through the hidden layers backwards: all products but the first layer's.
    let backwards layers = List.sum (List.tail layers)
    let actionGradient = 2.0 * float batch * float hidden.Head * float action

    // pi'; Q'1, Q'2; Q1, Q2 forwards, by their weights, by their activations
    let always = List.sum actor + 2.0 * (3.0 * List.sum critic + backwards critic)
    // pi forwards, by its weights, by its activations; Q1 forwards and down to the action
    let actorStep =
        2.0 * List.sum actor
        + backwards actor
        + List.sum critic
        + backwards critic
        + actionGradient

    always + actorStep / float policyDelay
