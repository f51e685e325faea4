namespace NE.Model.Agents.DrqV2

open System
open NE.Model.Agents
open NE.Model.Networks

/// Working memory of DrQ-v2: there is no target actor, and both critics value the actor's actions.
[<Sealed>]
type DrqV2Workspace(networks: ActorCriticNetworks, inputs: IActorCriticInputs) =
    inherit
        ActorCriticWorkspace(
            networks,
            inputs,
            {
                HasTargetActor = false
                ActorHead = ScaledTanh networks.Task.MaxAction
                CriticsOfActor = 2
            }
        )

    let task = networks.Task

    let noise =
        new ActionNoise(networks.Engine, inputs.Rows, task.ActionSize, task.MaxAction)

    /// Noise on a' and on a.
    member _.Noise = noise
    /// min_i Q_i(s, a) of the actor's update.
    member val LeastOfActor = LeastValue inputs.Rows

    override _.Release() = (noise :> IDisposable).Dispose()
