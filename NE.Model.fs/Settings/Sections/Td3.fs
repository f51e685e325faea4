namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// TD3 (docs/algorithm.md 2.12).
type Td3Settings = {
    ExplorationNoise: float
    TargetNoise: float
    TargetNoiseClip: float
    PolicyDelay: int
}

[<RequireQualifiedAccess>]
module internal Td3Settings =

    let private key name = Keys.key<unit, Td3Settings, _> name

    let section =
        Section.ofLearners [ LearnerKind.Td3 ] [
            key "td3.explorationNoise" PaperUnstated notNegative 0.1 _.ExplorationNoise (fun v s -> { s with ExplorationNoise = v })
            |> inUnit "max action"
            |> says "Standard deviation of the Gaussian added to the action while training."

            key "td3.targetNoise" OfficialCode notNegative 0.2 _.TargetNoise (fun v s -> { s with TargetNoise = v })
            |> inUnit "max action"
            |> says "Standard deviation of target policy smoothing."

            key "td3.targetNoiseClip" OfficialCode notNegative 0.5 _.TargetNoiseClip (fun v s -> { s with TargetNoiseClip = v })
            |> inUnit "max action"
            |> says "Bound of the smoothing noise."

            key "td3.policyDelay" OfficialCode (int32Of (wholeNumber 1L 1_000L)) 2 _.PolicyDelay (fun v s -> { s with PolicyDelay = v })
            |> inUnit "gradient steps"
            |> says "Critic updates per update of the actor and of all targets."
        ]
