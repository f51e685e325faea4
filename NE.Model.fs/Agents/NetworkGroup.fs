namespace NE.Model.Agents

open System
open NE.Model.Networks
open NE.Model
open NE.Model.Topology

/// One layer's topology, bit-packed as by LayerMask.toBits.
type LayerBits = {
    Stack: int
    Layer: int
    Rows: int
    Columns: int
    Bits: byte[]
}

/// The topology of one network.
type NetworkMask = {
    /// "actor" or "critic".
    Network: string
    Layers: LayerBits[]
}

/// A group of equal networks with its target copy and its topology (actor; twin critics).
[<Sealed>]
type NetworkGroup(name: string, engine: IEngine, layout: BlockLayout, clipping: WeightClipping option) =
    static let moments = [
        Field.FirstMoments
        Field.SecondMoments
        Field.Beta1Powers
        Field.Beta2Powers
    ]

    let online = engine.CreateBlock(layout, true)
    let target = engine.CreateBlock(layout, false)

    let mutable masks =
        Array.init layout.Stacks (fun stack ->
            Array.init layout.Layers (fun layer ->
                let slot = layout.Slot(stack, layer)
                LayerMask.dense slot.Outputs slot.Inputs))

    let mutable fanIn = masks |> Array.map (Array.map LayerMask.fanIn)
    let mutable edits = 0L
    // After an injection.
    let mutable injected: FrozenBodies voption = ValueNone
    let mutable liveOutputs = layout.Outputs

    /// Clears the parameters of the outputs that the current task does not have.
    let clearSpare (values: float32[]) =
        if liveOutputs < layout.Outputs then
            for slot in layout.Slots do
                if slot.Layer = layout.Layers - 1 then
                    let spare = slot.Outputs - liveOutputs
                    Array.fill values (slot.Weights + liveOutputs * slot.Inputs) (spare * slot.Inputs) 0.0f
                    Array.fill values (slot.Biases + liveOutputs) spare 0.0f

    let passing = Array.zeroCreate<float32> layout.Length

    let read (block: IParameterBlock) field =
        let values = Array.zeroCreate<float32> layout.Length
        block.Read(field, Span values)
        values

    let write (block: IParameterBlock) field (values: float32[]) = block.Write(field, ReadOnlySpan values)

    let thaw () =
        injected |> ValueOption.iter (fun bodies -> (bodies :> IDisposable).Dispose())
        injected <- ValueNone

    let boundOf (slot: LayerSlot) =
        WeightBounds.ofLayer clipping (slot.Layer = layout.Layers - 1) slot.Inputs

    /// Every parameter back within its clip bound.
    let clip (values: float32[]) =
        if clipping.IsSome then
            for slot in layout.Slots do
                let bound = boundOf slot

                WeightBounds.clamp bound (Span(values, slot.Weights, slot.WeightCount))
                |> ignore

                WeightBounds.clamp bound (Span(values, slot.Biases, slot.Outputs)) |> ignore

    do
        if clipping.IsSome then
            let bounds = Array.create layout.Length Single.PositiveInfinity

            for slot in layout.Slots do
                let bound = boundOf slot
                Array.fill bounds slot.Weights slot.WeightCount bound
                Array.fill bounds slot.Biases slot.Outputs bound

            write online Field.Bound bounds

    /// What a float of a block belongs to, such as "critic 2, layer 1 weights".
    let describe (isTarget: bool) index =
        let slot = layout.Slots |> Seq.findBack (fun slot -> slot.Weights <= index)

        let number = if layout.Stacks = 1 then "" else $" {slot.Stack + 1}"
        let role = if isTarget then " target" else ""
        $"{name}{role}{number}, layer {slot.Layer + 1} {slot.NameAt index}"

    /// So many networks of a form, clipped as the settings say.
    static member OfForm(name: string, engine: IEngine, stacks: int, form: NetworkForm, network: NetworkSettings) : NetworkGroup =
        let clipping: WeightClipping option =
            if network.WeightClip > 0.0 then
                Some {
                    Kappa = float32 network.WeightClip
                    Output = network.ClipOutput
                }
            else
                None

        new NetworkGroup(name, engine, BlockLayout.OfForm(stacks, form), clipping)

    /// "actor" or "critic".
    member _.Name = name
    member _.Engine = engine
    member _.Layout = layout
    member _.Online = online
    member _.Target = target
    /// Weight clipping; none when it is off.
    member _.Clipping = clipping
    /// M of every stack and layer.
    member _.Masks = masks

    /// Whether the output layer is the head of one of several tasks: dense, and no part of a topology that changes.
    member val HasTaskHead = false with get, set

    /// Outputs that the current task has, the first ones. The parameters of the others are masked: once 0, they stay 0.
    member this.LiveOutputs
        with get () = liveOutputs
        and set (count: int) =
            liveOutputs <- count
            this.SetMasks masks

    /// Number of existing incoming weights per neuron, of every stack and layer.
    member _.FanIn = fanIn

    /// The same per feature that a layer hands on: with CReLU both halves share a neuron's.
    member _.FeatureFanIn(stack: int, layer: int) : int[] =
        let neurons = fanIn[stack].[layer]
        Array.init (layout.Slot(stack, layer)).Features (fun feature -> neurons[feature % neurons.Length])

    /// Active weights / all weights, biases apart.
    member _.Density =
        let all = masks |> Seq.concat

        float (all |> Seq.sumBy (fun mask -> int64 mask.ActiveCount))
        / float (all |> Seq.sumBy (fun mask -> int64 mask.Size))

    /// Copies a field of the online networks to the host.
    member _.ReadOnline field = read online field

    /// Bytes of one field.
    member internal _.FieldBytes = 4 * layout.Length
    /// What the optimiser keeps: Adam's moments and ages.
    static member Moments = moments
    /// Where a field is held for a moment on its way in or out; a new array each time would land on the large-object heap.
    member internal _.Passing = passing

    /// Copies a field of the online networks into an array of at least the layout's length.
    member internal _.ReadOnlineInto(field, values: float32[]) =
        online.Read(field, Span(values, 0, layout.Length))

    /// Copies the target networks' weights likewise.
    member internal _.ReadTargetInto(values: float32[]) =
        target.Read(Field.Weights, Span(values, 0, layout.Length))

    /// Writes a field of the online networks from an array of at least the layout's length.
    member internal _.WriteOnlineFrom(field, values: float32[]) =
        edits <- edits + 1L
        online.Write(field, ReadOnlySpan(values, 0, layout.Length))

    /// Writes the target networks' weights likewise.
    member internal _.WriteTargetFrom(values: float32[]) =
        target.Write(Field.Weights, ReadOnlySpan(values, 0, layout.Length))

    /// Copies the target networks' weights to the host.
    member _.ReadTarget() = read target Field.Weights

    member _.WriteOnline(field, values) =
        edits <- edits + 1L

        if field = Field.Weights then
            clearSpare values

        write online field values

    /// How often the online networks were written from outside the optimiser.
    member internal _.Edits = edits
    /// Brings host values of the parameters back within their clip bounds.
    member _.Clip(values: float32[]) = clip values
    member _.WriteTarget values = write target Field.Weights values

    /// Makes these the masks that the optimiser applies. The weights are the caller's to zero.
    member _.SetMasks(changed: LayerMask[][]) =
        // Most layers of an event stay what they were, and counting is what takes time.
        fanIn <-
            changed
            |> Array.mapi (fun stack layers ->
                layers
                |> Array.mapi (fun layer mask ->
                    if obj.ReferenceEquals(mask, (masks[stack])[layer]) then
                        (fanIn[stack])[layer]
                    else
                        LayerMask.fanIn mask))

        masks <- changed
        let values = Array.zeroCreate<float32> layout.Length

        for slot in layout.Slots do
            let stack = masks[slot.Stack]
            stack[slot.Layer].CopyTo(Span(values, slot.Weights, slot.WeightCount))

            for parameter in slot.PerNeuron do
                Array.fill values parameter.First slot.Outputs 1.0f

        clearSpare values
        write online Field.Mask values

    /// Draws the weights as the networks' form says, clips them, and makes the target equal. Gains and shifts are never clipped.
    member _.Initialise(draws: Draws) =
        edits <- edits + 1L
        let weights = layout.Initialise draws
        clip weights
        clearSpare weights
        write online Field.Weights weights
        write target Field.Weights weights

    /// The same, and an optimiser that has taken no step.
    member this.Recreate(draws: Draws) =
        this.Initialise draws

        for field, fresh in
            [
                Field.FirstMoments, 0.0f
                Field.SecondMoments, 0.0f
                Field.Beta1Powers, 1.0f
                Field.Beta2Powers, 1.0f
            ] do
            write online field (Array.create layout.Length fresh)

    /// Online networks of their own with the form, topology, weights and bodies of these, and an optimiser that has taken no step. For
    /// experiments: the target is not copied.
    member this.Duplicate() : NetworkGroup =
        let copy =
            new NetworkGroup(name, engine, layout, clipping, HasTaskHead = this.HasTaskHead)

        copy.SetMasks masks
        copy.LiveOutputs <- liveOutputs
        copy.WriteOnline(Field.Weights, read online Field.Weights)

        injected
        |> ValueOption.iter (fun bodies -> copy.Injected <- ValueSome(bodies.Copy()))

        copy

    /// Of the same form and topology, freshly drawn, with an optimiser that has taken no step and without what an injection added.
    member _.Fresh(draws: Draws) : NetworkGroup =
        let other = new NetworkGroup(name, engine, layout, clipping)
        other.Initialise draws
        other.SetMasks masks
        other.LiveOutputs <- liveOutputs
        let mask, weights = read online Field.Mask, other.ReadOnline Field.Weights
        other.WriteOnline(Field.Weights, Array.map2 (*) mask weights)
        other

    /// Name of the first tensor with a NaN or an infinity; null when there is none.
    member _.FindNonFinite() : string | null =
        let locate isTarget (values: float32[]) =
            describe isTarget (Array.findIndex (Single.IsFinite >> not) values)

        if not (online.IsFinite Field.Weights) then
            locate false (read online Field.Weights)
        elif not (target.IsFinite Field.Weights) then
            locate true (read target Field.Weights)
        else
            match moments |> List.tryFind (online.IsFinite >> not) with
            | Some field -> $"{locate false (read online field)}, Adam's moments"
            | None -> null

    /// The frozen bodies, once there was an injection. They belong to the group.
    member _.Injected
        with get () = injected
        and internal set (bodies: FrozenBodies voption) =
            thaw ()
            injected <- bodies

    /// Plasticity injection (Nikishin et al. 2023): the networks of now are frozen, and new ones learn on top of them, at first without any
    /// effect on the output. Passes made before it must be made again.
    member this.Inject(draws: Draws) =
        if injected.IsSome then
            invalidOp $"The {name} was injected before."

        let kept, keptTarget = read online Field.Weights, read target Field.Weights
        this.Recreate draws
        injected <- ValueSome(FrozenBodies.Create(engine, layout, kept, keptTarget, read online Field.Weights))

    /// A pass of the online or of the target networks, through all their bodies.
    member _.CreatePass(ofTarget: bool, stacks: int, input: IMatrix, head: Head, backward: Backward) : IPass =
        let block = if ofTarget then target else online

        match injected with
        | ValueNone -> engine.CreatePass(block, stacks, input, head, backward)
        | ValueSome frozen ->
            let bodies = if ofTarget then frozen.Targets else frozen.Online
            new InjectedPass(engine, block, bodies, stacks, input, head, backward)

    /// theta' = tau theta + (1 - tau) theta', the frozen bodies included.
    member _.Polyak tau =
        engine.Polyak(target, online, tau)
        injected |> ValueOption.iter (fun bodies -> bodies.Polyak tau)

    /// The masks, packed for a snapshot.
    member _.Bits: NetworkMask = {
        Network = name
        Layers = [|
            for slot in layout.Slots do
                let stack = masks[slot.Stack]

                {
                    Stack = slot.Stack
                    Layer = slot.Layer
                    Rows = slot.Outputs
                    Columns = slot.Inputs
                    Bits = LayerMask.toBits stack[slot.Layer]
                }
        |]
    }

    interface IDisposable with
        member _.Dispose() =
            online.Dispose()
            target.Dispose()
            thaw ()
