namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// The parameters of a group of networks in the engine's own order, and the transposed weights that backward passes need.
[<Sealed>]
type internal SimdBlock(layout: BlockLayout, trainable: bool, lanes: Lanes) =
    let panels = PanelLayout layout

    let fields =
        Array.init (if trainable then 8 else 1) (fun _ -> new AlignedMemory(panels.Length))

    let field (name: Field) =
        if int name >= fields.Length then
            invalidOp $"A target network has no {name}."

        fields[int name]

    let flat =
        fields
        |> Array.map (fun memory -> new SimdMatrix(memory, false, 0, 1, panels.Length, panels.Length))

    /// Made for the layers that a backward pass asks for; kept up to date from then on.
    let transposed: AlignedMemory[][] =
        Array.init layout.Stacks (fun _ -> Array.create layout.Layers Unchecked.defaultof<AlignedMemory>)

    let isTransposed (slot: LayerSlot) =
        not (obj.ReferenceEquals(transposed[slot.Stack].[slot.Layer], null))

    let transpose (slot: PanelSlot) (panel: Panel) =
        let memory = transposed[slot.Slot.Stack].[slot.Slot.Layer]
        PanelLayout.TransposePanel((field Field.Weights).Address, slot, panel, 0, slot.Slot.Inputs, memory.Address)

    let transposeAll () =
        for slot in panels.Slots do
            if isTransposed slot.Slot then
                for panel in slot.Panels do
                    transpose slot panel

    /// All panels, and the first one of every lane: neighbours, as equal in size as whole panels can be.
    let shares = [|
        for slot in panels.Slots do
            for panel in slot.Panels -> { Slot = slot; Panel = panel }
    |]

    let firstShares =
        let sizes =
            shares
            |> Array.map (fun share -> float (share.Slot.Slot.Inputs * share.Panel.Width))

        let starts = Array.scan (+) 0.0 sizes
        let total = Array.last starts

        Array.init (lanes.Count + 1) (fun lane ->
            let wanted = total * float lane / float lanes.Count

            starts
            |> Seq.indexed
            |> Seq.minBy (fun (_, start) -> abs (start - wanted))
            |> fst)

    let panelAdam =
        if trainable then
            new PanelAdam(fields, shares)
        else
            Unchecked.defaultof<_>

    let writeField (name: Field) (values: ReadOnlySpan<float32>) =
        panels.FromHost(values, field name)

        if trainable then
            panelAdam.Written(name, values)

    do
        if trainable then
            let fill name value =
                writeField name (ReadOnlySpan(Array.create layout.Length value))

            fill Field.Beta1Powers 1.0f
            fill Field.Beta2Powers 1.0f
            fill Field.Bound Single.PositiveInfinity

            writeField Field.Mask (ReadOnlySpan(Array.init layout.Length (fun i -> if i < layout.ParameterCount then 1.0f else 0.0f)))

    // What the jobs are to do; set before they run.
    let mutable options = Unchecked.defaultof<AdamOptions>
    let mutable source = NativePtr.nullPtr<float32>
    let mutable tau = 0.0f

    // Each panel's transposed copy is made at once, while the panel is in the cache.
    let adamJob = {
        new ILaneJob with
            member _.First(lane, _) = firstShares[lane]

            member _.Do part =
                let slot = shares[part].Slot
                panelAdam.Step(part, options)

                if not slot.IsRow && isTransposed slot.Slot then
                    transpose slot shares[part].Panel

                if part = shares.Length - 1 then
                    panelAdam.StepPlain(panels.HostPadding, panels.Length - panels.HostPadding, options)
    }

    let polyakParts = 4 * lanes.Count
    // Of a part, in whole vectors.
    let polyakFrom part =
        int (int64 (panels.Length / 16) * int64 part / int64 polyakParts) * 16

    let polyakJob = {
        new ILaneJob with
            member _.First(lane, count) = polyakParts * lane / count

            member _.Do part =
                let first, last = polyakFrom part, polyakFrom (part + 1)
                polyak (NativePtr.add fields[0].Address first) (NativePtr.add source first) (last - first) tau
    }

    member _.Layout = layout
    member _.Panels = panels
    member _.Memory name = field name
    /// All panels, sorted.
    member _.Shares = shares
    /// Index of the lane's first share; the next lane's is where it ends.
    member _.FirstShare lane = firstShares[lane]

    /// The transposed weights of a layer, outputs x inputs, by panels of 32 inputs.
    member _.Transposed(stack: int, layer: int) : nativeptr<float32> =
        let slot = panels.Slot(stack, layer)

        if slot.IsRow then
            // One output: its row of weights already is the transposed matrix.
            NativePtr.add (field Field.Weights).Address slot.Panels[0].Weights
        else
            if not (isTransposed slot.Slot) then
                transposed[stack].[layer] <- new AlignedMemory(slot.Slot.Outputs * PanelLayout.Padded slot.Slot.Inputs)

                for panel in slot.Panels do
                    transpose slot panel

            transposed[stack].[layer].Address

    member _.Adam(given: AdamOptions) =
        options <- given
        lanes.Run adamJob

    /// this += tau * (online - this)
    member _.Polyak(online: SimdBlock, given: float32) =
        source <- (online.Memory Field.Weights).Address
        tau <- given
        lanes.Run polyakJob
        transposeAll ()

    interface IParameterBlock with
        member _.Layout = layout
        member _.Trainable = trainable

        member _.Read(name, destination) = panels.ToHost(field name, destination)

        member _.Write(name, source) =
            if source.Length <> layout.Length then
                invalidArg (nameof source) $"{layout.Length} floats are needed, {source.Length} were given."

            writeField name source

            if name = Field.Weights then
                transposeAll ()

        member _.Flat name =
            field name |> ignore
            flat[int name]

        member _.IsFinite name =
            isFinite (field name).Address panels.Length

        member _.Dispose() =
            for memory in fields do
                (memory :> IDisposable).Dispose()

            if trainable then
                (panelAdam :> IDisposable).Dispose()

            for memory in Seq.concat transposed do
                if not (obj.ReferenceEquals(memory, null)) then
                    (memory :> IDisposable).Dispose()
