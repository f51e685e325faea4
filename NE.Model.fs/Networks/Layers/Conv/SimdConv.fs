namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Simd

/// A convolution on the simd engine. Bias and ReLU, and the zeros of a gradient, are part of the products.
///
/// The gradient by the parameters is summed over chunks of eight images, and the chunks are summed in their order. A chunk is whole in one part of
/// the job that goes through the rows, so nothing depends on who computes it.
[<Sealed>]
type internal SimdConv(pass: SimdPassing, slot: PanelSlot, input: SimdFeatures) =
    let shape = slot.Slot.Convolution
    let x = input.Values
    let y, delta = pass.Matrix shape.Output.Size, pass.Gradient shape.Output.Size
    let weights, gradients = pass.Weights, pass.Gradients
    let biases = NativePtr.add weights slot.Biases

    let forwardRuns =
        slot.Panels
        |> Array.map (fun panel -> pass.Runs(ConvProducts.forwardRuns shape panel.Width))

    let inputGradient =
        match input.Gradient with
        | ValueNone -> ValueNone
        | ValueSome wanted when wanted.Columns <> shape.Input.Size ->
            invalidOp $"The gradient by an image is computed by all of its {shape.Input.Size} floats; {wanted.Columns} were asked for."
        | ValueSome _ -> ValueSome(ConvInputGradient(pass, slot, shape))

    // The sums of a chunk lie as the slot's parameters do.
    let start = slot.Panels[0].Weights
    let size = slot.Biases + PanelLayout.Padded slot.Slot.Outputs - start
    let chunks = (pass.Rows + RowBlocks.Unit - 1) / RowBlocks.Unit
    let hasParameters = NativePtr.toNativeInt gradients <> 0n

    let sums =
        if hasParameters then
            pass.Memory(chunks * size)
        else
            NativePtr.nullPtr

    let sumsOf chunk = NativePtr.add sums (chunk * size)
    let gradientRuns = pass.Runs(ConvProducts.gradientRuns shape)
    let one = pass.Memory 16
    do NativePtr.write one 1.0f
    let mutable rectifies = false

    /// Adds an image to the sums of its chunk.
    let addParameters (row: int) =
        let sums, d = sumsOf (row / RowBlocks.Unit), delta.Value.Row row

        for panel in slot.Panels do
            let place = panel.Weights - start
            ConvProducts.gradient pass.RunMultiplier shape panel gradientRuns (x.Row row) d (NativePtr.add sums place)
            let place = slot.Biases + panel.Output - start
            ConvProducts.biasGradient pass.RunMultiplier shape panel gradientRuns one d (NativePtr.add sums place)

    /// The sum over the chunks of the floats at a place of the engine's memory.
    let total (place: int) (count: int) =
        let into, sums = NativePtr.add gradients place, NativePtr.add sums (place - start)
        let mutable i = 0

        while i < count do
            let mutable sum = load sums i

            for chunk in 1 .. chunks - 1 do
                sum <- sum + load sums (chunk * size + i)

            store into i sum
            i <- i + LaneCount

    interface ISimdLayer with
        member _.Output = {
            SimdFeatures.Of(y, delta) with
                IsRectified = rectifies
        }

        member _.TryRectify() =
            rectifies <- true
            true

        member _.Forward(from, upTo) =
            for row in from .. upTo - 1 do
                for i in 0 .. slot.Panels.Length - 1 do
                    let panel = slot.Panels[i]
                    let filters = NativePtr.add weights panel.Weights
                    let bias = NativePtr.add biases panel.Output
                    ConvProducts.forward pass.RunMultiplier shape panel forwardRuns[i] filters bias rectifies (x.Row row) (y.Row row)

        member _.BeginBackward() =
            inputGradient |> ValueOption.iter _.Begin()

        member _.Backward(from, upTo) =
            for row in from .. upTo - 1 do
                if hasParameters then
                    if row % RowBlocks.Unit = 0 then
                        NativePtr.initBlock (sumsOf (row / RowBlocks.Unit)) 0uy (uint32 (4 * size))

                    addParameters row

                match inputGradient with
                | ValueNone -> ()
                | ValueSome gradient ->
                    let activation = if input.IsRectified then x.Row row else NativePtr.nullPtr

                    gradient.Image(delta.Value.Row row, input.Gradient.Value.Row row, activation)

        member _.Gradient panel =
            total panel.Weights (slot.Slot.Inputs * panel.Width)
            total (slot.Biases + panel.Output) (PanelLayout.Padded panel.Outputs)
