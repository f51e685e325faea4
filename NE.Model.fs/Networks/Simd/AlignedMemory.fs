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

    member _.Length = length
    /// The first float.
    member _.Address: nativeptr<float32> = NativePtr.ofVoidPtr address
    member _.Span = Span<float32>(address, length)

    interface IDisposable with
        member _.Dispose() =
            NativeMemory.AlignedFree address
            // Freeing nothing is harmless, freeing twice is not.
            address <- NativePtr.toVoidPtr NativePtr.nullPtr<byte>
