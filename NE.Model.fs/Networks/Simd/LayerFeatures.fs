namespace NE.Model.Networks.Simd

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// Buffers of one layer of one stack in a pass.
[<NoEquality; NoComparison>]
type internal SimdLayer = {
    Slot: PanelSlot
    /// rows x inputs: the pass's input or the features of the layer before.
    Input: Strided
    /// rows x outputs. With a ReLU alone it is the output already; of a normed layer it is normalised.
    Linear: SimdMatrix
    /// rows x features, after the activation function.
    Output: SimdMatrix
    /// What a normed layer's rows were multiplied by; null without a LayerNorm.
    Scales: nativeptr<float32>
    /// rows x outputs, gradient by the linear outputs; null in a pass without gradient.
    Delta: SimdMatrix
    /// rows x features, gradient by the features; the same matrix as Delta with a ReLU alone.
    FeatureDelta: SimdMatrix
    /// The transposed weights; null where no gradient passes through the layer.
    Transposed: nativeptr<float32>
}

/// What lies between a hidden layer's linear outputs and its features where that is more than a ReLU: LayerNorm and CReLU. Row by row
/// there and back; the gradients of gains and shifts panel by panel.
[<RequireQualifiedAccess>]
module internal LayerFeatures =
    let inline private perOutput (memory: nativeptr<float32>) offset =
        if offset < 0 then
            NativePtr.nullPtr
        else
            NativePtr.add memory offset

    /// From Linear to Output for the rows from .. upTo - 1; `memory`: all parameters.
    let forward (memory: nativeptr<float32>) (layer: SimdLayer) (from: int) (upTo: int) : unit =
        let slot = layer.Slot

        if slot.Slot.IsNormed then
            FeatureKernels.normalise layer.Linear.Strided layer.Scales from upTo

        FeatureKernels.activate
            layer.Linear.Strided
            (perOutput memory slot.Gains)
            (perOutput memory slot.Shifts)
            layer.Output.Strided
            from
            upTo

    /// From FeatureDelta, which is 0 already where a feature is 0, to Delta.
    let backward (memory: nativeptr<float32>) (layer: SimdLayer) (from: int) (upTo: int) : unit =
        let slot, d = layer.Slot, layer.FeatureDelta.Strided
        let outputs = slot.Slot.Outputs

        if not slot.Slot.IsNormed then
            FeatureKernels.fold d layer.Delta.Strided from upTo
        else
            if slot.Slot.IsConcatenated then
                FeatureKernels.fold d { d with Columns = outputs } from upTo

            let gains = perOutput memory slot.Gains
            FeatureKernels.normaliseBackward d layer.Linear.Strided gains layer.Scales layer.Delta.Strided from upTo

    /// The gradients of one panel's gains and shifts, after `backward` of all rows.
    let gradient (gradients: nativeptr<float32>) (layer: SimdLayer) (panel: Panel) : unit =
        let slot = layer.Slot

        if slot.Slot.IsNormed then
            let inline part (matrix: SimdMatrix) = {
                matrix.Strided with
                    Memory = NativePtr.add (matrix.Row 0) panel.Output
            }

            FeatureKernels.normGradients
                (part layer.FeatureDelta)
                (part layer.Linear)
                panel.Outputs
                (NativePtr.add gradients (slot.Gains + panel.Output))
                (NativePtr.add gradients (slot.Shifts + panel.Output))
