namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The networks of SAC (Haarnoja et al. 2018, arXiv 1812.05905): actor pi, whose outputs are those of a squashed Gaussian, and critics Q1 and Q2
/// with their targets. There is no target actor: the actor's target parameters stay what they were at first, and nothing reads them.
[<Sealed>]
type SacNetworks(engine: IEngine, network: NetworkSettings, perception: IPerception, task: AgentTask) =
    let group name stacks (form: NetworkForm) =
        NetworkGroup.OfForm(
            name,
            engine,
            stacks,
            {
                form with
                    Initialisation = perception.Initialisation
            },
            network
        )

    let actor =
        group "actor" 1 (NetworkForms.actor network perception.Features (SquashedGaussian.OutputsPerComponent * task.ActionSize))

    let critics =
        group "critic" 2 (NetworkForms.critic network perception.Features task.ActionSize)

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
