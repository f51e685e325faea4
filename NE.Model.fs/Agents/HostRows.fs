namespace NE.Model.Agents

open System
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Simd

/// Looks at an engine's matrices: in place where the engine's memory is known to be the host's, otherwise in a copy.
[<Sealed>]
type internal HostRows() =
    let mutable copy: float32[] = [||]

    let inPlace (matrix: IMatrix) =
        match matrix with
        | :? SimdMatrix as matrix -> ValueSome matrix.Strided
        | _ -> ValueNone

    /// Calls `look` with the matrix; the memory is valid until it returns.
    member _.Look(matrix: IMatrix, look: Strided -> unit) =
        match inPlace matrix with
        | ValueSome strided -> look strided
        | ValueNone ->
            if copy.Length < matrix.Rows * matrix.Columns then
                copy <- Array.zeroCreate (matrix.Rows * matrix.Columns)

            matrix.Read(Span(copy, 0, matrix.Rows * matrix.Columns))
            use memory = fixed copy

            look {
                Memory = memory
                Rows = matrix.Rows
                Columns = matrix.Columns
                Stride = matrix.Columns
            }
