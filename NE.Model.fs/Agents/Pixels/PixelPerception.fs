namespace NE.Model.Agents.Pixels

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay

/// Pictures are shifted, encoded and brought down to a few features, by networks that learn with the critics and with the actor (docs/algorithm.md 2.14).
/// `initialisation`: of actor and critics, if not orthogonal.
[<Sealed>]
type PixelPerception(engine: IEngine, settings: Settings, task: AgentTask, ?initialisation: Initialisation) =
    let networks = new PixelNetworks(engine, settings)
    let learner = settings.Learner
    let mutable shifts = Draws.Of(settings.Run.Seed, Purpose.ImageShift)

    let criticAdam, actorAdam =
        LearnerOptions.adam learner learner.CriticLearningRate.Value, LearnerOptions.adam learner learner.ActorLearningRate.Value

    let read (group: NetworkGroup) = group.ReadOnline Field.Weights

    /// The networks, for tests.
    member _.Networks = networks

    interface IPerception with
        member _.Features = settings.Pixels.Features
        member _.Initialisation = defaultArg initialisation Initialisation.Orthogonal
        // Part of what the rows' n-step returns bootstrap from.
        member _.Discount = 1.0

        member _.RowFloats = (TransitionRows.create task.Observation task.ActionSize).RowFloats

        member _.Bodies = networks.All

        member _.CreateInputs(rows, learns) =
            new PixelInputs(networks, task, rows, (if learns then ValueSome(fun () -> shifts) else ValueNone))

        member _.CanShare = false

        member _.Initialise draws =
            for group in networks.All do
                group.Initialise draws

        member _.StepWithCritics() =
            engine.Adam(networks.Encoder.Online, criticAdam)
            engine.Adam(networks.CriticTrunk.Online, criticAdam)

        member _.StepWithActor() =
            engine.Adam(networks.ActorTrunk.Online, actorAdam)

        member _.Polyak tau =
            networks.CriticTrunk.Polyak tau

            if networks.HasTargetEncoder then
                networks.Encoder.Polyak tau

        member _.Complete policy =
            policy.WithEncoder(
                PixelEncoder.OfBlocks(
                    networks.Image,
                    settings.Pixels.Filters,
                    settings.Pixels.Features,
                    read networks.Encoder,
                    read networks.ActorTrunk
                )
            )

        member _.State = {
            Random = [ Codec.draws (fun () -> shifts) (fun stored -> shifts <- stored) ]
            Counters = []
        }

        member _.Dispose() = (networks :> IDisposable).Dispose()
