namespace NE.Model.Networks

open System
open Microsoft.FSharp.NativeInterop

/// The head scale * tanh of one of a policy's networks, where another one follows.
[<Sealed>]
type internal HostTanh(columns: int, scale: float32) =
    interface IHostLayer with
        member _.Gains = [||]
        member _.Shifts = [||]
        member _.TryRectify() = false
        member _.IsInPlace = true

        member _.Forward(x, _, stride, rows) =
            for row in 0 .. rows - 1 do
                let values = NativePtr.add x (row * stride)

                for column in 0 .. columns - 1 do
                    NativePtr.set values column (scale * MathF.Tanh(NativePtr.get values column))

        member _.Parameters = Seq.empty
