namespace NE.Model.Topology

open System

/// Neighbouring values of a larger array, edited in place. Two slices are equal if their values are.
[<Sealed>]
type Slice(values: float32[], start: int, length: int) =
    do
        if start < 0 || length < 0 || start > values.Length - length then
            invalidArg (nameof start) $"Values {start} to {start + length - 1} were asked for of an array of {values.Length}."

    /// A whole array.
    new(values: float32[]) = Slice(values, 0, values.Length)

    /// Number of values.
    member _.Length = length

    member _.Item
        with get (index: int) = values[start + index]
        and set (index: int) (value: float32) = values[start + index] <- value

    /// The values themselves.
    member _.Span = Span<float32>(values, start, length)

    /// A copy of the values.
    member this.ToArray() = this.Span.ToArray()

    override this.Equals(other: obj | null) =
        match other with
        | :? Slice as other -> this.Span.SequenceEqual(Span.op_Implicit other.Span: ReadOnlySpan<float32>)
        | _ -> false

    override _.GetHashCode() = HashCode.Combine(start, length)
