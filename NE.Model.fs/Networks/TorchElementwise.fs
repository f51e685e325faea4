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
    abstract PullTowards: block: TorchBlock * anchor: TorchMemory * rate: float32 -> unit
    abstract Copy: source: TorchMatrix * destination: TorchMatrix -> unit
    abstract Combine: kept: TorchMatrix * added: TorchMatrix * subtracted: TorchMatrix * destination: TorchMatrix -> unit
    abstract Fill: matrix: TorchMatrix * value: float32 -> unit
    abstract Mean: matrix: TorchMatrix -> float

    abstract SmoothedAction:
        action: TorchMatrix * noise: TorchMatrix * noiseClip: float32 * maxAction: float32 * destination: TorchMatrix -> unit

    abstract TdTarget: values: TorchMatrix[] * reward: TorchMatrix * notDone: TorchMatrix * discount: float32 * target: TorchMatrix -> unit

    abstract SquaredError: values: TorchMatrix[] * target: TorchMatrix * gradients: TorchMatrix[] -> unit
    abstract Loss: float

/// The fused kernels, on the tensors' own memory. CPU only.
[<Sealed>]
type internal FusedElementwise() =
    // Reused, so that handing matrices to a kernel costs no array per step.
    let pair: Strided[][] = [| Array.zeroCreate 2; Array.zeroCreate 2 |]
    let mutable loss = 0.0

    let strided slot (matrices: TorchMatrix[]) =
        if pair[slot].Length <> matrices.Length then
            pair[slot] <- Array.zeroCreate matrices.Length

        for i in 0 .. matrices.Length - 1 do
            pair[slot][i] <- matrices[i].Strided

        pair[slot]

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

        member _.PullTowards(block, anchor, rate) =
            let field name = (block.Memory name).Address
            pullTowards (field Field.Gradients) (field Field.Weights) anchor.Address anchor.Length rate

        member _.Copy(source, destination) = copy source.Strided destination.Strided

        member _.Combine(kept, added, subtracted, destination) =
            combine kept.Strided added.Strided subtracted.Strided destination.Strided

        member _.Fill(matrix, value) = fill matrix.Strided value
        member _.Mean matrix = mean matrix.Strided

        member _.SmoothedAction(action, noise, noiseClip, maxAction, destination) =
            smoothedAction action.Strided noise.Strided noiseClip maxAction destination.Strided

        member _.TdTarget(values, reward, notDone, discount, target) =
            tdTarget (strided 0 values) reward.Strided notDone.Strided discount target.Strided

        member _.SquaredError(values, target, gradients) =
            loss <- squaredError (strided 0 values) target.Strided (strided 1 gradients)

        member _.Loss = loss

/// The same with torch operations, for memory that is not on the CPU. Temporaries live until the end of each call. A gradient step of
/// the usual networks costs what its launches cost, so each of these takes as few operations as it can; sums are matrix products.
[<Sealed>]
type internal TorchElementwise(device: TorchDevice) =
    // These are few small tensors, left to their finalizers.
    // 1 x 1, on the device until it is asked for: a download waits for everything before it.
    let loss =
        lazy (torch.zeros([| 1L; 1L |], dtype = torch.float32, device = device.Device).DetachFromDisposeScope())

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

    /// A number on the host.
    let download (tensor: torch.Tensor) =
        let value = tensor.item<float32>()
        device.Waited()
        float value

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

        member _.PullTowards(block, anchor, rate) =
            use _ = torch.NewDisposeScope()
            let field name = (block.Memory name).Tensor

            (field Field.Gradients).add_((field Field.Weights) - anchor.Tensor, held rate)
            |> ignore

        member _.Copy(source, destination) =
            destination.Tensor.copy_ source.Tensor |> ignore

        member _.Combine(kept, added, subtracted, destination) =
            use _ = torch.NewDisposeScope()

            destination.Tensor.copy_ ((added.Tensor - subtracted.Tensor).Increase kept.Tensor)
            |> ignore

        member _.Fill(matrix, value) =
            use _ = torch.NewDisposeScope()
            matrix.Tensor.fill_ (held value) |> ignore

        member _.Mean matrix =
            use result = matrix.Tensor.mean ()
            download result

        member _.SmoothedAction(action, noise, noiseClip, maxAction, destination) =
            use _ = torch.NewDisposeScope()

            let next =
                noise.Tensor.clamp(held -noiseClip, held noiseClip).Increase(action.Tensor).clamp_(held -maxAction, held maxAction)

            destination.Tensor.copy_ next |> ignore

        member _.TdTarget(values, reward, notDone, discount, target) =
            use _ = torch.NewDisposeScope()

            let least =
                values |> Array.map _.Tensor |> Array.reduce (fun a b -> torch.minimum (a, b))

            target.Tensor.copy_(reward.Tensor).addcmul_(least, notDone.Tensor, held discount)
            |> ignore

        member _.SquaredError(values, target, gradients) =
            use _ = torch.NewDisposeScope()

            let rows = float32 target.Rows

            for i in 0 .. values.Length - 1 do
                let gradient = gradients[i]

                let error = gradient.Tensor.copy_(values[i].Tensor).sub_ target.Tensor

                // The sum of squares over the rows, added to that of the critics before.
                loss.Value.addmm_ (gradient.Transposed, error, (if i = 0 then 0.0f else 1.0f), 1.0f / rows)
                |> ignore

                error.mul_ (held (2.0f / rows)) |> ignore

        member _.Loss = download loss.Value
