module NE.Model.Tests.Statistics.InferenceTests

open System
open Expecto
open NE.Model
open NE.Model.Statistics

let private close expected actual text =
    Expect.floatClose Accuracy.high actual expected text

let private meanOfAll =
    Func<Strata, float>(fun strata -> strata |> Array.averageBy Array.average)

/// The share of simulated samples whose 95 % interval of the mean holds the true mean.
let private coverage (n: int) (samples: int) (take: Draws -> float) (truth: float) interval =
    let draws = Draws.Of(11L, Purpose.Metrics)

    let hits =
        Seq.init samples (fun index ->
            let sample = [| Array.init n (fun _ -> take draws) |]
            let found: Interval = interval (int64 index) sample

            if found.Low <= truth && truth <= found.High then
                1.0
            else
                0.0)
        |> Seq.sum

    hits / float samples

[<Tests>]
let bootstrap =
    testList "Bootstrap" [
        test "resamples of two numbers have the exact distribution 1/4, 1/2, 1/4" {
            let values = Bootstrap.distribution 3L 20_000 meanOfAll [| [| 0.0; 1.0 |] |]

            let count value =
                values |> Array.filter ((=) value) |> Array.length |> float

            let chi =
                [ 0.0, 5_000.0; 0.5, 10_000.0; 1.0, 5_000.0 ]
                |> List.sumBy (fun (value, expected) -> (count value - expected) ** 2.0 / expected)

            Expect.equal (count 0.0 + count 0.5 + count 1.0) 20_000.0 "no other value"
            // Chi-square with 2 degrees of freedom: 13.8 is exceeded once in a thousand.
            Expect.isLessThan chi 13.8 "chi-square"
        }

        test "a resample never mixes tasks" {
            let seen =
                Bootstrap.distribution 0L 500 meanOfAll [| [| 0.0; 2.0 |]; [| 100.0; 100.0; 100.0 |] |]
                |> Array.distinct

            Expect.sequenceEqual (Array.sort seen) [ 50.0; 50.5; 51.0 ] "the second task's mean is always 100"
        }

        test "the same data gives the same interval, another seed nearly the same" {
            let data = [| Array.init 10 (fun i -> float (i * i)) |]

            let at seed =
                Bootstrap.percentile seed 10_000 0.95 meanOfAll data

            Expect.equal (at 0L) (at 0L) "same"
            Expect.notEqual (at 0L) (at 1L) "another stream"
            let width = (at 0L).High - (at 0L).Low
            Expect.isLessThan (abs ((at 0L).High - (at 1L).High) / width) 0.03 "but the same interval"
        }

        test "the data is not changed" {
            let data = [| [| 1.0; 2.0; 3.0 |] |]
            Bootstrap.bca 0L 100 0.95 meanOfAll data |> ignore
            Expect.sequenceEqual data[0] [ 1.0; 2.0; 3.0 ] "data"
        }

        test "the percentile interval covers what the literature says it does: 71 % of n = 3, 90 % of n = 10" {
            let covered n =
                coverage n 600 _.NextNormal() 0.0 (fun seed sample -> Bootstrap.percentile seed 400 0.95 meanOfAll sample)

            // Three standard errors of a share of 600 are 0.055 and 0.037.
            Expect.isLessThan (abs (covered 3 - 0.71)) 0.055 "three"
            Expect.isLessThan (abs (covered 10 - 0.90)) 0.037 "ten"
        }

        test "the acceleration of a mean is its sample's skewness" {
            // 0 0 0 4 around 1: cubes -1 -1 -1 27 = 24, squares 1 1 1 9 = 12; a = 24 / (6 * 12^1.5).
            close (24.0 / (6.0 * 12.0 ** 1.5)) (Bootstrap.acceleration meanOfAll [| [| 0.0; 0.0; 0.0; 4.0 |] |]) "skewed"
            close 0.0 (Bootstrap.acceleration meanOfAll [| [| 1.0; 2.0; 3.0 |] |]) "symmetric"
            close 0.0 (Bootstrap.acceleration meanOfAll [| [| 5.0; 5.0 |] |]) "constant"
            close 0.0 (Bootstrap.acceleration meanOfAll [| [| 5.0 |] |]) "a single run"
            // Two tasks: influences are halved by the average, n^-3 and n^-2 weigh them; both tasks alike gives 1/sqrt 2 of one.
            let one = [| 0.0; 0.0; 0.0; 4.0 |]
            close (24.0 / (6.0 * 12.0 ** 1.5) / sqrt 2.0) (Bootstrap.acceleration meanOfAll [| one; one |]) "two tasks"
        }

        test "BCa is the percentile interval where nothing is biased or skewed, and moves with the skew" {
            let symmetric = [| [| 0.0; 1.0; 2.0; 3.0; 4.0; 5.0; 6.0; 7.0; 8.0 |] |]
            let p = Bootstrap.percentile 0L 20_000 0.95 meanOfAll symmetric
            let b = Bootstrap.bca 0L 20_000 0.95 meanOfAll symmetric
            Expect.isLessThan (abs (p.Low - b.Low) + abs (p.High - b.High)) 0.25 "symmetric"
            let skewed = [| [| 0.0; 0.1; 0.2; 0.3; 0.4; 0.5; 1.0; 2.0; 9.0 |] |]
            let p = Bootstrap.percentile 0L 20_000 0.95 meanOfAll skewed
            let b = Bootstrap.bca 0L 20_000 0.95 meanOfAll skewed
            Expect.isGreaterThan b.Low p.Low "both ends go to the long tail"
            Expect.isGreaterThan b.High p.High "both ends go to the long tail"
        }

        test "BCa covers a skewed mean better than the percentile interval does" {
            let covered interval =
                coverage 12 500 (fun draws -> -log(1.0 - draws.NextDouble())) 1.0 interval

            let percentile =
                covered (fun seed sample -> Bootstrap.percentile seed 400 0.95 meanOfAll sample)

            let bca = covered (fun seed sample -> Bootstrap.bca seed 400 0.95 meanOfAll sample)
            Expect.isGreaterThan bca percentile "exponential, n = 12"
        }

        test "constant scores have an interval of width 0" {
            let b = Bootstrap.bca 0L 200 0.95 meanOfAll [| Array.create 8 7.0 |]
            Expect.equal (b.Low, b.High) (7.0, 7.0) "both ends"
        }

        test "an empty stratum is refused" {
            for strata in [ [||]; [| [| 1.0 |]; [||] |] ] do
                Expect.throwsT<ArgumentException> (fun () -> Bootstrap.percentile 0L 10 0.95 meanOfAll strata |> ignore) "refused"
        }

        testProperty "an interval moves and scales with the data"
        <| fun (seed: int64) (shift: int8) ->
            let data = [| [| 1.0; 4.0; 6.0; 9.0; 12.0 |] |]
            let moved = data |> Array.map (Array.map (fun value -> 2.0 * value + float shift))
            let before = Bootstrap.bca seed 200 0.95 meanOfAll data
            let after = Bootstrap.bca seed 200 0.95 meanOfAll moved

            abs (after.Low - (2.0 * before.Low + float shift)) < 1e-6
            && abs (after.High - (2.0 * before.High + float shift)) < 1e-6
    ]

