namespace NE.Model.Statistics

open System
open MathNet.Numerics.Distributions

/// The comparison of two means whose variances need not be equal.
type WelchResult = {
    /// mean x - mean y.
    Difference: float
    /// Standard error of the difference.
    Error: float
    /// Degrees of freedom (Welch and Satterthwaite).
    Freedom: float
    /// Difference / Error.
    T: float
    /// Probability of a |T| at least as large when the means are equal.
    P: float
    /// Interval of the difference at the level that was asked for.
    Interval: Interval
}

[<RequireQualifiedAccess>]
module Comparison =
    /// Welch's t-test and interval for mean x - mean y (Welch 1947). Both need two numbers. Without any spread the interval is the
    /// difference itself, and P is 0, or 1 for equal means.
    let welch (level: float) (x: float[]) (y: float[]) : WelchResult =
        let part values =
            Descriptive.variance values / float values.Length

        let a, b = part x, part y
        let difference = Descriptive.mean x - Descriptive.mean y
        let error = sqrt (a + b)

        if error = 0.0 then
            {
                Difference = difference
                Error = 0.0
                Freedom = nan
                T = nan
                P = (if difference = 0.0 then 1.0 else 0.0)
                Interval = { Low = difference; High = difference }
            }
        else
            let freedom =
                (a + b) ** 2.0 / (a * a / float (x.Length - 1) + b * b / float (y.Length - 1))

            let t = difference / error
            let reach = error * StudentT.InvCDF(0.0, 1.0, freedom, (1.0 + level) / 2.0)

            {
                Difference = difference
                Error = error
                Freedom = freedom
                T = t
                P = 2.0 * StudentT.CDF(0.0, 1.0, freedom, -(abs t))
                Interval = {
                    Low = difference - reach
                    High = difference + reach
                }
            }

    /// P(X > Y) + P(X = Y)/2 for one run of each (Mann and Whitney's U over n_x n_y).
    let private exceeds (x: float[]) (y: float[]) =
        let mutable wins = 0.0

        for a in x do
            for b in y do
                if a > b then
                    wins <- wins + 1.0
                elif a = b then
                    wins <- wins + 0.5

        wins / (float x.Length * float y.Length)

    /// Probability of improvement of X over Y, averaged over tasks (Agarwal et al. 2021, section 4.3). Strata are tasks, in the same
    /// order in both.
    let probabilityOfImprovement (x: Strata) (y: Strata) : float =
        if x.Length <> y.Length || x.Length = 0 then
            invalidArg (nameof y) $"expected the same tasks on both sides, found {x.Length} and {y.Length}"

        Array.map2 exceeds x y |> Array.average

    /// Its stratified bootstrap percentile interval: the runs of X and of Y are resampled independently within every task.
    let improvementInterval (seed: int64) (resamples: int) (level: float) (x: Strata) (y: Strata) : Interval =
        let tasks = x.Length

        let statistic =
            Func<Strata, float>(fun both -> probabilityOfImprovement (Array.take tasks both) (Array.skip tasks both))

        Bootstrap.percentile seed resamples level statistic (Array.append x y)
