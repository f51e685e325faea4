module NE.Model.Tests.Agents.Measurement.MeasurementTests

open System
open System.IO
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Tests.Agents.AgentFixture

let private measure (agent: ILearner) =
    agent.Measure(replay.Value, replay.Value.Window, false)

let private metric (measurement: Measurement) name =
    let struct (_, value) =
        measurement.Metrics |> Array.find (fun struct (known, _) -> known = name)

    value

let private column (layer: LayerMeasurement) name =
    let struct (_, value) =
        layer.Columns |> Array.find (fun struct (known, _) -> known = name)

    value

let private layersOf (measurement: Measurement) network =
    measurement.Layers |> Array.filter (fun layer -> layer.Network = network)

let private isNear (accuracy: float) (actual: float) (expected: float) message =
    Expect.isLessThan (abs (actual - expected)) (accuracy * max 1e-6 (abs expected)) $"{message}: {actual} should be {expected}"

/// The loss after the network has moved by `length` along its gradient.
let private lossAlong (agent: ILearner) (group: NetworkGroup) loss (weights: float32[]) (direction: float[]) length =
    group.WriteOnline(Field.Weights, Array.map2 (fun w d -> w + float32 (length * d)) weights direction)
    let value = metric (measure agent) loss
    group.WriteOnline(Field.Weights, weights)
    value

/// The small configuration with other techniques.
let private withMethod (name: string) =
    match Settings.apply [ struct ("run.method", name) ] small with
    | Ok settings -> fst (Settings.resolve settings)
    | Error errors -> failwithf "%A" errors

