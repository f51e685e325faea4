namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.Simd

/// A fully connected layer on the simd engine. Bias and ReLU, and the zeros of a gradient, are part of the products.
[<Sealed>]
type internal SimdDense(pass: SimdPassing, slot: PanelSlot, input: SimdFeatures) =
    let outputs = slot.Slot.Outputs
    let x = input.Values.Strided
    let product, weights, gradients = pass.Product, pass.Weights, pass.Gradients

    let make () =
        pass.Own(
            if slot.IsRow then
                SimdMatrix.Column pass.Rows
            else
                SimdMatrix.Create(pass.Rows, outputs)
        )

    let y = make ()
    let delta = if pass.HasGradient then ValueSome(make ()) else ValueNone

    // The block keeps the transposed weights of whole layers. Of a first layer often only the rows of some inputs are needed.
    let isPart =
        match input.Gradient with
        | ValueNone -> false
        | ValueSome wanted -> wanted.Columns < slot.Slot.Inputs

    let transposed =
        match input.Gradient with
        | ValueNone -> NativePtr.nullPtr
        | ValueSome wanted when isPart -> pass.Memory(outputs * PanelLayout.Padded wanted.Columns)
        | ValueSome _ -> pass.Block.Transposed(slot.Slot.Stack, slot.Slot.Layer)

    let mask =
        if input.IsRectified then
            ValueSome input.Values
        else
            ValueNone

    let live = pass.Live slot.Slot.Stack
    let mutable rectifies = false

    interface ISimdLayer with
        member _.Output = {
            SimdFeatures.Of(y, delta) with
                IsRectified = rectifies
        }

        member _.TryRectify() =
            rectifies <- true
            true

        member _.BeginForward() = ()

        member _.Forward(from, upTo) =
            DenseProducts.forward product weights slot x y rectifies from upTo

        member _.BeginBackward() =
            match input.Gradient with
            | ValueSome wanted when isPart ->
                for panel in slot.Panels do
                    PanelLayout.TransposePanel(weights, slot, panel, input.First, wanted.Columns, transposed)
            | _ -> ()

        member _.Backward(from, upTo) =
            match input.Gradient, live with
            | ValueNone, _ -> ()
            | ValueSome into, ValueNone -> DenseProducts.backward product delta.Value outputs transposed into mask from upTo
            | ValueSome into, ValueSome live ->
                DenseProducts.backward product delta.Value outputs transposed into ValueNone from upTo

                match mask with
                | ValueNone -> ()
                | ValueSome h -> live.Mask(into.Strided, h.Strided, from, upTo)

        member _.Gradient panel =
            DenseProducts.gradient product gradients slot x delta.Value panel
