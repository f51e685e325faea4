namespace NE.Model.Networks.Simd

open System
open System.Threading

/// Working memory of a pass that every thread has for itself, as long as a layer works on a row.
[<Sealed>]
type internal Scratch() =
    let mutable length = 0

    let memory =
        new ThreadLocal<AlignedMemory>((fun () -> new AlignedMemory(length)), true)

    /// Sees to it that there is room for so many floats. To be called before Address.
    member _.Reserve(count: int) = length <- max length count

    /// The calling thread's, whatever is in it.
    member _.Address: nativeptr<float32> = memory.Value.Address

    interface IDisposable with
        member _.Dispose() =
            for part in memory.Values do
                (part :> IDisposable).Dispose()

            memory.Dispose()
