namespace NE.Model.Networks

/// Place of one fully connected layer inside a block. Weights are out x in, row-major, so that row = output neuron, as in the masks
/// and the topology; the biases are `Outputs` floats.
[<Struct>]
type LayerSlot = {
    /// Which of the equal networks of the block, from 0 (critics: 0 and 1).
    Stack: int
    /// Position in the stack, from 0.
    Layer: int
    /// Fan-in of the full layer.
    Inputs: int
    /// Number of output neurons.
    Outputs: int
    /// Offset of the weights in floats.
    Weights: int
    /// Offset of the biases in floats.
    Biases: int
} with

    /// Number of weights, Outputs * Inputs.
    member this.WeightCount = this.Outputs * this.Inputs

/// Layout of one flat memory that holds a group of equal networks (actor: one stack; critics: two).
[<Sealed>]
type BlockLayout private (stacks: int, widths: int[], slots: LayerSlot[][], parameterCount: int) =
    /// Number of equal networks.
    member _.Stacks = stacks
    /// Input width, hidden widths, output width.
    member _.Widths: System.ReadOnlyMemory<int> = System.ReadOnlyMemory widths
    /// Number of layers of a stack, the output layer included.
    member _.Layers = widths.Length - 1
    /// Number of hidden (ReLU) layers of a stack.
    member _.HiddenLayers = widths.Length - 2
    /// Width of the input.
    member _.Inputs = widths[0]
    /// Width of the output.
    member _.Outputs = widths[widths.Length - 1]
    /// The layer's place.
    member _.Slot(stack: int, layer: int) = slots[stack][layer]
    /// All layers, stack by stack.
    member _.Slots = Seq.concat slots
    /// Number of weights and biases.
    member _.ParameterCount = parameterCount
    /// Floats of the flat memory: ParameterCount rounded up, so that vector loops have no tail. The padding is masked and stays 0.
    member _.Length = (parameterCount + 15) / 16 * 16

    /// Lays out `stacks` networks of the given widths (input, hidden ..., output).
    static member Create(stacks: int, widths: int seq) =
        let widths = Array.ofSeq widths

        if stacks < 1 || widths.Length < 2 || Array.exists (fun width -> width < 1) widths then
            invalidArg (nameof widths) $"A network needs at least an input and an output, all of positive width; found %A{widths}."

        let mutable offset = 0

        let take count =
            let start = offset
            offset <- offset + count
            start

        let slots =
            Array.init stacks (fun stack ->
                Array.init (widths.Length - 1) (fun layer ->
                    let inputs, outputs = widths[layer], widths[layer + 1]

                    {
                        Stack = stack
                        Layer = layer
                        Inputs = inputs
                        Outputs = outputs
                        Weights = take (inputs * outputs)
                        Biases = take outputs
                    }))

        BlockLayout(stacks, widths, slots, offset)

    /// A host array in this layout, drawn as PyTorch draws a Linear layer: weights and biases U(-beta, beta).
    member this.Initialise(stream: NE.Model.Random.Stream) : float32[] =
        let values = Array.zeroCreate<float32> this.Length

        for slot in this.Slots do
            let bound = NE.Model.Topology.WeightBounds.beta slot.Inputs
            stream.FillUniform(System.Span<float32>(values, slot.Weights, slot.WeightCount), bound)
            stream.FillUniform(System.Span<float32>(values, slot.Biases, slot.Outputs), bound)

        values
