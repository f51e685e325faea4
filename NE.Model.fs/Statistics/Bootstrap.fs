/// Bootstrap intervals from a random stream of their own, so that the same data always gives the same interval.
namespace NE.Model.Statistics

open System
open MathNet.Numerics.Distributions
open NE.Model

/// A confidence interval.
[<Struct>]
type Interval = { Low: float; High: float }

/// Data in strata: one array of run scores per task. A resample draws, with replacement, as many runs as there are within every task, so
/// that no task gets more weight than it has (stratified bootstrap, Agarwal et al. 2021, section 4.1).
type Strata = float[][]

[<RequireQualifiedAccess>]
module Bootstrap =
    /// Resamples of an interval in a report. The ends of a 95 % interval then move by about 1 % of its width from stream to stream.
    [<Literal>]
    let Resamples = 10_000

    /// Level of all intervals of a report.
    [<Literal>]
    let Level = 0.95

    let private checkStrata (strata: Strata) =
        if strata.Length = 0 || strata |> Array.exists Array.isEmpty then
            invalidArg (nameof strata) "expected at least one stratum, and a number in each"

    /// What `value` makes of each of `count` resamples, which it must not keep. `seed` names the stream.
    let resamples (seed: int64) (count: int) (value: Strata -> 'T) (strata: Strata) : 'T[] =
        checkStrata strata
        let draws = Draws.Of(seed, Purpose.Statistics)
        let resample = strata |> Array.map Array.copy

        Array.init count (fun _ ->
            for stratum in 0 .. strata.Length - 1 do
                let original, drawn = strata[stratum], resample[stratum]

                for i in 0 .. drawn.Length - 1 do
                    drawn[i] <- original[int (draws.NextInt(int64 original.Length))]

            value resample)

    /// Values of the statistic on resamples, in ascending order.
    let distribution (seed: int64) (count: int) (statistic: Func<Strata, float>) (strata: Strata) : float[] =
        let values = resamples seed count statistic.Invoke strata
        Array.sortInPlace values
        values

    /// Percentile interval: the quantiles (1 - level)/2 and (1 + level)/2 of the bootstrap distribution (Efron 1979; what rliable reports).
    let percentile (seed: int64) (resamples: int) (level: float) (statistic: Func<Strata, float>) (strata: Strata) : Interval =
        let values = distribution seed resamples statistic strata

        {
            Low = Descriptive.quantileOfSorted values ((1.0 - level) / 2.0)
            High = Descriptive.quantileOfSorted values ((1.0 + level) / 2.0)
        }

    /// Acceleration from the jackknife: a = (1/6) sum_s n_s^-3 sum_i l_si^3 / (sum_s n_s^-2 sum_i l_si^2)^(3/2), where
    /// l_si = (n_s - 1)(theta_s. - theta_(si)) is the influence of run i of stratum s (Efron 1987; for several samples Davison and
    /// Hinkley 1997, section 5.3.2). With one stratum it is Efron's formula. 0 when no value has an influence.
    let acceleration (statistic: Func<Strata, float>) (strata: Strata) : float =
        checkStrata strata

        let influences =
            strata
            |> Array.mapi (fun stratum values ->
                if values.Length < 2 then
                    [| 0.0 |]
                else
                    let without =
                        Array.init values.Length (fun i ->
                            let left = Array.copy strata
                            left[stratum] <- Array.removeAt i values
                            statistic.Invoke left)

                    let centre = Array.average without
                    let factor = float (values.Length - 1)
                    without |> Array.map (fun value -> factor * (centre - value)))

        let sum power =
            influences
            |> Array.sumBy (fun l ->
                (l |> Array.sumBy (fun value -> value ** float power))
                / float l.Length ** float power)

        let spread = sum 2
        if spread <= 0.0 then 0.0 else sum 3 / (6.0 * spread ** 1.5)

    /// Bias-corrected and accelerated interval (Efron 1987). The bias correction counts a tie with the estimate as half below. Falls back
    /// to the percentile interval when every resample lies on the same side of the estimate.
    let bca (seed: int64) (resamples: int) (level: float) (statistic: Func<Strata, float>) (strata: Strata) : Interval =
        let values = distribution seed resamples statistic strata
        let estimate = statistic.Invoke strata

        let below =
            values
            |> Array.sumBy (fun value ->
                if value < estimate then 1.0
                elif value = estimate then 0.5
                else 0.0)

        let share = below / float values.Length
        let tail = (1.0 - level) / 2.0

        if share <= 0.0 || share >= 1.0 then
            {
                Low = Descriptive.quantileOfSorted values tail
                High = Descriptive.quantileOfSorted values (1.0 - tail)
            }
        else
            let z0 = Normal.InvCDF(0.0, 1.0, share)
            let a = acceleration statistic strata

            let adjusted p =
                let z = z0 + Normal.InvCDF(0.0, 1.0, p)
                Normal.CDF(0.0, 1.0, z0 + z / (1.0 - a * z))

            {
                Low = Descriptive.quantileOfSorted values (adjusted tail)
                High = Descriptive.quantileOfSorted values (adjusted (1.0 - tail))
            }
