namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.Simd

/// A LayerNorm on the simd engine. It normalises the linear outputs where they are; the next layer applies gains and shifts.
[<Sealed>]
type internal SimdLayerNorm(pass: SimdPassing, slot: PanelSlot, input: SimdFeatures) =
    let gains, shifts = slot.PlaceOf slot.Slot.Gains, slot.PlaceOf slot.Slot.Shifts
    let weights = pass.Weights
    // What the rows were multiplied by.
    let scales = pass.Memory pass.Rows

    let output = {
        SimdFeatures.Of(input.Values, pass.Gradient slot.Slot.Outputs) with
            Gains = NativePtr.add weights gains
            Shifts = NativePtr.add weights shifts
    }

    interface ISimdLayer with
        member _.Output = output
        member _.TryRectify() = false

        member _.Forward(from, upTo) =
            LayerNormKernels.normalise input.Values.Strided scales from upTo

        member _.BeginBackward() = ()

        member _.Backward(from, upTo) =
            let d, into = output.Gradient.Value, input.Gradient.Value
            LayerNormKernels.normaliseBackward d.Strided input.Values.Strided output.Gains scales into.Strided from upTo

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
