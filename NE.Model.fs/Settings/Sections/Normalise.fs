namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Normalisation of what the networks read (docs/algorithm.md 2.15).
type NormaliseSettings = {
    /// Whether observations are brought to mean 0 and deviation 1.
    Observations: bool
    /// Whether rewards are divided by the deviation of the discounted return.
    Rewards: bool
    /// Bound of the magnitude of what is normalised.
    Clip: float
} with

    /// Whether anything is normalised.
    member this.IsOn = this.Observations || this.Rewards

[<RequireQualifiedAccess>]
module internal NormaliseSettings =

    let private key name =
        Keys.key<LearnerFacts, NormaliseSettings, _> name

    let private seesPixels isOn (facts: LearnerFacts) normalise =
        isOn normalise && facts.Learner.SeesPixels

    let private isInCycle isOn (facts: LearnerFacts) normalise = isOn normalise && facts.Length.IsCycle

    let section =
        Section.create [
            key "normalise.observations" Ours switch false _.Observations (fun v s -> { s with Observations = v })
            |> isFixed
            |> refusedIf (seesPixels _.Observations) "the learner sees pictures, whose bytes are scaled to [-0.5, 0.5] already"
            |> refusedIf
                (isInCycle _.Observations)
                "the tasks of a cycle have observations of their own: the moments of one would be wrong for the next"
            |> says "Whether networks read observations less their running mean, divided by their running standard deviation."

            key "normalise.rewards" Ours switch false _.Rewards (fun v s -> { s with Rewards = v })
            |> isFixed
            |> refusedIf
                (seesPixels _.Rewards)
                "not offered where the learner sees pictures: its rewards are n-step returns, which are summed when a batch is made"
            |> refusedIf
                (isInCycle _.Rewards)
                "the tasks of a cycle have rewards of their own: the deviation of one would be wrong for the next"
            |> says "Whether networks learn from rewards divided by the running standard deviation of the discounted return."

            key "normalise.clip" (Cited "VecNormalize") positive 10.0 _.Clip (fun v s -> { s with Clip = v })
            |> isFixed
            |> says "Largest magnitude of a normalised component of an observation, and of a normalised reward."
        ]
