/// Schedule, evolution and reset together over all events of a run.
module NE.Model.Tests.Topology.WholeRunTests

open System
open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

[<Tests>]
let tests =
    testList "a whole run of events" [
        law "fills the elastic layers along the schedule and keeps every invariant on the way" (fun seed ->
            let draws = drawsOf seed
            let widths = Array.init 4 (fun _ -> between 4 16 draws)

            let settings = {
                Interval = 10L
                End = 300L
                Shape = GrowthShape.Cosine
                Rate =
                    if draws.NextDouble() < 0.7 then
                        GrowthRate.Auto
                    else
                        GrowthRate.Fixed 0.1
                FinalDensity = 0.7 + 0.3 * draws.NextDouble()
                Cap = DensityCap.Layer
                Rest = RestCapacity.Initial
                StartDensity = 0.25
                Scale = RateScale.Total
                CarryFractions = true
            }

            let options = options draws

            let reset = {
                GrowInit =
                    (if draws.NextDouble() < 0.5 then
                         GrowInit.Random
                     else
                         GrowInit.Zero)
                Given = None
                Forgetting = Forgetting.All
                Clipping = Some { Kappa = 3.0f; Output = true }
            }

            let mutable masks =
                Array.init 3 (fun l ->
                    let size = widths[l] * widths[l + 1]

                    if l = 2 then
                        LayerMask.dense widths[3] widths[2]
                    else
                        LayerMask.random widths[l + 1] widths[l] (max 1 (size / 4)) draws)

            let layers =
                masks
                |> Array.map (fun mask ->
                    let weights =
                        normals mask.Size draws
                        |> Array.mapi (fun index w -> if mask[index] then w else 0.0f)

                    arrays mask weights (normals mask.Rows draws) draws)

            let growth = masks |> Array.map (GrowthSchedule.start settings)
            let sums = GrowthSchedule.Sums settings
            let quotaSum = Array.zeroCreate 3

            for t in 1L .. settings.End do
                if GrowthSchedule.isDue settings t then
                    let before =
                        Array.init 3 (fun l ->
                            let struct (quota, next) =
                                GrowthSchedule.quota sums t masks[l].ActiveCount growth[l]

                            growth[l] <- next
                            quotaSum[l] <- quotaSum[l] + quota

                            {
                                Mask = masks[l]
                                Elastic = l < 2
                                Quota = if l < 2 then quota else 0
                                Gradient = normals masks[l].Size draws
                                Weights = layers[l].Weights.Values.ToArray()
                            })

                    let dormant =
                        Array.init 2 (fun h -> Array.init widths[h + 1] (fun _ -> draws.NextDouble() < 0.3))

                    let changes = Evolution.plan options { Layers = before; Dormant = dormant } draws
                    let after = PruneAndReset.apply reset masks changes layers draws

                    for l in 0..2 do
                        let mask = after[l]
                        Expect.isGreaterThanOrEqual mask.ActiveCount masks[l].ActiveCount "density never falls"
                        Expect.isLessThanOrEqual mask.ActiveCount (growth[l].Initial + quotaSum[l]) "quotas"
                        Expect.isLessThanOrEqual mask.ActiveCount (max growth[l].Initial growth[l].Capacity) "rho1"
                        let bound = WeightBounds.clip 3.0f mask.Columns

                        for index in 0 .. mask.Size - 1 do
                            Expect.isTrue
                                (Single.IsFinite layers[l].Weights.Values[index]
                                 && abs layers[l].Weights.Values[index] <= bound)
                                "finite and clipped"

                            if not mask[index] then
                                Expect.isTrue
                                    (layers[l].Weights.Values[index] = 0.0f && layers[l].TargetWeights[index] = 0.0f)
                                    "masked means zero"

                    if settings.Rate = GrowthRate.Auto then
                        for l in 0..1 do
                            let target = GrowthSchedule.target sums t growth[l]
                            let pruned = float changes[l].Pruned.Length
                            Expect.isLessThanOrEqual (float after[l].ActiveCount) (target + 0.5) "not above the cosine"

                            Expect.isGreaterThanOrEqual
                                (float after[l].ActiveCount)
                                (target - 0.5 - pruned)
                                "not below it by more than was pruned"

                    Expect.isTrue masks[2].IsDense "dense stays dense"
                    masks <- after)
    ]
