/// Transposing single-precision matrices.
module internal NE.Model.Networks.Transpose

open System.Runtime.Intrinsics
open System.Runtime.Intrinsics.X86
open Microsoft.FSharp.NativeInterop

/// target[c * targetStride + r] = source[r * sourceStride + c], four by four where the processor can.
let transpose (source: nativeptr<float32>) (sourceStride: int) (rows: int) (columns: int) (target: nativeptr<float32>) (targetStride: int) =
    let rows4, columns4 =
        (if Sse.IsSupported then
             rows / 4 * 4, columns / 4 * 4
         else
             0, 0)

    let mutable r = 0

    while r < rows4 do
        let from = NativePtr.add source (r * sourceStride)
        let mutable c = 0

        while c < columns4 do
            let a = Vector128.Load(NativePtr.add from c)
            let b = Vector128.Load(NativePtr.add from (sourceStride + c))
            let d = Vector128.Load(NativePtr.add from (2 * sourceStride + c))
            let e = Vector128.Load(NativePtr.add from (3 * sourceStride + c))
            let ab0, ab1 = Sse.UnpackLow(a, b), Sse.UnpackHigh(a, b)
            let de0, de1 = Sse.UnpackLow(d, e), Sse.UnpackHigh(d, e)
            let into = NativePtr.add target (c * targetStride + r)
            Vector128.Store(Sse.MoveLowToHigh(ab0, de0), into)
            Vector128.Store(Sse.MoveHighToLow(de0, ab0), NativePtr.add into targetStride)
            Vector128.Store(Sse.MoveLowToHigh(ab1, de1), NativePtr.add into (2 * targetStride))
            Vector128.Store(Sse.MoveHighToLow(de1, ab1), NativePtr.add into (3 * targetStride))
            c <- c + 4

        r <- r + 4

    for r in 0 .. rows - 1 do
        for c in (if r < rows4 then columns4 else 0) .. columns - 1 do
            NativePtr.set target (c * targetStride + r) (NativePtr.get source (r * sourceStride + c))
