namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// TD3 (Fujimoto et al. 2018; algorithm.md 2.12), with fresh networks. Owns the engine.
[<Sealed>]
type Td3Algorithm(engine: IEngine, settings: Settings, task: AgentTask) =
    let learner, td3 = settings.Learner, settings.Td3

    let perception = new VectorPerception(engine, task.Shape, settings.Learner.Discount)

    let networks = new Td3Networks(engine, settings.Network, perception, task)

    do
        let draws = Draws.Of(settings.Run.Seed, Purpose.Initialisation)
        networks.Actor.Initialise draws
        networks.Critics.Initialise draws

    let losses = Td3Losses(networks, settings)
    let tau = float32 learner.Polyak.Value
    let mutable noise = Draws.Of(settings.Run.Seed, Purpose.TargetNoise)

    let workspaces =
        new Workspaces<_>(learner.BatchSize, perception, fun inputs -> new Td3Workspace(networks, inputs))

    let probe = workspaces.Probe

    let group role networks learningRate isDue (passIn: Td3Workspace -> IPass) input gradient = {
        Role = role
        Networks = networks
        Adam = LearnerOptions.adam learner learningRate
        IsDue = isDue
        Training = fun () -> passIn workspaces.Current
        Probe = fun () -> passIn probe
        Input = input
        Gradient = gradient
    }

    let critics =
        group
            Role.Critic
            networks.Critics
            learner.CriticLearningRate.Value
            (fun _ -> true)
            _.Critics
            probe.Inputs.ObservationAction
            (fun draws -> losses.CriticGradient(probe, draws))

    let isActorDue t = t % int64 td3.PolicyDelay = 0L

    let actor =
        group Role.Actor networks.Actor learner.ActorLearningRate.Value isActorDue _.Actor probe.Inputs.Observation (fun _ ->
            losses.ActorGradient probe)

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
            |]
        }

    let trainee = {
        Engine = engine
        Groups = [ actor; critics ]
        UpdateOrder = [ critics; actor ]
        Probe = probe
        BatchSize = learner.BatchSize
        RowFloats = task.Shape.StoredWidth
        Forgetting = LearnerOptions.forgetting learner
        Clock = EnvironmentClock settings
        Rebuild =
            fun () ->
                for workspace in workspaces.All do
                    workspace.Rebuild()
        Report = report
    }

    let exploration = Exploration.Gaussian(float32 td3.ExplorationNoise)

    /// The networks, for tests and benchmarks.
    member _.Networks = networks

    interface IAlgorithm with
        member _.Trainee = trainee

        member _.Batch isHalved = workspaces.Choose isHalved

        member _.Update(t, optimiser) =
            let work = workspaces.Current
            losses.CriticBackward(work, noise)
            optimiser.Step(critics, t)

            if isActorDue t then
                losses.ActorBackward work
                optimiser.Step(actor, t)
                // theta' = tau theta + (1 - tau) theta'
                networks.Critics.Polyak tau
                networks.Actor.Polyak tau

            // Read last, so that a device never stands still in between.
            NonFiniteException.Require("The critics' loss", losses.CriticLoss work, t)

            if isActorDue t then
                NonFiniteException.Require("The actor's loss", losses.ActorLoss work, t)

        member _.Policy version =
            (ActorPolicy.copy networks.Actor ActionForm.Deterministic task.MaxAction version).Exploring exploration

        member _.Bodies = []

        member _.State = {
            Random = [ Codec.draws (fun () -> noise) (fun stored -> noise <- stored) ]
            Counters = []
        }

        member _.Dispose() =
            (workspaces :> IDisposable).Dispose()
            (networks :> IDisposable).Dispose()
            engine.Dispose()
