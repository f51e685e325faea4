/// Rows brought to mean 0 and variance 1, and back. Rows first .. last - 1; nothing behind a row's columns is touched.
///
/// A sum across a row has 32 partial sums, which are added up in one order, and a sum down the rows goes in theirs, so the bits depend neither
/// on the processor's vectors nor on how rows and columns are shared out.
module internal NE.Model.Networks.Layers.LayerNormKernels

open System
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels

type private V = Vector256<float32>

/// Added to a row's variance.
[<Literal>]
let Epsilon = 1e-5f

let inline private sum (columns: int) ([<InlineIfLambda>] eight: int -> V) ([<InlineIfLambda>] one: int -> float32) : float32 =
    // Four chains of additions overlap.
    let mutable s0, s1, s2, s3 = V.Zero, V.Zero, V.Zero, V.Zero
    let mutable c = 0

    while c + 4 * LaneCount <= columns do
        s0 <- s0 + eight c
        s1 <- s1 + eight (c + LaneCount)
        s2 <- s2 + eight (c + 2 * LaneCount)
        s3 <- s3 + eight (c + 3 * LaneCount)
        c <- c + 4 * LaneCount

    while c + LaneCount <= columns do
        s0 <- s0 + eight c
        c <- c + LaneCount

    let eightSums = (s0 + s1) + (s2 + s3)
    let four = eightSums.GetLower() + eightSums.GetUpper()
    let mutable total = (four[0] + four[2]) + (four[1] + four[3])

    while c < columns do
        total <- total + one c
        c <- c + 1

    total

/// z = (z - mean) / sqrt(variance + epsilon), row by row; scales[row] = 1 / sqrt(variance + epsilon).
[<MethodImpl(MethodImplOptions.NoInlining)>]
let normalise (z: Strided) (scales: nativeptr<float32>) (first: int) (last: int) : unit =
    let columns = z.Columns
    let count = float32 columns

    for r in first .. last - 1 do
        let row = z.Row r
        let mean = sum columns (fun c -> load row c) (fun c -> NativePtr.get row c) / count
        let means = Vector256.Create mean

        let variance =
            sum
                columns
                (fun c ->
                    let d = load row c - means
                    d * d)
                (fun c ->
                    let d = NativePtr.get row c - mean
                    d * d)
            / count

        let scale = 1.0f / MathF.Sqrt(variance + Epsilon)
        NativePtr.set scales r scale
        let scaleAll = Vector256.Create scale
        let mutable c = 0

        while c + LaneCount <= columns do
            store row c ((load row c - means) * scaleAll)
            c <- c + LaneCount

        while c < columns do
            NativePtr.set row c ((NativePtr.get row c - mean) * scale)
            c <- c + 1

/// y = gains x + shifts, row by row; y may lie over x.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let stretch (x: Strided) (gains: nativeptr<float32>) (shifts: nativeptr<float32>) (y: Strided) (first: int) (last: int) : unit =
    for r in first .. last - 1 do
        let row, into = x.Row r, y.Row r
        let mutable c = 0

        while c + LaneCount <= x.Columns do
            store into c (load gains c * load row c + load shifts c)
            c <- c + LaneCount

        while c < x.Columns do
            NativePtr.set into c (NativePtr.get gains c * NativePtr.get row c + NativePtr.get shifts c)
            c <- c + 1

/// The gradient by the linear outputs, from d, that by y = gains x + shifts, where x is normalised: with g = gains d,
/// into = scale (g - mean g - x mean (g x)), row by row.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let normaliseBackward
    (d: Strided)
    (x: Strided)
    (gains: nativeptr<float32>)
    (scales: nativeptr<float32>)
    (into: Strided)
    (first: int)
    (last: int)
    : unit =
    let columns = x.Columns
    let count = float32 columns

    for r in first .. last - 1 do
        let dRow, xRow, target = d.Row r, x.Row r, into.Row r

        let mean =
            sum columns (fun c -> load gains c * load dRow c) (fun c -> NativePtr.get gains c * NativePtr.get dRow c)
            / count

        let along =
            sum columns (fun c -> load gains c * load dRow c * load xRow c) (fun c ->
                NativePtr.get gains c * NativePtr.get dRow c * NativePtr.get xRow c)
            / count

        let scale = NativePtr.get scales r

        let means, alongs, scaleAll =
            Vector256.Create mean, Vector256.Create along, Vector256.Create scale

        let mutable c = 0

        while c + LaneCount <= columns do
            let g = load gains c * load dRow c
            store target c ((g - means - load xRow c * alongs) * scaleAll)
            c <- c + LaneCount

        while c < columns do
            let g = NativePtr.get gains c * NativePtr.get dRow c
            NativePtr.set target c ((g - mean - NativePtr.get xRow c * along) * scale)
            c <- c + 1

/// The gradients of gains and shifts: sums over all rows of d x and of d, for `columns` columns of both.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let gradients (d: Strided) (x: Strided) (columns: int) (gains: nativeptr<float32>) (shifts: nativeptr<float32>) : unit =
    let mutable c = 0

    // Two vectors at a time, so that four chains of additions overlap.
    while c + 2 * LaneCount <= columns do
        let mutable g0, g1, s0, s1 = V.Zero, V.Zero, V.Zero, V.Zero

        for r in 0 .. d.Rows - 1 do
            let dRow, xRow = NativePtr.add (d.Row r) c, NativePtr.add (x.Row r) c
            let d0, d1 = load dRow 0, load dRow LaneCount
            g0 <- g0 + d0 * load xRow 0
            g1 <- g1 + d1 * load xRow LaneCount
            s0 <- s0 + d0
            s1 <- s1 + d1

        store gains c g0
        store gains (c + LaneCount) g1
        store shifts c s0
        store shifts (c + LaneCount) s1
        c <- c + 2 * LaneCount

    while c < columns do
        let mutable g, s = 0.0f, 0.0f

        for r in 0 .. d.Rows - 1 do
            let value = NativePtr.get (d.Row r) c
            g <- g + value * NativePtr.get (x.Row r) c
            s <- s + value

        NativePtr.set gains c g
        NativePtr.set shifts c s
        c <- c + 1
