namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// TD3 (Fujimoto et al. 2018; docs/algorithm.md 2.12), with fresh networks. Owns the engine.
[<Sealed>]
type Td3Algorithm(engine: IEngine, settings: Settings, task: AgentTask) =
    let learner, td3 = settings.Learner, settings.Td3

    let perception = new VectorPerception(engine, task.Shape, settings.Learner.Discount)

    let networks = new ActorCriticNetworks(engine, settings, perception, task)
    do networks.Initialise()

    let losses = Td3Losses(networks, settings)
    let tau = float32 learner.Polyak.Value
    let mutable noise = Draws.Of(settings.Run.Seed, Purpose.TargetNoise)

    let workspaces =
        new Workspaces<_>(learner.BatchSize, perception, fun inputs -> new Td3Workspace(networks, inputs))

    let isActorDue t = t % int64 td3.PolicyDelay = 0L

    let trainee =
        ActorCriticTrainee.create
            settings
            networks
            perception
            workspaces
            isActorDue
            (fun work draws -> losses.CriticGradient(work, draws))
            (fun work _ -> losses.ActorGradient work)
            ignore
            (fun () -> [])

    let critics, actor = trainee.Critics, trainee.Actor
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
