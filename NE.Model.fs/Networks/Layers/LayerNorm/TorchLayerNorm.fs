namespace NE.Model.Networks.Layers

open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp

/// A LayerNorm on the torch engine. It normalises the linear outputs where they are; the next layer applies gains and shifts, or it does so itself
/// where there is none.
[<Sealed>]
type internal TorchLayerNorm(pass: TorchPassing, slot: LayerSlot, input: TorchFeatures) =
    let normOf field : TorchNorm = {
        Gains = pass.Own(pass.Block.OutputsView(field, slot, slot.Gains))
        Shifts = pass.Own(pass.Block.OutputsView(field, slot, slot.Shifts))
    }

    let x, norm = input.Values, normOf Field.Weights
    // rows x 1: what the rows were multiplied by.
    let scales = pass.Matrix 1

    let output = {
        Values = if slot.EndsNormed then pass.Matrix slot.Outputs else x
        Norm = if slot.EndsNormed then ValueNone else ValueSome norm
        Gradient = pass.Gradient slot.Outputs
        First = 0
        Kept = 0.0f
    }

    let gradients =
        if pass.HasParameters then
            ValueSome(normOf Field.Gradients)
        else
            ValueNone

    let normalise () =
        if pass.IsFused then
            LayerNormKernels.normalise x.Strided scales.Strided.Memory 0 x.Rows
        else
            use _ = torch.NewDisposeScope()
            let z = x.Tensor
            z.sub_ (z.mean ([| 1L |], keepdim = true)) |> ignore
            let variance = (z * z).mean([| 1L |], keepdim = true)

            scales.Tensor.copy_ (variance.Increase(LayerNormKernels.Epsilon).rsqrt_())
            |> ignore

            z.mul_ scales.Tensor |> ignore

    let stretch (y: TorchMatrix) =
        if pass.IsFused then
            LayerNormKernels.stretch x.Strided norm.Gains.Strided.Memory norm.Shifts.Strided.Memory y.Strided 0 x.Rows
        else
            use _ = torch.NewDisposeScope()

            y.Tensor.copy_ ((x.Tensor * norm.Gains.Tensor).Increase norm.Shifts.Tensor)
            |> ignore

    let backward (d: TorchMatrix) (into: TorchMatrix) =
        if pass.IsFused then
            LayerNormKernels.normaliseBackward d.Strided x.Strided norm.Gains.Strided.Memory scales.Strided.Memory into.Strided 0 x.Rows
        else
            use _ = torch.NewDisposeScope()
            let g = d.Tensor * norm.Gains.Tensor
            let mean = g.mean ([| 1L |], keepdim = true)
            let along = (g * x.Tensor).mean([| 1L |], keepdim = true)

            into.Tensor.copy_ (g.sub_(mean).sub_(x.Tensor * along).mul_ scales.Tensor)
            |> ignore

    let parameters (d: TorchMatrix) (into: TorchNorm) =
        if pass.IsFused then
            LayerNormKernels.gradients d.Strided x.Strided x.Columns into.Gains.Strided.Memory into.Shifts.Strided.Memory
        else
            use along = d.Tensor * x.Tensor
            into.Gains.Tensor.addmm_ (pass.Ones, along, 0.0f, 1.0f) |> ignore
            into.Shifts.Tensor.addmm_ (pass.Ones, d.Tensor, 0.0f, 1.0f) |> ignore

    interface ITorchLayer with
        member _.Output = output
        member _.TryRectify() = false

        member _.Forward() =
            normalise ()

            if slot.EndsNormed then
                stretch output.Values

        member _.Backward() =
            let d = output.Gradient.Value
            backward d input.Gradient.Value
            gradients |> ValueOption.iter (parameters d)
