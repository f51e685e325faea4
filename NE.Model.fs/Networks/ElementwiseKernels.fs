/// One-pass CPU kernels over float32 memory. Every lane does the same operations in the same order as a scalar loop would, and sums
/// run down the rows, so the bits depend neither on the vector width nor on the number of threads.
module NE.Model.Networks.ElementwiseKernels

open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop

type private V = Vector256<float32>

/// Floats in a vector of these kernels.
[<Literal>]
let internal LaneCount = 8

/// Powers of beta below this leave 1 - power at exactly 1 in float32: they become 0, before they turn denormal and slow.
let FlushPower = 1.0f / 33554432.0f // 2^-25

/// Moments below this magnitude become 0, for the same reason.
[<Literal>]
let FlushMoment = 1e-30f

let inline internal load (p: nativeptr<float32>) i = Vector256.Load(NativePtr.add p i)

let inline internal store (p: nativeptr<float32>) i (v: V) = Vector256.Store(v, NativePtr.add p i)

/// v with every lane that lies below the threshold set to 0; a NaN stays.
let inline private flushBelow (threshold: V) (magnitude: V) (v: V) =
    Vector256.AndNot(v.AsInt32(), Vector256.LessThan(magnitude, threshold).AsInt32()).AsSingle()

/// The eight arrays of a trainable block.
[<Struct; NoEquality; NoComparison>]
type AdamMemory = {
    Weights: nativeptr<float32>
    Gradients: nativeptr<float32>
    FirstMoments: nativeptr<float32>
    SecondMoments: nativeptr<float32>
    Beta1Powers: nativeptr<float32>
    Beta2Powers: nativeptr<float32>
    Mask: nativeptr<float32>
    Bound: nativeptr<float32>
    /// A multiple of 16.
    Length: int
    /// Which of the last four arrays are walked along. The others are one vector that holds for all elements: what is not read from
    /// memory costs no time.
    Walk: AdamWalk
}

/// -1 for an array of Length floats, 0 for one vector.
and [<Struct>] AdamWalk = {
    Beta1Powers: int
    Beta2Powers: int
    Mask: int
    Bound: int
} with

    /// All four are whole arrays.
    static member Whole = {
        Beta1Powers = -1
        Beta2Powers = -1
        Mask = -1
        Bound = -1
    }

/// Adam with per-element ages, mask and clip in one pass:
///   g = mask g;  m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2;  p1 = b1 p1;  p2 = b2 p2
///   w = clip(mask (w - lr (m / (1 - p1)) / (sqrt (v / (1 - p2)) + eps)), +-bound)
/// The step is computed as lr m sqrt(1 - p2) / ((1 - p1) (sqrt v + eps sqrt(1 - p2))): one division instead of three.
let adam (memory: AdamMemory) (options: AdamOptions) =
    let b1 = Vector256.Create(float32 options.Beta1)
    let b2 = Vector256.Create(float32 options.Beta2)
    let c1 = Vector256.Create(float32 (1.0 - options.Beta1))
    let c2 = Vector256.Create(float32 (1.0 - options.Beta2))
    let lr = Vector256.Create options.LearningRate
    let eps = Vector256.Create options.Epsilon
    let one = Vector256.Create 1.0f
    let tinyPower = Vector256.Create FlushPower
    let tinyMoment = Vector256.Create FlushMoment
    // Locals: read from the struct in every round, the addresses cost a third of the whole pass.
    let weights, gradients = memory.Weights, memory.Gradients
    let firstMoments, secondMoments = memory.FirstMoments, memory.SecondMoments
    let beta1Powers, beta2Powers = memory.Beta1Powers, memory.Beta2Powers
    let masks, bounds = memory.Mask, memory.Bound
    let length = memory.Length
    let walk1, walk2 = memory.Walk.Beta1Powers, memory.Walk.Beta2Powers
    let walkMask, walkBound = memory.Walk.Mask, memory.Walk.Bound
    let mutable i = 0

    while i < length do
        let mask = load masks (i &&& walkMask)
        let g = load gradients i * mask
        let m = b1 * load firstMoments i + c1 * g
        let m = flushBelow tinyMoment (Vector256.Abs m) m
        let v = b2 * load secondMoments i + c2 * (g * g)
        let v = flushBelow tinyMoment v v
        let p1 = b1 * load beta1Powers (i &&& walk1)
        let p1 = flushBelow tinyPower p1 p1
        let p2 = b2 * load beta2Powers (i &&& walk2)
        let p2 = flushBelow tinyPower p2 p2
        let root = Vector256.Sqrt(one - p2)
        let step = (lr * m * root) / ((one - p1) * (Vector256.Sqrt v + eps * root))
        let w = (load weights i - step) * mask
        let bound = load bounds (i &&& walkBound)
        // The native forms return their second argument when one is NaN: a NaN weight stays visible.
        let w = Vector256.MaxNative(-bound, Vector256.MinNative(bound, w))
        store firstMoments i m
        store secondMoments i v
        store beta1Powers (i &&& walk1) p1
        store beta2Powers (i &&& walk2) p2
        store weights i w
        i <- i + LaneCount

