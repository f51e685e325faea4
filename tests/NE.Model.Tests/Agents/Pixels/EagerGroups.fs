/// Groups of networks, convolutions among them, from torch functions with autograd, in double precision. Their parameters, Adam and
/// Polyak's averages are arrays on the host, so that no tensor outlives a gradient step.
module NE.Model.Tests.Agents.Pixels.EagerGroups

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Layers
open TorchSharp

/// The equal networks of a block, with their parameters as leaves of a graph, or as constants.
[<Sealed>]
type EagerBlock(layout: BlockLayout, values: float[], learns: bool) =
    let leaf first (shape: int64[]) =
        let count = int (Array.reduce (*) shape)
        let tensor = torch.tensor(Array.sub values first count).reshape shape
        tensor.requires_grad <- learns
        first, tensor

    // Of every slot: its weights, then what its neurons have besides.
    let leaves =
        Array.init layout.Stacks (fun stack ->
            Array.init layout.Layers (fun layer ->
                let slot = layout.Slot(stack, layer)

                [
                    leaf slot.Weights [| int64 slot.Outputs; int64 slot.Inputs |]
                    for parameter in slot.PerNeuron do
                        leaf parameter.First [| int64 slot.Outputs |]
                ]))

    /// What a network makes of rows, or of images [rows x channels x height x width].
    member _.Forward(stack: int, x: torch.Tensor) : torch.Tensor =
        let mutable h = x

        for layer in 0 .. layout.Layers - 1 do
            let slot, ofSlot = layout.Slot(stack, layer), leaves[stack].[layer]
            let leaf i = snd (List.item i ofSlot)

            for form in slot.Forms do
                match form with
                | LayerForm.Dense _ -> h <- torch.nn.functional.linear (h, leaf 0, leaf 1)
                | LayerForm.Conv(_, stride) ->
                    let channels, stride = int64 slot.Convolution.Input.Channels, int64 stride
                    // A filter's weights lie by pixels, the channels of a pixel side by side.
                    let byPixels = (leaf 0).reshape(int64 slot.Outputs, 3L, 3L, channels)
                    h <- torch.nn.functional.conv2d (h, byPixels.permute (0L, 3L, 1L, 2L), leaf 1, [| stride; stride |])
                | LayerForm.LayerNorm -> h <- torch.nn.functional.layer_norm (h, [| int64 slot.Outputs |], leaf 2, leaf 3, 1e-5)
                | LayerForm.Relu -> h <- torch.nn.functional.relu h
                | LayerForm.Crelu -> failwith "No network of these tests has a CReLU."

        h

    /// Writes the gradients into an array in the block's layout.
    member _.Store(gradients: float[]) : unit =
        for ofStack in leaves do
            for ofSlot in ofStack do
                for first, tensor in ofSlot do
                    (nonNull tensor.grad).contiguous().data<float>().ToArray().CopyTo(gradients, first)

/// Adam with bias correction (Kingma and Ba 2015, algorithm 1), of so many values.
[<Sealed>]
type EagerAdam(learner: LearnerSettings, count: int) =
    let beta1, beta2 = learner.AdamBeta1, learner.AdamBeta2
    let first, second = Array.zeroCreate<float> count, Array.zeroCreate<float> count
    let mutable steps = 0

    /// A step against the gradient.
    member _.Step(values: float[], gradient: float[], rate: float) : unit =
        steps <- steps + 1
        let correction1 = 1.0 - Math.Pow(beta1, float steps)
        let correction2 = 1.0 - Math.Pow(beta2, float steps)

        for i in 0 .. count - 1 do
            first[i] <- beta1 * first[i] + (1.0 - beta1) * gradient[i]
            second[i] <- beta2 * second[i] + (1.0 - beta2) * gradient[i] * gradient[i]
            let m, v = first[i] / correction1, second[i] / correction2
            values[i] <- values[i] - rate * m / (sqrt v + learner.AdamEpsilon)

/// A group of networks and its target, both as they are now in a learner's group; from then on they go their own way.
[<Sealed>]
type EagerGroup(group: NetworkGroup, learner: LearnerSettings) =
    let layout = group.Layout
    let online = group.ReadOnline Field.Weights |> Array.map float
    let target = group.ReadTarget() |> Array.map float
    let gradient = Array.zeroCreate<float> layout.Length
    let adam = EagerAdam(learner, layout.Length)

    /// The parameters, in the block's layout.
    member _.Online: float[] = online
    /// Those of the target.
    member _.Target: float[] = target
    /// That of the last step.
    member _.Gradient: float[] = gradient

    /// The networks of now, for a loss that they learn from.
    member _.Learning() = EagerBlock(layout, online, true)
    /// The networks of now, as constants.
    member _.Held() = EagerBlock(layout, online, false)
    /// The targets of now, as constants.
    member _.HeldTargets() = EagerBlock(layout, target, false)

    /// The optimiser's step, after the backward pass of a loss of these networks.
    member _.Step(networks: EagerBlock, rate: float) : unit =
        networks.Store gradient
        adam.Step(online, gradient, rate)

    /// theta' = tau theta + (1 - tau) theta'.
    member _.Polyak(tau: float) : unit =
        for i in 0 .. target.Length - 1 do
            target[i] <- tau * online[i] + (1.0 - tau) * target[i]
