/// What this processor can do at best, so that rates can be given as shares of it.
module NE.Benchmarks.Roofline

open System.Diagnostics
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Billions of floating-point operations per second of one core.
type Peak = {
    /// Of the vectors that the engine computes with here.
    Width: VectorWidth
    /// Multiply-adds between registers alone, in these vectors.
    Registers: float
    /// Our matrix product at the size of TD3's largest layer, all of it in the second-level cache.
    Product: float
}

/// Independent sums: enough for two units with a latency of five cycles, and with x and y no more than the 16 registers of AVX2.
let private independent = 12

/// s <- s * x + y in every sum, and all of them added up in the end.
let inline private sums< ^V when ^V: (static member (+): ^V * ^V -> ^V)>
    ([<InlineIfLambda>] multiplyAdd: ^V -> ^V -> ^V -> ^V)
    (rounds: int)
    (x: ^V)
    (y: ^V)
    : ^V =
    let mutable a, b, c, d, e, f = x, x, x, x, x, x
    let mutable g, h, i, j, k, l = y, y, y, y, y, y

    for _ in 1..rounds do
        a <- multiplyAdd a x y
        b <- multiplyAdd b x y
        c <- multiplyAdd c x y
        d <- multiplyAdd d x y
        e <- multiplyAdd e x y
        f <- multiplyAdd f x y
        g <- multiplyAdd g x y
        h <- multiplyAdd h x y
        i <- multiplyAdd i x y
        j <- multiplyAdd j x y
        k <- multiplyAdd k x y
        l <- multiplyAdd l x y

    a + b + c + d + e + f + g + h + i + j + k + l

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private sums512 rounds (x: float32) (y: float32) =
    sums (fun (s: Vector512<float32>) x y -> Vector512.MultiplyAddEstimate(s, x, y)) rounds (Vector512.Create x) (Vector512.Create y)
    |> Vector512.Sum

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private sums256 rounds (x: float32) (y: float32) =
    sums (fun (s: Vector256<float32>) x y -> Vector256.MultiplyAddEstimate(s, x, y)) rounds (Vector256.Create x) (Vector256.Create y)
    |> Vector256.Sum

[<MethodImpl(MethodImplOptions.NoInlining)>]
let private sums128 rounds (x: float32) (y: float32) =
    sums (fun (s: Vector128<float32>) x y -> Vector128.MultiplyAddEstimate(s, x, y)) rounds (Vector128.Create x) (Vector128.Create y)
    |> Vector128.Sum

/// Multiply-adds in vectors of a width: in every lane of every sum s <- s * x + y, so often. The sum of all lanes of all sums.
let multiplyAdds (width: VectorWidth) (rounds: int) (x: float32) (y: float32) : float32 =
    match width with
    | VectorWidth.Bits512 -> sums512 rounds x y
    | VectorWidth.Bits256 -> sums256 rounds x y
    | _ -> sums128 rounds x y

/// Floating-point operations of `multiplyAdds`, a multiply-add counted as two.
let operations (width: VectorWidth) (rounds: int) : float =
    2.0 * float rounds * float independent * float (int width / 32)

/// The best of many short measurements: what disturbs this process only ever takes away.
let private best (seconds: float) (operations: float) (work: unit -> unit) =
    let mutable shortest = infinity
    let whole = Stopwatch.StartNew()

    while whole.Elapsed.TotalSeconds < seconds do
        let start = Stopwatch.GetTimestamp()
        work ()
        shortest <- min shortest (Stopwatch.GetElapsedTime(start).TotalSeconds)

    operations / shortest / 1e9

/// Measures each of the two rates for so many seconds.
let measure (seconds: float) : Peak =
    let width = VectorWidth.best ()
    let rounds = 20_000
    let mutable sink = 0.0f

    let registers =
        best seconds (operations width rounds) (fun () -> sink <- sink + multiplyAdds width rounds 0.5f 1.0f)

    if not (System.Single.IsFinite sink) then
        invalidOp "the sums of the peak measurement overflowed"

    let rows, inputs, outputs = 256, 256, 128
    let product = PanelProduct.create width
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
        Width = width
        Registers = registers
        Product = best seconds (2.0 * float rows * float inputs * float outputs) multiply
    }

/// Floating-point operations of one gradient step, a multiply-add counted as two; only the matrix products. Of settings whose networks have the
/// hidden widths of network.hidden.
let operationsPerUpdate (settings: Settings) (observation: int) (action: int) : float =
    let batch, hidden = float settings.Learner.BatchSize, settings.Network.Hidden.Value

    let products widths =
        widths
        |> List.pairwise
        |> List.map (fun (inputs, outputs) -> 2.0 * batch * float inputs * float outputs)

    let actorUpdates, critics =
        match settings.Run.Learner with
        | LearnerKind.Td3 -> 1.0 / float settings.Td3.PolicyDelay, 1.0
        | LearnerKind.Sac -> 1.0, 2.0
        | LearnerKind.Drq
        | LearnerKind.DrqV2 -> invalidArg (nameof settings) "The learners from pictures have networks beside those of network.hidden."

    let actorOutputs = NetworkForms.actorOutputs settings.Run.Learner action

    let actor = products [ observation; yield! hidden; actorOutputs ]
    let critic = products [ observation + action; yield! hidden; 1 ]
    // Through the hidden layers backwards: all products but the first layer's.
    let backwards layers = List.sum (List.tail layers)
    let actionGradient = 2.0 * batch * float hidden.Head * float action

    // The actor at s'; Q'1, Q'2; Q1, Q2 forwards, by their weights, by their activations
    let always = List.sum actor + 2.0 * (3.0 * List.sum critic + backwards critic)
    // pi forwards, by its weights, by its activations; the critics of its loss forwards and down to the action
    let actorStep =
        2.0 * List.sum actor
        + backwards actor
        + critics * (List.sum critic + backwards critic + actionGradient)

    always + actorUpdates * actorStep
