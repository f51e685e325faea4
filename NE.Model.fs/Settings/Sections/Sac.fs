namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// How an output of the actor's network becomes log sigma.
[<RequireQualifiedAccess>]
type LogDeviation =
    /// As it is, cut to [-20, 2] (the authors' code of SAC).
    | Clamped
    /// By a tanh from all numbers to [-10, 2] (the authors' code of DrQ).
    | Tanh

/// Soft Actor-Critic (docs/algorithm.md 2.13).
type SacSettings = {
    /// alpha; the first one where it is learned.
    Temperature: Derived<float>
    LearnTemperature: bool
    TemperatureLearningRate: Derived<float>
    /// H, in nats. Auto stays: it follows from the task, which settings do not know.
    TargetEntropy: Derived<float>
    LogDeviation: Derived<LogDeviation>
}

[<RequireQualifiedAccess>]
module internal SacSettings =

    let private key name =
        Keys.key<LearnerKind, SacSettings, _> name

    let private deviations =
        choice [ "clamped", LogDeviation.Clamped; "tanh", LogDeviation.Tanh ]

    let private finite = real "a number" (fun _ -> true)

    let section =
        Section.ofLearners [ LearnerKind.Sac; LearnerKind.Drq ] [
            key "sac.temperature" (Cited "SAC") (derived positive) Auto _.Temperature (fun v s -> { s with Temperature = v })
            |> isFixed
            |> inUnit "reward per nat"
            |> auto "1; of drq 0.1" (fun learner _ -> if learner.SeesPixels then 0.1 else 1.0)
            |> says "Weight alpha of the entropy beside the reward; where it is learned, its first value; auto: 1, of drq 0.1."

            key "sac.learnTemperature" (Cited "SAC") switch true _.LearnTemperature (fun v s -> { s with LearnTemperature = v })
            |> says "Whether alpha follows sac.targetEntropy; off keeps it, as SAC of 2018 does."

            key "sac.temperatureLearningRate" (Cited "SAC") (derived positive) Auto _.TemperatureLearningRate (fun v s -> {
                s with
                    TemperatureLearningRate = v
            })
            |> auto "3e-4; of drq 1e-4" (fun learner _ -> if learner.SeesPixels then 1e-4 else 3e-4)
            |> says "Adam's step size for the logarithm of alpha; auto: 3e-4, of drq 1e-4."

            key "sac.targetEntropy" (Cited "SAC") (derived finite) Auto _.TargetEntropy (fun v s -> { s with TargetEntropy = v })
            |> inUnit "nats"
            |> says
                "Entropy that alpha holds the policy at, of actions scaled to [-1, 1]; auto: minus the number of the task's action components."

            key "sac.logDeviation" (Cited "SAC") (derived deviations) Auto _.LogDeviation (fun v s -> { s with LogDeviation = v })
            |> isFixed
            |> inOldRuns (Is LogDeviation.Clamped)
            |> auto "clamped; of drq tanh" (fun learner _ ->
                if learner.SeesPixels then
                    LogDeviation.Tanh
                else
                    LogDeviation.Clamped)
            |> says
                "How an output of the actor becomes log sigma: cut to [-20, 2], or brought into [-10, 2] by a tanh, where an output of 0 is a deviation of 0.018; auto: clamped, of drq tanh."
        ]
