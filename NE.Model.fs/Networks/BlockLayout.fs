namespace NE.Model.Networks

open System
open NE.Model.Networks.Layers
open NE.Model
open NE.Model.KeyKinds

/// Layout of one flat memory that holds a group of equal networks (actor: one stack; critics: two).
[<Sealed>]
type BlockLayout private (stacks: int, form: NetworkForm, slots: LayerSlot[][], parameterCount: int) =
    let widths = Array.ofList form.Widths

    /// Number of equal networks.
    member _.Stacks = stacks
    /// What each of them is made of.
    member _.Form = form
    /// Input width, features of the hidden slots, output width.
    member _.Widths: ReadOnlyMemory<int> = ReadOnlyMemory widths
    /// Number of slots of a stack, the output layer's included.
    member _.Layers = widths.Length - 1
    /// Number of hidden slots of a stack.
    member _.HiddenLayers = widths.Length - 2
    /// Width of the input.
    member _.Inputs = widths[0]
    /// Width of the output.
    member _.Outputs = widths[widths.Length - 1]
    /// A layer's place.
    member _.Slot(stack: int, layer: int) = slots[stack][layer]
    /// All slots, stack by stack.
    member _.Slots = Seq.concat slots
    /// Number of floats that are parameters.
    member _.ParameterCount = parameterCount
    /// Floats of the flat memory: ParameterCount rounded up, so that vector loops have no tail. The padding is masked and stays 0.
    member _.Length = (parameterCount + 15) / 16 * 16

    /// Lays out `stacks` networks of this form. Raises ArgumentException for what is no network, or too large a one.
    static member OfForm(stacks: int, form: NetworkForm) =
        if stacks < 1 then
            invalidArg (nameof stacks) $"A block needs at least one network; {stacks} were asked for."

        if not (LayerForms.isSupported form.Layers) then
            invalidArg
                (nameof form)
                ($"No pass computes the layers %A{form.Layers}: after a convolution there must be a ReLU, between other layers with weights a ReLU "
                 + "or CReLU, with or without a LayerNorm before it, and after a last one that is no convolution nothing but a LayerNorm.")

        // Offsets are int32, and Adam's four fields of two blocks, actor and critics, are one array of bytes in a checkpoint.
        let mostParameters = 67_000_000L
        let parameters = int64 stacks * form.ParameterCount

        if parameters > mostParameters then
            invalidArg
                (nameof form)
                ($"{stacks} x {String.Join('-', form.Widths)} has {showCount parameters} parameters, {showCount mostParameters} are possible; "
                 + "make the layers narrower (network.hidden, network.criticHidden; from pictures pixels.size, pixels.filters, pixels.features).")

        let mutable offset = 0

        let take count =
            let start = offset
            offset <- offset + count
            start

        let place stack layer (input: RowShape, forms, layers: LayerDescription list) =
            let neurons, fanIn = layers.Head.Neurons, layers.Head.FanIn

            {
                Stack = stack
                Layer = layer
                Input = input
                Inputs = fanIn
                Outputs = neurons
                Features = (List.last layers).Output.Features
                Weights = take (neurons * fanIn)
                PerNeuron = [
                    for layer in layers do
                        for struct (name, neutral) in layer.PerNeuron do
                            {
                                Name = name
                                First = take neurons
                                Neutral = neutral
                            }
                ]
                Forms = forms
            }

        let described =
            let inputs =
                form.Input :: (form.Slots |> List.map (fun layers -> (List.last layers).Output))

            List.zip3 (List.truncate form.Slots.Length inputs) (LayerForms.slots form.Layers) form.Slots

        let slots =
            Array.init stacks (fun stack -> described |> List.mapi (place stack) |> Array.ofList)

        BlockLayout(stacks, form, slots, offset)

    /// Lays out `stacks` ReLU networks of the given widths (input, hidden ..., output).
    static member Create(stacks: int, widths: int seq) =
        BlockLayout.OfForm(stacks, NetworkForm.Plain widths)

    /// A host array in this layout with the first values of the parameters.
    member this.Initialise(draws: Draws) : float32[] =
        let values = Array.zeroCreate<float32> this.Length

        for slot in this.Slots do
            for parameter in slot.PerNeuron do
                Array.fill values parameter.First slot.Outputs parameter.Neutral

            LayerForms.initialise form.Initialisation slot values draws

        values
