namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks

/// A run of neighbouring parameters that one lane computes and updates alone: the weights to 16 or 32 output neurons, with these
/// neurons' other parameters elsewhere.
[<Struct>]
type internal Panel = {
    /// First output neuron.
    Output: int
    /// Output neurons that exist, at most Width.
    Outputs: int
    /// Columns in memory: 32, or 16 at the end.
    Width: int
    /// Offset of the weights in floats.
    Weights: int
}

/// A layer's place in the engine's own memory.
///
/// Weights are kept by panels of 32 output neurons, and inside a panel input by input: element (input, output) of a panel is at
/// input * Width + output. So the forward product reads its right-hand side as one stream of whole vectors, and the gradient
/// product writes it so. An output layer with a single output after a hidden layer is a plain row of weights instead (`IsRow`): a
/// panel would be padding for the most part.
[<NoEquality; NoComparison>]
type internal PanelSlot = {
    Slot: LayerSlot
    IsRow: bool
    Panels: Panel[]
    /// Offsets of the slot's PerNeuron parameters, in their order. Of each there is room for Outputs rounded up to 16.
    PerNeuron: int[]
} with

    /// Offset of the biases.
    member this.Biases = this.PerNeuron[0]

    /// Where the parameters lie that are at an offset of PerNeuron in the block layout.
    member this.PlaceOf(offset: int) : int =
        this.PerNeuron[this.Slot.PerNeuron
                       |> List.findIndex (fun parameter -> parameter.First = offset)]

/// The engine's own order of a block's parameters: every layer in panels, padded to whole vectors. The padding is masked and stays 0.
[<Sealed>]
type internal PanelLayout(layout: BlockLayout) =
    let vector = 16
    let padded count = (count + vector - 1) / vector * vector

    let slots, endOfLayers =
        let mutable offset = 0

        let take count =
            let start = offset
            offset <- offset + count
            start

        let place (slot: LayerSlot) =
            let isRow = slot.Outputs = 1 && slot.Layer > 0 && slot.Layer = layout.Layers - 1

            let panels =
                if isRow then
                    [|
                        {
                            Output = 0
                            Outputs = 1
                            Width = 1
                            Weights = take (padded slot.Inputs)
                        }
                    |]
                else
                    [|
                        for first in 0..32 .. slot.Outputs - 1 do
                            let outputs = min 32 (slot.Outputs - first)

                            {
                                Output = first
                                Outputs = outputs
                                Width = padded outputs
                                Weights = take (slot.Inputs * padded outputs)
                            }
                    |]

            {
                Slot = slot
                IsRow = isRow
                Panels = panels
                PerNeuron = [| for _ in slot.PerNeuron -> take (padded slot.Outputs) |]
            }

        let slots =
            Array.init layout.Stacks (fun stack -> Array.init layout.Layers (fun layer -> place (layout.Slot(stack, layer))))

        slots, offset

    let all = Array.concat slots

    /// Places that hold one float per output of a layer, as (host, memory).
    let perOutputs =
        all
        |> Array.map (fun slot ->
            slot.Slot.PerNeuron
            |> Seq.mapi (fun i parameter -> struct (parameter.First, slot.PerNeuron[i]))
            |> Array.ofSeq)

    // The host's padding, kept as it is: what is read is what was written.
    let hostPadding = layout.Length - layout.ParameterCount

    member _.Layout = layout
    member _.Slot(stack: int, layer: int) : PanelSlot = slots[stack][layer]
    /// All of them, in the order of the memory.
    member _.Slots = all
    /// Where the padding of the block layout lies, whose ages grow like all others.
    member _.HostPadding = endOfLayers
    /// Floats of the flat memory, a multiple of 16.
    member _.Length = endOfLayers + padded hostPadding

    /// Rounds up to whole vectors of the widest kind.
    static member Padded(count: int) = (count + 15) / 16 * 16

    /// Floats between the rows of a matrix of this many columns: an odd number of cache lines, because rows a power of two apart would
    /// share a few sets of the first-level cache.
    static member Stride(columns: int) =
        let lines = (columns + 15) / 16
        16 * (if lines % 2 = 0 then lines + 1 else lines)

    /// memory (in this order) = host (in the block layout's order).
    member _.FromHost(host: ReadOnlySpan<float32>, memory: AlignedMemory) =
        memory.Span.Clear()
        use source = fixed host
        let target = memory.Address

        for i in 0 .. all.Length - 1 do
            let slot = all[i]
            let place = slot.Slot

            for panel in slot.Panels do
                let from = NativePtr.add source (place.Weights + panel.Output * place.Inputs)
                Transpose.transpose from place.Inputs panel.Outputs place.Inputs (NativePtr.add target panel.Weights) panel.Width

            for struct (there, here) in perOutputs[i] do
                NativePtr.copyBlock (NativePtr.add target here) (NativePtr.add source there) place.Outputs

        host.Slice(layout.ParameterCount).CopyTo(memory.Span.Slice endOfLayers)

    /// The inverse of FromHost.
    member _.ToHost(memory: AlignedMemory, host: Span<float32>) =
        use target = fixed host
        let source = memory.Address

        for i in 0 .. all.Length - 1 do
            let slot = all[i]
            let place = slot.Slot

            for panel in slot.Panels do
                let into = NativePtr.add target (place.Weights + panel.Output * place.Inputs)
                Transpose.transpose (NativePtr.add source panel.Weights) panel.Width place.Inputs panel.Outputs into place.Inputs

            for struct (there, here) in perOutputs[i] do
                NativePtr.copyBlock (NativePtr.add target there) (NativePtr.add source here) place.Outputs

        memory.Span.Slice(endOfLayers, hostPadding).CopyTo(host.Slice layout.ParameterCount)

    /// The weights of `count` inputs from `first` on, of one panel's neurons, as rows of the transposed matrix (output x input), which is
    /// kept by panels of 32 inputs in the same manner.
    static member TransposePanel
        (weights: nativeptr<float32>, slot: PanelSlot, panel: Panel, first: int, count: int, target: nativeptr<float32>)
        =
        let mutable input = 0

        while input < count do
            let width = min 32 (PanelLayout.Padded(count - input))
            let from = NativePtr.add weights (panel.Weights + (first + input) * panel.Width)
            let into = NativePtr.add target (input * slot.Slot.Outputs + panel.Output * width)
            Transpose.transpose from panel.Width (min width (count - input)) panel.Outputs into width
            input <- input + 32
