namespace NE.Model.Networks

open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels
open TorchSharp

/// Gains and shifts of a LayerNorm, or their gradients.
[<Struct; NoEquality; NoComparison>]
type internal TorchNorm = {
    Gains: TorchMatrix
    Shifts: TorchMatrix
}

/// Everything of the engine that is not a matrix product. Meanings as in ElementwiseKernels and IEngine.
type internal IElementwise =
    abstract AddBias: z: TorchMatrix * bias: TorchMatrix * relu: bool -> unit
    abstract ReluBackward: d: TorchMatrix * activation: TorchMatrix -> unit
    abstract ColumnSums: d: TorchMatrix * sums: TorchMatrix -> unit
    abstract ScaledTanhBackward: d: TorchMatrix * output: TorchMatrix * scale: float32 -> unit
    // As in FeatureKernels, for all rows; scales are rows x 1, gains and shifts 1 x outputs.
    abstract Normalise: z: TorchMatrix * scales: TorchMatrix -> unit
    abstract Activate: x: TorchMatrix * norm: TorchNorm voption * features: TorchMatrix -> unit
    abstract Fold: d: TorchMatrix * into: TorchMatrix -> unit
    abstract NormaliseBackward: d: TorchMatrix * x: TorchMatrix * norm: TorchNorm * scales: TorchMatrix * into: TorchMatrix -> unit
    abstract NormGradients: d: TorchMatrix * x: TorchMatrix * norm: TorchNorm -> unit
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
        member _.AddBias(z, bias, relu) =
            addBias z.Strided bias.Strided.Memory relu

        member _.ReluBackward(d, activation) =
            reluBackward d.Strided activation.Strided

        member _.ColumnSums(d, sums) =
            columnSums d.Strided sums.Strided.Memory

        member _.ScaledTanhBackward(d, output, scale) =
            scaledTanhBackward d.Strided output.Strided scale

        member _.Normalise(z, scales) =
            FeatureKernels.normalise z.Strided scales.Strided.Memory 0 z.Rows

        member _.Activate(x, norm, features) =
            match norm with
            | ValueNone -> FeatureKernels.activate x.Strided NativePtr.nullPtr NativePtr.nullPtr features.Strided 0 x.Rows
            | ValueSome norm ->
                FeatureKernels.activate x.Strided norm.Gains.Strided.Memory norm.Shifts.Strided.Memory features.Strided 0 x.Rows

        member _.Fold(d, into) =
            FeatureKernels.fold d.Strided into.Strided 0 d.Rows

        member _.NormaliseBackward(d, x, norm, scales, into) =
            FeatureKernels.normaliseBackward d.Strided x.Strided norm.Gains.Strided.Memory scales.Strided.Memory into.Strided 0 x.Rows

        member _.NormGradients(d, x, norm) =
            FeatureKernels.normGradients d.Strided x.Strided x.Columns norm.Gains.Strided.Memory norm.Shifts.Strided.Memory

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
    // These are few small tensors, left to their finalizers.
    // 1 x rows, by rows.
    let ones = System.Collections.Generic.Dictionary<int, torch.Tensor>()

    let onesOf rows =
        match ones.TryGetValue rows with
        | true, known -> known
        | false, _ ->
            let made =
                torch.ones([| 1L; int64 rows |], dtype = torch.float32, device = device.Device).DetachFromDisposeScope()

            ones[rows] <- made
            made

    /// Sums over the rows of d.
    let columnSums (d: torch.Tensor) (sums: TorchMatrix) =
        sums.Tensor.addmm_ (onesOf (int d.shape[0]), d, 0.0f, 1.0f) |> ignore

    interface IElementwise with
        member _.AddBias(z, bias, relu) =
            z.Tensor.Increase bias.Tensor |> ignore

            if relu then
                z.Tensor.relu_ () |> ignore

        member _.ReluBackward(d, activation) =
            use sign = activation.Tensor.sign ()
            d.Tensor.mul_ sign |> ignore

        member _.ColumnSums(d, sums) = columnSums d.Tensor sums

        member _.ScaledTanhBackward(d, output, scale) =
            use _ = torch.NewDisposeScope()

            d.Tensor.mul_ ((output.Tensor * output.Tensor).mul_(held (-1.0f / scale)).Increase scale)
            |> ignore

        member _.Normalise(z, scales) =
            use _ = torch.NewDisposeScope()
            let z = z.Tensor
            z.sub_ (z.mean ([| 1L |], keepdim = true)) |> ignore
            let variance = (z * z).mean([| 1L |], keepdim = true)

            scales.Tensor.copy_ (variance.Increase(FeatureKernels.Epsilon).rsqrt_())
            |> ignore

            z.mul_ scales.Tensor |> ignore

        member _.Activate(x, norm, features) =
            use _ = torch.NewDisposeScope()
            let columns = int64 x.Columns

            let y =
                match norm with
                | ValueNone -> x.Tensor
                | ValueSome norm -> (x.Tensor * norm.Gains.Tensor).Increase norm.Shifts.Tensor

            if features.Columns = x.Columns then
                features.Tensor.copy_ (y.relu ()) |> ignore
            else
                features.Tensor.narrow(1L, 0L, columns).copy_(y.relu ()) |> ignore
                features.Tensor.narrow(1L, columns, columns).copy_(y.neg().relu_()) |> ignore

        member _.Fold(d, into) =
            use _ = torch.NewDisposeScope()
            let columns = int64 into.Columns

            into.Tensor.copy_ (d.Tensor.narrow (1L, 0L, columns) - d.Tensor.narrow (1L, columns, columns))
            |> ignore

        member _.NormaliseBackward(d, x, norm, scales, into) =
            use _ = torch.NewDisposeScope()
            let g = d.Tensor * norm.Gains.Tensor
            let mean = g.mean ([| 1L |], keepdim = true)
            let along = (g * x.Tensor).mean([| 1L |], keepdim = true)

            into.Tensor.copy_ (g.sub_(mean).sub_(x.Tensor * along).mul_ scales.Tensor)
            |> ignore

        member _.NormGradients(d, x, norm) =
            use along = d.Tensor * x.Tensor
            columnSums along norm.Gains
            columnSums d.Tensor norm.Shifts

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
