namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Topology

/// TD3 (Fujimoto et al. 2018; algorithm.md 2.12), with fresh networks. Owns the engine.
[<Sealed>]
type Td3Algorithm(engine: IEngine, settings: Settings, task: Td3Task) =
    let td3 = settings.Td3
    let networks = new Td3Networks(engine, settings.Network, task)

    do
        let draws = Draws.Of(settings.Run.Seed, Purpose.Initialisation)
        networks.Actor.Initialise draws
        networks.Critics.Initialise draws

    let losses = Td3Losses(networks, td3)
    let tau = float32 td3.Polyak
    let mutable noise = Draws.Of(settings.Run.Seed, Purpose.TargetNoise)
    let training = new Td3Workspace(networks, td3.BatchSize)

    let probe =
        if td3.BatchSize = Trainee.ProbeRows then
            training
        else
            new Td3Workspace(networks, Trainee.ProbeRows)

    // Made when first asked for.
    let mutable half: Td3Workspace option = None
    // The workspace of the present gradient step.
    let mutable work = training

    let workspaces () =
        List.distinct [ training; probe; yield! Option.toList half ]

    let group role networks learningRate isDue (passIn: Td3Workspace -> IPass) input gradient = {
        Role = role
        Networks = networks
        Adam = {
            LearningRate = float32 learningRate
            Beta1 = td3.AdamBeta1
            Beta2 = td3.AdamBeta2
            Epsilon = float32 td3.AdamEpsilon
        }
        IsDue = isDue
        Training = fun () -> passIn work
        Probe = fun () -> passIn probe
        Input = input
        Gradient = gradient
    }

    let critics =
        group Role.Critic networks.Critics td3.CriticLearningRate (fun _ -> true) _.Critics probe.ObservationAction (fun draws ->
            losses.CriticGradient(probe, draws))

    let isActorDue t = t % int64 td3.PolicyDelay = 0L

    let actor =
        group Role.Actor networks.Actor td3.ActorLearningRate isActorDue _.Actor probe.Observation (fun _ -> losses.ActorGradient probe)

    let forgetting =
        match td3.OptimizerReset, td3.AdamAge with
        | false, _ -> Forgetting.Nothing
        | true, AdamAge.Global -> Forgetting.Moments
        | true, AdamAge.Element -> Forgetting.All

    let report () =
        let means = probe.Values |> Array.map engine.Mean
        let losses = losses.OfEachCritic probe

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
        BatchSize = td3.BatchSize
        RowFloats = task.Shape.StoredWidth
        Forgetting = forgetting
        Clock = EnvironmentClock settings
        Rebuild =
            fun () ->
                for workspace in workspaces () do
                    workspace.Rebuild()
        Report = report
    }

    let exploration = Exploration.Gaussian(float32 td3.ExplorationNoise)

    /// The networks, for tests and benchmarks.
    member _.Networks = networks

    interface IAlgorithm with
        member _.Trainee = trainee

        member _.Batch isHalved =
            work <-
                match half with
                | _ when not isHalved -> training
                | Some made -> made
                | None ->
                    let made = new Td3Workspace(networks, td3.BatchSize / 2)
                    half <- Some made
                    made

            work

        member _.Update(t, optimiser) =
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
            let group = networks.Actor
            group.ReadOnlineInto(Field.Weights, group.Passing)

            let policy =
                match group.Injected with
                | ValueNone -> Policy.OfBlock(group.Layout, ReadOnlySpan group.Passing, task.MaxAction, version)
                | ValueSome bodies ->
                    let struct (kept, subtracted) = bodies.Read()
                    Policy.OfBodies(group.Layout, kept, group.Passing, subtracted, task.MaxAction, version)

            policy.Exploring exploration

        member _.State = {
            Random = [ Codec.draws (fun () -> noise) (fun stored -> noise <- stored) ]
            Counters = []
        }

        member _.Dispose() =
            for workspace in workspaces () do
                (workspace :> IDisposable).Dispose()

            (networks :> IDisposable).Dispose()
            engine.Dispose()
