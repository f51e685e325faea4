namespace NE.Model.Networks.Layers

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// A LayerNorm of a policy. The next layer applies gains and shifts, or it does so itself where there is none (`isLast`).
[<Sealed>]
type internal HostLayerNorm private (gains: float32[], shifts: float32[], isLast: bool) =
    let columns = gains.Length

    /// From a block's host array.
    static member Of(slot: LayerSlot, parameters: nativeptr<float32>) : HostLayerNorm =
        let copy offset =
            Span<float32>(NativePtr.toVoidPtr (NativePtr.add parameters offset), slot.Outputs).ToArray()

        HostLayerNorm(copy slot.Gains, copy slot.Shifts, slot.EndsNormed)

    interface IHostLayer with
        member _.Gains = if isLast then [||] else gains
        member _.Shifts = if isLast then [||] else shifts
        member _.TryRectify() = false
        member _.IsInPlace = true

        member _.Forward(x, _, stride, rows) =
            let mutable scale = 0.0f
            use gains = fixed gains
            use shifts = fixed shifts

            for row in 0 .. rows - 1 do
                let z: Strided = {
                    Memory = NativePtr.add x (row * stride)
                    Rows = 1
                    Columns = columns
                    Stride = stride
                }

                LayerNormKernels.normalise z &&scale 0 1

                if isLast then
                    LayerNormKernels.stretch z gains shifts z 0 1

        member _.Parameters = Array.append gains shifts
