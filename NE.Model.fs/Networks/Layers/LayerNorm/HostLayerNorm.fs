namespace NE.Model.Networks.Layers

open System
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels

/// A LayerNorm of a policy. The next layer applies gains and shifts.
[<Sealed>]
type internal HostLayerNorm private (gains: float32[], shifts: float32[]) =
    /// From a block's host array.
    static member Of(slot: LayerSlot, parameters: nativeptr<float32>) : HostLayerNorm =
        let copy offset =
            Span<float32>(NativePtr.toVoidPtr (NativePtr.add parameters offset), slot.Outputs).ToArray()

        HostLayerNorm(copy slot.Gains, copy slot.Shifts)

    interface IHostLayer with
        member _.Gains = gains
        member _.Shifts = shifts
        member _.TryRectify() = false
        member _.IsInPlace = true

        member _.Forward(x, _, stride, rows) =
            let mutable scale = 0.0f

            for row in 0 .. rows - 1 do
                let z: Strided = {
                    Memory = NativePtr.add x (row * stride)
                    Rows = 1
                    Columns = gains.Length
                    Stride = stride
                }

                LayerNormKernels.normalise z &&scale 0 1

        member _.Parameters = Seq.append gains shifts
