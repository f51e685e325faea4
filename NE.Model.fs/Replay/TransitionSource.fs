namespace NE.Model.Replay

open System

/// Where stored transitions are read from.
type ITransitionSource =
    /// Copies each named row to `destination`, one row every `strideInFloats` floats.
    abstract Gather: rows: ReadOnlySpan<int64> * destination: nativeptr<float32> * strideInFloats: int -> unit
    /// A row where it lies, for readers that need a part of it; valid as long as the window that the reader was handed.
    abstract Row: row: int64 -> ReadOnlySpan<float32>
