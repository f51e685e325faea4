/// What the panels do not cover: the single output of a critic, and the actor's tanh. The same bits on every processor: vectors of
/// 256 bits are computed in halves where there are none.
module internal NE.Model.Networks.Simd.HeadKernels

open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels

/// y[r] = x[r] . w + bias for rows first .. last - 1. x's rows and w are padded with zeros to a multiple of 16. Sixteen sums, one per
/// index modulo 16, are added up in halves.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let dotRows (x: Strided) (w: nativeptr<float32>) (bias: float32) (y: Strided) (first: int) (last: int) : unit =
    for r in first .. last - 1 do
        let row = x.Row r
        let mutable low = Vector256<float32>.Zero
        let mutable high = Vector256<float32>.Zero
        let mutable c = 0

        while c < x.Columns do
            low <- Vector256.FusedMultiplyAdd(Vector256.Load(NativePtr.add row c), Vector256.Load(NativePtr.add w c), low)
            high <- Vector256.FusedMultiplyAdd(Vector256.Load(NativePtr.add row (c + 8)), Vector256.Load(NativePtr.add w (c + 8)), high)
            c <- c + 16

        let eight = low + high
        let four = eight.GetLower() + eight.GetUpper()
        let sum = (four[0] + four[2]) + (four[1] + four[3])
        NativePtr.write (y.Row r) (sum + bias)

/// Sum of a column, in row order.
let columnSum (x: Strided) : float32 =
    let mutable sum = 0.0f

    for r in 0 .. x.Rows - 1 do
        sum <- sum + NativePtr.read (x.Row r)

    sum

/// tanh x = sign x (1 - e) / (1 + e) with e = exp(-2 |x|), and x - x^3 / 3 where that would cancel, in double precision: the nearest
/// float, but for rare ties.
let inline private tanh4 (x: Vector256<float>) =
    let magnitude = Vector256.Abs x
    let e = Vector256.Exp(magnitude * Vector256.Create -2.0)
    let one = Vector256.Create 1.0
    let wide = Vector256.CopySign((one - e) / (one + e), x)
    let near = x - x * x * x * Vector256.Create(1.0 / 3.0)
    Vector256.ConditionalSelect(Vector256.LessThan(magnitude, Vector256.Create 1e-4), near, wide)

let inline private tanh8 (x: Vector256<float32>) =
    Vector256.Narrow(tanh4 (Vector256.WidenLower x), tanh4 (Vector256.WidenUpper x))

/// x = scale * tanh x for so many floats side by side, and for nothing behind them.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let private scaledTanhOf (x: nativeptr<float32>) (count: int) (scale: float32) : unit =
    let scale = Vector256.Create scale
    let mutable i = 0

    while i + LaneCount <= count do
        store x i (scale * tanh8 (load x i))
        i <- i + LaneCount

    if i < count then
        let mutable rest = Vector256<float32>.Zero

        for k in i .. count - 1 do
            rest <- rest.WithElement(k - i, NativePtr.get x k)

        rest <- scale * tanh8 rest

        for k in i .. count - 1 do
            NativePtr.set x k rest[k - i]

/// x = scale * tanh x for rows first .. last - 1. Of a column without gaps these are neighbours, and nothing else is touched. Behind the columns of
/// other matrices the padding up to the next multiple of 8 must be readable, and is computed too.
let scaledTanh (x: Strided) (scale: float32) (first: int) (last: int) : unit =
    if x.Stride = 1 then
        scaledTanhOf (x.Row first) (last - first) scale
    else
        let padded = (x.Columns + LaneCount - 1) / LaneCount * LaneCount

        for r in first .. last - 1 do
            scaledTanhOf (x.Row r) padded scale
