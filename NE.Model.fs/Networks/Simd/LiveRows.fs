namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Layers

/// The rows of a stack that a backward pass goes through, where it leaves out those whose gradient by the output is 0: of two critics an
/// actor's loss asks one a row (LeastValue). What is left of a block lies side by side from its beginning on, and goes back to its places at
/// the end. A row that is left out gets what the products would have made of it: a sum that starts at +0 stays +0 over products with 0,
/// whatever their signs. That is not so of weights that are infinite or NaN, but no run goes on with those.
[<Sealed>]
type internal LiveRows(rows: int) =
    // Where the row comes from whose gradient lies here.
    let origins = Array.zeroCreate<int> rows

    let rowOf (matrix: Strided) (row: int) = {
        matrix with
            Memory = matrix.Row row
            Rows = 1
    }

    /// Brings the rows of a block together that are not 0, and says which row comes after the last of them.
    member _.Gather(gradient: Strided, from: int, upTo: int) : int =
        let mutable next = from

        for row in from .. upTo - 1 do
            if (Span<float32>(NativePtr.toVoidPtr (gradient.Row row), gradient.Columns)).ContainsAnyExcept 0.0f then
                if next < row then
                    copy (rowOf gradient row) (rowOf gradient next)

                origins[next] <- row
                next <- next + 1

        next

    /// gradient = gradient where the activation of the row that it comes from is positive, else 0.
    member _.Mask(gradient: Strided, activation: Strided, from: int, last: int) : unit =
        for row in from .. last - 1 do
            RectifierKernels.mask (rowOf gradient row) (rowOf activation origins[row])

    /// The inverse of Gather, of another gradient: the rows from .. last - 1 go back to their places in the block, and the others are 0.
    member _.Scatter(gradient: Strided, from: int, last: int, upTo: int) : unit =
        let mutable next = last

        // From the end on, where no row lies that has not been moved yet.
        for row in upTo - 1 .. -1 .. from do
            if next > from && origins[next - 1] = row then
                next <- next - 1

                if next < row then
                    copy (rowOf gradient next) (rowOf gradient row)
            else
                fill (rowOf gradient row) 0.0f
