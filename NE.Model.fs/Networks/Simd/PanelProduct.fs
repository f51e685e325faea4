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

/// On vectors of one width. `tall`: whether there are registers for tiles of eight rows.
[<Sealed>]
type internal PanelProduct<'V, 'Ops when 'Ops: struct and 'Ops :> IVectorOperations<'V>>(tall: bool, narrower: IPanelProduct | null) =
    interface IPanelProduct with
        member _.Multiply(a, aRow, aDepth, b, bStride, c, cStride, rows, columns, depth, finish) =
            let width = 2 * 'Ops.Count

            match narrower with
            | NonNull narrower when columns < width ->
                narrower.Multiply(a, aRow, aDepth, b, bStride, c, cStride, rows, columns, depth, &finish)
            | _ ->
                let mutable column = 0

                while column < columns do
                    let b, c = NativePtr.add b column, NativePtr.add c column
                    let mutable row = 0

                    if tall then
                        while row + 8 <= rows do
                            Tiles<'V, 'Ops>
                                .Eight(
                                    NativePtr.add a (row * aRow),
                                    aRow,
                                    aDepth,
                                    b,
                                    bStride,
                                    NativePtr.add c (row * cStride),
                                    cStride,
                                    depth,
                                    row,
                                    column,
                                    &finish
                                )

                            row <- row + 8

                        // More than four are left: a tile that reaches back over finished rows, which it gives the same bits again.
                        if rows - row > 4 && rows >= 8 then
                            row <- rows - 8

                            Tiles<'V, 'Ops>
                                .Eight(
                                    NativePtr.add a (row * aRow),
                                    aRow,
                                    aDepth,
                                    b,
                                    bStride,
                                    NativePtr.add c (row * cStride),
                                    cStride,
                                    depth,
                                    row,
                                    column,
                                    &finish
                                )

                            row <- rows

                    while row < rows && rows >= 4 do
                        row <- min row (rows - 4)

                        Tiles<'V, 'Ops>
                            .Four(
                                NativePtr.add a (row * aRow),
                                aRow,
                                aDepth,
                                b,
                                bStride,
                                NativePtr.add c (row * cStride),
                                cStride,
                                depth,
                                row,
                                column,
                                &finish
                            )

                        row <- row + 4

                    while row < rows do
                        Tiles<'V, 'Ops>
                            .One(
                                NativePtr.add a (row * aRow),
                                aDepth,
                                b,
                                bStride,
                                NativePtr.add c (row * cStride),
                                depth,
                                row,
                                column,
                                &finish
                            )

                        row <- row + 1

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
