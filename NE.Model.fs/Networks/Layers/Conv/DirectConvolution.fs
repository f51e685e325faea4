namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Product by product, at any stride. Bias and ReLU, and the zeros of a gradient, are part of the products.
[<Sealed>]
type internal DirectConvolution(pass: SimdPassing, slot: PanelSlot, shape: ConvShape, hasInputGradient: bool) =
    let weights, gradients = pass.Weights, pass.Gradients
    let biases = NativePtr.add weights slot.Biases

    let forwardRuns =
        slot.Panels
        |> Array.map (fun panel -> pass.Runs(ConvProducts.forwardRuns shape panel.Width))

    let gradientRuns = pass.Runs(ConvProducts.gradientRuns shape)

    let inputGradient =
        if hasInputGradient then
            ValueSome(ConvInputGradient(pass, slot, shape))
        else
            ValueNone

    // The sums lie as the weights do.
    let start = slot.Panels[0].Weights

    interface IConvolution with
        member _.BeginForward() = ()

        member _.Forward(x, y, relu) =
            for i in 0 .. slot.Panels.Length - 1 do
                let panel = slot.Panels[i]
                let filters = NativePtr.add weights panel.Weights
                let bias = NativePtr.add biases panel.Output
                ConvProducts.forward pass.RunMultiplier shape panel forwardRuns[i] filters bias relu x y

        member _.BeginBackward() =
            inputGradient |> ValueOption.iter _.Begin()

        member _.SumLength = slot.Biases - start

        member _.Backward(x, delta, sums, into, activation) =
            if NativePtr.toNativeInt sums <> 0n then
                for panel in slot.Panels do
                    let sums = NativePtr.add sums (panel.Weights - start)
                    ConvProducts.gradient pass.RunMultiplier shape panel gradientRuns x delta sums

            if NativePtr.toNativeInt into <> 0n then
                inputGradient.Value.Image(delta, into, activation)

        member _.Gradient(panel, sums) =
            sums.Total(panel.Weights - start, slot.Slot.Inputs * panel.Width, NativePtr.add gradients panel.Weights)
