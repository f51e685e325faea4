namespace NE.Model.Networks.Simd

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// Buffers of one layer of one stack in a pass.
[<NoEquality; NoComparison>]
type internal SimdLayer = {
    Slot: PanelSlot
    /// rows x inputs: the pass's input or the activations of the layer before.
    Input: Strided
    /// rows x outputs, after the activation function.
    Output: SimdMatrix
    /// rows x outputs, gradient before the activation function; null in a pass without gradient.
    Delta: SimdMatrix
    /// The transposed weights; null where no gradient passes through the layer.
    Transposed: nativeptr<float32>
}

/// Rows of all stacks in blocks, the parts of a job.
[<Sealed>]
type internal RowBlocks(stacks: int, rows: int, lanes: int) =
    // One block of a stack for a single lane. Several lanes get four blocks each, so that one that is late leaves something to take.
    let height =
        if lanes = 1 then
            rows
        else
            (stacks * rows / (4 * lanes) + 7) / 8 * 8 |> max 8

    let perStack = (rows + height - 1) / height
    /// Number of blocks.
    member _.Count = stacks * perStack
    member _.Stack part = part / perStack
    /// First row of a block.
    member _.From part = part % perStack * height

    /// The row after the last one of a block.
    member _.UpTo part =
        min rows ((part % perStack + 1) * height)

