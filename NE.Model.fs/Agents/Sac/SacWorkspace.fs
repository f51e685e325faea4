namespace NE.Model.Agents.Sac

open NE.Model.Agents
open NE.Model.Networks

/// Working memory of SAC: actions are drawn from what the actor puts out, and both critics value them.
[<Sealed>]
type SacWorkspace(networks: ActorCriticNetworks, inputs: IActorCriticInputs) =
    inherit
        ActorCriticWorkspace(
            networks,
            inputs,
            {
                HasTargetActor = false
                ActorHead = Linear
                CriticsOfActor = 2
            }
        )

    let task, rows = networks.Task, inputs.Rows

    let actions () =
        GaussianActions(rows, task.ActionSize, task.MaxAction, networks.LogDeviation)

    let entropyCost = networks.Engine.CreateMatrix(rows, 1)

    /// What draws a' and log pi(a'|s').
    member val NextActions = actions ()
    /// What draws a and log pi(a|s) of the actor's update.
    member val Actions = actions ()
    /// alpha log pi(a'|s').
    member _.EntropyCost = entropyCost
    /// min_i Q_i(s, a) of the actor's update.
    member val LeastOfActor = LeastValue rows

    override _.Release() = entropyCost.Dispose()
