namespace NE.Model.Networks

/// Sizes of an image. As a row of features it goes from the top left pixel to the bottom right one, the channels of a pixel side by side: channel
/// c at (y, x) is float (y * Width + x) * Channels + c.
[<Struct>]
type ImageShape = {
    /// Pixels from top to bottom.
    Height: int
    /// Pixels from left to right.
    Width: int
    /// Floats of a pixel.
    Channels: int
} with

    /// Floats of the image.
    member this.Size = this.Height * this.Width * this.Channels

/// What a row of features is.
[<RequireQualifiedAccess>]
type RowShape =
    | Vector of length: int
    | Image of ImageShape

    /// Floats of the row.
    member this.Features =
        match this with
        | Vector length -> length
        | Image image -> image.Size

/// How the first values of the weights and biases are drawn.
[<RequireQualifiedAccess>]
type Initialisation =
    /// As PyTorch draws its layers: weights and biases U(-beta, beta), beta = 1 / sqrt fan-in.
    | Uniform
    /// As DrQ-v2 draws them (Yarats et al. 2021, utils.weight_init of the official code): orthogonal weights, of convolutions times sqrt 2, the
    /// gain for ReLU, and biases 0.
    | Orthogonal

/// One layer of a network.
[<RequireQualifiedAccess>]
type LayerForm =
    /// Fully connected: y = x W^T + b. An image is read as the row that it is.
    | Dense of outputs: int
    /// A convolution of an image with 3 x 3 filters, each a neuron, without padding: an image of so many channels. A filter's weights go from
    /// the top left pixel of what it sees to the bottom right one, the channels of a pixel side by side.
    | Conv of filters: int * stride: int
    /// Every row brought to mean 0 and variance 1, times gains plus shifts (Ba et al. 2016).
    | LayerNorm
    /// max(x, 0).
    | Relu
    /// Both signs: [max(x, 0), max(-x, 0)] (Shang et al. 2016).
    | Crelu

/// What a layer makes of its inputs, and which parameters it has.
type LayerDescription = {
    /// What it hands on.
    Output: RowShape
    /// Of a layer with weights, its neurons; 0 of one without.
    Neurons: int
    /// Weights of each neuron.
    FanIn: int
    /// Parameters of which every neuron has one: name, and the value of one that has no effect.
    PerNeuron: struct (string * float32) list
}

/// Parameters of which every output neuron of a slot has one, side by side in the block.
[<Struct>]
type NeuronParameter = {
    /// For messages, such as "biases".
    Name: string
    /// Offset of the first neuron's in floats.
    First: int
    /// The value of one that has no effect: 0 of a bias, 1 of a gain.
    Neutral: float32
}

/// Place of one layer with weights inside a block, and of the layers without weights that follow it. Weights are out x in, row-major, so
/// that row = output neuron, as in the masks and the topology.
[<Struct>]
type LayerSlot = {
    /// Which of the equal networks of the block, from 0 (critics: 0 and 1).
    Stack: int
    /// Position among the slots of the stack, from 0.
    Layer: int
    /// What the layer with the weights reads.
    Input: RowShape
    /// Weights of a neuron: the fan-in of the full layer.
    Inputs: int
    /// Number of output neurons: rows of the weights.
    Outputs: int
    /// What the next slot sees: as many features as outputs, twice as many with CReLU, or those of all pixels of an image. Feature c belongs to row
    /// c modulo Outputs.
    Features: int
    /// Offset of the weights in floats.
    Weights: int
    /// What every neuron has besides, the biases first, in the order of the block.
    PerNeuron: NeuronParameter list
    /// The layer with the weights, and those that follow it.
    Forms: LayerForm list
} with

    /// Number of weights, Outputs * Inputs.
    member this.WeightCount = this.Outputs * this.Inputs
    /// Offset of the biases in floats.
    member this.Biases = this.PerNeuron.Head.First

    /// What the float at an offset of this slot is one of: "weights", or the name of a neuron's parameter.
    member this.NameAt(offset: int) : string =
        match this.PerNeuron |> List.tryFindBack (fun parameter -> parameter.First <= offset) with
        | Some parameter -> parameter.Name
        | None -> "weights"
