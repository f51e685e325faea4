namespace NE.Model.Networks

open System
open TorchSharp

/// The output activation.
[<RequireQualifiedAccess>]
module internal TorchHead =
    let forward (output: TorchMatrix) (head: Head) : unit =
        match head with
        | Head.Linear -> ()
        | ScaledTanh scale ->
            output.Tensor.tanh_ () |> ignore

            if scale <> 1.0f then
                output.Tensor.mul_ (held scale) |> ignore

/// What lies between the linear outputs of a hidden layer and its features, where that is more than a bias and a ReLU.
[<NoEquality; NoComparison>]
type internal TorchShaping = {
    /// rows x outputs: the linear outputs, of a normed layer normalised.
    Linear: TorchMatrix
    /// Gains and shifts, where there is a LayerNorm.
    Norm: TorchNorm voption
    /// Their gradients in the block, where the pass computes them.
    NormGradient: TorchNorm voption
    /// rows x 1: what a normed layer's rows were multiplied by.
    Scales: TorchMatrix
    /// rows x features, gradient by the features; null in a pass without gradient.
    FeatureDelta: TorchMatrix
    /// rows x outputs: the columns of FeatureDelta that hold the gradient by the activation's input in the end.
    Inner: TorchMatrix
}

/// Views and buffers of one layer of one stack in a pass.
[<NoEquality; NoComparison>]
type internal TorchLayer = {
    Slot: LayerSlot
    /// rows x inputs: the pass's input or the features of the layer before.
    Input: TorchMatrix
    /// outputs x inputs.
    Weights: TorchMatrix
    Biases: TorchMatrix
    /// rows x features, after the activation function.
    Output: TorchMatrix
    /// None for an output layer and for a bias and a ReLU.
    Shaping: TorchShaping voption
    /// rows x outputs, gradient by the linear outputs; null in a pass without gradient.
    Delta: TorchMatrix
    /// Gradients in the block; null unless the pass computes them.
    WeightGradient: TorchMatrix
    BiasGradient: TorchMatrix
} with

    /// Where the gradient by the features goes.
    member this.FeatureDelta =
        match this.Shaping with
        | ValueNone -> this.Delta
        | ValueSome shaping -> shaping.FeatureDelta

