namespace NE.Model.Agents.Sac

open System
open NE.Model
open NE.Model.Agents

/// alpha, which weighs the entropy beside the reward, and how it is learned: by Adam on log alpha, in double precision.
[<Sealed>]
type Temperature(sac: SacSettings, learner: LearnerSettings) =
    let first = Math.Log sac.Temperature.Value
    let mutable logAlpha = first
    let mutable firstMoment = 0.0
    let mutable secondMoment = 0.0
    // beta^(steps taken).
    let mutable beta1Power = 1.0
    let mutable beta2Power = 1.0

    /// alpha.
    member _.Value = Math.Exp logAlpha

    /// One step on L_alpha = -log alpha (mean log pi(a|s) + H), as the authors' code has it: alpha rises where the entropy -mean log pi is below its
    /// target H. The loss of 1812.05905, equation 18, has alpha in the place of its logarithm; the direction is the same. Does nothing if alpha is
    /// not learned.
    member _.Step(meanLogProbability: float, targetEntropy: float) : unit =
        if sac.LearnTemperature then
            let gradient = -(meanLogProbability + targetEntropy)
            firstMoment <- learner.AdamBeta1 * firstMoment + (1.0 - learner.AdamBeta1) * gradient

            secondMoment <-
                learner.AdamBeta2 * secondMoment
                + (1.0 - learner.AdamBeta2) * gradient * gradient

            beta1Power <- learner.AdamBeta1 * beta1Power
            beta2Power <- learner.AdamBeta2 * beta2Power

            let size = Math.Sqrt(secondMoment / (1.0 - beta2Power)) + learner.AdamEpsilon

            logAlpha <-
                logAlpha
                - sac.TemperatureLearningRate.Value * (firstMoment / (1.0 - beta1Power)) / size

    /// It begins anew, and so does its Adam.
    member _.Restart() : unit =
        logAlpha <- first
        firstMoment <- 0.0
        secondMoment <- 0.0
        beta1Power <- 1.0
        beta2Power <- 1.0

    /// All that it needs to go on.
    member _.State: Codec =
        Codec.all [
            Codec.float (fun () -> logAlpha) (fun stored -> logAlpha <- stored)
            Codec.float (fun () -> firstMoment) (fun stored -> firstMoment <- stored)
            Codec.float (fun () -> secondMoment) (fun stored -> secondMoment <- stored)
            Codec.float (fun () -> beta1Power) (fun stored -> beta1Power <- stored)
            Codec.float (fun () -> beta2Power) (fun stored -> beta2Power <- stored)
        ]
