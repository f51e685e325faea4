module NE.Model.Tests.Topology.RewiringTests

open System
open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

[<Tests>]
let tests =
    testList "rewiring" [
        law "exchanges floor(share c active) weights, never more than are inactive, and nothing at the end" (fun seed ->
            let draws = drawsOf seed
            let rows, columns = between 2 20 draws, between 2 20 draws
            let mask = LayerMask.random rows columns (between 1 (rows * columns) draws) draws
            let stop = int64 (between 100 1000 draws)
            let since = int64 (between 1 50 draws)
            let inactive = mask.Size - mask.ActiveCount
            let quota t = Rewiring.quota 0.2 since t stop mask
            Expect.equal (quota since) (min inactive (int (0.2 * float mask.ActiveCount))) "at the start of the phase"
            Expect.equal (quota (since + stop)) 0 "after T_end steps of it"
            Expect.equal (quota (since + 10L * stop)) 0 "and for ever after"

            for t in since .. since + stop - 1L do
                Expect.isLessThanOrEqual (quota (t + 1L)) (quota t) "a falling cosine")

        law "leaves as many weights as there were: the smallest go, those of largest gradient come" (fun seed ->
            let draws = drawsOf seed
            let stack = stackBefore draws

            let quotaOf (layer: LayerBefore) =
                if layer.Elastic then
                    Rewiring.quota 0.3 0L 0L 10L layer.Mask
                else
                    0

            let stack = {
                stack with
                    Layers = stack.Layers |> Array.map (fun layer -> { layer with Quota = quotaOf layer })
            }

            let rules = {
                Rewiring.options (options draws) with
                    Criterion = GrowCriterion.Gradient
            }

            let changes = Evolution.plan rules stack draws

            for layer, change in Array.zip stack.Layers changes do
                Expect.equal change.Grown.Length layer.Quota "grown"
                Expect.equal change.Pruned.Length layer.Quota "pruned"
                Expect.isEmpty change.Touched "no neuron is reset"

                if change.Pruned.Length > 0 then
                    let size index = abs layer.Weights[index]
                    let kept = LayerMask.activeIndices layer.Mask |> Array.except change.Pruned

                    if kept.Length > 0 then
                        Expect.isLessThanOrEqual
                            (change.Pruned |> Array.map size |> Array.max)
                            (kept |> Array.map size |> Array.min)
                            "smallest")
    ]
