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

    do
        if input.Channels % ConvForm.FilterUnit <> 0 then
            invalidOp
                $"The gradient by an image's pixels is computed for a multiple of {ConvForm.FilterUnit} channels; this one has {input.Channels}."

    // Panels of 32 input channels at most. Of each: the weights by filters' pixels, outputs x the panel's channels.
    let panels = [|
        for first in 0..32 .. input.Channels - 1 do
            let channels = min 32 (input.Channels - first)
            struct (first, channels, pass.Memory(kernel * kernel * filters * PanelLayout.Padded channels))
    |]

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

    let regions =
        panels
        |> Array.map (fun (struct (_, channels, _)) -> regionsOf (PanelLayout.Padded channels))

    /// Makes the copy of the weights that the gradient reads.
    member _.Begin() : unit =
        for struct (first, channels, memory) in panels do
            let width = PanelLayout.Padded channels

            for pixel in 0 .. kernel * kernel - 1 do
                for panel in slot.Panels do
                    let from =
                        NativePtr.add pass.Weights (panel.Weights + (pixel * input.Channels + first) * panel.Width)

                    let into = NativePtr.add memory ((pixel * filters + panel.Output) * width)
                    Transpose.transpose from panel.Width channels panel.Outputs into width

    /// Of one image; 0 where the activation, if one is given, is not positive. All images lie by pixels without gaps.
    member _.Image(delta: nativeptr<float32>, into: nativeptr<float32>, activation: nativeptr<float32>) : unit =
        let isMasked = NativePtr.toNativeInt activation <> 0n

        for i in 0 .. panels.Length - 1 do
            let struct (first, channels, weights) = panels[i]

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
                    + first

                for tile in 0 .. tiles - 1 do
                    let place = start + tile * toTile

                    let product: RunProduct = {
                        ARow = deltaPixel
                        ADepth = 1
                        BDepth = PanelLayout.Padded channels
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
                    pass.RunMultiplier.Multiply(&product, left, weights, NativePtr.add into place, pixels, 0, channels)
