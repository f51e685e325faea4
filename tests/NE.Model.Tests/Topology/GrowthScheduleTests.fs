module NE.Model.Tests.Topology.GrowthScheduleTests

open System
open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

let private standard = {
    Interval = 10_000L
    End = 3_000_000L
    Shape = GrowthShape.Cosine
    Rate = GrowthRate.Auto
    FinalDensity = 1.0
    Cap = DensityCap.Layer
    Rest = RestCapacity.Initial
    StartDensity = 0.25
    Scale = RateScale.Total
    CarryFractions = true
}

let private shapes = [ GrowthShape.Cosine; GrowthShape.Uniform; GrowthShape.Warm ]

let private events settings = [ for i in 1L .. GrowthSchedule.eventCount settings -> i * settings.Interval ]

/// g = 1 / ((1 - omega / 2) sum c): the fixed rate that just fills the layers if half of the prune allowance omega is used.
let private fillingRate settings omega =
    1.0 / ((1.0 - omega / 2.0) * (GrowthSchedule.Sums settings).Cosine)

let private near expected decimals (actual: float) message =
    Expect.equal (Math.Round(actual, (decimals: int))) expected message

/// Runs all events of a layer, pruning `pruned k` weights at an event that grew k; visits (t, grown, pruned, active afterwards, growth).
let private run settings rows columns initial (pruned: int -> int) visit =
    let mask = LayerMask.random rows columns initial (drawsOf 1L)
    let sums = GrowthSchedule.Sums settings
    let mutable growth = GrowthSchedule.start settings mask
    let mutable active = initial

    for t in events settings do
        let struct (k, next) = GrowthSchedule.quota sums t active growth
        growth <- next
        let p = pruned k
        active <- active + k - p
        visit t k p active growth

    active

