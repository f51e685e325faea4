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

/// Mean without the lowest and the highest `floor (proportion * n)` values, as SciPy's trim_mean cuts. proportion in [0, 0.5).
let trimmedMean (proportion: float) (values: float[]) : float =
    require 1 values

    if not (proportion >= 0.0 && proportion < 0.5) then
        invalidArg (nameof proportion) $"expected a proportion in [0, 0.5), found {proportion}"

    let cut = int (proportion * float values.Length)
    Array.average (Array.sub (Array.sort values) cut (values.Length - 2 * cut))

/// Interquartile mean: the mean of the middle half (Agarwal et al. 2021, section 4.3; rliable computes it as the 25 % trimmed mean of
/// all scores).
let interquartileMean (values: float[]) : float = trimmedMean 0.25 values
