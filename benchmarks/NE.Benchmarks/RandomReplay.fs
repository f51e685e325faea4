namespace NE.Benchmarks

open System
open System.Runtime.InteropServices
open System.Runtime.Intrinsics.X86
open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Replay

/// A replay buffer of random transitions in native memory: normal observations, uniform actions, one terminal row in a thousand.
[<Sealed>]
type RandomReplay(shape: TransitionShape, rows: int, maxAction: float32, seed: int64) =
    let width = shape.StoredWidth
    let memory = NativeMemory.Alloc(unativeint rows * unativeint width * 4un)
    let first: nativeptr<float32> = NativePtr.ofVoidPtr memory

    let row (number: int64) =
        NativePtr.ofNativeInt<float32>(NativePtr.toNativeInt first + nativeint number * nativeint (4 * width))

    do
        let draws = Draws.Of(seed, Purpose.Exploration)

        for i in 0 .. rows - 1 do
            let values = Span<float32>(NativePtr.toVoidPtr (row (int64 i)), width)
            draws.FillNormal(values, 1.0f)
            draws.FillUniform(values.Slice(shape.Action, shape.ActionSize), maxAction)
            values[shape.NotDone] <- if i % 1000 = 999 then 0.0f else 1.0f

    member _.Shape = shape
    member _.Window = { First = 0L; Head = int64 rows }

    /// One stored row.
    member _.Copy(number: int64) =
        Span<float32>(NativePtr.toVoidPtr (row number), width).ToArray()

    interface ITransitionSource with
        member _.Gather(numbers, destination, stride) =
            // Rows lie far apart: ask for the lines of a later one while this one is copied, as the run's own storage does.
            let ahead = 12

            for i in 0 .. numbers.Length - 1 do
                if Sse.IsSupported && i + ahead < numbers.Length then
                    let later = NativePtr.toNativeInt (row numbers[i + ahead])

                    for line in 0..64 .. 4 * width - 1 do
                        Sse.Prefetch0(NativePtr.toVoidPtr (NativePtr.ofNativeInt<byte>(later + nativeint line)))

                let source = Span<float32>(NativePtr.toVoidPtr (row numbers[i]), width)
                source.CopyTo(Span<float32>(NativePtr.toVoidPtr (NativePtr.add destination (i * stride)), width))

        member _.Row number =
            ReadOnlySpan<float32>(NativePtr.toVoidPtr (row number), width)

    interface IDisposable with
        member _.Dispose() = NativeMemory.Free memory
