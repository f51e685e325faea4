namespace NE.Model.Networks.Layers

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Filters of a policy: at most 32 of them, their weights input by input.
[<NoEquality; NoComparison>]
type private HostFilters = {
    Panel: Panel
    Weights: float32[]
    Biases: float32[]
    Runs: Run[]
}

/// A convolution of a policy, by the products of the simd engine.
[<Sealed>]
type internal HostConv private (slot: LayerSlot, shape: ConvShape, filters: HostFilters[]) =
    static let multiplier = RunMultiplier.create (VectorWidth.best ())
    let mutable rectifies = false

    /// From a block's host array.
    static member Of(slot: LayerSlot, parameters: nativeptr<float32>) : HostConv =
        let shape = slot.Convolution

        let filtersFrom first =
            let count = min 32 (slot.Outputs - first)
            let width = PanelLayout.Padded count
            let weights, biases = Array.zeroCreate (slot.Inputs * width), Array.zeroCreate width
            use address = fixed weights

            let from = NativePtr.add parameters (slot.Weights + first * slot.Inputs)
            Transpose.transpose from slot.Inputs count slot.Inputs address width

            Span<float32>(NativePtr.toVoidPtr (NativePtr.add parameters (slot.Biases + first)), count).CopyTo(Span biases)

            {
                Panel = {
                    Output = first
                    Outputs = count
                    Width = width
                    Weights = 0
                }
                Weights = weights
                Biases = biases
                Runs = ConvProducts.forwardRuns shape width
            }

        HostConv(slot, shape, [| for first in 0..32 .. slot.Outputs - 1 -> filtersFrom first |])

    interface IHostLayer with
        member _.Gains = [||]
        member _.Shifts = [||]

        member _.TryRectify() =
            rectifies <- true
            true

        member _.IsInPlace = false

        member _.Forward(x, y, stride, rows) =
            for part in filters do
                use weights = fixed part.Weights
                use biases = fixed part.Biases
                use runs = fixed part.Runs

                for row in 0 .. rows - 1 do
                    let from, into = NativePtr.add x (row * stride), NativePtr.add y (row * stride)
                    ConvProducts.forward multiplier shape part.Panel runs weights biases rectifies from into

        member _.Parameters = [|
            for part in filters do
                for filter in 0 .. part.Panel.Outputs - 1 do
                    for input in 0 .. slot.Inputs - 1 -> part.Weights[input * part.Panel.Width + filter]

            for part in filters do
                yield! Array.truncate part.Panel.Outputs part.Biases
        |]
