/// What the torch engine does on the CPU around libtorch's products of a fully connected layer.
module internal NE.Model.Networks.Layers.DenseKernels

open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels

type private V = Vector256<float32>

/// z = z + bias, and max(., 0) if `relu`; a NaN stays NaN.
let addBias (z: Strided) (bias: nativeptr<float32>) (relu: bool) =
    let whole = z.Columns / LaneCount * LaneCount

    for r in 0 .. z.Rows - 1 do
        let row = z.Row r
        let mutable c = 0

        if relu then
            while c < whole do
                store row c (Vector256.MaxNative(V.Zero, load row c + load bias c))
                c <- c + LaneCount

            while c < z.Columns do
                let value = NativePtr.get row c + NativePtr.get bias c
                NativePtr.set row c (if value < 0.0f then 0.0f else value)
                c <- c + 1
        else
            while c < whole do
                store row c (load row c + load bias c)
                c <- c + LaneCount

            while c < z.Columns do
                NativePtr.set row c (NativePtr.get row c + NativePtr.get bias c)
                c <- c + 1

/// sums[c] = sum over the rows of d[r, c], in row order.
let columnSums (d: Strided) (sums: nativeptr<float32>) =
    let whole = d.Columns / LaneCount * LaneCount
    let mutable c = 0
    // Four vectors at a time, so that four chains of additions overlap.
    while c + 4 * LaneCount <= whole do
        let mutable s0, s1, s2, s3 = V.Zero, V.Zero, V.Zero, V.Zero

        for r in 0 .. d.Rows - 1 do
            let row = NativePtr.add (d.Row r) c
            s0 <- s0 + load row 0
            s1 <- s1 + load row LaneCount
            s2 <- s2 + load row (2 * LaneCount)
            s3 <- s3 + load row (3 * LaneCount)

        store sums c s0
        store sums (c + LaneCount) s1
        store sums (c + 2 * LaneCount) s2
        store sums (c + 3 * LaneCount) s3
        c <- c + 4 * LaneCount

    while c < d.Columns do
        let mutable sum = 0.0f

        for r in 0 .. d.Rows - 1 do
            sum <- sum + NativePtr.get (d.Row r) c

        NativePtr.set sums c sum
        c <- c + 1