/// A pass whose rows and panels are shared out to lanes. Forward and the gradient by the activations go row by row, so a block of rows
/// goes through all layers without waiting for another. The gradient by the weights sums over all rows, so its parts are panels.
/// Every sum is computed whole, by one thread in one order, so the bits depend neither on the parts nor on who does them.
[<Sealed>]
type internal SimdPass
    (block: SimdBlock, stacks: int, input: SimdMatrix, head: Head, backward: Backward, product: IPanelProduct, lanes: Lanes) =
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

                let make () =
                    own (
                        if slot.IsRow then
                            SimdMatrix.Column rows
                        else
                            SimdMatrix.Create(rows, slot.Slot.Outputs)
                    )

                let made = {
                    Slot = slot
                    Input = x
                    Output = make ()
                    Delta = if withGradient then make () else Unchecked.defaultof<_>
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
        if backward = ParameterGradient then
            (block.Memory Field.Gradients).Address
        else
            NativePtr.nullPtr

    // The wanted rows of the first layers' weights, transposed, and the gradient by those inputs: that of the first stack is the sum.
    let inputFirst, inputCount =
        match backward with
        | InputGradient(first, count) -> first, count
        | NoGradient
        | ParameterGradient -> 0, 0

    let inputWeights, inputGradients =
        if inputCount > 0 then
            let size = layout.Widths.Span[1] * PanelLayout.Padded inputCount

            Array.init stacks (fun _ -> own (new AlignedMemory(size))),
            Array.init stacks (fun _ -> own (SimdMatrix.Create(rows, inputCount)))
        else
            [||], [||]

    // The sum over the rows of a one-column matrix of ones times D is that of D's columns.
    let one = own (new AlignedMemory(16))
    do NativePtr.write one.Address 1.0f

    let plain: Finish = {
        Bias = NativePtr.nullPtr
        Relu = false
        Activation = NativePtr.nullPtr
        ActivationStride = 0
    }

    let forwardLayer (layer: SimdLayer) (relu: bool) first last =
        let slot, x, y = layer.Slot, layer.Input, layer.Output
        let biases = NativePtr.add weights slot.Biases

        if slot.IsRow then
            HeadKernels.dotRows x (NativePtr.add weights slot.Panels[0].Weights) (NativePtr.read biases) y.Strided first last
        else
            for panel in slot.Panels do
                let finish: Finish = {
                    Bias = NativePtr.add biases panel.Output
                    Relu = relu
                    Activation = NativePtr.nullPtr
                    ActivationStride = 0
                }

                product.Multiply(
                    x.Row first,
                    x.Stride,
                    1,
                    NativePtr.add weights panel.Weights,
                    panel.Width,
                    NativePtr.add (y.Row first) panel.Output,
                    y.Stride,
                    last - first,
                    panel.Width,
                    x.Columns,
                    &finish
                )

    let headOf (chain: SimdLayer[]) first last' =
        match head with
        | Linear -> ()
        | ScaledTanh scale ->
            let y = chain[last].Output.Strided

            if y.Stride = 1 then
                // A column is one row to the kernel.
                let row = {
                    Memory = y.Row first
                    Rows = 1
                    Columns = last' - first
                    Stride = 1
                }

                HeadKernels.scaledTanh row scale 0 1
            else
                HeadKernels.scaledTanh y scale first last'

    let forward (stack: int) first last' =
        let chain = chains[stack]

        for i in 0..last do
            forwardLayer chain[i] (i < last) first last'

        headOf chain first last'

    /// into = finish(D W) for the rows first .. last' - 1 of D, where W's transposed is kept by panels of 32 inputs.
    let throughWeights
        (delta: SimdMatrix)
        (outputs: int)
        (transposed: nativeptr<float32>)
        (into: SimdMatrix)
        (active: Strided voption)
        first
        last'
        =
        let mutable input = 0

        while input < into.Columns do
            let width = min 32 (PanelLayout.Padded(into.Columns - input))

            let finish: Finish =
                match active with
                | ValueSome h -> {
                    plain with
                        Activation = NativePtr.add (h.Row first) input
                        ActivationStride = h.Stride
                  }
                | ValueNone -> plain

            product.Multiply(
                delta.Row first,
                delta.Stride,
                1,
                NativePtr.add transposed (input * outputs),
                width,
                NativePtr.add (into.Row first) input,
                into.Stride,
                last' - first,
                width,
                outputs,
                &finish
            )

            input <- input + 32

    let deltas (stack: int) first last' =
        let chain = chains[stack]

        match head with
        | Linear -> ()
        | ScaledTanh scale ->
            let inline part (matrix: Strided) = {
                matrix with
                    Memory = matrix.Row first
                    Rows = last' - first
            }

            scaledTanhBackward (part chain[last].Delta.Strided) (part chain[last].Output.Strided) scale

        for i = last downto 1 do
            let layer, before = chain[i], chain[i - 1]
            let active = ValueSome before.Output.Strided
            throughWeights layer.Delta layer.Slot.Slot.Outputs layer.Transposed before.Delta active first last'

        if inputCount > 0 then
            let first' = chain[0]

            throughWeights first'.Delta first'.Slot.Slot.Outputs inputWeights[stack].Address inputGradients[stack] ValueNone first last'

    /// The gradient of one panel's weights, D^T X transposed, and of its biases.
    let panelGradient (share: Share) =
        let slot, panel = share.Slot, share.Panel
        let chain = chains[slot.Slot.Stack]
        let layer = chain[slot.Slot.Layer]
        let x, d = layer.Input, layer.Delta
        let into = NativePtr.add gradients panel.Weights
        let bias = NativePtr.add gradients (slot.Biases + panel.Output)

        if slot.IsRow then
            let mutable input = 0

            while input < x.Columns do
                let width = min 32 (PanelLayout.Padded(x.Columns - input))

                product.Multiply(
                    d.Row 0,
                    1,
                    d.Stride,
                    NativePtr.add x.Memory input,
                    x.Stride,
                    NativePtr.add into input,
                    width,
                    1,
                    width,
                    rows,
                    &plain
                )

                input <- input + 32

            NativePtr.write bias (HeadKernels.columnSum d.Strided)
        else
            let right = NativePtr.add (d.Row 0) panel.Output
            product.Multiply(x.Memory, 1, x.Stride, right, d.Stride, into, panel.Width, x.Columns, panel.Width, rows, &plain)
            product.Multiply(one.Address, 0, 0, right, d.Stride, bias, panel.Width, 1, panel.Width, rows, &plain)

    let blocks = RowBlocks(stacks, rows, lanes.Count)

    let forwardJob = {
        new ILaneJob with
            member _.First(lane, count) = blocks.Count * lane / count

            member _.Do part =
                forward (blocks.Stack part) (blocks.From part) (blocks.UpTo part)
    }

    let deltaJob = {
        new ILaneJob with
            member _.First(lane, count) = blocks.Count * lane / count

            member _.Do part =
                deltas (blocks.Stack part) (blocks.From part) (blocks.UpTo part)
    }

    let gradientJob = {
        new ILaneJob with
            member _.First(lane, _) = block.FirstShare lane

            member _.Do part =
                if block.Shares[part].Slot.Slot.Stack < stacks then
                    panelGradient block.Shares[part]
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
                let slot = layerOf stack 0

                for panel in slot.Slot.Panels do
                    PanelLayout.TransposePanel(weights, slot.Slot, panel, inputFirst, inputCount, inputWeights[stack].Address)

            lanes.Run deltaJob

            if backward = ParameterGradient then
                lanes.Run gradientJob

            for stack in 1 .. inputGradients.Length - 1 do
                add inputGradients[0].Strided inputGradients[stack].Strided

        member _.Hidden(stack, layer) = (layerOf stack layer).Output
        member _.Output stack = (layerOf stack last).Output
        member _.OutputGradient stack = (layerOf stack last).Delta
        member _.InputGradient = inputGradients[0]

        member _.Dispose() =
            for item in owned do
                item.Dispose()
