namespace NE.Model.Replay

#nowarn "9"

open System
open Microsoft.FSharp.NativeInterop

/// Transitions that are held in memory, one after the other, of `width` floats each (`ITransitionRows.RowFloats`). Row i of the array has
/// the number i.
[<Sealed>]
type HeldRows(rows: float32[], width: int) =
    /// All of them.
    member _.Window: Window = {
        First = 0L
        Head = int64 (rows.Length / width)
    }

    interface ITransitionSource with
        member _.Gather(numbers, destination, stride) =
            for i in 0 .. numbers.Length - 1 do
                let from = ReadOnlySpan(rows, int numbers[i] * width, width)
                from.CopyTo(Span<float32>(NativePtr.toVoidPtr (NativePtr.add destination (i * stride)), width))

        member _.Row number =
            ReadOnlySpan(rows, int number * width, width)