/// target = target + tau (online - target); length a multiple of 16.
let polyak (target: nativeptr<float32>) (online: nativeptr<float32>) (length: int) (tau: float32) =
    let tau = Vector256.Create tau
    let mutable i = 0

    while i < length do
        let t = load target i
        store target i (t + tau * (load online i - t))
        i <- i + LaneCount

/// A rows x columns matrix whose rows are `Stride` floats apart.
[<Struct; NoEquality; NoComparison>]
type Strided = {
    Memory: nativeptr<float32>
    Rows: int
    Columns: int
    Stride: int
} with

    member inline this.Row i =
        NativePtr.add this.Memory (i * this.Stride)

/// d = d (scale - output^2 / scale): the derivative of scale * tanh, from its output.
let scaledTanhBackward (d: Strided) (output: Strided) (scale: float32) =
    for r in 0 .. d.Rows - 1 do
        let row, out = d.Row r, output.Row r

        for c in 0 .. d.Columns - 1 do
            let y = NativePtr.get out c
            NativePtr.set row c (NativePtr.get row c * (scale - y * y / scale))

let copy (source: Strided) (destination: Strided) =
    for r in 0 .. source.Rows - 1 do
        NativePtr.copyBlock (destination.Row r) (source.Row r) source.Columns

/// target = target + factor * source.
let add (target: Strided) (factor: float32) (source: Strided) =
    for r in 0 .. target.Rows - 1 do
        let t, s = target.Row r, source.Row r

        for c in 0 .. target.Columns - 1 do
            NativePtr.set t c (NativePtr.get t c + factor * NativePtr.get s c)

/// target = target + factor * (a - b). In vectors, because it also goes over whole blocks.
let addDifference (target: Strided) (factor: float32) (a: Strided) (b: Strided) =
    let factors = Vector256.Create factor
    let whole = target.Columns / LaneCount * LaneCount

    for r in 0 .. target.Rows - 1 do
        let t, a, b = target.Row r, a.Row r, b.Row r
        let mutable c = 0

        while c < whole do
            store t c (load t c + factors * (load a c - load b c))
            c <- c + LaneCount

        while c < target.Columns do
            NativePtr.set t c (NativePtr.get t c + factor * (NativePtr.get a c - NativePtr.get b c))
            c <- c + 1

/// target = target + factor * a * b.
let addProduct (target: Strided) (factor: float32) (a: Strided) (b: Strided) =
    for r in 0 .. target.Rows - 1 do
        let t, a, b = target.Row r, a.Row r, b.Row r

        for c in 0 .. target.Columns - 1 do
            NativePtr.set t c (NativePtr.get t c + factor * NativePtr.get a c * NativePtr.get b c)

