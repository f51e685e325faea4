namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Regenerative regularisation (methods.md).
type L2InitSettings = {
    /// Factor of the squared distance from the initial parameters in the loss.
    Weight: float
}

[<RequireQualifiedAccess>]
module internal L2InitSettings =

    let private key name =
        Keys.key<RunFacts, L2InitSettings, _> name

    let section =
        Section.ofTechniques [ Technique.L2Init ] [
            key "l2Init.weight" (Cited "L2 Init") notNegative 1e-4 _.Weight (fun v _ -> { Weight = v })
            |> says "Factor of the squared distance from the initial parameters in every loss."
        ]
