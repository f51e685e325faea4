namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.Simd

/// A LayerNorm on the simd engine. It normalises the linear outputs where they are; the next layer applies gains and shifts, or it does so itself
/// where there is none.
[<Sealed>]
type internal SimdLayerNorm(pass: SimdPassing, slot: PanelSlot, input: SimdFeatures) =
    let gains, shifts = slot.PlaceOf slot.Slot.Gains, slot.PlaceOf slot.Slot.Shifts
    let weights = pass.Weights
    // What the rows were multiplied by.
    let scales = pass.Memory pass.Rows

    let factors, terms = NativePtr.add weights gains, NativePtr.add weights shifts
    let gradient = pass.Gradient slot.Slot.Outputs

    let output =
        if slot.Slot.EndsNormed then
            SimdFeatures.Of(pass.Matrix slot.Slot.Outputs, gradient)
        else
            {
                SimdFeatures.Of(input.Values, gradient) with
                    Gains = factors
                    Shifts = terms
            }

    interface ISimdLayer with
        member _.Output = output
        member _.TryRectify() = false

        member _.BeginForward() = ()

        member _.Forward(from, upTo) =
            LayerNormKernels.normalise input.Values.Strided scales from upTo

            if slot.Slot.EndsNormed then
                LayerNormKernels.stretch input.Values.Strided factors terms output.Values.Strided from upTo

        member _.BeginBackward() = ()

        member _.Backward(from, upTo) =
            let d, into = output.Gradient.Value, input.Gradient.Value
            LayerNormKernels.normaliseBackward d.Strided input.Values.Strided factors scales into.Strided from upTo

        member _.Gradient panel =
            let inline part (matrix: SimdMatrix) = {
                matrix.Strided with
                    Memory = NativePtr.add (matrix.Row 0) panel.Output
            }

            LayerNormKernels.gradients
                (part output.Gradient.Value)
                (part input.Values)
                panel.Outputs
                (NativePtr.add pass.Gradients (gains + panel.Output))
                (NativePtr.add pass.Gradients (shifts + panel.Output))