/// matrix = matrix * factor.
let scale (matrix: Strided) (factor: float32) =
    for r in 0 .. matrix.Rows - 1 do
        let row = matrix.Row r

        for c in 0 .. matrix.Columns - 1 do
            NativePtr.set row c (factor * NativePtr.get row c)

/// Every entry into [-bound, bound], without branches: whether a random number is clipped cannot be predicted. A NaN stays.
let clamp (matrix: Strided) (bound: float32) =
    for r in 0 .. matrix.Rows - 1 do
        let row = matrix.Row r

        for c in 0 .. matrix.Columns - 1 do
            NativePtr.set row c (System.MathF.Max(-bound, System.MathF.Min(bound, NativePtr.get row c)))

/// target = min(target, other); a NaN of either stays.
let minimum (target: Strided) (other: Strided) =
    for r in 0 .. target.Rows - 1 do
        let t, o = target.Row r, other.Row r

        for c in 0 .. target.Columns - 1 do
            NativePtr.set t c (System.MathF.Min(NativePtr.get t c, NativePtr.get o c))

let fill (matrix: Strided) (value: float32) =
    for r in 0 .. matrix.Rows - 1 do
        let row = matrix.Row r

        for c in 0 .. matrix.Columns - 1 do
            NativePtr.set row c value

/// Mean over all entries, summed in double precision in row order.
let mean (matrix: Strided) : float =
    let mutable sum = 0.0

    for r in 0 .. matrix.Rows - 1 do
        let row = matrix.Row r

        for c in 0 .. matrix.Columns - 1 do
            sum <- sum + float (NativePtr.get row c)

    sum / float (matrix.Rows * matrix.Columns)

/// Mean of the squares of all entries, summed in double precision in row order.
let meanSquare (matrix: Strided) : float =
    let mutable sum = 0.0

    for r in 0 .. matrix.Rows - 1 do
        let row = matrix.Row r

        for c in 0 .. matrix.Columns - 1 do
            let entry = float (NativePtr.get row c)
            sum <- sum + entry * entry

    sum / float (matrix.Rows * matrix.Columns)

/// Whether all values are finite. x - x is 0 for a finite x and NaN otherwise, so one sum tells.
let isFinite (memory: nativeptr<float32>) (length: int) : bool =
    let mutable sum = V.Zero
    let mutable i = 0

    while i < length do
        let x = load memory i
        sum <- sum + (x - x)
        i <- i + LaneCount

    Vector256.EqualsAll(sum, V.Zero)

/// Adds a batch of non-negative activations to per-neuron statistics: sum, number of positive values, smallest and largest value.
let accumulateActivity
    (h: Strided)
    (sums: nativeptr<float32>)
    (positives: nativeptr<float32>)
    (lowest: nativeptr<float32>)
    (highest: nativeptr<float32>)
    =
    let one = Vector256.Create 1.0f
    let whole = h.Columns / LaneCount * LaneCount

    for r in 0 .. h.Rows - 1 do
        let row = h.Row r
        let mutable c = 0

        while c < whole do
            let x = load row c
            let isPositive = Vector256.GreaterThan(x, V.Zero)
            store sums c (load sums c + x)
            store positives c (load positives c + Vector256.BitwiseAnd(isPositive, one))
            store lowest c (Vector256.MinNative(load lowest c, x))
            store highest c (Vector256.MaxNative(load highest c, x))
            c <- c + LaneCount

        while c < h.Columns do
            let x = NativePtr.get row c
            NativePtr.set sums c (NativePtr.get sums c + x)

            if x > 0.0f then
                NativePtr.set positives c (NativePtr.get positives c + 1.0f)

            NativePtr.set lowest c (min (NativePtr.get lowest c) x)
            NativePtr.set highest c (max (NativePtr.get highest c) x)
            c <- c + 1
