/// How the tasks of all families write their observations, part by part.
module internal NE.Model.Tasks.Observation

open System

/// Copies the values to the front of the target and returns the rest of it.
let append (values: ReadOnlySpan<float>) (target: Span<float>) : Span<float> =
    values.CopyTo target
    target.Slice values.Length
