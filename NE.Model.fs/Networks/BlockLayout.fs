namespace NE.Model.Networks

open System
open System.Globalization
open NE.Model
open NE.Model.Random
open NE.Model.Topology

/// Place of one fully connected layer inside a block. Weights are out x in, row-major, so that row = output neuron, as in the masks
/// and the topology; the biases are `Outputs` floats, and so are gains and shifts of a LayerNorm.
[<Struct>]
type LayerSlot = {
    /// Which of the equal networks of the block, from 0 (critics: 0 and 1).
    Stack: int
    /// Position in the stack, from 0.
    Layer: int
    /// Fan-in of the full layer.
    Inputs: int
    /// Number of output neurons: rows of the weights.
    Outputs: int
    /// What the next layer sees: as many features as outputs, or twice as many with CReLU. Features c and Outputs + c belong to row c.
    Features: int
    /// Offset of the weights in floats.
    Weights: int
    /// Offset of the biases in floats.
    Biases: int
    /// Offset of the LayerNorm's gains in floats; -1 without a LayerNorm.
    Gains: int
    /// Offset of the LayerNorm's shifts in floats; -1 without a LayerNorm.
    Shifts: int
} with

    /// Number of weights, Outputs * Inputs.
    member this.WeightCount = this.Outputs * this.Inputs
    /// Whether a LayerNorm follows the linear outputs.
    member this.IsNormed = this.Gains >= 0
    /// Whether both signs are handed on (CReLU).
    member this.IsConcatenated = this.Features <> this.Outputs
    /// Whether there is more than a ReLU between the linear outputs and the features.
    member this.IsShaped = this.IsNormed || this.IsConcatenated

/// Layout of one flat memory that holds a group of equal networks (actor: one stack; critics: two).
[<Sealed>]
type BlockLayout private (stacks: int, form: NetworkForm, slots: LayerSlot[][], parameterCount: int) =
    let widths = Array.ofList form.Widths

    /// Number of equal networks.
    member _.Stacks = stacks
    /// What each of them is made of.
    member _.Form = form
    /// Input width, features of the hidden layers, output width.
    member _.Widths: ReadOnlyMemory<int> = ReadOnlyMemory widths
    /// Number of layers of a stack, the output layer included.
    member _.Layers = widths.Length - 1
    /// Number of hidden layers of a stack.
    member _.HiddenLayers = widths.Length - 2
    /// Width of the input.
    member _.Inputs = widths[0]
    /// Width of the output.
    member _.Outputs = widths[widths.Length - 1]
    /// The layer's place.
    member _.Slot(stack: int, layer: int) = slots[stack][layer]
    /// All layers, stack by stack.
    member _.Slots = Seq.concat slots
    /// Number of weights, biases, gains and shifts.
    member _.ParameterCount = parameterCount
    /// Floats of the flat memory: ParameterCount rounded up, so that vector loops have no tail. The padding is masked and stays 0.
    member _.Length = (parameterCount + 15) / 16 * 16

    /// Lays out `stacks` networks of this form. Raises ArgumentException for what is no network, or too large a one.
    static member OfForm(stacks: int, form: NetworkForm) =
        if stacks < 1 then
            invalidArg (nameof stacks) $"A block needs at least one network; {stacks} were asked for."

        match form.Problem with
        | null -> ()
        | problem -> invalidArg (nameof form) problem

        // Offsets are int32, and Adam's four fields of two blocks, actor and critics, are one array of bytes in a checkpoint.
        let mostParameters = 67_000_000L
        let parameters = int64 stacks * form.ParameterCount

        if parameters > mostParameters then
            let shown (count: int64) =
                count.ToString("N0", CultureInfo.InvariantCulture)

            invalidArg
                (nameof form)
                ($"{stacks} x {String.Join('-', form.Widths)} has {shown parameters} parameters, {shown mostParameters} are possible; "
                 + "make the layers narrower (network.hidden, network.criticHidden).")

        let mutable offset = 0

        let take count =
            let start = offset
            offset <- offset + count
            start

        let widths, outputs = Array.ofList form.Widths, Array.ofList form.Outputs
        let normed = Array.ofList form.Normed

        let slots =
            Array.init stacks (fun stack ->
                Array.init outputs.Length (fun layer ->
                    let inputs, outputs = widths[layer], outputs[layer]
                    let hasNorm = layer < normed.Length && normed[layer]
                    let norm () = if hasNorm then take outputs else -1

                    {
                        Stack = stack
                        Layer = layer
                        Inputs = inputs
                        Outputs = outputs
                        Features = widths[layer + 1]
                        Weights = take (inputs * outputs)
                        Biases = take outputs
                        Gains = norm ()
                        Shifts = norm ()
                    }))

        BlockLayout(stacks, form, slots, offset)

    /// Lays out `stacks` ReLU networks of the given widths (input, hidden ..., output).
    static member Create(stacks: int, widths: int seq) =
        BlockLayout.OfForm(stacks, NetworkForm.Plain widths)

    /// A host array in this layout, drawn as PyTorch draws a Linear layer: weights and biases U(-beta, beta). Gains are 1, shifts 0.
    member this.Initialise(stream: Stream) : float32[] =
        let values = Array.zeroCreate<float32> this.Length

        for slot in this.Slots do
            let bound = WeightBounds.beta slot.Inputs
            stream.FillUniform(Span<float32>(values, slot.Weights, slot.WeightCount), bound)
            stream.FillUniform(Span<float32>(values, slot.Biases, slot.Outputs), bound)

            if slot.IsNormed then
                Array.fill values slot.Gains slot.Outputs 1.0f

        values
