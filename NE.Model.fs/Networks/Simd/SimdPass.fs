namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// A pass whose rows and panels are shared out to lanes. Forward and the gradient by the activations go row by row, so a block of rows
/// goes through all layers without waiting for another. The gradient by the weights sums over all rows, so its parts are panels.
/// Every sum is computed whole, by one thread in one order, so the bits depend neither on the parts nor on who does them.
[<Sealed>]
type internal SimdPass
    (block: SimdBlock, stacks: int, input: SimdMatrix, head: Head, backward: Backward, products: LayerProducts, lanes: Lanes) =
    let layout = block.Layout
    let rows = input.Rows
    let last = layout.Layers - 1
    let owned = ResizeArray<IDisposable>()

    let own (item: 'T :> IDisposable) =
        owned.Add item
        item

    let withGradient = (backward <> NoGradient)

    let chains =
        Array.init stacks (fun stack ->
            let mutable x = input.Strided

            Array.init layout.Layers (fun layer ->
                let slot = block.Panels.Slot(stack, layer)
                let isShaped = slot.Slot.IsShaped

                let make columns =
                    own (
                        if slot.IsRow then
                            SimdMatrix.Column rows
                        else
                            SimdMatrix.Create(rows, columns)
                    )

                let gradient columns =
                    if withGradient then
                        make columns
                    else
                        Unchecked.defaultof<_>

                let linear = make slot.Slot.Outputs
                let delta = gradient slot.Slot.Outputs

                let made = {
                    Slot = slot
                    Input = x
                    Linear = linear
                    Output = if isShaped then make slot.Slot.Features else linear
                    Scales =
                        if slot.Slot.IsNormed then
                            (own (new AlignedMemory(rows))).Address
                        else
                            NativePtr.nullPtr
                    Delta = delta
                    FeatureDelta = if isShaped then gradient slot.Slot.Features else delta
                    Transposed =
                        if withGradient && layer > 0 then
                            block.Transposed(stack, layer)
                        else
                            NativePtr.nullPtr
                }

                x <- made.Output.Strided
                made))

    let weights = (block.Memory Field.Weights).Address

    let gradients =
        if backward.HasParameters then
            (block.Memory Field.Gradients).Address
        else
            NativePtr.nullPtr

    // The wanted rows of the first layers' weights, transposed, and the gradient by those inputs: that of the first stack is the sum.
    let struct (inputFirst, inputCount) = backward.InputColumns

    let inputWeights, inputGradients =
        if inputCount > 0 then
            let size = layout.Slot(0, 0).Outputs * PanelLayout.Padded inputCount

            Array.init stacks (fun _ -> own (new AlignedMemory(size))),
            Array.init stacks (fun _ -> own (SimdMatrix.Create(rows, inputCount)))
        else
            [||], [||]

    let forward (stack: int) from upTo =
        let chain = chains[stack]

        for i in 0..last do
            let isShaped = chain[i].Slot.Slot.IsShaped
            products.Forward(weights, chain[i], i < last && not isShaped, from, upTo)

            if isShaped then
                LayerFeatures.forward weights chain[i] from upTo

        match head with
        | Linear -> ()
        | ScaledTanh scale ->
            let y = chain[last].Output.Strided

            if chain[last].Slot.IsRow then
                // A column without gaps is one row to the kernel.
                let row = {
                    y with
                        Memory = y.Row from
                        Rows = 1
                        Columns = upTo - from
                }

                HeadKernels.scaledTanh row scale 0 1
            else
                HeadKernels.scaledTanh y scale from upTo

    let deltas (stack: int) from upTo =
        let chain = chains[stack]

        match head with
        | Linear -> ()
        | ScaledTanh scale ->
            let inline part (matrix: Strided) = {
                matrix with
                    Memory = matrix.Row from
                    Rows = upTo - from
            }

            scaledTanhBackward (part chain[last].Delta.Strided) (part chain[last].Output.Strided) scale

        for i = last downto 1 do
            let layer, before = chain[i], chain[i - 1]
            products.Backward(layer.Delta, layer.Slot.Slot.Outputs, layer.Transposed, before.FeatureDelta, before.Output, from, upTo)

            if before.Slot.Slot.IsShaped then
                LayerFeatures.backward weights before from upTo

        if inputCount > 0 then
            let outputs = chain[0].Slot.Slot.Outputs
            products.Backward(chain[0].Delta, outputs, inputWeights[stack].Address, inputGradients[stack], null, from, upTo)

    let blocks = RowBlocks(stacks, rows, lanes.Count)

    let forwardJob = {
        new ILaneJob with
            member _.First(lane, count) = blocks.First(lane, count)

            member _.Do part =
                forward (blocks.Stack part) (blocks.From part) (blocks.UpTo part)
    }

    let deltaJob = {
        new ILaneJob with
            member _.First(lane, count) = blocks.First(lane, count)

            member _.Do part =
                deltas (blocks.Stack part) (blocks.From part) (blocks.UpTo part)
    }

    let gradientJob = {
        new ILaneJob with
            member _.First(lane, _) = block.FirstShare lane

            member _.Do part =
                let slot = block.Shares[part].Slot.Slot

                if slot.Stack < stacks then
                    let chain = chains[slot.Stack]
                    products.Gradient(gradients, chain[slot.Layer], block.Shares[part].Panel)
    }

    let layerOf stack layer =
        let chain = chains[stack]
        chain[layer]

    interface IPass with
        member _.Block = block
        member _.Stacks = stacks
        member _.Forward() = lanes.Run forwardJob

        member _.Backward() =
            if not withGradient then
                invalidOp "This pass was made without a gradient."

            for stack in 0 .. inputWeights.Length - 1 do
                let slot = (layerOf stack 0).Slot

                for panel in slot.Panels do
                    PanelLayout.TransposePanel(weights, slot, panel, inputFirst, inputCount, inputWeights[stack].Address)

            lanes.Run deltaJob

            if backward.HasParameters then
                lanes.Run gradientJob

            for stack in 1 .. inputGradients.Length - 1 do
                add inputGradients[0].Strided 1.0f inputGradients[stack].Strided

        member _.Hidden(stack, layer) = (layerOf stack layer).Output
        member _.Output stack = (layerOf stack last).Output
        member _.OutputGradient stack = (layerOf stack last).Delta
        member _.InputGradient = inputGradients[0]

        member _.Dispose() =
            for item in owned do
                item.Dispose()
