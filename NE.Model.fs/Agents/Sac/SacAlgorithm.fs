namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// SAC with two critics and a learned temperature (Haarnoja et al. 2018, arXiv 1812.05905; docs/algorithm.md 2.13), with fresh networks; over pictures
/// it is DrQ (2.14). Owns the engine and the perception.
[<Sealed>]
type SacAlgorithm(engine: IEngine, settings: Settings, perception: IPerception, task: AgentTask) =
    let learner, sac = settings.Learner, settings.Sac
    let networks = new ActorCriticNetworks(engine, settings, perception, task)
    do networks.Initialise()

    let temperature = Temperature(sac, learner)

    let losses = SacLosses(networks, perception.Discount, temperature)

    let tau = float32 learner.Polyak.Value
    let mutable draws = Draws.Of(settings.Run.Seed, Purpose.PolicyDraws)

    let workspaces =
        new Workspaces<_>(learner.BatchSize, perception, fun inputs -> new SacWorkspace(networks, inputs))

    /// H: minus a nat for every component, unless it is given; a uniform action has log 2 nats for each.
    let targetEntropy () =
        match sac.TargetEntropy with
        | Is given -> given
        | Auto -> -(float networks.LiveComponents)

    let trainee =
        ActorCriticTrainee.create
            settings
            networks
            perception
            workspaces
            (fun _ -> true)
            (fun work draws -> losses.CriticGradient(work, draws))
            (fun work draws -> losses.ActorGradient(work, draws))
            temperature.Restart
            (fun () -> [
                struct ("temperature", temperature.Value)
                struct ("entropy", -workspaces.Probe.Actions.MeanLogProbability)
            ])

    let critics, actor = trainee.Critics, trainee.Actor

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
            (perception.Complete(ActorPolicy.copy networks.Actor ActionForm.SquashedGaussian task.MaxAction version))
                .Exploring(Exploration.Sampling networks.LogDeviation)

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
