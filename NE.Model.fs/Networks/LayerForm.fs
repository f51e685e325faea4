namespace NE.Model.Networks

/// One layer of a network.
[<RequireQualifiedAccess>]
type LayerForm =
    /// Fully connected: y = x W^T + b.
    | Dense of outputs: int
    /// Every row brought to mean 0 and variance 1, times gains plus shifts (Ba et al. 2016).
    | LayerNorm
    /// max(x, 0).
    | Relu
    /// Both signs: [max(x, 0), max(-x, 0)] (Shang et al. 2016).
    | Crelu

/// What a layer makes of its inputs, and which parameters it has.
type LayerDescription = {
    /// Length of what it hands on.
    Features: int
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
    /// Fan-in of the full layer.
    Inputs: int
    /// Number of output neurons: rows of the weights.
    Outputs: int
    /// What the next slot sees: as many features as outputs, or twice as many with CReLU. Features c and Outputs + c belong to row c.
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
