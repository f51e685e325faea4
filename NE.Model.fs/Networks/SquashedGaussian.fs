/// Actions a = a_max tanh(u), u = m + sigma eps, eps ~ N(0, 1): a Gaussian squashed into the bounds (Haarnoja et al. 2018, arXiv 1801.01290,
/// appendix C). A network has two outputs for every component of the action, side by side: its m, then its log sigma.
///
/// Densities and entropies are those of the action scaled to [-1, 1], whatever a_max is, as public implementations have them: those of the
/// action itself would differ by log a_max per component, and no target entropy would mean the same on every task.
module NE.Model.Networks.SquashedGaussian

open System
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open NE.Model

/// Outputs of a network per component of the action.
[<Literal>]
let OutputsPerComponent = 2

/// Least log sigma where it is cut (the authors' code of SAC); an output outside of the bounds is brought to them and gets no gradient.
[<Literal>]
let LowestLogDeviation = -20.0f

/// Largest log sigma.
[<Literal>]
let HighestLogDeviation = 2.0f

/// Least log sigma where a tanh makes it (the authors' code of DrQ).
[<Literal>]
let private LowestOfTanh = -10.0

/// Half of what lies between it and the largest.
[<Literal>]
let private HalfRange = 6.0

/// e = exp(-2 |u|) and tanh(u), which follows from it, with the same bits on every processor. The C library's are those of its version.
let inline private tanh4 (u: Vector256<float>) =
    let one = Vector256.Create 1.0
    let e = Vector256.Exp(Vector256.Abs u * Vector256.Create -2.0)
    struct (e, Vector256.CopySign((one - e) / (one + e), u))

let private tanh (x: float) =
    let struct (_, t) = tanh4 (Vector256.Create x)
    t.ToScalar()

/// log sigma from an output of the network, and its derivative by the output: 0 where it is cut. A cut itself is left to whoever samples.
let internal logDeviation (form: LogDeviation) (output: float32) : struct (float32 * float32) =
    match form with
    | LogDeviation.Clamped ->
        let isInside = output > LowestLogDeviation && output < HighestLogDeviation
        struct (output, (if isInside then 1.0f else 0.0f))
    | LogDeviation.Tanh ->
        let t = tanh (float output)
        struct (float32 (LowestOfTanh + HalfRange * (t + 1.0)), float32 (HalfRange * (1.0 - t * t)))

/// Floats that `sample` takes at once.
[<Literal>]
let internal LaneCount = 8

/// u of one component, of which a_max tanh(u) is the action, from both outputs of the network.
let internal sampleOne (form: LogDeviation) (mean: float32) (output: float32) (noise: float32) : float32 =
    let struct (raw, _) = logDeviation form output
    let bounded = MathF.Max(LowestLogDeviation, MathF.Min(HighestLogDeviation, raw))

    mean + MathF.Exp bounded * noise

/// What every component takes from log pi: log(2 pi) / 2 + 2 log 2.
let private constant = 0.5 * Math.Log(2.0 * Math.PI) + 2.0 * Math.Log 2.0

/// Of four components, from m, log sigma and eps: sigma eps, tanh(u), and log N(u; m, sigma) - log(1 - tanh(u)^2). The last term is even in u and
/// equals 2 (log 2 - |u| - log(1 + e)) with e = exp(-2 |u|), which never cancels nor overflows (2 (log 2 - u - softplus(-2 u)) for u >= 0).
let inline private sample4 (mean: Vector256<float>) (logDeviation: Vector256<float>) (noise: Vector256<float>) =
    let one, two = Vector256.Create 1.0, Vector256.Create 2.0
    let scaled = Vector256.Exp logDeviation * noise
    let u = mean + scaled
    let struct (e, squashed) = tanh4 u

    let logDensity =
        two * (Vector256.Abs u + Vector256.Log(one + e))
        - noise * noise * Vector256.Create 0.5
        - logDeviation
        - Vector256.Create constant

    struct (scaled, squashed, logDensity)

/// Component by component, in arrays of one length, a multiple of LaneCount: from m, log sigma and eps to sigma eps (in eps's place), tanh(u), the
/// component's part of log pi, and log sigma within its bounds (in its place). In double precision, and the same bits on every processor.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let internal sample
    (means: float32[])
    (logDeviations: float32[])
    (noise: float32[])
    (squashed: float32[])
    (logDensities: float32[])
    : unit =
    let low, high =
        Vector256.Create LowestLogDeviation, Vector256.Create HighestLogDeviation

    let mutable i = 0

    while i < means.Length do
        let m, eps = Vector256.LoadUnsafe &means[i], Vector256.LoadUnsafe &noise[i]
        // The native forms return their second argument when one is NaN: a NaN stays visible.
        let s =
            Vector256.MaxNative(low, Vector256.MinNative(high, Vector256.LoadUnsafe &logDeviations[i]))

        let struct (scaled0, squashed0, log0) =
            sample4 (Vector256.WidenLower m) (Vector256.WidenLower s) (Vector256.WidenLower eps)

        let struct (scaled1, squashed1, log1) =
            sample4 (Vector256.WidenUpper m) (Vector256.WidenUpper s) (Vector256.WidenUpper eps)

        Vector256.StoreUnsafe(s, &logDeviations[i])
        Vector256.StoreUnsafe(Vector256.Narrow(scaled0, scaled1), &noise[i])
        Vector256.StoreUnsafe(Vector256.Narrow(squashed0, squashed1), &squashed[i])
        Vector256.StoreUnsafe(Vector256.Narrow(log0, log1), &logDensities[i])
        i <- i + LaneCount
