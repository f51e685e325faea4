namespace NE.Model.Networks.Layers

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.Torch
open TorchSharp

/// ReLU, or CReLU if it hands on both signs, on the torch engine.
[<Sealed>]
type internal TorchRectifier(pass: TorchPassing, input: TorchFeatures, hasBothSigns: bool) =
    let x = input.Values

    let features = pass.Matrix(if hasBothSigns then 2 * x.Columns else x.Columns)

    let output = {
        Values = features
        Norm = ValueNone
        Gradient =
            if hasBothSigns then
                pass.Gradient features.Columns
            else
                input.Gradient
        First = 0
        Kept = 0.0f
    }

    let activate () =
        use _ = torch.NewDisposeScope()
        let columns = int64 x.Columns

        let y =
            match input.Norm with
            | ValueNone -> x.Tensor
            | ValueSome norm -> (x.Tensor * norm.Gains.Tensor).Increase norm.Shifts.Tensor

        if hasBothSigns then
            features.Tensor.narrow(1L, 0L, columns).copy_(y.relu ()) |> ignore
            features.Tensor.narrow(1L, columns, columns).copy_(y.neg().relu_()) |> ignore
        else
            features.Tensor.copy_ (y.relu ()) |> ignore

    let activateFused () =
        match input.Norm with
        | ValueNone -> RectifierKernels.activate x.Strided NativePtr.nullPtr NativePtr.nullPtr features.Strided 0 x.Rows
        | ValueSome norm ->
            RectifierKernels.activate x.Strided norm.Gains.Strided.Memory norm.Shifts.Strided.Memory features.Strided 0 x.Rows

    let fold (d: TorchMatrix) (into: TorchMatrix) =
        if pass.IsFused then
            RectifierKernels.fold d.Strided into.Strided 0 d.Rows
        else
            use _ = torch.NewDisposeScope()
            let columns = int64 into.Columns

            into.Tensor.copy_ (d.Tensor.narrow (1L, 0L, columns) - d.Tensor.narrow (1L, columns, columns))
            |> ignore

    /// The gradient is kept where the activation is positive, and becomes 0 elsewhere.
    static member Mask(pass: TorchPassing, gradient: TorchMatrix, activation: TorchMatrix) : unit =
        if pass.IsFused then
            RectifierKernels.mask gradient.Strided activation.Strided
        else
            use sign = activation.Tensor.sign ()
            gradient.Tensor.mul_ sign |> ignore

    interface ITorchLayer with
        member _.Output = output
        member _.TryRectify() = false

        member _.Forward() =
            if pass.IsFused then activateFused () else activate ()

        member _.Backward() =
            let d = output.Gradient.Value
            TorchRectifier.Mask(pass, d, features)

            if hasBothSigns then
                fold d input.Gradient.Value
