namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels

/// The three matrix products of a layer, panel by panel.
[<Sealed>]
type internal LayerProducts(product: IPanelProduct) =
    // The sums of D's columns are the product of a row of ones with D.
    let one = new AlignedMemory(16)
    do NativePtr.write one.Address 1.0f

    let plain: Finish = {
        Bias = NativePtr.nullPtr
        Relu = false
        Activation = NativePtr.nullPtr
        ActivationStride = 0
    }

    /// Columns of the panel that begins at a column.
    static member private PanelWidth(columns: int, from: int) =
        min 32 (PanelLayout.Padded(columns - from))

    /// Linear = X W^T + bias, and max(., 0) if `relu`, for the rows from .. upTo - 1.
    member _.Forward(weights: nativeptr<float32>, layer: SimdLayer, relu: bool, from: int, upTo: int) : unit =
        let slot, x, y = layer.Slot, layer.Input, layer.Linear
        let biases = NativePtr.add weights slot.Biases

        if slot.IsRow then
            HeadKernels.dotRows x (NativePtr.add weights slot.Panels[0].Weights) (NativePtr.read biases) y.Strided from upTo
        else
            for panel in slot.Panels do
                let right = NativePtr.add weights panel.Weights
                let into = NativePtr.add (y.Row from) panel.Output

                let finish = {
                    plain with
                        Bias = NativePtr.add biases panel.Output
                        Relu = relu
                }

                product.Multiply(x.Row from, x.Stride, 1, right, panel.Width, into, y.Stride, upTo - from, panel.Width, x.Columns, &finish)

    /// into = D W for the rows from .. upTo - 1, and 0 where the activation, if one is given, is not positive. `transposed`: W's transposed,
    /// outputs x inputs, by panels of 32 inputs.
    member _.Backward
        (
            delta: SimdMatrix,
            outputs: int,
            transposed: nativeptr<float32>,
            into: SimdMatrix,
            activation: SimdMatrix | null,
            from: int,
            upTo: int
        ) : unit =
        let mutable input = 0

        while input < into.Columns do
            let width = LayerProducts.PanelWidth(into.Columns, input)
            let right = NativePtr.add transposed (input * outputs)
            let place = NativePtr.add (into.Row from) input

            let finish =
                match activation with
                | null -> plain
                | h -> {
                    plain with
                        Activation = NativePtr.add (h.Row from) input
                        ActivationStride = h.Stride
                  }

            product.Multiply(delta.Row from, delta.Stride, 1, right, width, place, into.Stride, upTo - from, width, outputs, &finish)

            input <- input + 32

    /// The gradients of one panel's weights, D^T X, and of its biases, the sums of D's columns; then of its gains and shifts.
    member _.Gradient(gradients: nativeptr<float32>, layer: SimdLayer, panel: Panel) : unit =
        let slot, x, d = layer.Slot, layer.Input, layer.Delta
        let rows = x.Rows
        let into = NativePtr.add gradients panel.Weights
        let bias = NativePtr.add gradients (slot.Biases + panel.Output)

        if slot.IsRow then
            let mutable input = 0

            while input < x.Columns do
                let width = LayerProducts.PanelWidth(x.Columns, input)
                let right = NativePtr.add x.Memory input
                product.Multiply(d.Row 0, 0, d.Stride, right, x.Stride, NativePtr.add into input, width, 1, width, rows, &plain)
                input <- input + 32

            NativePtr.write bias (HeadKernels.columnSum d.Strided)
        else
            let right = NativePtr.add (d.Row 0) panel.Output
            product.Multiply(x.Memory, 1, x.Stride, right, d.Stride, into, panel.Width, x.Columns, panel.Width, rows, &plain)
            product.Multiply(one.Address, 0, 0, right, d.Stride, bias, panel.Width, 1, panel.Width, rows, &plain)
            LayerFeatures.gradient gradients layer panel

    interface IDisposable with
        member _.Dispose() = (one :> IDisposable).Dispose()
