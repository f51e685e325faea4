namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The networks of SAC (Haarnoja et al. 2018, arXiv 1812.05905): actor pi, whose outputs are those of a squashed Gaussian, and critics Q1 and Q2
/// with their targets. There is no target actor: the actor's target parameters stay what they were at first, and nothing reads them.
[<Sealed>]
type SacNetworks(engine: IEngine, network: NetworkSettings, task: AgentTask) =
    let shape = task.Shape

    let actor =
        NetworkGroup.OfForm(
            "actor",
            engine,
            1,
            NetworkForms.actor network shape.ObservationSize (NetworkForms.actorOutputs LearnerKind.Sac shape.ActionSize),
            network
        )

    let critics =
        NetworkGroup.OfForm("critic", engine, 2, NetworkForms.critic network shape.ObservationSize shape.ActionSize, network)

    /// pi.
    member _.Actor = actor
    /// Q1, Q2 and Q1', Q2'.
    member _.Critics = critics

    /// Components of the action that the current task has, the first ones.
    member _.LiveComponents = actor.LiveOutputs / SquashedGaussian.OutputsPerComponent

    member _.Task = task
    member _.Engine = engine

    interface IDisposable with
        member _.Dispose() =
            (actor :> IDisposable).Dispose()
            (critics :> IDisposable).Dispose()
