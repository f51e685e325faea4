/// Agents whose networks have a LayerNorm, CReLU, or other sizes for the critics.
module NE.Model.Tests.Agents.ShapedAgentTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Topology

/// The floats of a field that belong to LayerNorms.
let private norms (group: NetworkGroup) (values: float32[]) = [|
    for slot in group.Layout.Slots do
        if slot.IsNormed then
            yield! Array.sub values slot.Gains (2 * slot.Outputs)
|]

[<Tests>]
let tests =
    testList "Agents with shaped networks" [
        for engine, td3 in onEachEngine td3 do
            test $"{engine}: gains and shifts learn, are followed by the target, and are neither clipped nor masked" {
                use agent = create (shaped td3)

                for group in groups agent do
                    Expect.all (norms group (group.ReadOnline Field.Bound)) Single.IsPositiveInfinity "no bound"
                    let start = norms group (group.ReadOnline Field.Weights)
                    Expect.equal (norms group (group.ReadTarget())) start "the target starts equal"
                    // Far beyond what a weight may be.
                    let weights = group.ReadOnline Field.Weights
                    let slot = group.Layout.Slot(0, 0)
                    weights[slot.Gains] <- 7.0f
                    group.WriteOnline(Field.Weights, weights)
                    group.SetMasks group.Masks
                    Expect.all (norms group (group.ReadOnline Field.Mask)) (fun mask -> mask = 1.0f) "no mask"

                step agent 40

                for group in groups agent do
                    let slot = group.Layout.Slot(0, 0)
                    let weights, target = group.ReadOnline Field.Weights, group.ReadTarget()
                    Expect.floatClose Accuracy.low (float weights[slot.Gains]) 7.0 "not clipped"
                    Expect.isGreaterThan target[slot.Gains] 1.05f "followed"
                    let moved = norms group weights |> Array.filter (fun x -> x <> 1.0f && x <> 0.0f)
                    Expect.isGreaterThan moved.Length (Array.length (norms group weights) * 9 / 10) "learned"
            }

            test $"{engine}: a NaN in a LayerNorm is named" {
                use agent = create (shaped td3)
                let group = agent.Networks.Critics
                let slot = group.Layout.Slot(1, 0)

                for offset, name in
                    [
                        slot.Biases, "biases"
                        slot.Gains, "LayerNorm gains"
                        slot.Shifts, "LayerNorm shifts"
                    ] do
                    let good = group.ReadOnline Field.Weights
                    let bad = Array.copy good
                    bad[offset + 2] <- Single.NaN
                    group.WriteOnline(Field.Weights, bad)
                    Expect.equal (agent.FindNonFinite()) $"critic 2, layer 1 {name}" name
                    group.WriteOnline(Field.Weights, good)
            }

            test $"{engine}: the policy acts as the actor does, with LayerNorm and CReLU" {
                use agent = create (shaped td3)
                step agent 20
                use work = td3Workspace agent.Networks 8
                Array.init 8 int64 |> fun rows -> rows.CopyTo(work.RowNumbers, 0)
                work.Gather replay.Value
                work.Actor.Forward()

                let expected =
                    NE.Model.Tests.Networks.EngineFixture.readMatrix (work.Actor.Output 0)

                let policy = agent.Policy()
                let scratch = policy.CreateScratch()

                let observations =
                    NE.Model.Tests.Networks.EngineFixture.readMatrix work.Inputs.Observation

                let actions =
                    observations
                    |> Array.chunkBySize shape.ObservationSize
                    |> Array.collect (fun row ->
                        let action = Array.zeroCreate<float32> shape.ActionSize
                        policy.Act(ReadOnlySpan row, Span action, scratch)
                        action)

                Expect.isLessThan (NE.Model.Tests.Networks.EngineFixture.largestDifference actions expected) 2e-6 "actions"
            }

        for name, form in
            [
                "off", LayerNorm.Off
                "all", LayerNorm.All
                "the critics' last", LayerNorm.CriticLast
            ] do
            test $"ne grows, prunes and reaches its end, LayerNorm {name}" {
                use agent =
                    create {
                        small with
                            Network.LayerNorm = form
                            Network.CriticHidden = Is [ 24; 20; 16 ]
                    }

                for group in groups agent do
                    kill group 0 0 [ 1; 4; 9 ]

                step agent 400
                Expect.isNull (agent.FindNonFinite()) "finite"
                Expect.isNonEmpty (agent.TakeTopologyChanges()) "events"

                for group in groups agent do
                    Expect.isGreaterThan group.Density 0.95 "dense at the end"

                    for slot in group.Layout.Slots do
                        let hidden = group.Layout.HiddenLayers

                        let expected =
                            match form with
                            | LayerNorm.Off -> false
                            | LayerNorm.All -> slot.Layer < hidden
                            | LayerNorm.CriticLast -> group.Name = "critic" && slot.Layer = hidden - 1

                        Expect.equal slot.IsNormed expected $"{group.Name}, layer {slot.Layer}"
            }

        test "a neuron that the shift of its LayerNorm has silenced speaks again after ne has reset it" {
            use agent =
                create {
                    small with
                        Network.LayerNorm = LayerNorm.All
                }

            let critics = agent.Networks.Critics
            let slot = critics.Layout.Slot(0, 0)
            let weights = critics.ReadOnline Field.Weights
            let silenced = [ 1; 4; 9 ]

            for neuron in silenced do
                weights[slot.Gains + neuron] <- 0.5f
                weights[slot.Shifts + neuron] <- -100.0f

            critics.WriteOnline(Field.Weights, weights)
            step agent 200

            let touched =
                agent.TakeTopologyChanges()
                |> Seq.filter (fun change -> change.Network = "critic")
                |> Seq.collect _.Layers
                |> Seq.filter (fun layer -> layer.Stack = 0 && layer.Layer = 0)
                |> Seq.collect _.Touched
                |> Seq.filter (fun neuron -> List.contains neuron silenced)
                |> Set.ofSeq

            Expect.isNonEmpty touched "one was reset"
            let after = critics.ReadOnline Field.Weights

            for neuron in touched do
                Expect.isLessThan (abs after[slot.Shifts + neuron]) 1.0f "shift"
                Expect.isGreaterThan after[slot.Gains + neuron] 0.8f "gain"
        }

        test "the activity of CReLU is that of its features, and both halves share a neuron's inputs" {
            use agent = create (shaped td3)
            let group = agent.Networks.Critics

            let masks =
                group.Masks
                |> Array.map (
                    Array.map (fun mask ->
                        // Neuron 0 of every layer has no input.
                        LayerMask.ofActive mask.Rows mask.Columns (Array.init mask.Size (fun i -> i / mask.Columns <> 0)))
                )

            group.SetMasks masks
            use work = td3Workspace agent.Networks 64
            Array.init 64 int64 |> fun rows -> rows.CopyTo(work.RowNumbers, 0)
            work.Gather replay.Value
            work.Critics.Forward()
            let activity = Activity group
            activity.Add(work.Critics, 64)

            for layer, features in Seq.zip activity.Layers [ 24; 16; 24; 16 ] do
                Expect.equal layer.FanIn.Length features "features"
                let without = layer.FanIn |> Array.indexed |> Array.filter (fun (_, n) -> n = 0)
                Expect.equal (Array.map fst without) [| 0; features / 2 |] "both halves"
                let positive = layer.Statistics.PositiveCount
                // A sample makes one half positive and the other zero, or neither.
                for i in 0 .. features / 2 - 1 do
                    Expect.isLessThanOrEqual (positive[i] + positive[features / 2 + i]) 64L "one of the two"

            Expect.equal activity.Neurons 80 "all features"
            let measured = agent.Measure(replay.Value, replay.Value.Window, true)
            Expect.all measured.Metrics (fun struct (_, value) -> Double.IsFinite value) "metrics"
        }

        test "odd widths have no CReLU" {
            Expect.throwsT<ArgumentException>
                (fun () ->
                    use _ =
                        create (
                            shaped {
                                td3 with
                                    Network.Hidden = Is [ 24; 15 ]
                            }
                        )

                    ())
                "15 is odd"
        }
    ]