[<Tests>]
let comparison =
    testList "Comparison of two arms" [
        test "Welch's test where Student's distribution has a closed form" {
            // Variances 2 and 2 over n = 2: standard errors 1 and 1, df = 2^2/(1 + 1) = 2, where F(t) = 1/2 + t/(2 sqrt(2 + t^2)) and the
            // quantile of q is (2q - 1)/sqrt(2 q (1 - q)) = 4.3027 for 0.975.
            let result = Comparison.welch 0.95 [| 0.0; 2.0 |] [| 5.0; 7.0 |]
            close -5.0 result.Difference "difference"
            close (sqrt 2.0) result.Error "error"
            close 2.0 result.Freedom "degrees of freedom"
            close (-5.0 / sqrt 2.0) result.T "t"
            close (1.0 - sqrt (12.5 / 14.5)) result.P "p"
            let reach = sqrt 2.0 * 0.95 / sqrt (2.0 * 0.975 * 0.025)
            close (-5.0 - reach) result.Interval.Low "low"
            close (-5.0 + reach) result.Interval.High "high"
        }

        test "Welch's degrees of freedom with unequal variances and sizes" {
            // Variances 1 and 20/3 over 3 and 4: 1/3 and 5/3; df = 2^2 / ((1/9)/2 + (25/9)/3) = 216/53.
            let result = Comparison.welch 0.95 [| 1.0; 2.0; 3.0 |] [| 2.0; 4.0; 6.0; 8.0 |]
            close (216.0 / 53.0) result.Freedom "degrees of freedom"
            close (-3.0 / sqrt 2.0) result.T "t"
        }

        test "arms without spread" {
            let same = Comparison.welch 0.95 [| 1.0; 1.0 |] [| 1.0; 1.0 |]
            Expect.equal (same.P, same.Interval.Low, same.Interval.High) (1.0, 0.0, 0.0) "equal"
            Expect.equal (Comparison.welch 0.95 [| 2.0; 2.0 |] [| 1.0; 1.0 |]).P 0.0 "different"
            Expect.throwsT<ArgumentException> (fun () -> Comparison.welch 0.95 [| 1.0 |] [| 1.0; 2.0 |] |> ignore) "one number"
        }

        test "Welch's interval covers 95 % of small samples with unequal spread" {
            let draws = Draws.Of(5L, Purpose.Metrics)

            let hits =
                Seq.init 4_000 (fun _ ->
                    let x = Array.init 8 (fun _ -> draws.NextNormal())
                    let y = Array.init 8 (fun _ -> 3.0 * draws.NextNormal())
                    let interval = (Comparison.welch 0.95 x y).Interval

                    if interval.Low <= 0.0 && 0.0 <= interval.High then
                        1.0
                    else
                        0.0)
                |> Seq.sum

            // Three standard errors of a share of 4,000 are 0.0103.
            Expect.isLessThan (abs (hits / 4_000.0 - 0.95)) 0.0104 "coverage"
        }

        test "the probability of improvement counts pairs, a tie as half" {
            // 1 < 2, 1 < 3, 3 > 2, 3 = 3: 1.5 of 4.
            close 0.375 (Comparison.probabilityOfImprovement [| [| 1.0; 3.0 |] |] [| [| 2.0; 3.0 |] |]) "one task"
            // A second task where every pair wins: (0.375 + 1)/2.
            close 0.6875 (Comparison.probabilityOfImprovement [| [| 1.0; 3.0 |]; [| 9.0 |] |] [| [| 2.0; 3.0 |]; [| 0.0 |] |]) "two"
            Expect.throwsT<ArgumentException> (fun () -> Comparison.probabilityOfImprovement [| [| 1.0 |] |] [||] |> ignore) "other tasks"
        }

        test "the interval of a certain improvement is a point, of equal arms it holds one half" {
            let low, high =
                [| Array.init 8 float |], [| Array.init 8 (fun i -> 100.0 + float i) |]

            let certain = Comparison.improvementInterval 0L 500 0.95 high low
            Expect.equal (certain.Low, certain.High) (1.0, 1.0) "certain"
            let equal = Comparison.improvementInterval 0L 2_000 0.95 low low
            Expect.isTrue (equal.Low < 0.5 && equal.High > 0.5) "equal arms"
            Expect.isGreaterThan (equal.High - equal.Low) 0.4 "eight seeds say little"
        }

        testProperty "the two directions of an improvement add up to one"
        <| fun (x: int list) (y: int list) ->
            let scores values = [| [| 0.0; yield! values |> Seq.map float |] |]
            let there = Comparison.probabilityOfImprovement (scores x) (scores y)
            let back = Comparison.probabilityOfImprovement (scores y) (scores x)
            abs (there + back - 1.0) < 1e-12
    ]