[<Tests>]
let tests =
    testList "A measurement" [
        for engine, settings in
            onEachEngine small
            @ [ "with LayerNorm and CReLU", withMethod "layer-norm+crelu" ] do
            test $"{engine}: has norms that a slow sum gives, for every layer and for the whole network" {
                use agent = create settings
                let initial = groups agent |> List.map (fun group -> group.ReadOnline Field.Weights)
                step agent 90
                let found = measure agent

                for group, initial in List.zip (groups agent) initial do
                    let weights = group.ReadOnline Field.Weights
                    let moved = Array.map2 (fun (w: float32) w0 -> float w - float w0) weights initial
                    let layers = layersOf found group.Name
                    Expect.equal layers.Length (group.Layout.Stacks * group.Layout.Layers) "a row per stack and layer"

                    let norm (values: float[]) =
                        sqrt (values |> Array.sumBy (fun v -> v * v))

                    for layer in layers do
                        let slot = group.Layout.Slot(layer.Stack, layer.Layer)

                        // A slot is one piece: weights, biases, gains, shifts.
                        let last = (if slot.IsNormed then slot.Shifts else slot.Biases) + slot.Outputs - 1
                        let of' (values: float[]) = norm values[slot.Weights .. last]
                        isNear 1e-12 layer.WeightNorm (of' (Array.map float weights)) "weight norm"
                        isNear 1e-12 layer.Distance (of' moved) "distance"
                        Expect.isGreaterThan layer.Distance 0.0 "it moved"
                        let masks = group.Masks[layer.Stack]
                        Expect.equal layer.Active (int64 masks[layer.Layer].ActiveCount) "active weights"
                        isNear 1e-12 (column layer "density") (float layer.Active / float slot.WeightCount) "density"

                    isNear 1e-12 (metric found $"{group.Name}_weight_norm") (norm (Array.map float weights)) "network weight norm"
                    isNear 1e-12 (metric found $"{group.Name}_distance") (norm moved) "network distance"

                    Expect.equal
                        (metric found $"{group.Name}_active")
                        (float (layers |> Array.sumBy _.Active))
                        "active weights of the network"
            }

            test $"{engine}: the gradient norm is the slope of the logged loss along the gradient" {
                use agent = create settings
                step agent 60
                let found = measure agent

                for group, loss in [ agent.Networks.Actor, "actor_loss"; agent.Networks.Critics, "critic_loss" ] do
                    measure agent |> ignore
                    let mask = group.ReadOnline Field.Mask

                    let gradient =
                        Array.map2 (fun g m -> float g * float m) (group.ReadOnline Field.Gradients) mask

                    let norm = metric found $"{group.Name}_gradient_norm"
                    let direction = gradient |> Array.map (fun g -> g / norm)
                    let weights = group.ReadOnline Field.Weights
                    let along = lossAlong agent group loss weights direction
                    let length = 1e-3
                    isNear 0.02 ((along length - along -length) / (2.0 * length)) norm $"{group.Name}'s slope"
            }

        test "at step 0 nothing has moved, whatever was masked, and the columns are the same for every layer" {
            for settings in [ small; td3 ] do
                use agent = create settings
                let found = measure agent

                let names (layer: LayerMeasurement) =
                    layer.Columns |> Array.map (fun struct (name, _) -> name)

                for layer in found.Layers do
                    Expect.equal layer.Distance 0.0 "distance"
                    Expect.equal (names layer) (names found.Layers[0]) "columns"
                    let isOutput = layer.Layer = 2
                    Expect.equal (Double.IsNaN(column layer "effective_rank")) isOutput "an output layer has no features"
                    Expect.equal (Double.IsNaN(column layer "anr_0")) isOutput "and no ratio"
        }

        test "a resumed agent still measures its distance from the beginning" {
            use agent = create small
            step agent 60
            use resumed = create small
            resumed.Restore(agent.Save())
            let distance = metric (measure resumed) "critic_distance"
            Expect.equal distance (metric (measure agent) "critic_distance") "distance"
            Expect.isGreaterThan distance 0.1 "it is far from there"
        }

        test "the ratios of a network are those of its layers, by their width" {
            use agent = create small

            for group in groups agent do
                kill group 0 1 [ 2; 3; 5 ]

            step agent 45
            let found = measure agent

            for network in [ "actor"; "critic" ] do
                let hidden = layersOf found network |> Array.filter _.Hidden.IsSome
                let width = hidden |> Array.sumBy (fun layer -> float layer.Width)

                for name in Ratios.names do
                    let pooled =
                        hidden |> Array.sumBy (fun layer -> column layer name * float layer.Width)

                    isNear 1e-9 (metric found $"{network}_{name}") (pooled / width) $"{network}_{name}"
        }

        test "the features' rank is between 1 and their number, and silent neurons take from it" {
            use agent = create td3
            let before = measure agent

            for group in groups agent do
                for stack in 0 .. group.Layout.Stacks - 1 do
                    kill group stack 1 [ 0..11 ]

            let after = measure agent

            for network in [ "actor"; "critic" ] do
                for rank in [ "effective_rank"; "stable_rank"; "srank" ] do
                    let whole, part =
                        metric before $"{network}_{rank}", metric after $"{network}_{rank}"

                    Expect.isTrue (whole >= 1.0 && whole <= 16.0) $"{network}_{rank} {whole}"
                    Expect.isLessThanOrEqual part 4.0 $"{network}_{rank} of 4 neurons"
        }

        test "the critics' losses and values make up those of both" {
            use agent = create small
            step agent 30
            let found = measure agent
            isNear 1e-5 (metric found "critic_1_loss" + metric found "critic_2_loss") (metric found "critic_loss") "loss"
            isNear 1e-9 (metric found "critic_1_q_mean" + metric found "critic_2_q_mean") (2.0 * metric found "q_mean") "value"
            Expect.notEqual (metric found "critic_1_loss") (metric found "critic_2_loss") "they differ"
        }

        test "of every method has its columns explained in docs/metrics.md" {
            let page =
                File.ReadAllText(Path.Combine(__SOURCE_DIRECTORY__, "../../../../docs/metrics.md"))

            let part =
                page.Split("\n## ") |> Array.find (fun part -> part.StartsWith "metrics.csv")

            for method, _ in Method.names do
                use agent = create (withMethod method)
                step agent 2

                for struct (name, _) in (measure agent).Metrics do
                    let ofNetwork = name.Replace("actor_", "NETWORK_").Replace("critic_", "NETWORK_")
                    Expect.isTrue (part.Contains $"`{name}`" || part.Contains $"`{ofNetwork}`") $"{method}: {name}"
        }

        test "asks the methods when its batch has passed through the networks, so that a resumed run reports the same" {
            let injected = {
                withMethod "plasticity-injection" with
                    Injection.Step = Is 5L
            }

            use agent = create injected
            step agent 12
            use resumed = create injected
            resumed.Restore(agent.Save())
            Expect.equal (shown (measure resumed)) (shown (measure agent)) "measured after a resume"
            Expect.equal (metric (measure agent) "injected") 1.0 "it was injected"
        }

        test "columns keep their order: the first ones are those of the first version" {
            use agent = create small
            let names = (measure agent).Metrics |> Array.map (fun struct (name, _) -> name)
            Expect.equal names[..2] [| "critic_loss"; "actor_loss"; "q_mean" |] "losses"
            Expect.equal names[3] "actor_anr_0" "then the actor's ratios"
            Expect.equal names[14] "critic_anr_0" "then the critics'"

            Expect.equal
                names[25..28]
                [| "review_fraction"; "review_epsilon"; "review_probability"; "sample_age" |]
                "then what interventions report"

            Expect.equal names[29] "critic_1_loss" "then what joined later"
        }
    ]
