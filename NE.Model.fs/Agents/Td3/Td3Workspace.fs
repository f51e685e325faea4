namespace NE.Model.Agents.Td3

open System
open NE.Model.Agents
open NE.Model.Networks

/// Working memory of TD3: a' comes from the target actor, and the first critic alone values the actor's actions.
[<Sealed>]
type Td3Workspace(networks: ActorCriticNetworks, inputs: IActorCriticInputs) =
    inherit
        ActorCriticWorkspace(
            networks,
            inputs,
            {
                HasTargetActor = true
                ActorHead = ScaledTanh networks.Task.MaxAction
                CriticsOfActor = 1
            }
        )

    let task = networks.Task

    let noise =
        new ActionNoise(networks.Engine, inputs.Rows, task.ActionSize, task.MaxAction)

    /// Smoothing noise on a'.
    member _.Noise = noise

    override _.Release() = (noise :> IDisposable).Dispose()
