namespace NE.Model.Networks.Torch

open NE.Model.Networks
open NE.Model.Networks.ElementwiseKernels
open TorchSharp

/// The engine's operations outside of passes. Meanings as in ElementwiseKernels and IEngine.
type internal IElementwise =
    /// Whether our kernels compute, on the tensors' memory.
    abstract IsFused: bool
    abstract ScaledTanhBackward: d: TorchMatrix * output: TorchMatrix * scale: float32 -> unit
    abstract Adam: block: TorchBlock * options: AdamOptions -> unit
    abstract Polyak: target: TorchMemory * online: TorchMemory * tau: float32 -> unit
    abstract Copy: source: TorchMatrix * destination: TorchMatrix -> unit
    abstract Fill: matrix: TorchMatrix * value: float32 -> unit
    abstract Scale: matrix: TorchMatrix * factor: float32 -> unit
    abstract Clamp: matrix: TorchMatrix * bound: float32 -> unit
    abstract Minimum: matrix: TorchMatrix * other: TorchMatrix -> unit
    abstract Add: matrix: TorchMatrix * factor: float32 * other: TorchMatrix -> unit
    abstract AddDifference: matrix: TorchMatrix * factor: float32 * a: TorchMatrix * b: TorchMatrix -> unit
    abstract AddProduct: matrix: TorchMatrix * factor: float32 * a: TorchMatrix * b: TorchMatrix -> unit
    abstract Mean: matrix: TorchMatrix -> float
    abstract CreateSum: unit -> ISum

/// A sum in a 1 x 1 tensor. A download waits for everything before it.
[<Sealed>]
type internal DeviceSum(device: TorchDevice) =
    let sum =
        torch.zeros([| 1L; 1L |], dtype = torch.float32, device = device.Device).DetachFromDisposeScope()

    // What is in the tensor counts no more, without a launch to clear it.
    let mutable isFresh = true

    interface ISum with
        member _.Clear() = isFresh <- true

        member _.AddMeanSquare matrix =
            use _ = torch.NewDisposeScope()
            let count = int64 matrix.Rows * int64 matrix.Columns
            let row = (matrix :?> TorchMatrix).Tensor.reshape(1L, count)

            sum.addmm_ (row, row.t (), (if isFresh then 0.0f else 1.0f), 1.0f / float32 count)
            |> ignore

            isFresh <- false

        member _.Value =
            if isFresh then
                0.0
            else
                let value = sum.item<float32>()
                device.Waited()
                float value

        member _.Dispose() = sum.Dispose()

/// The fused kernels, on the tensors' own memory. CPU only.
[<Sealed>]
type internal FusedElementwise() =
    interface IElementwise with
        member _.IsFused = true

        member _.ScaledTanhBackward(d, output, scale) =
            scaledTanhBackward d.Strided output.Strided scale

        member _.Adam(block, options) = adam block.AdamMemory options

        member _.Polyak(target, online, tau) =
            polyak target.Address online.Address target.Length tau

        member _.Copy(source, destination) = copy source.Strided destination.Strided
        member _.Fill(matrix, value) = fill matrix.Strided value
        member _.Scale(matrix, factor) = scale matrix.Strided factor
        member _.Clamp(matrix, bound) = clamp matrix.Strided bound
        member _.Minimum(matrix, other) = minimum matrix.Strided other.Strided

        member _.Add(matrix, factor, other) = add matrix.Strided factor other.Strided

        member _.AddDifference(matrix, factor, a, b) =
            addDifference matrix.Strided factor a.Strided b.Strided

        member _.AddProduct(matrix, factor, a, b) =
            addProduct matrix.Strided factor a.Strided b.Strided

        member _.Mean matrix = mean matrix.Strided

        member _.CreateSum() =
            new HostSum(fun matrix -> (matrix :?> TorchMatrix).Strided)

/// The same with torch operations, for memory that is not on the CPU. Temporaries live until the end of each call. A gradient step of
/// the usual networks costs what its launches cost, so each of these takes as few operations as it can; sums are matrix products.
[<Sealed>]
type internal TorchElementwise(device: TorchDevice) =
    interface IElementwise with
        member _.IsFused = false

        member _.ScaledTanhBackward(d, output, scale) =
            use _ = torch.NewDisposeScope()

            d.Tensor.mul_ ((output.Tensor * output.Tensor).mul_(held (-1.0f / scale)).Increase scale)
            |> ignore

        member _.Adam(block, options) =
            use _ = torch.NewDisposeScope()
            let field name = (block.Memory name).Tensor
            let w, mask = field Field.Weights, field Field.Mask
            let g, bound = (field Field.Gradients).mul_ mask, field Field.Bound
            let m, v = field Field.FirstMoments, field Field.SecondMoments
            let p1, p2 = field Field.Beta1Powers, field Field.Beta2Powers

            // No moment is flushed to zero, as the kernels do: a GPU takes no longer for subnormal numbers.
            m.mul_(held (float32 options.Beta1)).add_(g, held (float32 (1.0 - options.Beta1)))
            |> ignore

            v.mul_(held (float32 options.Beta2)).addcmul_(g, g, held (float32 (1.0 - options.Beta2)))
            |> ignore

            p1.mul_ (held (float32 options.Beta1)) |> ignore
            p2.mul_ (held (float32 options.Beta2)) |> ignore
            let fromOne (t: torch.Tensor) = t.neg().Increase 1.0f
            let root = (fromOne p2).sqrt_()
            let size = v.sqrt().add_(root, held options.Epsilon).mul_(fromOne p1)

            w.addcdiv_(m * root, size, held -options.LearningRate).mul_(mask).clamp_(bound.neg (), bound)
            |> ignore

        member _.Polyak(target, online, tau) =
            use _ = torch.NewDisposeScope()
            target.Tensor.add_ (online.Tensor - target.Tensor, held tau) |> ignore

        member _.Copy(source, destination) =
            destination.Tensor.copy_ source.Tensor |> ignore

        member _.Fill(matrix, value) =
            use _ = torch.NewDisposeScope()
            matrix.Tensor.fill_ (held value) |> ignore

        member _.Scale(matrix, factor) =
            matrix.Tensor.mul_ (held factor) |> ignore

        member _.Clamp(matrix, bound) =
            matrix.Tensor.clamp_ (held -bound, held bound) |> ignore

        member _.Minimum(matrix, other) =
            matrix.Tensor.clamp_ (null, other.Tensor) |> ignore

        member _.Add(matrix, factor, other) =
            matrix.Tensor.add_ (other.Tensor, held factor) |> ignore

        member _.AddDifference(matrix, factor, a, b) =
            use difference = a.Tensor - b.Tensor
            matrix.Tensor.add_ (difference, held factor) |> ignore

        member _.AddProduct(matrix, factor, a, b) =
            matrix.Tensor.addcmul_ (a.Tensor, b.Tensor, held factor) |> ignore

        member _.Mean matrix =
            use result = matrix.Tensor.mean ()
            let value = result.item<float32>()
            device.Waited()
            float value

        member _.CreateSum() = new DeviceSum(device)
