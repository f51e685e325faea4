/// From linear outputs to ReLU's or CReLU's features, and back. Rows first .. last - 1; nothing behind a row's columns is touched.
module internal NE.Model.Networks.Layers.RectifierKernels

open System
open System.Runtime.CompilerServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels

type private V = Vector256<float32>

/// With y = gains x + shifts, or y = x where gains is null: features = max(y, 0), or [max(y, 0), max(-y, 0)] where they are twice as
/// many. The features may lie over x. A NaN stays.
[<MethodImpl(MethodImplOptions.NoInlining)>]
let activate (x: Strided) (gains: nativeptr<float32>) (shifts: nativeptr<float32>) (features: Strided) (first: int) (last: int) : unit =
    let columns = x.Columns
    let isAffine = NativePtr.toNativeInt gains <> 0n
    let both = features.Columns <> columns

    for r in first .. last - 1 do
        let row, into = x.Row r, features.Row r
        let mutable c = 0

        while c + LaneCount <= columns do
            let mutable y = load row c

            if isAffine then
                y <- load gains c * y + load shifts c

            // The native maximum returns its second argument when one is NaN.
            store into c (Vector256.MaxNative(V.Zero, y))

            if both then
                store into (columns + c) (Vector256.MaxNative(V.Zero, -y))

            c <- c + LaneCount

        while c < columns do
            let mutable y = NativePtr.get row c

            if isAffine then
                y <- NativePtr.get gains c * y + NativePtr.get shifts c

            NativePtr.set into c (MathF.Max(0.0f, y))

            if both then
                NativePtr.set into (columns + c) (MathF.Max(0.0f, -y))

            c <- c + 1

/// The gradient by y from that by the features of CReLU, which is 0 already where a feature is 0: into = d[left half] - d[right half].
[<MethodImpl(MethodImplOptions.NoInlining)>]
let fold (d: Strided) (into: Strided) (first: int) (last: int) : unit =
    let columns = into.Columns

    for r in first .. last - 1 do
        let row, target = d.Row r, into.Row r
        let mutable c = 0

        while c + LaneCount <= columns do
            store target c (load row c - load row (columns + c))
            c <- c + LaneCount

        while c < columns do
            NativePtr.set target c (NativePtr.get row c - NativePtr.get row (columns + c))
            c <- c + 1

/// d = d where the activation h is positive, else 0.
let mask (d: Strided) (h: Strided) =
    let whole = d.Columns / LaneCount * LaneCount

    for r in 0 .. d.Rows - 1 do
        let row, active = d.Row r, h.Row r
        let mutable c = 0

        while c < whole do
            let passed = Vector256.GreaterThan(load active c, V.Zero)
            store row c (Vector256.BitwiseAnd(load row c, passed))
            c <- c + LaneCount

        while c < d.Columns do
            if not (NativePtr.get active c > 0.0f) then
                NativePtr.set row c 0.0f

            c <- c + 1
