/// The products of a convolution, an image and a panel of outputs at a time. Images lie by pixels; each element of a result is one chain of
/// multiply-adds in the order of the runs.
module internal NE.Model.Networks.Layers.ConvProducts

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

let private nothing: Finish = {
    Bias = NativePtr.nullPtr
    Relu = false
    Activation = NativePtr.nullPtr
    ActivationStride = 0
}

/// Floats from a line of an image to the next.
let private pitch (image: ImageShape) = image.Width * image.Channels

/// The runs of the forward product: what a filter sees, line by line. `width`: of the panel of filters.
let forwardRuns (shape: ConvShape) (width: int) : Run[] =
    let depth = ConvForm.Kernel * shape.Input.Channels

    Array.init ConvForm.Kernel (fun line -> {
        A = line * pitch shape.Input
        B = line * depth * width
    })

/// y = x * filters + biases, and max(., 0) if `relu`: the channels of a panel's filters. `weights` and `biases`: the panel's.
let forward
    (multiplier: IRunMultiplier)
    (shape: ConvShape)
    (panel: Panel)
    (runs: nativeptr<Run>)
    (weights: nativeptr<float32>)
    (biases: nativeptr<float32>)
    (relu: bool)
    (x: nativeptr<float32>)
    (y: nativeptr<float32>)
    : unit =
    let input, output = shape.Input, shape.Output

    let product: RunProduct = {
        ARow = shape.Stride * input.Channels
        ADepth = 1
        BDepth = panel.Width
        Runs = runs
        Count = ConvForm.Kernel
        Depth = ConvForm.Kernel * input.Channels
        CRow = output.Channels
        Adds = false
        Finish = {
            nothing with
                Bias = biases
                Relu = relu
        }
    }

    for line in 0 .. output.Height - 1 do
        let from = NativePtr.add x (line * shape.Stride * pitch input)
        let into = NativePtr.add y (line * pitch output + panel.Output)
        multiplier.Multiply(&product, from, weights, into, output.Width, 0, panel.Outputs)

/// Lines of the output whose gradients are taken into the sums of the weights' gradients at a time: they and what they see fit the cache.
[<Literal>]
let LinesAtOnce = 2

/// The runs of the gradient by the weights: lines of the output.
let gradientRuns (shape: ConvShape) : Run[] =
    Array.init LinesAtOnce (fun line -> {
        A = line * shape.Stride * pitch shape.Input
        B = line * pitch shape.Output
    })

/// sums = sums + the gradient by the weights of a panel's filters from one image. `delta`: the gradient by the output. `sums`: the panel's.
let gradient
    (multiplier: IRunMultiplier)
    (shape: ConvShape)
    (panel: Panel)
    (runs: nativeptr<Run>)
    (x: nativeptr<float32>)
    (delta: nativeptr<float32>)
    (sums: nativeptr<float32>)
    : unit =
    let input, output = shape.Input, shape.Output
    let rows = ConvForm.Kernel * input.Channels
    let mutable line = 0

    while line < output.Height do
        let product: RunProduct = {
            ARow = 1
            ADepth = shape.Stride * input.Channels
            BDepth = output.Channels
            Runs = runs
            Count = min LinesAtOnce (output.Height - line)
            Depth = output.Width
            CRow = panel.Width
            Adds = true
            Finish = nothing
        }

        let right = NativePtr.add delta (line * pitch output + panel.Output)

        for k in 0 .. ConvForm.Kernel - 1 do
            let left = NativePtr.add x ((line * shape.Stride + k) * pitch input)
            let into = NativePtr.add sums (k * rows * panel.Width)
            multiplier.Multiply(&product, left, right, into, rows, 0, panel.Outputs)

        line <- line + LinesAtOnce

/// sums = sums + the gradient by the biases of a panel's filters: the product of as many ones as there are pixels with the gradient by the output.
/// `one`: a float that is 1. `runs`: one of zeros.
let biasGradient
    (multiplier: IRunMultiplier)
    (shape: ConvShape)
    (panel: Panel)
    (runs: nativeptr<Run>)
    (one: nativeptr<float32>)
    (delta: nativeptr<float32>)
    (sums: nativeptr<float32>)
    : unit =
    let output = shape.Output

    let product: RunProduct = {
        ARow = 0
        ADepth = 0
        BDepth = output.Channels
        Runs = runs
        Count = 1
        Depth = output.Height * output.Width
        CRow = 0
        Adds = true
        Finish = nothing
    }

    multiplier.Multiply(&product, one, NativePtr.add delta panel.Output, sums, 1, 0, panel.Outputs)
