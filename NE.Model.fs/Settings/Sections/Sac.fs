namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Soft Actor-Critic (algorithm.md 2.13).
type SacSettings = {
    /// alpha; the first one where it is learned.
    Temperature: float
    LearnTemperature: bool
    TemperatureLearningRate: float
    /// H, in nats. Auto stays: it follows from the task, which settings do not know.
    TargetEntropy: Derived<float>
}

[<RequireQualifiedAccess>]
module internal SacSettings =

    let private key name = Keys.key<unit, SacSettings, _> name

    let private finite = real "a number" (fun _ -> true)

    let section =
        Section.ofLearners [ LearnerKind.Sac ] [
            key "sac.temperature" (Cited "SAC") positive 1.0 _.Temperature (fun v s -> { s with Temperature = v })
            |> isFixed
            |> inUnit "reward per nat"
            |> says "Weight alpha of the entropy beside the reward; where it is learned, its first value."

            key "sac.learnTemperature" (Cited "SAC") switch true _.LearnTemperature (fun v s -> { s with LearnTemperature = v })
            |> says "Whether alpha follows sac.targetEntropy; off keeps it, as SAC of 2018 does."

            key "sac.temperatureLearningRate" (Cited "SAC") positive 3e-4 _.TemperatureLearningRate (fun v s -> {
                s with
                    TemperatureLearningRate = v
            })
            |> says "Adam's step size for the logarithm of alpha."

            key "sac.targetEntropy" (Cited "SAC") (derived finite) Auto _.TargetEntropy (fun v s -> { s with TargetEntropy = v })
            |> inUnit "nats"
            |> says
                "Entropy that alpha holds the policy at, of actions scaled to [-1, 1]; auto: minus the number of the task's action components."
        ]
