namespace NE.Model.Networks.Simd

open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop

/// Matrix products, one panel of the result at a time: all of its rows, 16 or 32 columns.
type internal IPanelProduct =
    /// C = finish(A B). A's element (row, k) is at a[row * aRow + k * aDepth]; the rows of B, C and the activations lie bStride, cStride
    /// and finish.ActivationStride floats apart. C overlaps nothing. The bits of an element do not depend on how the rows are shared out.
    abstract Multiply:
        a: nativeptr<float32> *
        aRow: int *
        aDepth: int *
        b: nativeptr<float32> *
        bStride: int *
        c: nativeptr<float32> *
        cStride: int *
        rows: int *
        columns: int *
        depth: int *
        finish: inref<Finish> ->
            unit

/// On vectors of one width. `tall`: whether there are registers for tiles of eight rows; otherwise rows go in sixes and fives, as those of a
/// product whose depth is one run, where these come out even. `narrower` takes the panels that are narrower than two vectors.
[<Sealed>]
type internal PanelProduct<'V, 'Ops when 'Ops: struct and 'Ops :> IVectorOperations<'V>>(tall: bool, narrower: IPanelProduct | null) =
    // A tile that would pass the last row begins earlier instead, over finished rows, which it gives the same bits again.
    static member private Tiled
        (
            tall: bool,
            a: nativeptr<float32>,
            aRow: int,
            aDepth: int,
            b: nativeptr<float32>,
            bStride: int,
            c: nativeptr<float32>,
            cStride: int,
            rows: int,
            column: int,
            depth: int,
            finish: inref<Finish>
        ) =
        let mutable row = 0

        while tall && rows >= 8 && rows - row > 4 do
            row <- min row (rows - 8)
            let a, c = NativePtr.add a (row * aRow), NativePtr.add c (row * cStride)
            Tiles<'V, 'Ops>.Eight(a, aRow, aDepth, b, bStride, c, cStride, depth, row, column, &finish)
            row <- row + 8

        while rows >= 4 && row < rows do
            row <- min row (rows - 4)
            let a, c = NativePtr.add a (row * aRow), NativePtr.add c (row * cStride)
            Tiles<'V, 'Ops>.Four(a, aRow, aDepth, b, bStride, c, cStride, depth, row, column, &finish)
            row <- row + 4

        while row < rows do
            let a, c = NativePtr.add a (row * aRow), NativePtr.add c (row * cStride)
            Tiles<'V, 'Ops>.One(a, aDepth, b, bStride, c, depth, row, column, &finish)
            row <- row + 1

    interface IPanelProduct with
        member _.Multiply(a, aRow, aDepth, b, bStride, c, cStride, rows, columns, depth, finish) =
            let width = 2 * 'Ops.Count

            match narrower with
            | null -> ()
            | narrower ->
                if columns < width then
                    narrower.Multiply(a, aRow, aDepth, b, bStride, c, cStride, rows, columns, depth, &finish)

            let mutable column = 0

            if not tall && (SixesAndFives.fives rows).IsSome then
                let mutable run: Run = { A = 0; B = 0 }

                let product: RunProduct = {
                    ARow = aRow
                    ADepth = aDepth
                    BDepth = bStride
                    Runs = &&run
                    Count = 1
                    Depth = depth
                    CRow = cStride
                    Adds = false
                    Finish = finish
                }

                while column + width <= columns do
                    RunMultiplier<'V, 'Ops>.Tiled(&product, a, NativePtr.add b column, NativePtr.add c column, rows, column)
                    column <- column + width

            while column + width <= columns do
                let b, c = NativePtr.add b column, NativePtr.add c column
                PanelProduct<'V, 'Ops>.Tiled(tall, a, aRow, aDepth, b, bStride, c, cStride, rows, column, depth, &finish)
                column <- column + width

[<RequireQualifiedAccess>]
module internal PanelProduct =
    /// The product for vectors of a width. A width that the processor lacks works too, but slowly.
    let create (width: VectorWidth) : IPanelProduct =
        match width with
        | VectorWidth.Bits512 ->
            PanelProduct<Vector512<float32>, Operations512>(true, PanelProduct<Vector256<float32>, Operations256>(false, null))
        | VectorWidth.Bits256 -> PanelProduct<Vector256<float32>, Operations256>(false, null)
        | VectorWidth.Bits128 -> PanelProduct<Vector128<float32>, Operations128>(false, null)
        | other -> invalidArg (nameof width) $"{int other} is not a vector width: expected 128, 256 or 512."
