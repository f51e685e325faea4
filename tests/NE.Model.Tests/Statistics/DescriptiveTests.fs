module NE.Model.Tests.Statistics.DescriptiveTests

open System
open Expecto
open NE.Model.Statistics

let private close expected actual text =
    Expect.floatClose Accuracy.high actual expected text

[<Tests>]
let tests =
    testList "Descriptive statistics" [
        test "the standard deviation divides by n - 1" {
            // Mean 40/8 = 5; squared distances 9+1+1+1+0+0+4+16 = 32; 32/7.
            let values = [| 2.0; 4.0; 4.0; 4.0; 5.0; 5.0; 7.0; 9.0 |]
            close 5.0 (Descriptive.mean values) "mean"
            close (sqrt (32.0 / 7.0)) (Descriptive.standardDeviation values) "deviation"
        }

        test "one number has a mean, and no deviation" {
            close 3.0 (Descriptive.mean [| 3.0 |]) "mean"
            Expect.isTrue (Double.IsNaN(Descriptive.standardDeviation [| 3.0 |])) "deviation"
            Expect.throwsT<ArgumentException> (fun () -> Descriptive.variance [| 3.0 |] |> ignore) "variance"
        }

        test "no numbers are refused" {
            for name, f in
                [
                    "mean", Descriptive.mean
                    "deviation", Descriptive.standardDeviation
                    "iqm", Descriptive.interquartileMean
                ] do
                Expect.throwsT<ArgumentException> (fun () -> f [||] |> ignore) name
        }

        test "quantiles interpolate between order statistics (Hyndman and Fan, definition 7)" {
            // Position p (n - 1) = 0.75 of 0..3: three quarters of the way from 1 to 2.
            close 1.75 (Descriptive.quantileOfSorted [| 1.0; 2.0; 3.0; 4.0 |] 0.25) "quarter"
            close 2.5 (Descriptive.quantileOfSorted [| 1.0; 2.0; 3.0; 4.0 |] 0.5) "median of four"
            close 2.0 (Descriptive.quantileOfSorted [| 1.0; 2.0; 3.0 |] 0.5) "median of three"
            close 1.0 (Descriptive.quantileOfSorted [| 1.0; 2.0 |] 0.0) "lowest"
            close 2.0 (Descriptive.quantileOfSorted [| 1.0; 2.0 |] 1.0) "highest"
        }

        test "the interquartile mean leaves out floor(n/4) values at each end, as SciPy's trim_mean does" {
            // 8 values: two at each end go, (3+4+5+6)/4 is left; an outlier changes nothing.
            close 4.5 (Descriptive.interquartileMean [| 8.0; 1.0; 7.0; 2.0; 6.0; 3.0; 5.0; 4.0 |]) "eight"
            close 4.5 (Descriptive.interquartileMean [| 1000.0; 1.0; 7.0; 2.0; 6.0; 3.0; 5.0; 4.0 |]) "outlier"
            // 10 values: floor(2.5) = 2 go, of 0 0 | 0 0 0 0 1 1 | 1 10 the middle six are left.
            close (2.0 / 6.0) (Descriptive.interquartileMean [| 0.0; 0.0; 0.0; 0.0; 0.0; 0.0; 1.0; 1.0; 1.0; 10.0 |]) "ten"
            // 3 values: floor(0.75) = 0 go.
            close 2.0 (Descriptive.interquartileMean [| 1.0; 2.0; 3.0 |]) "three"
        }

        test "a half or more cannot be cut from both ends" {
            for proportion in [ 0.5; -0.1; nan ] do
                Expect.throwsT<ArgumentException> (fun () -> Descriptive.trimmedMean proportion [| 1.0 |] |> ignore) $"{proportion}"

                Expect.throwsT<ArgumentException>
                    (fun () -> Descriptive.weightedTrimmedMean proportion [| 1.0 |] [| 1.0 |] |> ignore)
                    $"{proportion}"
        }

        test "a weighted trimmed mean cuts weight at either end, and a value at the border in part" {
            // Of a weight of 8 the lowest and the highest 2 go: 1 of the two of 20, all of 10 and 50; (1 * 20 + 3 * 30) / 4.
            close 27.5 (Descriptive.weightedTrimmedMean 0.25 [| 3.0; 1.0; 2.0; 2.0 |] [| 30.0; 10.0; 50.0; 20.0 |]) "a border within 20"
            close 3.0 (Descriptive.weightedTrimmedMean 0.0 [| 1.0; 1.0 |] [| 2.0; 4.0 |]) "nothing is cut"
            close 7.0 (Descriptive.weightedTrimmedMean 0.25 [| 0.1 |] [| 7.0 |]) "a single value"
            // Equal weights and whole runs: the trimmed mean.
            close 4.5 (Descriptive.weightedTrimmedMean 0.25 (Array.create 8 0.3) [| 8.0; 1.0; 7.0; 2.0; 6.0; 3.0; 5.0; 4.0 |]) "eight"

            for weights in [ [| 1.0 |]; [| 1.0; 0.0 |]; [| 1.0; nan |] ] do
                Expect.throwsT<ArgumentException>
                    (fun () -> Descriptive.weightedTrimmedMean 0.25 weights [| 1.0; 2.0 |] |> ignore)
                    $"%A{weights}"
        }

        test "an interquartile mean over tasks gives every task the same weight" {
            // Weights 1/6 of 0, 1 and 9, 1/4 of 4 and 6. From 1/4 to 3/4 lie 1/12 of 1, 1/4 of 4 and 1/6 of 6: 25/12 over 1/2.
            close (25.0 / 6.0) (Descriptive.stratifiedInterquartileMean [| [| 0.0; 1.0; 9.0 |]; [| 4.0; 6.0 |] |]) "three and two runs"
            // Pooled, the zeros of the task with more runs would be all of the middle half.
            close 6.0 (Descriptive.stratifiedInterquartileMean [| Array.zeroCreate 6; [| 12.0; 12.0 |] |]) "six and two runs"
            let equal = [| [| 3.0; 1.0; 2.0 |]; [| 9.0; 8.0; 7.0 |] |]

            Expect.equal
                (Descriptive.stratifiedInterquartileMean equal)
                (Descriptive.interquartileMean (Array.concat equal))
                "equally many runs: the interquartile mean of all"

            for strata in [ [||]; [| [| 1.0 |]; [||] |] ] do
                Expect.throwsT<ArgumentException> (fun () -> Descriptive.stratifiedInterquartileMean strata |> ignore) "no runs"
        }
    ]

