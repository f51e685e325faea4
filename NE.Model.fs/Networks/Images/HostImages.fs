namespace NE.Model.Networks.Images

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Replay

/// Where a policy of images begins: an observation's bytes [channels x height x width] become floats by pixels. Four bytes are packed into each
/// float of the observation, which is no number.
[<Sealed>]
type internal HostImages(shape: ImageShape) =
    /// Floats of an observation.
    static member PackedSize(shape: ImageShape) = PackedBytes.floats shape.Size

    interface IHostLayer with
        member _.Gains = [||]
        member _.Shifts = [||]
        member _.TryRectify() = false
        member _.IsInPlace = false

        member _.Forward(x, y, stride, rows) =
            for row in 0 .. rows - 1 do
                let bytes =
                    NativePtr.ofNativeInt<byte>(NativePtr.toNativeInt (NativePtr.add x (row * stride)))

                ImageKernels.write bytes shape ImageKernels.unmoved (NativePtr.add y (row * stride))

        member _.Parameters = [||]
