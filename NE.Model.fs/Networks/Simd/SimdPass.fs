namespace NE.Model.Networks.Simd

open System
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Layers

/// Where a chain of layers begins.
[<Sealed>]
type private SimdInput(features: SimdFeatures) =
    interface ISimdLayer with
        member _.Output = features
        member _.TryRectify() = false
        member _.BeginForward() = ()
        member _.Forward(_, _) = ()
        member _.BeginBackward() = ()
        member _.Backward(_, _) = ()
        member _.Gradient _ = ()

/// A pass whose rows and panels are shared out to lanes. Forward and the gradient by the activations go row by row, so a block of rows
/// goes through all layers without waiting for another. The gradient by the parameters sums over all rows, so its parts are panels.
/// Every sum is computed whole, by one thread in one order, so the bits depend neither on the parts nor on who does them.
[<Sealed>]
type internal SimdPass
    (block: SimdBlock, stacks: int, input: SimdMatrix, head: Head, backward: Backward, products: SimdProducts, lanes: Lanes) =
    let layout = block.Layout
    let rows = input.Rows
    let struct (first, count) = backward.InputColumns

    // Gradients by weights go through all rows.
    let liveRows =
        if
            stacks > 1
            && count > 0
            && not backward.HasParameters
            && LayerForms.hasOnlyProducts layout.Form.Layers
        then
            Array.init stacks (fun _ -> LiveRows rows)
        else
            [||]

    let pass = new SimdPassing(block, rows, backward, products, liveRows)

    // That of the first stack becomes the sum.
    let inputGradients =
        if count > 0 then
            Array.init stacks (fun _ -> pass.Matrix count)
        else
            [||]

    let inputOf stack =
        SimdInput {
            SimdFeatures.Of(
                input,
                (if count > 0 then
                     ValueSome inputGradients[stack]
                 else
                     ValueNone)
            ) with
                First = first
        }

    // Of every stack, slot by slot.
    let slots =
        Array.init stacks (fun stack ->
            let slots = Seq.init layout.Layers (fun layer -> layout.Slot(stack, layer))
            LayerForms.chain (inputOf stack :> ISimdLayer) slots (SimdLayers.create pass))

    let chains = slots |> Array.map Array.concat

    let featuresOf stack layer =
        let chain = slots[stack]
        (Array.last chain[layer]).Output

    let outputs = Array.init stacks (fun stack -> featuresOf stack (layout.Layers - 1))

    let part (matrix: Strided) from upTo = {
        matrix with
            Memory = matrix.Row from
            Rows = upTo - from
    }

    let forward (stack: int) from upTo =
        for layer in chains[stack] do
            layer.Forward(from, upTo)

        match head with
        | Linear -> ()
        | ScaledTanh scale -> HeadKernels.scaledTanh outputs[stack].Values.Strided scale from upTo

    let deltas (stack: int) from upTo =
        let output = outputs[stack]

        let inline both kernel =
            kernel (part output.Gradient.Value.Strided from upTo) (part output.Values.Strided from upTo)

        match head with
        | Linear -> ()
        | ScaledTanh scale -> both (fun d y -> scaledTanhBackward d y scale)

        // There is no next layer that sees to the zeros of the gradient.
        if output.IsRectified then
            both RectifierKernels.mask

        let live = pass.Live stack

        let last =
            match live with
            | ValueNone -> upTo
            | ValueSome live -> live.Gather(output.Gradient.Value.Strided, from, upTo)

        let chain = chains[stack]

        for i = chain.Length - 1 downto 0 do
            chain[i].Backward(from, last)

        match live with
        | ValueNone -> ()
        | ValueSome live -> live.Scatter(inputGradients[stack].Strided, from, last, upTo)

    let blocks = RowBlocks(stacks, rows, lanes.Count)

    // What an image becomes stays in the second-level cache if it goes through all layers before the next image does.
    let rowsAtOnce =
        if LayerForms.hasConvolution layout.Form.Layers then
            1
        else
            rows

    /// Work on the rows from .. upTo - 1 of a stack, for all of them.
    let overRows (work: int -> int -> int -> unit) =
        let work = OptimizedClosures.FSharpFunc<_, _, _, _>.Adapt work

        {
            new ILaneJob with
                member _.First(lane, count) = blocks.First(lane, count)

                member _.Do part =
                    let mutable from = blocks.From part

                    while from < blocks.UpTo part do
                        let upTo = min (from + rowsAtOnce) (blocks.UpTo part)
                        work.Invoke(blocks.Stack part, from, upTo)
                        from <- upTo
        }

    let forwardJob, deltaJob = overRows forward, overRows deltas

    let gradientJob = {
        new ILaneJob with
            member _.First(lane, _) = block.FirstShare lane

            member _.Do part =
                let share = block.Shares[part]
                let slot = share.Slot.Slot

                if slot.Stack < stacks then
                    let chain = slots[slot.Stack]

                    for layer in chain[slot.Layer] do
                        layer.Gradient share.Panel
    }

    interface IPass with
        member _.Block = block
        member _.Stacks = stacks

        member _.Forward() =
            for chain in chains do
                for layer in chain do
                    layer.BeginForward()

            lanes.Run forwardJob

        member _.Backward() =
            if not pass.HasGradient then
                invalidOp "This pass was made without a gradient."

            for chain in chains do
                for layer in chain do
                    layer.BeginBackward()

            lanes.Run deltaJob

            if backward.HasParameters then
                lanes.Run gradientJob

            for stack in 1 .. inputGradients.Length - 1 do
                add inputGradients[0].Strided 1.0f inputGradients[stack].Strided

        member _.Hidden(stack, layer) = (featuresOf stack layer).Values
        member _.Output stack = outputs[stack].Values
        member _.OutputGradient stack = outputs[stack].Gradient.Value
        member _.InputGradient = inputGradients[0]

        member _.Dispose() = (pass :> IDisposable).Dispose()