[<Sealed>]
type internal TorchPass
    (block: TorchBlock, stacks: int, input: TorchMatrix, head: Head, backward: Backward, device: TorchDevice, elementwise: IElementwise) =
    let layout = block.Layout
    let rows = input.Rows
    let owned = ResizeArray<IDisposable>()

    let own (item: 'T :> IDisposable) =
        owned.Add item
        item

    let fresh columns =
        own (TorchMatrix.Create(rows, columns, device))

    let withGradient = (backward <> NoGradient)
    let withParameters = backward.HasParameters
    let none = Unchecked.defaultof<TorchMatrix>

    let norm field (slot: LayerSlot) : TorchNorm = {
        Gains = own (block.OutputsView(field, slot, slot.Gains))
        Shifts = own (block.OutputsView(field, slot, slot.Shifts))
    }

    let shaping (slot: LayerSlot) : TorchShaping =
        let delta = if withGradient then fresh slot.Features else none

        {
            Linear = fresh slot.Outputs
            Norm =
                if slot.IsNormed then
                    ValueSome(norm Field.Weights slot)
                else
                    ValueNone
            NormGradient =
                if slot.IsNormed && withParameters then
                    ValueSome(norm Field.Gradients slot)
                else
                    ValueNone
            Scales = if slot.IsNormed then fresh 1 else none
            FeatureDelta = delta
            Inner =
                if withGradient then
                    own (delta.View(0, slot.Outputs))
                else
                    none
        }

    let chains =
        Array.init stacks (fun stack ->
            let mutable x = input

            Array.init layout.Layers (fun layer ->
                let slot = layout.Slot(stack, layer)

                let made = {
                    Slot = slot
                    Input = x
                    Weights = own (block.WeightsView(Field.Weights, slot))
                    Biases = own (block.OutputsView(Field.Weights, slot, slot.Biases))
                    Output = fresh slot.Features
                    Shaping = if slot.IsShaped then ValueSome(shaping slot) else ValueNone
                    Delta = if withGradient then fresh slot.Outputs else none
                    WeightGradient =
                        if withParameters then
                            own (block.WeightsView(Field.Gradients, slot))
                        else
                            none
                    BiasGradient =
                        if withParameters then
                            own (block.OutputsView(Field.Gradients, slot, slot.Biases))
                        else
                            none
                }

                x <- made.Output
                made))

    // Columns of the first layers' weights that belong to the wanted input columns, and the gradient by those.
    let inputWeights, inputGradient =
        match backward.InputColumns with
        | struct (_, 0) -> [||], none
        | struct (first, count) -> chains |> Array.map (fun chain -> own (chain[0].Weights.View(first, count))), fresh count

    let last = layout.Layers - 1

    let linear (layer: TorchLayer) (into: TorchMatrix) relu =
        into.Tensor.addmm_ (layer.Input.Tensor, layer.Weights.Transposed, 0.0f, 1.0f)
        |> ignore

        elementwise.AddBias(into, layer.Biases, relu)

    let forward (chain: TorchLayer[]) =
        for i in 0..last do
            let layer = chain[i]

            match layer.Shaping with
            | ValueNone -> linear layer layer.Output (i < last)
            | ValueSome shaping ->
                linear layer shaping.Linear false

                if shaping.Norm.IsSome then
                    elementwise.Normalise(shaping.Linear, shaping.Scales)

                elementwise.Activate(shaping.Linear, shaping.Norm, layer.Output)

        TorchHead.forward chain[last].Output head

    /// From the gradient by a hidden layer's features to that by its linear outputs.
    let shapingBackward (layer: TorchLayer) =
        elementwise.ReluBackward(layer.FeatureDelta, layer.Output)

        match layer.Shaping with
        | ValueNone -> ()
        | ValueSome shaping ->
            match shaping.Norm with
            | ValueNone -> elementwise.Fold(shaping.FeatureDelta, layer.Delta)
            | ValueSome norm ->
                if layer.Slot.IsConcatenated then
                    elementwise.Fold(shaping.FeatureDelta, shaping.Inner)

                elementwise.NormaliseBackward(shaping.Inner, shaping.Linear, norm, shaping.Scales, layer.Delta)

                match shaping.NormGradient with
                | ValueNone -> ()
                | ValueSome gradient -> elementwise.NormGradients(shaping.Inner, shaping.Linear, gradient)

    let backward (stack: int) (chain: TorchLayer[]) =
        match head with
        | Head.Linear -> ()
        | ScaledTanh scale -> elementwise.ScaledTanhBackward(chain[last].Delta, chain[last].Output, scale)

        for i = last downto 0 do
            let layer = chain[i]

            if withParameters then
                layer.WeightGradient.Tensor.addmm_ (layer.Delta.Transposed, layer.Input.Tensor, 0.0f, 1.0f)
                |> ignore

                elementwise.ColumnSums(layer.Delta, layer.BiasGradient)

            if i > 0 then
                let before = chain[i - 1]

                before.FeatureDelta.Tensor.addmm_ (layer.Delta.Tensor, layer.Weights.Tensor, 0.0f, 1.0f)
                |> ignore

                shapingBackward before
            elif inputWeights.Length > 0 then
                let keep = if stack = 0 then 0.0f else 1.0f

                inputGradient.Tensor.addmm_ (layer.Delta.Tensor, inputWeights[stack].Tensor, keep, 1.0f)
                |> ignore

    let layerOf stack layer =
        let chain = chains[stack]
        chain[layer]

    interface IPass with
        member _.Block = block
        member _.Stacks = stacks

        member _.Forward() =
            for chain in chains do
                forward chain

        member _.Backward() =
            if not withGradient then
                invalidOp "This pass was made without a gradient."

            for stack in 0 .. stacks - 1 do
                backward stack chains[stack]

        member _.Hidden(stack, layer) = (layerOf stack layer).Output
        member _.Output stack = (layerOf stack last).Output
        member _.OutputGradient stack = (layerOf stack last).Delta
        member _.InputGradient = inputGradient

        member _.Dispose() =
            for item in owned do
                item.Dispose()
