namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The networks of TD3 (Fujimoto et al. 2018): actor pi and critics Q1, Q2, each with its target.
[<Sealed>]
type Td3Networks(engine: IEngine, network: NetworkSettings, perception: IPerception, task: AgentTask) =
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
        group "actor" 1 (NetworkForms.actor network perception.Features task.ActionSize)

    let critics =
        group "critic" 2 (NetworkForms.critic network perception.Features task.ActionSize)

    /// pi and pi'.
    member _.Actor = actor
    /// Q1, Q2 and Q1', Q2'.
    member _.Critics = critics
    member _.Task = task
    member _.Engine = engine

    interface IDisposable with
        member _.Dispose() =
            (actor :> IDisposable).Dispose()
            (critics :> IDisposable).Dispose()
