namespace NE.Model.Agents.DrqV2

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// DrQ-v2 (Yarats et al. 2021, arXiv 2107.09645; docs/algorithm.md 2.14), with fresh networks: a deterministic actor without a target, noise that falls by
/// a schedule, n-step returns. Owns the engine and the perception.
[<Sealed>]
type DrqV2Algorithm(engine: IEngine, settings: Settings, perception: IPerception, task: AgentTask) =
    let learner = settings.Learner
    let networks = new ActorCriticNetworks(engine, settings, perception, task)
    do networks.Initialise()

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

    let trainee =
        ActorCriticTrainee.create
            settings
            networks
            perception
            workspaces
            (fun _ -> true)
            (fun work draws -> losses.CriticGradient(work, draws))
            (fun work draws -> losses.ActorGradient(work, draws))
            ignore
            (fun () -> [ struct ("noise", deviation ()) ])

    let critics, actor = trainee.Critics, trainee.Actor

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
