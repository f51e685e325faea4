namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Continual backprop (methods.md).
type ContinualBackpropSettings = {
    /// Share of the mature units of a layer that is replaced at every update.
    ReplacementRate: float
    /// Updates that a new unit is left alone.
    Maturity: int64
    /// Decay of a unit's utility.
    UtilityDecay: float
}

[<RequireQualifiedAccess>]
module internal ContinualBackpropSettings =

    let private key name kind default' get set =
        Keys.key<RunFacts, ContinualBackpropSettings, _> name (Cited "continual backprop") kind default' get set

    let section =
        Section.ofTechniques [ Technique.ContinualBackprop ] [
            key "continualBackprop.replacementRate" fraction 1e-4 _.ReplacementRate (fun v s -> { s with ReplacementRate = v })
            |> inUnit "fraction of the mature units"
            |> says "Units of a layer that are replaced at every update; fractions are carried over."

            key "continualBackprop.maturity" (steps 0L) 10_000L _.Maturity (fun v s -> { s with Maturity = v })
            |> inOldRuns 100L
            |> inUnit "updates"
            |> says "Updates that a new unit is left alone."

            key "continualBackprop.utilityDecay" openFraction 0.99 _.UtilityDecay (fun v s -> { s with UtilityDecay = v })
            |> says "Decay of a unit's utility at every update."
        ]
