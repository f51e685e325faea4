/// The three matrix products of a fully connected layer, panel by panel.
module internal NE.Model.Networks.Layers.DenseProducts

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Simd

// The sums of D's columns are the product of a row of ones with D.
let private one =
    let memory = new AlignedMemory(16)
    NativePtr.write memory.Address 1.0f
    memory

let private plain: Finish = {
    Bias = NativePtr.nullPtr
    Relu = false
    Activation = NativePtr.nullPtr
    ActivationStride = 0
}

/// Columns of the panel that begins at a column.
let private panelWidth (columns: int) (from: int) =
    min 32 (PanelLayout.Padded(columns - from))

/// Y = X W^T + bias, and max(., 0) if `relu`, for the rows from .. upTo - 1. `weights`: all parameters.
let forward
    (product: IPanelProduct)
    (weights: nativeptr<float32>)
    (slot: PanelSlot)
    (x: Strided)
    (y: SimdMatrix)
    (relu: bool)
    (from: int)
    (upTo: int)
    : unit =
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
let backward
    (product: IPanelProduct)
    (delta: SimdMatrix)
    (outputs: int)
    (transposed: nativeptr<float32>)
    (into: SimdMatrix)
    (activation: SimdMatrix voption)
    (from: int)
    (upTo: int)
    : unit =
    let mutable input = 0

    while input < into.Columns do
        let width = panelWidth into.Columns input
        let right = NativePtr.add transposed (input * outputs)
        let place = NativePtr.add (into.Row from) input

        let finish =
            match activation with
            | ValueNone -> plain
            | ValueSome h -> {
                plain with
                    Activation = NativePtr.add (h.Row from) input
                    ActivationStride = h.Stride
              }

        product.Multiply(delta.Row from, delta.Stride, 1, right, width, place, into.Stride, upTo - from, width, outputs, &finish)
        input <- input + 32

/// The gradients of one panel's weights, D^T X, and of its biases, the sums of D's columns. `gradients`: of all parameters.
let gradient (product: IPanelProduct) (gradients: nativeptr<float32>) (slot: PanelSlot) (x: Strided) (d: SimdMatrix) (panel: Panel) : unit =
    let rows, finish = x.Rows, plain
    let into = NativePtr.add gradients panel.Weights
    let bias = NativePtr.add gradients (slot.Biases + panel.Output)

    if slot.IsRow then
        let mutable input = 0

        while input < x.Columns do
            let width = panelWidth x.Columns input
            let right = NativePtr.add x.Memory input
            product.Multiply(d.Row 0, 0, d.Stride, right, x.Stride, NativePtr.add into input, width, 1, width, rows, &finish)
            input <- input + 32

        NativePtr.write bias (HeadKernels.columnSum d.Strided)
    else
        let right = NativePtr.add (d.Row 0) panel.Output
        product.Multiply(x.Memory, 1, x.Stride, right, d.Stride, into, panel.Width, x.Columns, panel.Width, rows, &finish)
        product.Multiply(one.Address, 0, 0, right, d.Stride, bias, panel.Width, 1, panel.Width, rows, &finish)
