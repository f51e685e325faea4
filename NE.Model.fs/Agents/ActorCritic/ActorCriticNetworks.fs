namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks

/// The heads of a learner: actor pi and critics Q1, Q2, each with its target. Where a learner has no target actor, the actor's target parameters
/// stay what they were at first, and nothing reads them.
[<Sealed>]
type ActorCriticNetworks(engine: IEngine, settings: Settings, perception: IPerception, task: AgentTask) =
    let network, learner = settings.Network, settings.Run.Learner

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
        group "actor" 1 (NetworkForms.actor network perception.Features (NetworkForms.actorOutputs learner task.ActionSize))

    let critics =
        group "critic" 2 (NetworkForms.critic network perception.Features task.ActionSize)

    let perComponent = actor.Layout.Outputs / task.ActionSize

    /// pi and pi'.
    member _.Actor = actor
    /// Q1, Q2 and Q1', Q2'.
    member _.Critics = critics

    /// Components of the action that the current task has, the first ones.
    member _.LiveComponents = actor.LiveOutputs / perComponent

    /// How the outputs of an actor that is a distribution become log sigma.
    member _.LogDeviation = settings.Sac.LogDeviation.Value
    member _.Task = task
    member _.Engine = engine

    /// Draws the first parameters: the actor's, the critics', then those of the perception.
    member _.Initialise() : unit =
        let draws = Draws.Of(settings.Run.Seed, Purpose.Initialisation)
        actor.Initialise draws
        critics.Initialise draws
        perception.Initialise draws

    interface IDisposable with
        member _.Dispose() =
            (actor :> IDisposable).Dispose()
            (critics :> IDisposable).Dispose()
