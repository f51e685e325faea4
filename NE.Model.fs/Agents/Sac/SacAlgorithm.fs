namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// SAC with two critics and a learned temperature (Haarnoja et al. 2018, arXiv 1812.05905; algorithm.md 2.13), with fresh networks; over pictures
/// it is DrQ (2.14). Owns the engine and the perception.
[<Sealed>]
type SacAlgorithm(engine: IEngine, settings: Settings, perception: IPerception, task: AgentTask) =
    let learner, sac = settings.Learner, settings.Sac
    let networks = new SacNetworks(engine, settings.Network, perception, task)

    do
        let draws = Draws.Of(settings.Run.Seed, Purpose.Initialisation)
        networks.Actor.Initialise draws
        networks.Critics.Initialise draws
        perception.Initialise draws

    let temperature = Temperature(sac, learner)

    let losses = SacLosses(networks, perception.Discount, temperature)

    let tau = float32 learner.Polyak.Value
    let mutable draws = Draws.Of(settings.Run.Seed, Purpose.PolicyDraws)

    let workspaces =
        new Workspaces<_>(learner.BatchSize, perception, fun inputs -> new SacWorkspace(networks, inputs))

    let probe = workspaces.Probe

    /// H: one nat below that of a uniform action for every component, unless it is given.
    let targetEntropy () =
        match sac.TargetEntropy with
        | Is given -> given
        | Auto -> -(float networks.LiveComponents)

    let group role networks learningRate (passIn: SacWorkspace -> IPass) input gradient = {
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
                struct ("temperature", temperature.Value)
                struct ("entropy", -probe.Actions.MeanLogProbability)
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
        Clock = EnvironmentClock settings
        Rebuild =
            fun () ->
                for workspace in workspaces.All do
                    workspace.Rebuild()
        Report = report
    }

    /// The networks, for tests and benchmarks.
    member _.Networks = networks

    interface IAlgorithm with
        member _.Trainee = trainee
        member _.Batch isHalved = workspaces.Choose isHalved

        member _.Update(t, optimiser) =
            let work = workspaces.Current
            losses.CriticBackward(work, draws)
            optimiser.Step(critics, t)
            perception.StepWithCritics()
            losses.ActorBackward(work, draws)
            optimiser.Step(actor, t)
            perception.StepWithActor()
            let actorLoss = losses.ActorLoss work
            temperature.Step(work.Actions.MeanLogProbability, targetEntropy ())
            // theta' = tau theta + (1 - tau) theta'
            networks.Critics.Polyak tau
            perception.Polyak tau
            NonFiniteException.Require("The critics' loss", losses.CriticLoss work, t)
            NonFiniteException.Require("The actor's loss", actorLoss, t)

        member _.Policy version =
            (perception.Complete(ActorPolicy.copy networks.Actor ActionForm.SquashedGaussian task.MaxAction version)).Exploring
                Exploration.Sampling

        member _.Bodies = perception.Bodies

        member _.State = {
            Random = [
                Codec.draws (fun () -> draws) (fun stored -> draws <- stored)
                yield! perception.State.Random
            ]
            Counters = [ temperature.State; yield! perception.State.Counters ]
        }

        member _.Dispose() =
            (workspaces :> IDisposable).Dispose()
            (networks :> IDisposable).Dispose()
            perception.Dispose()
            engine.Dispose()
