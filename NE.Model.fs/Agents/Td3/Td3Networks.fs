namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The networks of TD3 (Fujimoto et al. 2018): actor pi and critics Q1, Q2, each with its target.
[<Sealed>]
type Td3Networks(engine: IEngine, network: NetworkSettings, task: AgentTask) =
    let shape = task.Shape

    let actor =
        NetworkGroup.OfForm("actor", engine, 1, NetworkForms.actor network shape.ObservationSize shape.ActionSize, network)

    let critics =
        NetworkGroup.OfForm("critic", engine, 2, NetworkForms.critic network shape.ObservationSize shape.ActionSize, network)

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
