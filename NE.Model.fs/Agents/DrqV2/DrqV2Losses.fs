namespace NE.Model.Agents.DrqV2

open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The losses of DrQ-v2 and their gradients (Yarats et al. 2021, equations 2 and 3; docs/algorithm.md 2.14), over any engine. `noise` gives the standard
/// deviation of now, in parts of the largest action.
[<Sealed>]
type DrqV2Losses(networks: ActorCriticNetworks, clip: float, discount: float, noise: unit -> float) =
    let engine = networks.Engine
    let maxAction = networks.Task.MaxAction
    let bound = float32 clip * maxAction

    /// The actions with the noise of now.
    let perturb (w: DrqV2Workspace) (actions: IMatrix) (draws: Draws) =
        w.Noise.Perturb(actions, float32 (noise ()) * maxAction, bound, networks.LiveComponents, draws)

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients, and L_Q in the workspace's Loss.
    member _.CriticBackward(w: DrqV2Workspace, draws: Draws) : unit =
        let inputs = w.Inputs
        // a' = clip(pi(s') + clip(eps, -c, c)),  eps ~ N(0, sigma^2)
        inputs.EncodeNext()
        w.NextActor.Forward()
        engine.Copy(w.NextActor.Output 0, inputs.NextAction)
        perturb w inputs.NextAction draws
        // y = sum_{i<n} gamma^i r_i + gamma^n min_i Q'_i(s', a')
        w.CriticsTarget.Forward()
        TemporalDifference.target engine w.NextValues inputs.Reward inputs.NotDone (float32 discount) w.Least w.Target
        inputs.Average w.Target
        // L_Q = sum_i mean (Q_i(s, a) - y)^2
        inputs.Encode()
        w.Critics.Forward()
        TemporalDifference.squaredError engine w.Values w.Target w.ValueGradients w.Loss
        w.Critics.Backward()
        inputs.LearnFromCritics w.Critics

    /// L_Q of the last CriticBackward. Waits for the device: to be read last.
    member _.CriticLoss(w: DrqV2Workspace) : float = w.Loss.Value

    /// Leaves dL_pi/dw of all actor weights in the actor's Gradients: noise and bounds let the gradient through. Overwrites the batch's actions.
    member _.ActorBackward(w: DrqV2Workspace, draws: Draws) : unit =
        // a = clip(pi(s) + clip(eps, -c, c))
        w.Inputs.EncodeForActor()
        w.Actor.Forward()
        engine.Copy(w.Actor.Output 0, w.Inputs.Action)
        perturb w w.Inputs.Action draws
        // L_pi = -mean min_i Q_i(s, a)
        w.ActorCritics.Forward()
        w.LeastOfActor.Backward w.ActorCritics
        engine.Copy(w.ActorCritics.InputGradient, w.Actor.OutputGradient 0)
        w.Actor.Backward()
        w.Inputs.LearnFromActor w.Actor

    /// L_pi of the last ActorBackward.
    member _.ActorLoss(w: DrqV2Workspace) : float = -w.LeastOfActor.Mean

    /// CriticBackward, and L_Q.
    member this.CriticGradient(w: DrqV2Workspace, draws: Draws) : float =
        this.CriticBackward(w, draws)
        this.CriticLoss w

    /// ActorBackward, and L_pi.
    member this.ActorGradient(w: DrqV2Workspace, draws: Draws) : float =
        this.ActorBackward(w, draws)
        this.ActorLoss w
