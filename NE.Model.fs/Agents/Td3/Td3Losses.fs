namespace NE.Model.Agents.Td3

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The losses of TD3 and their gradients (algorithm.md 2.12), over any engine.
[<Sealed>]
type Td3Losses(networks: Td3Networks, settings: Settings) =
    let engine = networks.Engine
    let maxAction = networks.Task.MaxAction
    let noiseDeviation = float32 settings.Td3.TargetNoise * maxAction
    let noiseClip = float32 settings.Td3.TargetNoiseClip * maxAction
    let discount = float32 settings.Learner.Discount

    /// Action components that the current task does not have stay exactly 0.
    let clearSpare (noise: float32[]) =
        let live, actions = networks.Actor.LiveOutputs, networks.Task.ActionSize

        if live < actions then
            for row in 0 .. noise.Length / actions - 1 do
                Array.fill noise (row * actions + live) (actions - live) 0.0f

    /// On the host, where the noise is drawn, so that a device has one thing less to do.
    let clipNoise (noise: float32[]) =
        for i in 0 .. noise.Length - 1 do
            noise[i] <- MathF.Max(-noiseClip, MathF.Min(noiseClip, noise[i]))

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients, and L_Q in the workspace's Loss.
    member _.CriticBackward(w: Td3Workspace, noise: Draws) : unit =
        let inputs = w.Inputs
        // a' = clip(pi'(s') + clip(eps, -c, c), -a_max, a_max),  eps ~ N(0, sigma^2)
        noise.FillNormal(Span w.NoiseHost, noiseDeviation)
        clearSpare w.NoiseHost
        clipNoise w.NoiseHost
        w.Noise.Write(ReadOnlySpan w.NoiseHost)
        w.ActorTarget.Forward()
        engine.Copy(w.ActorTarget.Output 0, inputs.NextAction)
        engine.Add(inputs.NextAction, 1.0f, w.Noise)
        engine.Clamp(inputs.NextAction, maxAction)
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
        w.FirstCritic.Forward()
        engine.Fill(w.FirstCritic.OutputGradient 0, -1.0f / float32 w.Inputs.Rows)
        w.FirstCritic.Backward()
        engine.Copy(w.FirstCritic.InputGradient, w.Actor.OutputGradient 0)
        w.Actor.Backward()

    /// L_pi = -mean Q_1(s, pi(s)) of the last ActorBackward. Waits for the device.
    member _.ActorLoss(w: Td3Workspace) : float = -engine.Mean(w.FirstCritic.Output 0)

    /// CriticBackward, and L_Q.
    member this.CriticGradient(w: Td3Workspace, noise: Draws) : float =
        this.CriticBackward(w, noise)
        this.CriticLoss w

    /// ActorBackward, and L_pi.
    member this.ActorGradient(w: Td3Workspace) : float =
        this.ActorBackward w
        this.ActorLoss w