[<Tests>]
let curves =
    testList "Curves and profiles" [
        test "the area under a curve is its mean height, whatever the spacing" {
            // 10 * (0+10)/2 + 20 * (10+20)/2 = 350 over 30.
            close (350.0 / 30.0) (Curves.areaUnder [| 0.0; 10.0; 30.0 |] [| 0.0; 10.0; 20.0 |]) "area"
            close 7.0 (Curves.areaUnder [| 5.0 |] [| 7.0 |]) "a point"
        }

        test "the last tenth is what lies at or after nine tenths of the length" {
            let steps, values =
                [| 0.0; 50.0; 90.0; 95.0; 100.0 |], [| 1.0; 2.0; 3.0; 4.0; 5.0 |]

            close 4.0 (Curves.meanOfLast 0.1 100.0 steps values) "90, 95, 100"
            close 4.5 (Curves.meanOfLast 0.05 95.0 steps values) "95, and what its last round ended with"
            Expect.isTrue (Double.IsNaN(Curves.meanOfLast 0.1 1000.0 steps values)) "a run that did not get there"
        }

        test "steps that do not rise, or lack values, are refused" {
            for steps, values in
                [
                    [| 0.0; 0.0 |], [| 1.0; 2.0 |]
                    [| 1.0; 0.0 |], [| 1.0; 2.0 |]
                    [| 0.0 |], [||]
                    [||], [||]
                ] do
                Expect.throwsT<ArgumentException> (fun () -> Curves.areaUnder steps values |> ignore) $"%A{steps}"
        }

        test "a curve's value at a step lies on the line between its points, and outside of them there is none" {
            let at step =
                Curves.valueAt step [| 10.0; 20.0 |] [| 1.0; 2.0 |]

            Expect.isTrue (Double.IsNaN(at 9.0)) "before the first"
            close 1.9 (at 19.0) "between"
            close 1.0 (at 10.0) "on the first point"
            close 2.0 (at 20.0) "on the last point"
            Expect.isTrue (Double.IsNaN(at 99.0)) "behind the last"
            Expect.isTrue (Double.IsNaN(Curves.valueAt 0.0 [||] [||])) "of no points"
        }

        test "a performance profile is the share of runs above each threshold, a task counting as a task" {
            let one = [| [| 1.0; 2.0; 3.0; 4.0 |] |]

            Expect.sequenceEqual
                (Curves.performanceProfile [| 0.0; 2.0; 2.5; 4.0 |] one)
                [ 1.0; 0.5; 0.5; 0.0 ]
                "one task; above, so 2 itself does not count"

            // Four runs of one task and one of another: (3/4 + 0)/2.
            Expect.sequenceEqual (Curves.performanceProfile [| 1.5 |] [| one[0]; [| 1.0 |] |]) [ 0.375 ] "two tasks"
        }

        test "a profile's intervals hold the profile and are as wide as a binomial share's" {
            let scores = [| Array.init 20 float |]
            let thresholds = [| -1.0; 9.5; 30.0 |]

            let intervals = Curves.profileIntervals 0L 2_000 0.95 thresholds scores

            Expect.equal (intervals[0].Low, intervals[0].High) (1.0, 1.0) "all above"
            Expect.equal (intervals[2].Low, intervals[2].High) (0.0, 0.0) "none above"
            // 10 of 20 above: the number in a resample is binomial(20, 1/2), whose 2.5 % and 97.5 % quantiles are 6 and 14.
            Expect.equal (intervals[1].Low, intervals[1].High) (0.3, 0.7) "half above"
        }

        test "eight seeds allow an interval, seven do not, and missing seeds are named" {
            Expect.isFalse (Evidence.allowsInterval 7) "7"
            Expect.isTrue (Evidence.allowsInterval 8) "8"
            Expect.sequenceEqual (Evidence.missing [ 0L; 1L; 2L; 3L ] [ 2L; 0L ]) [ 1L; 3L ] "seeds"
        }
    ]
