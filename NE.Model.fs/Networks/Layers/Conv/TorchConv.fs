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

    /// The same memory as libtorch reads it, apart from everything that autograd knows.
    let leafOf (view: torch.Tensor -> torch.Tensor) (matrix: TorchMatrix) (hasGradient: bool) =
        use _ = torch.NewDisposeScope()
        let leaf = (view matrix.Tensor).detach()
        leaf.requires_grad <- hasGradient
        pass.Own(leaf.DetachFromDisposeScope())

    /// Rows of images or of filters, [rows x channels x height x width].
    let images (image: ImageShape) =
        leafOf (fun rows -> rows.view(-1L, int64 image.Height, int64 image.Width, int64 image.Channels).permute(0L, 3L, 1L, 2L))

    let filters field =
        images
            {
                shape.Input with
                    Height = ConvForm.Kernel
                    Width = ConvForm.Kernel
            }
            (pass.Own(pass.Block.WeightsView(field, slot)))

    let biases field =
        leafOf (fun row -> row.view -1L) (pass.Own(pass.Block.OutputsView(field, slot, slot.Biases)))

    let weights = filters Field.Weights pass.HasParameters
    let bias = biases Field.Weights pass.HasParameters
    let x = images shape.Input input.Values input.Gradient.IsSome

    let output = {
        Values = pass.Matrix shape.Output.Size
        Norm = ValueNone
        Gradient = pass.Gradient shape.Output.Size
        First = 0
        Kept = 0.0f
    }

    let y = images shape.Output output.Values false

    let d =
        output.Gradient
        |> ValueOption.map (fun gradient -> images shape.Output gradient false)

    let inputGradient =
        match input.Gradient with
        | ValueNone -> ValueNone
        | ValueSome wanted when wanted.Columns <> shape.Input.Size ->
            invalidOp $"The gradient by an image is computed by all of its {shape.Input.Size} floats; {wanted.Columns} were asked for."
        | ValueSome wanted -> ValueSome(images shape.Input wanted false)

    // What autograd differentiates with respect to, and where its gradient goes.
    let wanted = [|
        if pass.HasParameters then
            weights, filters Field.Gradients false, 0.0f
            bias, biases Field.Gradients false, 0.0f

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
            {
                new IDisposable with
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

                let found =
                    torch.autograd.grad ([| nonNull result |], leaves, [| d.Value |], retain_graph = true)

                for (_, into, kept), gradient in Seq.zip wanted found do
                    if kept = 0.0f then
                        into.copy_ gradient |> ignore
                    else
                        into.Increase gradient |> ignore
