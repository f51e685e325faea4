namespace NE.Model.Networks.Layers

open NE.Model.Networks.Simd

/// ReLU, or CReLU if it hands on both signs, on the simd engine.
[<Sealed>]
type internal SimdRectifier(pass: SimdPassing, input: SimdFeatures, hasBothSigns: bool) =
    let x = input.Values

    // The gradient of a ReLU's features is 0 already where they are: it is that of its input.
    let output =
        let columns = if hasBothSigns then 2 * x.Columns else x.Columns

        let gradient =
            if hasBothSigns then
                pass.Gradient columns
            else
                input.Gradient

        {
            SimdFeatures.Of(pass.Matrix columns, gradient) with
                IsRectified = true
        }

    interface ISimdLayer with
        member _.Output = output
        member _.TryRectify() = false

        member _.BeginForward() = ()

        member _.Forward(from, upTo) =
            RectifierKernels.activate x.Strided input.Gains input.Shifts output.Values.Strided from upTo

        member _.BeginBackward() = ()

        member _.Backward(from, upTo) =
            if hasBothSigns then
                RectifierKernels.fold output.Gradient.Value.Strided input.Gradient.Value.Strided from upTo

        member _.Gradient _ = ()
