namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Simd

/// Sums over the images of a pass, of chunks of eight and then of the chunks in their order. A chunk is whole in one part of the job that goes through
/// the rows, so nothing depends on who computes it.
[<Sealed>]
type internal ConvSums(pass: SimdPassing, length: int) =
    let chunks = (pass.Rows + RowBlocks.Unit - 1) / RowBlocks.Unit
    let memory = pass.Memory(AlignedMemory.Floats(chunks, length))

    /// Where an image is added; 0 before the first image of its chunk.
    member _.Of(row: int) : nativeptr<float32> =
        let sums = NativePtr.add memory (row / RowBlocks.Unit * length)

        if row % RowBlocks.Unit = 0 then
            NativePtr.initBlock sums 0uy (uint32 (4 * length))

        sums

    /// The sum over the chunks of so many floats, a multiple of 8, from a place on.
    member _.Total(place: int, count: int, into: nativeptr<float32>) : unit =
        let sums = NativePtr.add memory place
        let mutable i = 0

        while i < count do
            let mutable sum = load sums i

            for chunk in 1 .. chunks - 1 do
                sum <- sum + load sums (chunk * length + i)

            store into i sum
            i <- i + LaneCount
