namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// How long an environment in a process of its own may take.
type ExternalSettings = {
    /// Seconds from its start to its first answer.
    StartTimeout: float
    /// Seconds to every other answer.
    StepTimeout: float
}

[<RequireQualifiedAccess>]
module internal ExternalSettings =

    let private key name =
        Keys.key<RunFacts, ExternalSettings, _> name

    let private patience =
        real "a number in (0, 86400]" (fun v -> v > 0.0 && v <= 86400.0)

    let section =
        Section.create [
            key "external.startTimeout" Ours patience 60.0 _.StartTimeout (fun v s -> { s with StartTimeout = v })
            |> inUnit "seconds"
            |> says "How long an external environment may take from its start to its first answer."

            key "external.stepTimeout" Ours patience 30.0 _.StepTimeout (fun v s -> { s with StepTimeout = v })
            |> inUnit "seconds"
            |> says "How long an external environment may take to a step, a reset or a saved state."
        ]
