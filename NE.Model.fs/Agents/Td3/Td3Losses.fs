namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The losses of TD3 and their gradients (docs/algorithm.md 2.12), over any engine.
[<Sealed>]
type Td3Losses(networks: ActorCriticNetworks, settings: Settings) =
    let engine = networks.Engine
    let maxAction = networks.Task.MaxAction
    let noiseDeviation = float32 settings.Td3.TargetNoise * maxAction
    let noiseClip = float32 settings.Td3.TargetNoiseClip * maxAction
    let discount = float32 settings.Learner.Discount

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients, and L_Q in the workspace's Loss.
    member _.CriticBackward(w: Td3Workspace, noise: Draws) : unit =
        let inputs = w.Inputs
        // a' = clip(pi'(s') + clip(eps, -c, c), -a_max, a_max),  eps ~ N(0, sigma^2)
        w.NextActor.Forward()
        engine.Copy(w.NextActor.Output 0, inputs.NextAction)
        w.Noise.Perturb(inputs.NextAction, noiseDeviation, noiseClip, networks.LiveComponents, noise)
        // y = r + gamma (1 - terminated) min_i Q'_i(s', a')
        w.CriticsTarget.Forward()
        TemporalDifference.target engine w.NextValues inputs.Reward inputs.NotDone discount w.Least w.Target
        // L_Q = sum_i mean (Q_i(s, a) - y)^2
        w.Critics.Forward()
        TemporalDifference.squaredError engine w.Values w.Target w.ValueGradients w.Loss
        w.Critics.Backward()

    /// L_Q of the last CriticBackward. Waits for the device: to be read last.
    member _.CriticLoss(w: Td3Workspace) : float = w.Loss.Value

    /// Leaves dL_pi/dw of all actor weights in the actor's Gradients. Overwrites the batch's actions.
    member _.ActorBackward(w: Td3Workspace) : unit =
        w.Actor.Forward()
        engine.Copy(w.Actor.Output 0, w.Inputs.Action)
        w.ActorCritics.Forward()
        engine.Fill(w.ActorCritics.OutputGradient 0, -1.0f / float32 w.Inputs.Rows)
        w.ActorCritics.Backward()
        engine.Copy(w.ActorCritics.InputGradient, w.Actor.OutputGradient 0)
        w.Actor.Backward()

    /// L_pi = -mean Q_1(s, pi(s)) of the last ActorBackward. Waits for the device.
    member _.ActorLoss(w: Td3Workspace) : float = -engine.Mean(w.ActorCritics.Output 0)

    /// CriticBackward, and L_Q.
    member this.CriticGradient(w: Td3Workspace, noise: Draws) : float =
        this.CriticBackward(w, noise)
        this.CriticLoss w

    /// ActorBackward, and L_pi.
    member this.ActorGradient(w: Td3Workspace) : float =
        this.ActorBackward w
        this.ActorLoss w
