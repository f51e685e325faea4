namespace NE.Model.Networks.Simd

open System
open System.Runtime.InteropServices
open Microsoft.FSharp.NativeInterop

/// A zeroed run of float32 outside the managed heap, aligned to a cache line. It lives until it is disposed of: there is no finalizer,
/// because the kernels hold bare addresses, which the collector cannot see.
[<Sealed>]
type internal AlignedMemory(length: int) =
    let bytes = max 64un (unativeint length * unativeint sizeof<float32>)
    let mutable address: voidptr = NativeMemory.AlignedAlloc(bytes, 64un)
    do NativeMemory.Clear(address, bytes)

    /// Floats of so many rows, `stride` apart. Raises ArgumentException for more than an int32 counts, as offsets are.
    static member Floats(rows: int, stride: int) : int =
        let floats = int64 rows * int64 stride

        if floats > int64 Int32.MaxValue then
            invalidArg
                (nameof rows)
                ($"A matrix of {rows} rows of {stride} floats has {floats} floats, {Int32.MaxValue} are possible; make the batch "
                 + "(learner.batchSize), the layers (network.hidden, network.criticHidden) or the pictures (pixels.size, pixels.filters) smaller.")

        int floats

    member _.Length = length
    /// The first float.
    member _.Address: nativeptr<float32> = NativePtr.ofVoidPtr address
    member _.Span = Span<float32>(address, length)

    interface IDisposable with
        member _.Dispose() =
            NativeMemory.AlignedFree address
            // Freeing nothing is harmless, freeing twice is not.
            address <- NativePtr.toVoidPtr NativePtr.nullPtr<byte>
