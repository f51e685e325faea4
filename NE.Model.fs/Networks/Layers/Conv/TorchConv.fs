namespace NE.Model.Networks.Layers

open System
open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp

/// A convolution on the torch engine. Images lie by pixels, the form that libtorch calls channels last. TorchSharp does not hand out libtorch's
/// backward functions of a convolution by themselves, so each layer is a graph of one operation for autograd.
[<Sealed>]
type internal TorchConv(pass: TorchPassing, slot: LayerSlot, input: TorchFeatures) =
    let shape = slot.Convolution

    /// A matrix's rows as images [n x height x width x channels], the same memory.
    let images (matrix: TorchMatrix) (image: ImageShape) =
        matrix.Tensor.view (int64 matrix.Rows, int64 image.Height, int64 image.Width, int64 image.Channels)

    /// The same as libtorch's convolutions read it, [n x channels x height x width], apart from everything that autograd knows.
    let leaf (tensor: torch.Tensor) (hasGradient: bool) =
        use _ = torch.NewDisposeScope()
        let leaf = tensor.permute(0L, 3L, 1L, 2L).detach ()
        leaf.requires_grad <- hasGradient
        pass.Own(leaf.DetachFromDisposeScope())

    let filters field =
        let kernel = int64 ConvForm.Kernel
        let weights = pass.Own(pass.Block.WeightsView(field, slot))
        weights.Tensor.view (int64 slot.Outputs, kernel, kernel, int64 shape.Input.Channels)

    let biases field =
        (pass.Own(pass.Block.OutputsView(field, slot, slot.Biases))).Tensor.view -1L

    let weights = leaf (filters Field.Weights) pass.HasParameters

    let bias =
        use _ = torch.NewDisposeScope()
        let bias = (biases Field.Weights).detach ()
        bias.requires_grad <- pass.HasParameters
        pass.Own(bias.DetachFromDisposeScope())

    let x = leaf (images input.Values shape.Input) input.Gradient.IsSome

    let gradients =
        if pass.HasParameters then
            ValueSome(struct (leaf (filters Field.Gradients) false, pass.Own((biases Field.Gradients).DetachFromDisposeScope())))
        else
            ValueNone

    let output = {
        Values = pass.Matrix shape.Output.Size
        Norm = ValueNone
        Gradient = pass.Gradient shape.Output.Size
        First = 0
        Kept = 0.0f
    }

    let y = leaf (images output.Values shape.Output) false

    let d =
        output.Gradient
        |> ValueOption.map (fun gradient -> leaf (images gradient shape.Output) false)

    let inputGradient =
        match input.Gradient with
        | ValueNone -> ValueNone
        | ValueSome wanted when wanted.Columns <> shape.Input.Size ->
            invalidOp $"The gradient by an image is computed by all of its {shape.Input.Size} floats; {wanted.Columns} were asked for."
        | ValueSome wanted -> ValueSome(leaf (images wanted shape.Input) false)

    // What autograd differentiates with respect to, and where its gradient goes.
    let wanted = [|
        match gradients with
        | ValueSome(struct (byWeights, byBias)) ->
            weights, byWeights, 0.0f
            bias, byBias, 0.0f
        | ValueNone -> ()

        match inputGradient with
        | ValueSome into -> x, into, input.Kept
        | ValueNone -> ()
    |]

    let leaves = wanted |> Array.map (fun (leaf, _, _) -> leaf)
    let strides = [| int64 shape.Stride; int64 shape.Stride |]
    // The result with its graph, from a Forward to the next.
    let mutable result: torch.Tensor | null = null

    let forget () =
        match result with
        | null -> ()
        | known -> known.Dispose()

        result <- null

    do
        pass.Own
            { new IDisposable with
                member _.Dispose() = forget ()
            }
        |> ignore

    let mutable rectifies = false

    interface ITorchLayer with
        member _.Output = output

        member _.TryRectify() =
            rectifies <- true
            true

        member _.Forward() =
            forget ()
            use _ = torch.NewDisposeScope()
            let made = torch.nn.functional.conv2d (x, weights, bias, strides)
            use _ = torch.no_grad ()
            y.copy_ made |> ignore

            if rectifies then
                output.Values.Tensor.relu_ () |> ignore

            if leaves.Length > 0 then
                result <- made.DetachFromDisposeScope()

        member _.Backward() =
            if rectifies then
                TorchRectifier.Mask(pass, output.Gradient.Value, output.Values)

            if leaves.Length > 0 then
                use _ = torch.NewDisposeScope()
                let found = torch.autograd.grad ([| nonNull result |], leaves, [| d.Value |])
                forget ()

                for (_, into, kept), gradient in Seq.zip wanted found do
                    if kept = 0.0f then
                        into.copy_ gradient |> ignore
                    else
                        into.Increase gradient |> ignore
