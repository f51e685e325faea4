namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Simd

/// A convolution on the simd engine.
[<Sealed>]
type internal SimdConv(pass: SimdPassing, slot: PanelSlot, input: SimdFeatures) =
    let shape = slot.Slot.Convolution
    let x = input.Values
    let y, delta = pass.Matrix shape.Output.Size, pass.Gradient shape.Output.Size

    let hasInputGradient =
        match input.Gradient with
        | ValueNone -> false
        | ValueSome wanted when wanted.Columns <> shape.Input.Size ->
            invalidOp $"The gradient by an image is computed by all of its {shape.Input.Size} floats; {wanted.Columns} were asked for."
        | ValueSome _ -> true

    let convolution: IConvolution =
        match pass.Convolutions with
        | ConvolutionKind.Winograd when WinogradConvolution.Fits shape -> WinogradConvolution(pass, slot, shape, hasInputGradient)
        | _ -> DirectConvolution(pass, slot, shape, hasInputGradient)

    // Behind the sums of the weights' gradients those of the biases'.
    let weightSums = convolution.SumLength
    let biasSums = PanelLayout.Padded slot.Slot.Outputs

    let sums =
        if NativePtr.toNativeInt pass.Gradients <> 0n then
            ValueSome(ConvSums(pass, weightSums + biasSums))
        else
            ValueNone

    let pixels = pass.Runs [| { A = 0; B = 0 } |]
    let one = pass.Memory 1
    do NativePtr.write one 1.0f
    let mutable rectifies = false

    interface ISimdLayer with
        member _.Output = {
            SimdFeatures.Of(y, delta) with
                IsRectified = rectifies
        }

        member _.TryRectify() =
            rectifies <- true
            true

        member _.BeginForward() = convolution.BeginForward()

        member _.Forward(from, upTo) =
            for row in from .. upTo - 1 do
                convolution.Forward(x.Row row, y.Row row, rectifies)

        member _.BeginBackward() = convolution.BeginBackward()

        member _.Backward(from, upTo) =
            for row in from .. upTo - 1 do
                let d = delta.Value.Row row

                let sums =
                    match sums with
                    | ValueNone -> NativePtr.nullPtr
                    | ValueSome sums ->
                        let sums = sums.Of row

                        for panel in slot.Panels do
                            let into = NativePtr.add sums (weightSums + panel.Output)
                            ConvProducts.biasGradient pass.RunMultiplier shape panel pixels one d into

                        sums

                let into =
                    if hasInputGradient then
                        input.Gradient.Value.Row row
                    else
                        NativePtr.nullPtr

                let activation = if input.IsRectified then x.Row row else NativePtr.nullPtr
                convolution.Backward(x.Row row, d, sums, into, activation)

        member _.Gradient panel =
            let sums = sums.Value
            convolution.Gradient(panel, sums)
            let place = slot.Biases + panel.Output
            sums.Total(weightSums + panel.Output, PanelLayout.Padded panel.Outputs, NativePtr.add pass.Gradients place)
