/// Networks of convolutions and ReLUs by plain loops in double precision: what the engines are compared with.
module NE.Model.Tests.Networks.Conv.ConvReference

open NE.Model.Networks
open NE.Model.Networks.Layers

/// One layer with its parameters, as they lie in a block.
type Layer = {
    Shape: ConvShape
    Weights: float[]
    Biases: float[]
}

/// The layers of a block's first network, from a host array of parameters.
let layers (layout: BlockLayout) (parameters: float[]) : Layer list = [
    for layer in 0 .. layout.Layers - 1 do
        let slot = layout.Slot(0, layer)

        {
            Shape = slot.Convolution
            Weights = Array.sub parameters slot.Weights slot.WeightCount
            Biases = Array.sub parameters slot.Biases slot.Outputs
        }
]

/// Every pair of a place in the output and a pixel of the input that a filter sees from there, with the filter's pixel, each as an index of its
/// first channel.
let private visit (shape: ConvShape) (work: int -> int -> int -> unit) : unit =
    let input, output = shape.Input, shape.Output

    for y in 0 .. output.Height - 1 do
        for x in 0 .. output.Width - 1 do
            for ky in 0..2 do
                for kx in 0..2 do
                    let seen = (y * shape.Stride + ky) * input.Width + x * shape.Stride + kx
                    work ((y * output.Width + x) * output.Channels) (seen * input.Channels) ((ky * 3 + kx) * input.Channels)

/// The linear outputs of one image.
let linear (layer: Layer) (x: float[]) : float[] =
    let shape = layer.Shape
    let channels, filters = shape.Input.Channels, shape.Output.Channels
    let y = Array.init shape.Output.Size (fun i -> layer.Biases[i % filters])

    visit shape (fun place seen pixel ->
        for filter in 0 .. filters - 1 do
            for channel in 0 .. channels - 1 do
                y[place + filter] <-
                    y[place + filter]
                    + x[seen + channel] * layer.Weights[filter * 9 * channels + pixel + channel])

    y

/// The gradients by weights, biases and input of one image, from that by the linear outputs.
let gradients (layer: Layer) (x: float[]) (d: float[]) : float[] * float[] * float[] =
    let shape = layer.Shape
    let channels, filters = shape.Input.Channels, shape.Output.Channels
    let byWeights = Array.zeroCreate<float> layer.Weights.Length
    let byBiases = Array.zeroCreate<float> filters
    let byInput = Array.zeroCreate<float> shape.Input.Size

    d
    |> Array.iteri (fun i value -> byBiases[i % filters] <- byBiases[i % filters] + value)

    visit shape (fun place seen pixel ->
        for filter in 0 .. filters - 1 do
            for channel in 0 .. channels - 1 do
                let weight = filter * 9 * channels + pixel + channel
                byWeights[weight] <- byWeights[weight] + d[place + filter] * x[seen + channel]
                byInput[seen + channel] <- byInput[seen + channel] + d[place + filter] * layer.Weights[weight])

    byWeights, byBiases, byInput

let relu (values: float[]) = values |> Array.map (max 0.0)

/// What every layer hands on, of one image.
let forward (layers: Layer list) (x: float[]) : float[] list =
    layers |> List.scan (fun x layer -> relu (linear layer x)) x |> List.tail

/// The gradients of every layer's weights and biases, and that by the input, of one image. `active`: of every layer, where its ReLU passes.
let backward (layers: Layer list) (x: float[]) (active: bool[] list) (d: float[]) : (float[] * float[]) list * float[] =
    let inputs = x :: (forward layers x |> List.truncate (layers.Length - 1))

    List.foldBack
        (fun (layer, input, active) (found, d) ->
            let kept =
                Array.map2 (fun isActive value -> if isActive then value else 0.0) active d

            let byWeights, byBiases, byInput = gradients layer input kept
            (byWeights, byBiases) :: found, byInput)
        (List.zip3 layers inputs active)
        ([], d)
