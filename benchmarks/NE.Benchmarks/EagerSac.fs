namespace NE.Benchmarks

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Torch
open TorchSharp
open TorchSharp.Modules
open type TorchSharp.torch.nn

/// SAC as a PyTorch user writes it, with the temperature learned: the eager contender of the learner benchmark and the oracle of the tests; it
/// knows nothing of masks and clipping. Batches are expected on `device`, their Noise being that of the next actions.
[<Sealed>]
type EagerSac(networks: ActorCriticNetworks, settings: Settings, device: torch.Device) =
    let actorLayout, criticLayout = networks.Actor.Layout, networks.Critics.Layout
    let maxAction = networks.Task.MaxAction
    let components = networks.Task.Shape.ActionSize
    let actor = new Mlp(actorLayout.Widths.ToArray(), None)

    let criticOf () =
        new Mlp(criticLayout.Widths.ToArray(), None)

    let critics, criticTargets =
        Array.init 2 (fun _ -> criticOf ()), Array.init 2 (fun _ -> criticOf ())

    do
        actor.Load(actorLayout, 0, networks.Actor.ReadOnline Field.Weights)

        for i in 0..1 do
            critics[i].Load(criticLayout, i, networks.Critics.ReadOnline Field.Weights)
            criticTargets[i].Load(criticLayout, i, networks.Critics.ReadTarget())

        for model in [ actor; yield! critics; yield! criticTargets ] do
            model.``to`` device |> ignore

    let logAlpha =
        new Parameter(torch.tensor (MathF.Log(float32 settings.Sac.Temperature.Value), device = device), requires_grad = true)

    let adam (parameters: Parameter seq) rate =
        let learner = settings.Learner
        torch.optim.Adam(parameters, lr = rate, beta1 = learner.AdamBeta1, beta2 = learner.AdamBeta2, eps = learner.AdamEpsilon)

    let actorAdam = adam (actor.parameters ()) settings.Learner.ActorLearningRate.Value

    let criticAdam =
        adam (critics |> Seq.collect _.parameters()) settings.Learner.CriticLearningRate.Value

    let temperatureAdam = adam [ logAlpha ] settings.Sac.TemperatureLearningRate.Value

    let discount, tau =
        float32 settings.Learner.Discount, float32 settings.Learner.Polyak.Value

    /// a and log pi(a|s), from standard normals.
    let sample (s: torch.Tensor) (noise: torch.Tensor) =
        let outputs = (actor.forward s).reshape(s.shape[0], int64 components, 2L)
        let mean = outputs.select (2L, 0L)

        let logDeviation =
            outputs.select(2L, 1L).clamp(held SquashedGaussian.LowestLogDeviation, held SquashedGaussian.HighestLogDeviation)

        let u = mean.Plus(logDeviation.exp () * noise)

        let density =
            (noise * noise * held -0.5f - logDeviation).sub(held (float32 (0.5 * Math.Log(2.0 * Math.PI))))

        let correction =
            u.Plus(functional.softplus (u * held -2.0f)).sub(held (float32 (Math.Log 2.0)))
            * held 2.0f

        struct (torch.tanh (u) * held maxAction, density.Plus(correction).sum(1L, keepdim = true))

    /// y.
    let target (b: EagerBatch) =
        use _ = torch.no_grad ()
        let struct (action, logProbability) = sample b.S2 b.Noise
        let x = torch.cat ([| b.S2; action |], 1L)
        let least = torch.minimum (criticTargets[0].forward x, criticTargets[1].forward x)
        b.R.Plus(b.NotDone * held discount * (least - logAlpha.exp () * logProbability))

    /// alpha.
    member _.Temperature = float (logAlpha.exp().item<float32>())

    /// L_Q, with its graph.
    member _.CriticLoss(b: EagerBatch) : torch.Tensor =
        let y = target b
        let x = torch.cat ([| b.S; b.A |], 1L)

        let loss (critic: Mlp) =
            functional.mse_loss (critic.forward x, y)

        (loss critics[0]).Plus(loss critics[1])

    /// L_pi, with its graph, and the mean of log pi. `noise`: standard normals [rows x components].
    member _.ActorLoss(b: EagerBatch, noise: torch.Tensor) : struct (torch.Tensor * torch.Tensor) =
        let struct (action, logProbability) = sample b.S noise
        let x = torch.cat ([| b.S; action |], 1L)
        let least = torch.minimum (critics[0].forward x, critics[1].forward x)
        struct ((logAlpha.exp().detach() * logProbability - least).mean(), logProbability.mean().detach())

    /// One gradient step.
    member this.Update(b: EagerBatch, noise: torch.Tensor) : unit =
        let loss = this.CriticLoss b
        criticAdam.zero_grad ()
        loss.backward ()
        criticAdam.step () |> ignore
        let struct (loss, logProbability) = this.ActorLoss(b, noise)
        actorAdam.zero_grad ()
        loss.backward ()
        actorAdam.step () |> ignore
        let missing = logProbability.sub (held (float32 components))
        let loss = (logAlpha * missing).neg()
        temperatureAdam.zero_grad ()
        loss.backward ()
        temperatureAdam.step () |> ignore
        use _ = torch.no_grad ()

        for critic, slow in Array.zip critics criticTargets do
            for p, t in Seq.zip (critic.parameters ()) (slow.parameters ()) do
                t.copy_ ((p * held tau).Plus(t * held (1.0f - tau))) |> ignore

    member _.Actor = actor
    member _.Critics = critics
    member _.CriticTargets = criticTargets

    interface IDisposable with
        member _.Dispose() =
            for m in [ actor; yield! critics; yield! criticTargets ] do
                m.Dispose()

            logAlpha.Dispose()
