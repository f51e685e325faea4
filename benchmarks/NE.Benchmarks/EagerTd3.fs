namespace NE.Benchmarks

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp
open TorchSharp.Modules
open type TorchSharp.torch.nn

/// A chain of Linear layers with ReLU between them, and scale * tanh at the end if there is a scale.
type Mlp(widths: int[], scale: float32 option) as this =
    inherit torch.nn.Module<torch.Tensor, torch.Tensor>("mlp")

    let layers =
        Array.init (widths.Length - 1) (fun i -> Linear(int64 widths[i], int64 widths[i + 1]))

    do layers |> Array.iteri (fun i layer -> this.register_module ($"layer{i}", layer))

    member _.Layers: Linear[] = layers

    /// Sets all parameters from a block's host array.
    member _.Load(layout: BlockLayout, stack: int, values: float32[]) =
        use _ = torch.no_grad ()

        for i in 0 .. layers.Length - 1 do
            let slot = layout.Slot(stack, i)

            let weights =
                torch.tensor(Array.sub values slot.Weights slot.WeightCount).reshape(int64 slot.Outputs, int64 slot.Inputs)

            layers[i].weight.copy_ weights |> ignore
            let biases = torch.tensor (Array.sub values slot.Biases slot.Outputs)
            (nonNull layers[i].bias).copy_ biases |> ignore

    /// Writes `select` of every parameter (itself, its gradient) into a block's host array.
    member _.Store(layout: BlockLayout, stack: int, select: torch.Tensor -> torch.Tensor, values: float32[]) =
        for i in 0 .. layers.Length - 1 do
            let slot = layout.Slot(stack, i)
            (select layers[i].weight).detach().data<float32>().ToArray().CopyTo(values, slot.Weights)
            (select (nonNull layers[i].bias)).detach().data<float32>().ToArray().CopyTo(values, slot.Biases)

    override _.forward(x) =
        let mutable h = x

        for i in 0 .. layers.Length - 2 do
            h <- functional.relu (layers[i].forward h)

        h <- layers[layers.Length - 1].forward h

        match scale with
        | Some scale -> torch.tanh (h) * held scale
        | None -> h

/// A batch as separate tensors.
type EagerBatch = {
    S: torch.Tensor
    A: torch.Tensor
    R: torch.Tensor
    NotDone: torch.Tensor
    S2: torch.Tensor
    /// Target noise before clipping.
    Noise: torch.Tensor
}

/// TD3 as a PyTorch user writes it: modules, autograd, torch.optim.Adam. The baseline of the learner benchmark and the oracle of the
/// tests; it knows nothing of masks and clipping. Batches are expected on `device`.
[<Sealed>]
type EagerTd3(networks: ActorCriticNetworks, settings: Settings, device: torch.Device) =
    let actorLayout, criticLayout = networks.Actor.Layout, networks.Critics.Layout
    let maxAction = networks.Task.MaxAction

    let actorOf () =
        new Mlp(actorLayout.Widths.ToArray(), Some maxAction)

    let criticOf () =
        new Mlp(criticLayout.Widths.ToArray(), None)

    let actor, actorTarget = actorOf (), actorOf ()

    let critics, criticTargets =
        Array.init 2 (fun _ -> criticOf ()), Array.init 2 (fun _ -> criticOf ())

    do
        let weights = networks.Actor.ReadOnline Field.Weights
        actor.Load(actorLayout, 0, weights)
        actorTarget.Load(actorLayout, 0, networks.Actor.ReadTarget())
        let weights = networks.Critics.ReadOnline Field.Weights
        let targets = networks.Critics.ReadTarget()

        for i in 0..1 do
            critics[i].Load(criticLayout, i, weights)
            criticTargets[i].Load(criticLayout, i, targets)

    do
        for model in [ actor; actorTarget; yield! critics; yield! criticTargets ] do
            model.``to`` device |> ignore

    let adam (parameters: Parameter seq) rate =
        torch.optim.Adam(
            parameters,
            lr = rate,
            beta1 = settings.Learner.AdamBeta1,
            beta2 = settings.Learner.AdamBeta2,
            eps = settings.Learner.AdamEpsilon
        )

    let actorAdam = adam (actor.parameters ()) settings.Learner.ActorLearningRate.Value

    let criticAdam =
        adam (critics |> Seq.collect (fun critic -> critic.parameters ())) settings.Learner.CriticLearningRate.Value

    let noiseClip = float32 settings.Td3.TargetNoiseClip * maxAction

    let discount, tau =
        float32 settings.Learner.Discount, float32 settings.Learner.Polyak.Value

    let mutable step = 0L

    let polyak (source: Mlp) (target: Mlp) =
        for p, t in Seq.zip (source.parameters ()) (target.parameters ()) do
            t.copy_ ((p * held tau).Plus(t * held (1.0f - tau))) |> ignore

    /// y.
    member private _.Target(b: EagerBatch) =
        use _ = torch.no_grad ()
        let noise = b.Noise.clamp (held -noiseClip, held noiseClip)

        let action =
            (actorTarget.forward b.S2).Plus(noise).clamp(held -maxAction, held maxAction)

        let x = torch.cat ([| b.S2; action |], 1L)

        let least = torch.minimum (criticTargets[0].forward x, criticTargets[1].forward x)

        b.R.Plus(b.NotDone * held discount * least)

    /// L_Q, with its graph.
    member this.CriticLoss(b: EagerBatch) : torch.Tensor =
        let y = this.Target b
        let x = torch.cat ([| b.S; b.A |], 1L)

        let loss (critic: Mlp) =
            functional.mse_loss (critic.forward x, y)

        (loss critics[0]).Plus(loss critics[1])

    /// L_pi, with its graph.
    member _.ActorLoss(b: EagerBatch) : torch.Tensor =
        critics[0].forward(torch.cat ([| b.S; actor.forward b.S |], 1L)).mean().neg()

    /// One gradient step.
    member this.Update(b: EagerBatch) : unit =
        step <- step + 1L
        let loss = this.CriticLoss b
        criticAdam.zero_grad ()
        loss.backward ()
        criticAdam.step () |> ignore

        if step % int64 settings.Td3.PolicyDelay = 0L then
            let loss = this.ActorLoss b
            actorAdam.zero_grad ()
            loss.backward ()
            actorAdam.step () |> ignore
            use _ = torch.no_grad ()
            Array.iter2 polyak critics criticTargets
            polyak actor actorTarget

    member _.Actor = actor
    member _.NextActor = actorTarget
    member _.Critics = critics
    member _.CriticTargets = criticTargets

    interface IDisposable with
        member _.Dispose() =
            for m in [ actor; actorTarget; yield! critics; yield! criticTargets ] do
                m.Dispose()
