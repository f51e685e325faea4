namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Topology

/// What TD3 knows of the task.
type Td3Task = {
    /// Sizes of observations and actions.
    Shape: TransitionShape
    /// Largest magnitude of an action's component.
    MaxAction: float32
}

/// The networks of TD3 (Fujimoto et al. 2018): actor pi and critics Q1, Q2, each with its target.
[<Sealed>]
type Td3Networks(engine: IEngine, network: NetworkSettings, task: Td3Task) =
    let clipping: WeightClipping option =
        if network.WeightClip > 0.0 then
            Some {
                Kappa = float32 network.WeightClip
                Output = network.ClipOutput
            }
        else
            None

    let shape = task.Shape

    let group name stacks (form: NetworkForm) =
        new NetworkGroup(name, engine, BlockLayout.OfForm(stacks, form), clipping)

    let actor =
        group "actor" 1 (NetworkForms.actor network shape.ObservationSize shape.ActionSize)

    let critics =
        group "critic" 2 (NetworkForms.critic network shape.ObservationSize shape.ActionSize)

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
