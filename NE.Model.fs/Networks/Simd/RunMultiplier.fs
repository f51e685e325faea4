namespace NE.Model.Networks.Simd

open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop

/// Products whose depth is made of runs.
type internal IRunMultiplier =
    /// C = finish(A B), or finish(C + A B), for so many rows and the columns first .. upTo - 1, a multiple of 8. C overlaps nothing. The bits of
    /// an element do not depend on how the rows are shared out.
    abstract Multiply:
        product: inref<RunProduct> *
        a: nativeptr<float32> *
        b: nativeptr<float32> *
        c: nativeptr<float32> *
        rows: int *
        first: int *
        upTo: int ->
            unit

/// On vectors of one width. `narrower` takes the last columns, if they do not fill two vectors.
[<Sealed>]
type internal RunMultiplier<'V, 'Ops when 'Ops: struct and 'Ops :> IVectorOperations<'V>>(narrower: IRunMultiplier | null) =
    /// The columns of two vectors, from `column` on; B and C begin with them.
    static member Tiled
        (product: inref<RunProduct>, a: nativeptr<float32>, b: nativeptr<float32>, c: nativeptr<float32>, rows: int, column: int)
        =
        let struct (endOfSixes, endOfFives) =
            match SixesAndFives.fives rows with
            | ValueSome fives -> struct (rows - 5 * fives, rows)
            | ValueNone -> struct (rows / 6 * 6, rows / 6 * 6)

        let mutable row = 0

        while row < endOfSixes do
            let a, c =
                NativePtr.add a (row * product.ARow), NativePtr.add c (row * product.CRow)

            RunTiles<'V, 'Ops>.Six(&product, a, b, c, row, column)
            row <- row + 6

        while row < endOfFives do
            let a, c =
                NativePtr.add a (row * product.ARow), NativePtr.add c (row * product.CRow)

            RunTiles<'V, 'Ops>.Five(&product, a, b, c, row, column)
            row <- row + 5

        while row < rows do
            let a, c =
                NativePtr.add a (row * product.ARow), NativePtr.add c (row * product.CRow)

            RunTiles<'V, 'Ops>.One(&product, a, b, c, row, column)
            row <- row + 1

    interface IRunMultiplier with
        member _.Multiply(product, a, b, c, rows, first, upTo) =
            let width = 2 * 'Ops.Count
            let mutable column = first

            while column + width <= upTo do
                RunMultiplier<'V, 'Ops>.Tiled(&product, a, NativePtr.add b column, NativePtr.add c column, rows, column)
                column <- column + width

            match narrower with
            | null -> ()
            | narrower ->
                if column < upTo then
                    narrower.Multiply(&product, a, b, c, rows, column, upTo)

[<RequireQualifiedAccess>]
module internal RunMultiplier =
    /// The products for vectors of a width. A width that the processor lacks works too, but slowly.
    let create (width: VectorWidth) : IRunMultiplier =
        let narrow = RunMultiplier<Vector128<float32>, Operations128>(null)
        let medium = RunMultiplier<Vector256<float32>, Operations256>(narrow)

        match width with
        | VectorWidth.Bits512 -> RunMultiplier<Vector512<float32>, Operations512>(medium)
        | VectorWidth.Bits256 -> medium
        | VectorWidth.Bits128 -> narrow
        | other -> invalidArg (nameof width) $"{int other} is not a vector width: expected 128, 256 or 512."