[<Tests>]
let tests =
    testList "the growth schedule" [
        testCase "has c = 1, 1/2 and 0 at the start, the middle and the end"
        <| fun () ->
            let c t =
                GrowthSchedule.shapeAt GrowthShape.Cosine t 3_000_000L

            Expect.equal (c 0L) 1.0 "start"
            Expect.floatClose Accuracy.veryHigh (c 1_500_000L) 0.5 "middle"
            Expect.floatClose { absolute = 1e-15; relative = 0.0 } (c 3_000_000L) 0.0 "end"

        testCase "has the expected numbers of events, sums and rates"
        <| fun () ->
            Expect.equal (GrowthSchedule.eventCount standard) 299L "events of 3M"
            near 149.5 9 (GrowthSchedule.Sums standard).Total "sum of 3M"
            near 0.00836 5 (fillingRate standard 0.4) "g"
            near 0.00669 5 (fillingRate standard 0.0) "g without pruning"
            near 0.01115 5 (fillingRate standard 0.8) "g if all of 0.4 is used"
            let short = { standard with End = 1_000_000L }
            Expect.equal (GrowthSchedule.eventCount short) 99L "events of 1M"
            near 49.5 9 (GrowthSchedule.Sums short).Total "sum of 1M"
            near 0.0253 4 (fillingRate short 0.4) "g of 1M"
            near 0.0042 4 (fillingRate { standard with End = 6_000_000L } 0.4) "g of 6M"

        testCase "has its events at the multiples of the interval, after 0 and before the end"
        <| fun () ->
            let small = {
                standard with
                    Interval = 3L
                    End = 12L
            }

            Expect.equal
                [
                    for t in 0L .. 20L do
                        if GrowthSchedule.isDue small t then
                            t
                ]
                [ 3L; 6L; 9L ]
                "due"

            Expect.equal (events small) [ 3L; 6L; 9L ] "events"

        law "in closed loop keeps the density at its target: never above, at most 1 % and the pruned share below" (fun seed ->
            let draws = drawsOf seed
            let rows, columns = between 40 120 draws, between 40 120 draws
            let size = rows * columns
            let initial = between (size / 10) (size / 2) draws
            let used = if draws.NextDouble() < 0.3 then 0.0 else draws.NextDouble()

            let settings = {
                standard with
                    Interval = 10L
                    End = int64 (between 1_000 3_000 draws)
                    Shape = shapes[int (draws.NextInt 3L)]
                    FinalDensity = 0.6 + 0.4 * draws.NextDouble()
            }

            let sums = GrowthSchedule.Sums settings

            let final =
                run settings rows columns initial (fun k -> int (0.4 * used * float k)) (fun t _ p active growth ->
                    let target = GrowthSchedule.target sums t growth
                    Expect.isLessThanOrEqual (float active) (target + 0.5) $"above at {t}"
                    Expect.isGreaterThanOrEqual (float active) (target - 0.5 - float p) $"below at {t}"

                    Expect.isGreaterThanOrEqual
                        (float active / float size)
                        (target / float size - 0.01 - float p / float size)
                        $"1 %% at {t}"

                    Expect.isLessThanOrEqual active growth.Capacity $"past rho1 at {t}")

            if used = 0.0 then
                Expect.equal final (int (settings.FinalDensity * float size + 1e-6)) "full at the end")

        testCase "in closed loop follows the cosine of 3M steps, and rho1 is not reached before 0.95 T_end"
        <| fun () ->
            for omega in [ 0.0; 0.2; 0.4 ] do
                let full = 65536
                let prune k = int (omega * float k)

                let final =
                    run standard 256 256 11_968 prune (fun t _ _ active _ ->
                        if float t < 0.95 * 3e6 then
                            Expect.isLessThan active full $"rho1 reached at {t}")

                Expect.isGreaterThan (float final / float full) 0.999 "full at the end"

                if omega = 0.0 then
                    Expect.equal final full "full at the end"

        law "in open loop carries fractions: the quotas add up to the floor of their exact sum" (fun seed ->
            let draws = drawsOf seed
            let g = 0.001 * draws.NextDouble()

            let settings = {
                standard with
                    Rate = GrowthRate.Fixed g
                    Shape = shapes[int (draws.NextInt 3L)]
            }

            let initial = between 100 3_000 draws
            let rest = float (64 * 64 - initial)
            let mutable grown = 0
            let mutable last = Unchecked.defaultof<LayerGrowth>

            let final =
                run settings 64 64 initial (fun _ -> 0) (fun _ k _ _ growth ->
                    Expect.isTrue (k >= 0 && growth.Carry >= 0.0 && growth.Carry < 1.0) "carry"
                    grown <- grown + k
                    last <- growth)

            // Every shape is normalised to the cosine's total.
            let exact = g * 149.5 * rest
            Expect.floatClose { absolute = 1e-6; relative = 0.0 } (float grown + last.Carry) exact "sum"
            Expect.equal final (initial + grown) "active")

        law "in open loop never grows past rho1" (fun seed ->
            let draws = drawsOf seed

            let settings = {
                standard with
                    Interval = 50L
                    End = 5_000L
                    Rate = GrowthRate.Fixed(0.2 * draws.NextDouble())
                    FinalDensity = 0.3 + 0.7 * draws.NextDouble()
                    Rest =
                        if draws.NextDouble() < 0.5 then
                            RestCapacity.Initial
                        else
                            RestCapacity.Current
            }

            let mutable due = 0
            let initial = between 10 500 draws

            run settings 30 30 initial (fun k -> k / 3) (fun _ k _ active growth ->
                due <- due + k
                Expect.isLessThanOrEqual active (max initial (int (settings.FinalDensity * 900.0 + 1e-6))) "rho1"
                Expect.isLessThanOrEqual active (initial + due) "quotas"
                Expect.isTrue (k >= 0 && growth.Capacity = int (settings.FinalDensity * 900.0 + 1e-6)) "capacity")
            |> ignore)

        testCase "of any shape fills the layer at the end in closed loop"
        <| fun () ->
            for shape in shapes do
                Expect.equal (run { standard with Shape = shape } 64 64 1_000 (fun _ -> 0) (fun _ _ _ _ _ -> ())) 4096 $"{shape}"
                let sums = GrowthSchedule.Sums { standard with Shape = shape }
                Expect.equal (sums.Progress 2_990_000L) 1.0 $"{shape}"
                Expect.equal (sums.Progress 9_999L) 0.0 $"{shape}"

        testCase "of the current rest capacity grows geometrically and does not fill the layer"
        <| fun () ->
            let settings = {
                standard with
                    Rate = GrowthRate.Fixed(3.0 / 149.5)
                    Rest = RestCapacity.Current
            }

            let final = run settings 256 256 16_384 (fun _ -> 0) (fun _ _ _ _ _ -> ())
            let filled = float (final - 16_384) / float (65_536 - 16_384)
            Expect.isTrue (filled > 0.94 && filled < 0.96) $"95 %% fill, but {filled}"

        testCase "leaves a layer that starts above rho1 alone"
        <| fun () ->
            for rate in [ GrowthRate.Auto; GrowthRate.Fixed 0.1 ] do
                Expect.equal
                    (run
                        {
                            standard with
                                Rate = rate
                                FinalDensity = 0.5
                        }
                        10
                        10
                        80
                        (fun _ -> 0)
                        (fun _ _ _ _ _ -> ()))
                    80
                    "active"

        testCase "of the sparsity in a density's place has the official code's room, and none for a layer that is denser than it"
        <| fun () ->
            let settings = {
                standard with
                    Rate = GrowthRate.Fixed 0.01
                    Shape = GrowthShape.Uniform
                    Scale = RateScale.Event
                    Rest = RestCapacity.Sparsity
                    StartDensity = 0.3
            }

            let quota initial =
                let mask = LayerMask.random 100 100 initial (drawsOf 1L)

                let struct (quota, _) =
                    GrowthSchedule.quota (GrowthSchedule.Sums settings) 10_000L initial (GrowthSchedule.start settings mask)

                quota

            Expect.equal (quota 3_000) 40 "1 % of 0.7 - 0.3"
            Expect.equal (quota 7_500) 0 "denser"

        law "that drops fractions grows the same whole number at every event of a constant rate" (fun seed ->
            let draws = drawsOf seed

            let settings = {
                standard with
                    Rate = GrowthRate.Fixed(0.0001 + 0.002 * draws.NextDouble())
                    Shape = GrowthShape.Uniform
                    Scale = RateScale.Event
                    CarryFractions = false
            }

            let initial = between 100 1_000 draws

            let rate =
                match settings.Rate with
                | GrowthRate.Fixed rate -> rate
                | GrowthRate.Auto -> 0.0

            let each = int (floor (rate * float (64 * 64 - initial)))

            run settings 64 64 initial (fun _ -> 0) (fun t k _ active growth ->
                Expect.equal growth.Carry 0.0 "nothing is carried"

                if active < 64 * 64 then
                    Expect.equal k each $"at {t}")
            |> ignore)

        testCase "whose cap is the network's lets layers fill up"
        <| fun () ->
            let mask = LayerMask.random 10 10 20 (drawsOf 1L)

            let capacity cap =
                (GrowthSchedule.start
                    {
                        standard with
                            Cap = cap
                            FinalDensity = 0.75
                    }
                    mask)
                    .Capacity

            Expect.equal (capacity DensityCap.Layer) 75 "layer"
            Expect.equal (capacity DensityCap.Network) 100 "network"

        law "asked in any order answers with the same bits" (fun seed ->
            let draws = drawsOf seed

            let settings = {
                standard with
                    Shape = shapes[int (draws.NextInt 3L)]
            }

            let sums = GrowthSchedule.Sums settings

            for _ in 1..5 do
                let t = draws.NextInt 3_100_000L
                Expect.equal (sums.Progress t) ((GrowthSchedule.Sums settings).Progress t) $"F({t})")
    ]
