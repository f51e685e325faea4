namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The losses of SAC's networks and their gradients (algorithm.md 2.13), over any engine.
[<Sealed>]
type SacLosses(networks: SacNetworks, discount: float, temperature: Temperature) =
    let engine = networks.Engine
    let discount = float32 discount

    /// -1 / rows where a critic has the smaller value (the first one where they are equal), 0 elsewhere: the gradient of -mean min_i Q_i.
    let backwardFromLeast (w: SacWorkspace) =
        let q = w.HostValues

        for critic in 0 .. q.Length - 1 do
            w.ActorCritics.Output(critic).Read(Span q[critic])

        for critic in 0 .. q.Length - 1 do
            for row in 0 .. w.Rows - 1 do
                let isLeast = q[1].[row] < q[0].[row] = (critic = 1)
                w.HostGradient[row] <- if isLeast then -1.0f / float32 w.Rows else 0.0f

            w.ActorCritics.OutputGradient(critic).Write(ReadOnlySpan w.HostGradient)

        w.ActorCritics.Backward()

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients, and L_Q in the workspace's Loss.
    member _.CriticBackward(w: SacWorkspace, draws: Draws) : unit =
        // a' ~ pi(s')
        w.NextActor.Forward()
        w.NextActions.Sample(w.NextActor.Output 0, networks.LiveComponents, draws, w.NextAction)
        // Weighed on the host: an engine keeps the factors that it is given.
        w.NextActions.WriteLogProbabilities(float32 (temperature.Value), w.EntropyCost)
        // y = r + gamma (1 - terminated) min_i (Q'_i(s', a') - alpha log pi(a'|s'))
        w.CriticsTarget.Forward()

        for value in w.NextValues do
            engine.Add(value, -1.0f, w.EntropyCost)

        TemporalDifference.target engine w.NextValues w.Reward w.NotDone discount w.Least w.Target
        // L_Q = sum_i mean (Q_i(s, a) - y)^2
        w.Critics.Forward()
        TemporalDifference.squaredError engine w.Values w.Target w.ValueGradients w.Loss
        w.Critics.Backward()

    /// L_Q of the last CriticBackward. Waits for the device: to be read last.
    member _.CriticLoss(w: SacWorkspace) : float = w.Loss.Value

    /// Leaves dL_pi/dw of all actor weights in the actor's Gradients. Overwrites the batch's actions.
    member _.ActorBackward(w: SacWorkspace, draws: Draws) : unit =
        // a ~ pi(s)
        w.Actor.Forward()
        w.Actions.Sample(w.Actor.Output 0, networks.LiveComponents, draws, w.Action)
        // L_pi = mean (alpha log pi(a|s) - min_i Q_i(s, a))
        w.ActorCritics.Forward()
        backwardFromLeast w
        let weight = float32 (temperature.Value) / float32 w.Rows
        w.Actions.Backward(w.ActorCritics.InputGradient, weight, networks.LiveComponents, w.Actor.OutputGradient 0)
        w.Actor.Backward()

    /// L_pi of the last ActorBackward.
    member _.ActorLoss(w: SacWorkspace) : float =
        let mutable least = 0.0

        for row in 0 .. w.Rows - 1 do
            least <- least + float (MathF.Min(w.HostValues[0].[row], w.HostValues[1].[row]))

        temperature.Value * w.Actions.MeanLogProbability - least / float w.Rows

    /// CriticBackward, and L_Q.
    member this.CriticGradient(w: SacWorkspace, draws: Draws) : float =
        this.CriticBackward(w, draws)
        this.CriticLoss w

    /// ActorBackward, and L_pi.
    member this.ActorGradient(w: SacWorkspace, draws: Draws) : float =
        this.ActorBackward(w, draws)
        this.ActorLoss w
