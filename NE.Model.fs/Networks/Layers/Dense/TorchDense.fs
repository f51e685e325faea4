namespace NE.Model.Networks.Layers

open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp

/// A fully connected layer on the torch engine: the three matrix products are libtorch's.
[<Sealed>]
type internal TorchDense(pass: TorchPassing, slot: LayerSlot, input: TorchFeatures) =
    let view field =
        struct (pass.Own(pass.Block.WeightsView(field, slot)), pass.Own(pass.Block.OutputsView(field, slot, slot.Biases)))

    let struct (weights, biases) = view Field.Weights

    let gradients =
        if pass.HasParameters then
            ValueSome(view Field.Gradients)
        else
            ValueNone

    // The columns of the weights that belong to the inputs whose gradient is wanted.
    let inputWeights =
        match input.Gradient with
        | ValueNone -> ValueNone
        | ValueSome wanted -> ValueSome(pass.Own(weights.View(input.First, wanted.Columns)))

    let output = {
        Values = pass.Matrix slot.Outputs
        Norm = ValueNone
        Gradient = pass.Gradient slot.Outputs
        First = 0
        Kept = 0.0f
    }

    let mutable rectifies = false

    let addBias () =
        if pass.IsFused then
            DenseKernels.addBias output.Values.Strided biases.Strided.Memory rectifies
        else
            output.Values.Tensor.Increase biases.Tensor |> ignore

            if rectifies then
                output.Values.Tensor.relu_ () |> ignore

    let columnSums (d: TorchMatrix) (sums: TorchMatrix) =
        if pass.IsFused then
            DenseKernels.columnSums d.Strided sums.Strided.Memory
        else
            sums.Tensor.addmm_ (pass.Ones, d.Tensor, 0.0f, 1.0f) |> ignore

    interface ITorchLayer with
        member _.Output = output

        member _.TryRectify() =
            rectifies <- true
            true

        member _.Forward() =
            output.Values.Tensor.addmm_ (input.Values.Tensor, weights.Transposed, 0.0f, 1.0f)
            |> ignore

            addBias ()

        member _.Backward() =
            let d = output.Gradient.Value

            if rectifies then
                TorchRectifier.Mask(pass, d, output.Values)

            match gradients with
            | ValueNone -> ()
            | ValueSome(struct (weights, biases)) ->
                weights.Tensor.addmm_ (d.Transposed, input.Values.Tensor, 0.0f, 1.0f) |> ignore
                columnSums d biases

            match inputWeights with
            | ValueNone -> ()
            | ValueSome wanted ->
                input.Gradient.Value.Tensor.addmm_ (d.Tensor, wanted.Tensor, input.Kept, 1.0f)
                |> ignore
