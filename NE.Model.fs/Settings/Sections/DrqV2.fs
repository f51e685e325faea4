namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// The noise of DrQ-v2 (docs/algorithm.md 2.14).
type DrqV2Settings = {
    /// Standard deviation of the noise at step 0.
    FirstNoise: float
    /// The same at the end of the schedule and after it.
    LastNoise: float
    /// Steps of the agent from the one to the other.
    NoiseSteps: int64
    /// Bound of the noise in the losses.
    NoiseClip: float
} with

    /// The deviation at a step of the agent: linear, then constant.
    member this.NoiseAt(step: int64) : float =
        if step >= this.NoiseSteps then
            this.LastNoise
        else
            let progress = float step / float this.NoiseSteps
            this.FirstNoise + progress * (this.LastNoise - this.FirstNoise)

[<RequireQualifiedAccess>]
module internal DrqV2Settings =

    let private key name =
        Keys.key<PixelSettings, DrqV2Settings, _> name

    let section =
        Section.ofLearners [ LearnerKind.DrqV2 ] [
            key "drqv2.firstNoise" (Cited "DrQ-v2") notNegative 1.0 _.FirstNoise (fun v s -> { s with FirstNoise = v })
            |> inUnit "max action"
            |> says "Standard deviation of the noise on actions at the beginning."

            key "drqv2.lastNoise" (Cited "DrQ-v2") notNegative 0.1 _.LastNoise (fun v s -> { s with LastNoise = v })
            |> inUnit "max action"
            |> says "The same at the end of the schedule and after it."

            key "drqv2.noiseSteps" (Cited "DrQ-v2") (steps 1L) 500_000L _.NoiseSteps (fun v s -> { s with NoiseSteps = v })
            |> inUnit "environment steps"
            |> says
                "Steps over which the noise falls, linearly: the authors' schedule for tasks of middle difficulty, whose code counts the agent's steps here and not frames (100,000 for easy ones)."

            key "drqv2.noiseClip" (Cited "DrQ-v2") notNegative 0.3 _.NoiseClip (fun v s -> { s with NoiseClip = v })
            |> inUnit "max action"
            |> says "Bound of the noise on the actions in the losses."
        ]
