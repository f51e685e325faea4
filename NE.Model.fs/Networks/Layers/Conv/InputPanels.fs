namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Input channels whose gradient is one product.
[<Struct; NoEquality; NoComparison>]
type internal InputPanel = {
    /// The first channel.
    First: int
    Channels: int
    /// Columns in memory.
    Width: int
    /// Of every plane, a pixel of the filters or a place of the transformed ones: filters x Width.
    Weights: nativeptr<float32>
}

/// The filters of a convolution as the gradient by its input reads them: transposed, in panels of 32 input channels at most.
[<Sealed>]
type internal InputPanels(pass: SimdPassing, slot: PanelSlot, shape: ConvShape, planes: int) =
    let channels, filters = shape.Input.Channels, shape.Output.Channels

    do
        if channels % ConvForm.FilterUnit <> 0 then
            invalidOp
                $"The gradient by an image's pixels is computed for a multiple of {ConvForm.FilterUnit} channels; this one has {channels}."

    let panels = [|
        for first in 0..32 .. channels - 1 do
            let count = min 32 (channels - first)
            let width = PanelLayout.Padded count

            {
                First = first
                Channels = count
                Width = width
                Weights = pass.Memory(planes * filters * width)
            }
    |]

    member _.All = panels

    /// Takes over the filters from where their first panel is: panels lie one after another as in the block, of each every plane's channels x Width.
    member _.Copy(filtersAt: nativeptr<float32>) : unit =
        let mutable weights = filtersAt

        for panel in slot.Panels do
            for into in panels do
                for plane in 0 .. planes - 1 do
                    let from = NativePtr.add weights ((plane * channels + into.First) * panel.Width)

                    let target =
                        NativePtr.add into.Weights ((plane * filters + panel.Output) * into.Width)

                    Transpose.transpose from panel.Width into.Channels panel.Outputs target into.Width

            weights <- NativePtr.add weights (planes * channels * panel.Width)
