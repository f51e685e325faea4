/// The dead-neuron trap (docs/algorithm.md 2.8): a fully pruned ReLU neuron must find its way back. A small regression network trained
/// by plain gradient descent stands in for TD3; the learner's tests repeat this with the real one.
module NE.Model.Tests.Topology.RecoveryTests

open Expecto
open NE.Model
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

let private widths = [| 6; 24; 24; 2 |]
let private dead = 7

/// dL/dW and dL/db of half the mean squared error, dense, by hand.
let private gradients (layers: LayerArrays[]) (masks: LayerMask[]) (inputs: float[][]) (labels: float[][]) =
    let activations = forward layers masks inputs

    let weightGradients =
        masks |> Array.map (fun mask -> Array.zeroCreate<float> mask.Size)

    let biasGradients =
        masks |> Array.map (fun mask -> Array.zeroCreate<float> mask.Rows)

    for sample in 0 .. inputs.Length - 1 do
        let last = layers.Length - 1

        let mutable delta =
            Array.map2 (fun y label -> (y - label) / float inputs.Length) activations[last].[sample] labels[sample]

        for l in last .. -1 .. 0 do
            let mask = masks[l]

            let below =
                if l = 0 then
                    inputs[sample]
                else
                    activations[l - 1].[sample]

            let next = Array.zeroCreate mask.Columns

            for row in 0 .. mask.Rows - 1 do
                biasGradients[l].[row] <- biasGradients[l].[row] + delta[row]

                for column in 0 .. mask.Columns - 1 do
                    let index = row * mask.Columns + column
                    weightGradients[l].[index] <- weightGradients[l].[index] + delta[row] * below[column]

                    if below[column] > 0.0 then
                        next[column] <- next[column] + delta[row] * float layers[l].Weights.Values[index]

            delta <- next

    weightGradients, biasGradients

let private train (layers: LayerArrays[]) masks (draws: Draws) =
    let inputs = Array.init 32 (fun _ -> normals widths[0] draws |> Array.map float)

    let labels =
        inputs |> Array.map (fun x -> [| x[0] * x[1]; sin (2.0 * x[2]) - x[3] |])

    let weightGradients, biasGradients = gradients layers masks inputs labels

    layers
    |> Array.iteri (fun l layer ->
        for index in 0 .. layer.Weights.Values.Length - 1 do
            if masks[l].[index] then
                layer.Weights.Values[index] <- layer.Weights.Values[index] - float32 (0.05 * weightGradients[l].[index])

        for row in 0 .. layer.Bias.Values.Length - 1 do
            layer.Bias.Values[row] <- layer.Bias.Values[row] - float32 (0.05 * biasGradients[l].[row]))

    weightGradients

/// Whether the neuron has an active non-zero input after `events` events, having started without any, silent and with this bias.
let private recovers revive bias events seed =
    let draws = drawsOf seed

    let mutable masks =
        Array.init 3 (fun l ->
            let rows, columns = widths[l + 1], widths[l]

            if l = 1 then
                let random = LayerMask.random rows columns (rows * columns / 4) draws

                LayerMask.ofActive
                    rows
                    columns
                    (random.Active.ToArray()
                     |> Array.mapi (fun index active -> active && index / columns <> dead))
            else
                LayerMask.dense rows columns)

    let layers =
        masks
        |> Array.map (fun mask ->
            let beta = WeightBounds.beta mask.Columns

            let weights =
                Array.init mask.Size (fun index ->
                    if mask[index] then
                        WeightBounds.symmetric beta draws
                    else
                        0.0f)

            arrays mask weights (Array.init mask.Rows (fun _ -> WeightBounds.symmetric beta draws)) draws)

    layers[1].Bias.Values[ dead ] <- bias

    for row in 0 .. widths[3] - 1 do
        layers[2].Weights.Values[ row * widths[2] + dead ] <- 0.0f

    let options = {
        Criterion = GrowCriterion.Gradient
        Unit = GrowUnit.Weight
        Granularity = Granularity.Neuron
        Omega = 0.0
        ReviveRows = revive
    }

    for _ in 1..events do
        for _ in 1..20 do
            train layers masks draws |> ignore

        let gradient = train layers masks draws

        let before =
            Array.map2
                (fun (mask: LayerMask) (gradient: float[]) -> {
                    Mask = mask
                    Elastic = not mask.IsDense
                    Quota = if mask.IsDense then 0 else 12
                    Gradient = Array.map float32 gradient
                    Weights = [||]
                })
                masks
                gradient

        let changes =
            Evolution.plan
                options
                {
                    Layers = before
                    Dormant = [| Array.create 24 false; Array.create 24 false |]
                }
                draws

        masks <-
            PruneAndReset.apply
                {
                    GrowInit = GrowInit.Random
                    Given = None
                    Forgetting = Forgetting.All
                    Clipping = Some { Kappa = 3.0f; Output = true }
                }
                masks
                changes
                layers
                draws

    let first = dead * widths[1]
    Seq.exists (fun index -> masks[1].[index] && layers[1].Weights.Values[index] <> 0.0f) (seq { first .. first + widths[1] - 1 })

let private recovered revive bias =
    [ 1L .. 60L ] |> List.filter (recovers revive bias 3) |> List.length

[<Tests>]
let tests =
    testList "a fully pruned neuron" [
        testCase "has inputs again after three events in more than 95 % of the seeds"
        <| fun () ->
            Expect.isGreaterThan (recovered true (0.5f * WeightBounds.beta 24)) 57 "with a reset bias"
            Expect.isGreaterThan (recovered true 0.0f) 57 "even with bias 0"

        testCase "stays dead by gradients alone if its bias is 0: the trap"
        <| fun () -> Expect.equal (recovered false 0.0f) 0 "recovered"
    ]
