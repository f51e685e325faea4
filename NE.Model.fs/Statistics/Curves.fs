/// Learning curves and score distributions.
[<RequireQualifiedAccess>]
module NE.Model.Statistics.Curves

open System

let private require (steps: float[]) (values: float[]) =
    if steps.Length <> values.Length || steps.Length = 0 then
        invalidArg (nameof values) $"expected one value per step and at least one, found {steps.Length} steps and {values.Length} values"

    for i in 1 .. steps.Length - 1 do
        if not (steps[i] > steps[i - 1]) then
            invalidArg (nameof steps) "expected rising steps"

/// Area under a curve by the trapezoidal rule, divided by the length of its step axis: the mean height, in units of the values. A single
/// point is its own height.
let areaUnder (steps: float[]) (values: float[]) : float =
    require steps values

    if steps.Length = 1 then
        values[0]
    else
        let mutable area = 0.0

        for i in 1 .. steps.Length - 1 do
            area <- area + (steps[i] - steps[i - 1]) * (values[i] + values[i - 1]) / 2.0

        area / (steps[steps.Length - 1] - steps[0])

/// Mean of the values in the last `share` of a curve of the given length: of all steps at or after (1 - share) * length, behind the length
/// too, where the last round of a run may end. NaN when there is none.
let meanOfLast (share: float) (length: float) (steps: float[]) (values: float[]) : float =
    require steps values
    let from = (1.0 - share) * length
    // A step that is at the border up to rounding belongs to it.
    let slack = 1e-9 * length

    let last =
        Array.zip steps values
        |> Array.filter (fun (step, _) -> step >= from - slack)
        |> Array.map snd

    if last.Length = 0 then nan else Array.average last

/// Value of a curve with rising steps at a step: on the straight line between the points around it. NaN before the first and behind the last.
let valueAt (step: float) (steps: float[]) (values: float[]) : float =
    if steps.Length <> values.Length then
        invalidArg (nameof values) $"expected one value per step, found {steps.Length} steps and {values.Length} values"

    let found = Array.BinarySearch(steps, step)

    if found >= 0 then
        values[found]
    else
        // Where it is not there, the complement of the next one's index.
        let next = ~~~found

        if next = 0 || next = steps.Length then
            nan
        else
            let rise = values[next] - values[next - 1]
            let run = steps[next] - steps[next - 1]
            values[next - 1] + rise * (step - steps[next - 1]) / run

/// Run-score distribution (Agarwal et al. 2021, section 4.2): for every threshold the share of runs with a score above it, averaged over
/// tasks.
let performanceProfile (thresholds: float[]) (strata: Strata) : float[] =
    thresholds
    |> Array.map (fun threshold ->
        strata
        |> Array.averageBy (fun scores ->
            float (scores |> Array.filter (fun score -> score > threshold) |> Array.length)
            / float scores.Length))

/// Pointwise percentile intervals of a profile by the stratified bootstrap, one per threshold. All thresholds see the same resamples.
let profileIntervals (seed: int64) (resamples: int) (level: float) (thresholds: float[]) (strata: Strata) : Interval[] =
    let profiles =
        Bootstrap.resamples seed resamples (performanceProfile thresholds) strata

    thresholds
    |> Array.mapi (fun index _ ->
        let values = profiles |> Array.map (fun profile -> profile[index])
        Array.sortInPlace values

        {
            Low = Descriptive.quantileOfSorted values ((1.0 - level) / 2.0)
            High = Descriptive.quantileOfSorted values ((1.0 + level) / 2.0)
        })
