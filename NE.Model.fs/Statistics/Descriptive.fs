/// What a handful of numbers is like: means, spread, quantiles. Every function raises ArgumentException on an empty array.
[<RequireQualifiedAccess>]
module NE.Model.Statistics.Descriptive

open System

let private require (least: int) (values: float[]) =
    if values.Length < least then
        invalidArg (nameof values) $"expected at least {least} numbers, found {values.Length}"

/// Arithmetic mean.
let mean (values: float[]) : float =
    require 1 values
    Array.average values

/// Unbiased variance, divisor n - 1. Needs two numbers.
let variance (values: float[]) : float =
    require 2 values
    let centre = Array.average values

    (values |> Array.sumBy (fun value -> (value - centre) * (value - centre)))
    / float (values.Length - 1)

/// Standard deviation of the population that the numbers are a sample of, divisor n - 1. NaN for a single number, which says nothing
/// about spread.
let standardDeviation (values: float[]) : float =
    require 1 values

    if values.Length = 1 then nan else sqrt (variance values)

/// Quantile by linear interpolation between order statistics: definition 7 of Hyndman and Fan (1996), the default of NumPy and R. The
/// values must be in ascending order; p in [0, 1].
let quantileOfSorted (sorted: float[]) (p: float) : float =
    require 1 sorted
    let at = Math.Clamp(p, 0.0, 1.0) * float (sorted.Length - 1)
    let below = int (floor at)
    let above = min (below + 1) (sorted.Length - 1)
    sorted[below] + (at - float below) * (sorted[above] - sorted[below])

let private requireShare (proportion: float) =
    if not (proportion >= 0.0 && proportion < 0.5) then
        invalidArg (nameof proportion) $"expected a proportion in [0, 0.5), found {proportion}"

/// Mean without the lowest and the highest `floor (proportion * n)` values, as SciPy's trim_mean cuts. proportion in [0, 0.5).
let trimmedMean (proportion: float) (values: float[]) : float =
    require 1 values
    requireShare proportion
    let cut = int (proportion * float values.Length)
    Array.average (Array.sub (Array.sort values) cut (values.Length - 2 * cut))

/// Mean of values that do not weigh the same, without `proportion` of the weight at either end: a value at such a border counts with the part of
/// its weight that lies inside. Needs a positive weight for every value. proportion in [0, 0.5).
let weightedTrimmedMean (proportion: float) (weights: float[]) (values: float[]) : float =
    require 1 values
    requireShare proportion
    let arePositive = weights |> Array.forall (fun weight -> weight > 0.0)

    if weights.Length <> values.Length || not arePositive then
        invalidArg (nameof weights) $"expected a positive weight for each of {values.Length} numbers"

    let sorted = Array.copy values
    let weightOf = Array.copy weights
    Array.Sort(sorted, weightOf)
    let total = Array.sum weightOf
    let first = proportion * total
    let last = (1.0 - proportion) * total
    let mutable below = 0.0
    let mutable sum = 0.0
    let mutable kept = 0.0

    for i in 0 .. sorted.Length - 1 do
        let above = below + weightOf[i]
        let inside = min above last - max below first

        if inside > 0.0 then
            sum <- sum + inside * sorted[i]
            kept <- kept + inside

        below <- above

    sum / kept

/// Interquartile mean: the mean of the middle half (Agarwal et al. 2021, section 4.3; rliable computes it as the 25 % trimmed mean of
/// all scores).
let interquartileMean (values: float[]) : float = trimmedMean 0.25 values

/// Interquartile mean over the runs of several tasks, one array of scores per task, where every task counts as much as another: a run weighs
/// 1 / (tasks * runs of its task), and a quarter of the weight is cut at either end. Where all tasks have equally many runs it is
/// `interquartileMean` of all of them, which cuts whole runs.
let stratifiedInterquartileMean (strata: float[][]) : float =
    strata |> Array.iter (require 1)
    let all = Array.concat strata

    if strata |> Array.forall (fun scores -> scores.Length = strata[0].Length) then
        interquartileMean all
    else
        let weights =
            strata
            |> Array.collect (fun scores -> Array.create scores.Length (1.0 / float (strata.Length * scores.Length)))

        weightedTrimmedMean 0.25 weights all
