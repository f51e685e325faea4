namespace NE.Model.Agents.DrqV2

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks

/// DrQ-v2 (Yarats et al. 2021, arXiv 2107.09645; algorithm.md 2.14), with fresh networks: a deterministic actor without a target, noise that falls by
/// a schedule, n-step returns. Owns the engine and the perception.
[<Sealed>]
type DrqV2Algorithm(engine: IEngine, settings: Settings, perception: IPerception, task: AgentTask) =
    let learner = settings.Learner
    let networks = new Td3Networks(engine, settings.Network, perception, task)

    do
        let draws = Draws.Of(settings.Run.Seed, Purpose.Initialisation)
        networks.Actor.Initialise draws
        networks.Critics.Initialise draws
        perception.Initialise draws

    let clock = EnvironmentClock settings
    let mutable step = 0L

    let deviation () =
        settings.DrqV2.NoiseAt(clock.Completed step)

    let losses =
        DrqV2Losses(networks, settings.DrqV2.NoiseClip, perception.Discount, deviation)

    let tau = float32 learner.Polyak.Value
    let mutable draws = Draws.Of(settings.Run.Seed, Purpose.PolicyDraws)

    let workspaces =
        new Workspaces<_>(learner.BatchSize, perception, fun inputs -> new DrqV2Workspace(networks, inputs))

    let probe = workspaces.Probe

    let group role networks learningRate (passIn: DrqV2Workspace -> IPass) input gradient = {
        Role = role
        Networks = networks
        Adam = LearnerOptions.adam learner learningRate
        IsDue = fun _ -> true
        Training = fun () -> passIn workspaces.Current
        Probe = fun () -> passIn probe
        Input = input
        Gradient = gradient
    }

    let critics =
        group Role.Critic networks.Critics learner.CriticLearningRate.Value _.Critics probe.Inputs.ObservationAction (fun draws ->
            losses.CriticGradient(probe, draws))

    let actor =
        group Role.Actor networks.Actor learner.ActorLearningRate.Value _.Actor probe.Inputs.Observation (fun draws ->
            losses.ActorGradient(probe, draws))

    let report () =
        let means = probe.Values |> Array.map engine.Mean
        let losses = TemporalDifference.meanSquares probe.Values probe.Target

        {
            First = [| struct ("q_mean", (means[0] + means[1]) / 2.0) |]
            Later = [|
                struct ("critic_1_loss", losses[0])
                struct ("critic_2_loss", losses[1])
                struct ("critic_1_q_mean", means[0])
                struct ("critic_2_q_mean", means[1])
                struct ("noise", deviation ())
            |]
        }

    let trainee = {
        Engine = engine
        Groups = [ actor; critics ]
        UpdateOrder = [ critics; actor ]
        Probe = probe
        BatchSize = learner.BatchSize
        RowFloats = perception.RowFloats
        Forgetting = LearnerOptions.forgetting learner
        Clock = clock
        Rebuild =
            fun () ->
                for workspace in workspaces.All do
                    workspace.Rebuild()
        Report = report
    }

    interface IAlgorithm with
        member _.Trainee = trainee
        member _.Batch isHalved = workspaces.Choose isHalved

        member _.Update(t, optimiser) =
            step <- t
            let work = workspaces.Current
            losses.CriticBackward(work, draws)
            optimiser.Step(critics, t)
            perception.StepWithCritics()
            losses.ActorBackward(work, draws)
            optimiser.Step(actor, t)
            perception.StepWithActor()
            // theta' = tau theta + (1 - tau) theta'
            networks.Critics.Polyak tau
            perception.Polyak tau
            NonFiniteException.Require("The critics' loss", losses.CriticLoss work, t)
            NonFiniteException.Require("The actor's loss", losses.ActorLoss work, t)

        member _.Bodies = perception.Bodies

        member _.Policy version =
            (perception.Complete(ActorPolicy.copy networks.Actor ActionForm.Deterministic task.MaxAction version))
                .Exploring(Exploration.Gaussian(float32 (deviation ())))

        member _.State = {
            Random = [
                Codec.draws (fun () -> draws) (fun stored -> draws <- stored)
                yield! perception.State.Random
            ]
            Counters = [
                Codec.int64 (fun () -> step) (fun stored -> step <- stored)
                yield! perception.State.Counters
            ]
        }

        member _.Dispose() =
            (workspaces :> IDisposable).Dispose()
            (networks :> IDisposable).Dispose()
            perception.Dispose()
            engine.Dispose()
