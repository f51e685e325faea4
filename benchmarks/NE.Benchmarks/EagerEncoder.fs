namespace NE.Benchmarks

open System
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Networks.Torch
open TorchSharp

/// Convolutions with ReLUs on TorchSharp, with autograd, as its users write them, over random images. `byPixels`: whether images and filters lie by
/// pixels, which libtorch calls channels last, instead of by planes.
[<Sealed>]
type EagerEncoder(layout: BlockLayout, batch: int, byPixels: bool) =
    let random (sizes: int64[]) (scale: float32) (isLeaf: bool) =
        use _ = torch.NewDisposeScope()

        let tensor =
            if byPixels then
                torch.rand(sizes[0], sizes[2], sizes[3], sizes[1]).permute(0L, 3L, 1L, 2L)
            else
                torch.rand sizes

        tensor.sub_(held 0.5f).mul_(held (2.0f * scale)) |> ignore
        tensor.requires_grad <- isLeaf
        tensor.DetachFromDisposeScope()

    let image (shape: ImageShape) = [| int64 batch; int64 shape.Channels; int64 shape.Height; int64 shape.Width |]
    let slots = [ for layer in 0 .. layout.Layers - 1 -> layout.Slot(0, layer) ]

    let layers =
        slots
        |> List.map (fun slot ->
            let shape = slot.Convolution
            let bound = 1.0f / sqrt (float32 slot.Inputs)

            let filters =
                random [| int64 slot.Outputs; int64 shape.Input.Channels; 3L; 3L |] bound true

            let biases =
                (torch.zeros (int64 slot.Outputs)).requires_grad_().DetachFromDisposeScope()

            filters, biases, [| int64 shape.Stride; int64 shape.Stride |])

    let x = random (image slots.Head.Convolution.Input) 0.5f false
    let weight = random (image (List.last slots).Convolution.Output) 0.5f false

    let leaves =
        layers |> List.collect (fun (filters, biases, _) -> [ filters; biases ])

    let mutable result: torch.Tensor | null = null

    member _.Forward() : unit =
        use _ = torch.NewDisposeScope()
        let mutable h = x

        for filters, biases, strides in layers do
            h <- torch.nn.functional.relu (torch.nn.functional.conv2d (h, filters, biases, strides))

        result <- h.DetachFromDisposeScope()

    /// The gradients of all filters and biases, after Forward.
    member _.Backward() : unit =
        use _ = torch.NewDisposeScope()
        use y = nonNull result

        torch.autograd.grad ([| y |], Array.ofList leaves, [| weight |]) |> ignore

    interface IDisposable with
        member _.Dispose() =
            for tensor in x :: weight :: leaves do
                tensor.Dispose()
