namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks

/// The losses of SAC's networks and their gradients (docs/algorithm.md 2.13), over any engine.
[<Sealed>]
type SacLosses(networks: ActorCriticNetworks, discount: float, temperature: Temperature) =
    let engine = networks.Engine
    let discount = float32 discount

    /// Leaves dL_Q/dw of all critic weights in the critics' Gradients, and L_Q in the workspace's Loss.
    member _.CriticBackward(w: SacWorkspace, draws: Draws) : unit =
        let inputs = w.Inputs
        // a' ~ pi(s')
        inputs.EncodeNext()
        w.NextActor.Forward()
        w.NextActions.Sample(w.NextActor.Output 0, networks.LiveComponents, draws, inputs.NextAction)
        // Weighed on the host: an engine keeps the factors that it is given.
        w.NextActions.WriteLogProbabilities(float32 (temperature.Value), w.EntropyCost)
        // y = r + gamma (1 - terminated) min_i (Q'_i(s', a') - alpha log pi(a'|s'))
        w.CriticsTarget.Forward()

        for value in w.NextValues do
            engine.Add(value, -1.0f, w.EntropyCost)

        TemporalDifference.target engine w.NextValues inputs.Reward inputs.NotDone discount w.Least w.Target
        inputs.Average w.Target
        // L_Q = sum_i mean (Q_i(s, a) - y)^2
        inputs.Encode()
        w.Critics.Forward()
        TemporalDifference.squaredError engine w.Values w.Target w.ValueGradients w.Loss
        w.Critics.Backward()
        inputs.LearnFromCritics w.Critics

    /// L_Q of the last CriticBackward. Waits for the device: to be read last.
    member _.CriticLoss(w: SacWorkspace) : float = w.Loss.Value

    /// Leaves dL_pi/dw of all actor weights in the actor's Gradients. Overwrites the batch's actions.
    member _.ActorBackward(w: SacWorkspace, draws: Draws) : unit =
        // a ~ pi(s)
        w.Inputs.EncodeForActor()
        w.Actor.Forward()
        w.Actions.Sample(w.Actor.Output 0, networks.LiveComponents, draws, w.Inputs.Action)
        // L_pi = mean (alpha log pi(a|s) - min_i Q_i(s, a))
        w.ActorCritics.Forward()
        w.LeastOfActor.Backward w.ActorCritics
        let weight = float32 (temperature.Value) / float32 w.Inputs.Rows
        w.Actions.Backward(w.ActorCritics.InputGradient, weight, networks.LiveComponents, w.Actor.OutputGradient 0)
        w.Actor.Backward()
        w.Inputs.LearnFromActor w.Actor

    /// L_pi of the last ActorBackward.
    member _.ActorLoss(w: SacWorkspace) : float =
        temperature.Value * w.Actions.MeanLogProbability - w.LeastOfActor.Mean

    /// CriticBackward, and L_Q.
    member this.CriticGradient(w: SacWorkspace, draws: Draws) : float =
        this.CriticBackward(w, draws)
        this.CriticLoss w

    /// ActorBackward, and L_pi.
    member this.ActorGradient(w: SacWorkspace, draws: Draws) : float =
        this.ActorBackward(w, draws)
        this.ActorLoss w
