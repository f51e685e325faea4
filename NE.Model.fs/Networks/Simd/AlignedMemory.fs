namespace NE.Model.Networks.Simd

open System
open System.Runtime.InteropServices
open Microsoft.FSharp.NativeInterop

/// A zeroed run of float32 outside the managed heap, aligned to a cache line.
[<Sealed>]
type internal AlignedMemory(length: int) =
    let bytes = unativeint length * unativeint sizeof<float32>
    let mutable address: voidptr = NativeMemory.AlignedAlloc(max 64un bytes, 64un)

    do
        NativeMemory.Clear(address, max 64un bytes)
        // The collector cannot see this memory; it should know what an agent that nobody disposed of still holds.
        GC.AddMemoryPressure(int64 (max 64un bytes))

    let free () =
        if NativePtr.toNativeInt (NativePtr.ofVoidPtr<byte> address) <> 0n then
            NativeMemory.AlignedFree address
            GC.RemoveMemoryPressure(int64 (max 64un bytes))
            address <- NativePtr.toVoidPtr NativePtr.nullPtr<byte>

    member _.Length = length
    /// The first float.
    member _.Address: nativeptr<float32> = NativePtr.ofVoidPtr address
    member _.Span = Span<float32>(address, length)

    override _.Finalize() = free ()

    interface IDisposable with
        member this.Dispose() =
            free ()
            GC.SuppressFinalize this
