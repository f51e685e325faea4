namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Pixels of the input whose gradient is one product: rows and columns of pixels that see the same of the filters.
[<Struct; NoEquality; NoComparison>]
type private Region = {
    Rows: Lines
    Columns: Lines
    /// A run for every pixel of a filter that sees them.
    Runs: nativeptr<Run>
    Count: int
}

/// The gradient of a convolution by its input: at an input's pixel, the sum over the filters' pixels q that see it of delta(p - q, f) w(f, q, c).
/// No pixel beyond the edges is read or thought of as zero: the image is cut into regions that see the same pixels of the filters.
[<Sealed>]
type internal ConvInputGradient(pass: SimdPassing, slot: PanelSlot, shape: ConvShape) =
    let input, output, stride = shape.Input, shape.Output, shape.Stride
    let filters, kernel = output.Channels, ConvForm.Kernel

    let panels = InputPanels(pass, slot, shape, kernel * kernel)

    let regionsOf width =
        let rows = ConvReach.lines input.Height output.Height stride
        let columns = ConvReach.lines input.Width output.Width stride

        [|
            for rows in rows do
                for columns in columns do
                    let runs = [|
                        for y in rows.Through do
                            for x in columns.Through do
                                let place = (rows.First - y) / stride * output.Width + (columns.First - x) / stride

                                {
                                    A = place * filters
                                    B = (y * kernel + x) * filters * width
                                }
                    |]

                    {
                        Rows = rows
                        Columns = columns
                        Runs = pass.Runs runs
                        Count = runs.Length
                    }
        |]

    let regions = panels.All |> Array.map (fun panel -> regionsOf panel.Width)

    /// Makes the copy of the weights that the gradient reads.
    member _.Begin() : unit =
        panels.Copy(NativePtr.add pass.Weights slot.Panels[0].Weights)

    /// Of one image; 0 where the activation, if one is given, is not positive. All images lie by pixels without gaps.
    member _.Image(delta: nativeptr<float32>, into: nativeptr<float32>, activation: nativeptr<float32>) : unit =
        let isMasked = NativePtr.toNativeInt activation <> 0n

        for i in 0 .. panels.All.Length - 1 do
            let panel = panels.All[i]

            for region in regions[i] do
                // Along the longer side, so that a tile finds enough pixels.
                let isAcross = region.Columns.Count >= region.Rows.Count

                let struct (tiles, pixels, toTile, toPixel, deltaTile, deltaPixel) =
                    let row, pixel = stride * input.Width * input.Channels, stride * input.Channels

                    if isAcross then
                        struct (region.Rows.Count, region.Columns.Count, row, pixel, output.Width * filters, filters)
                    else
                        struct (region.Columns.Count, region.Rows.Count, pixel, row, filters, output.Width * filters)

                let start =
                    (region.Rows.First * input.Width + region.Columns.First) * input.Channels
                    + panel.First

                for tile in 0 .. tiles - 1 do
                    let place = start + tile * toTile

                    let product: RunProduct = {
                        ARow = deltaPixel
                        ADepth = 1
                        BDepth = panel.Width
                        Runs = region.Runs
                        Count = region.Count
                        Depth = filters
                        CRow = toPixel
                        Adds = false
                        Finish = {
                            Bias = NativePtr.nullPtr
                            Relu = false
                            Activation =
                                if isMasked then
                                    NativePtr.add activation place
                                else
                                    NativePtr.nullPtr
                            ActivationStride = toPixel
                        }
                    }

                    let left = NativePtr.add delta (tile * deltaTile)
                    pass.RunMultiplier.Multiply(&product, left, panel.Weights, NativePtr.add into place, pixels, 0, panel.Channels)
