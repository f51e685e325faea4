/// The switches of Neuroplastic Expansion that are off by default: each does what its sentence says.
module NE.Model.Tests.Agents.SwitchesTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Plasticity
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Topology

let private withKeys pairs (settings: Settings) =
    match Settings.apply [ for key, value in pairs -> struct (key, value) ] settings with
    | Ok settings -> settings
    | Error errors -> failtestf "%A" errors

/// The official variant at the size of these tests: every phase of it passes within 200 gradient steps.
let official =
    small
    |> withKeys [ for key in Variants.official -> key.Key, key.Value ]
    |> withKeys [
        "ne.growInterval", "10"
        "ne.growRate", "0.1"
        "ne.reviewWindow", "40"
        "network.hidden", "24,16"
        "network.criticHidden", "24,20,16"
    ]

let private steps network (agent: ILearner) =
    agent.TakeTopologyChanges()
    |> Array.filter (fun change -> change.Network = network)
    |> Array.map _.Step
    |> List.ofArray

let private setGradients (group: NetworkGroup) value =
    group.WriteOnline(Field.Gradients, Array.create group.Layout.Length value)

[<Tests>]
let tests =
    testList "switches of Neuroplastic Expansion" [
        test "growAccum averages the gradients of so many batches" {
            use agent = create small
            let group = agent.Networks.Critics
            let gradient = Array.zeroCreate<float32> group.Layout.Length
            let mutable batch = 0.0f

            let oneBatch () =
                batch <- batch + 1.0f
                setGradients group batch

            GrowthGradient.average group 4 oneBatch gradient
            Expect.equal batch 4.0f "batches"
            let slot = group.Layout.Slot(1, 1)
            Expect.equal gradient[slot.Weights] 2.5f "mean of 1, 2, 3 and 4"
        }

        test "growGrad=full takes the gradient with random values in the inactive weights, and puts the network's own back" {
            use agent = create small
            let group = agent.Networks.Critics
            let own = group.ReadOnline Field.Weights
            let gradient = Array.zeroCreate<float32> group.Layout.Length
            let mutable seen = own

            let values =
                GrowthGradient.full group 1 (fun () -> seen <- group.ReadOnline Field.Weights) gradient (Draws.Of(1L, Purpose.Topology))

            Expect.equal seen values "the pass sees them"
            Expect.equal (group.ReadOnline Field.Weights) own "put back"

            for slot in group.Layout.Slots do
                for i in slot.Weights .. slot.Biases - 1 do
                    if isActive group slot (i - slot.Weights) then
                        Expect.equal values[i] own[i] "an active weight stays"
                    else
                        Expect.isTrue (values[i] <> 0.0f && abs values[i] <= WeightBounds.beta slot.Inputs) "a fresh one"
        }

        test "growGrad=full grows other weights than masked, with values that are not zero, and several batches other ones than one" {
            let grown pairs =
                use agent = create (withKeys (("ne.growInit", "random") :: pairs) small)
                step agent 20

                let change =
                    agent.TakeTopologyChanges()
                    |> Array.find (fun change -> change.Network = "critic")

                let group = agent.Networks.Critics
                let weights = group.ReadOnline Field.Weights

                for layer in change.Layers do
                    let slot = group.Layout.Slot(layer.Stack, layer.Layer)

                    for index in layer.Grown do
                        Expect.notEqual weights[slot.Weights + index] 0.0f "a value"

                change.Layers |> Array.map _.Grown

            let masked = grown []
            Expect.notEqual (grown [ "ne.growGrad", "full" ]) masked "full"
            Expect.notEqual (grown [ "ne.growAccum", "3" ]) masked "three batches"
        }

        test "optimizerReset=off and adamAge=global leave ages alone at an event, only the former leaves moments" {
            let fresh pairs =
                use agent = create (withKeys (("ne.growInterval", "60") :: pairs) small)
                step agent 60
                let group = agent.Networks.Critics

                let change =
                    agent.TakeTopologyChanges()
                    |> Array.find (fun change -> change.Network = "critic")

                let ages = group.ReadOnline Field.Beta2Powers

                [
                    for layer in change.Layers do
                        let slot = group.Layout.Slot(layer.Stack, layer.Layer)

                        for index in layer.Grown do
                            ages[slot.Weights + index] = 1.0f
                ]

            Expect.all (fresh []) id "by default a grown weight has age 0"
            Expect.all (fresh [ "learner.adamAge", "global" ]) not "global"
            Expect.all (fresh [ "learner.optimizerReset", "off" ]) not "off"
        }

        test "an event on the training batch takes the place of the optimiser's step" {
            // An event that grows and prunes nothing leaves the network exactly as it was.
            let still = [
                "ne.rules", "ours+eventBatch=training+reviveRows=off"
                "ne.growRate", "1e-9"
                "ne.omega", "0"
            ]

            use agent = create (withKeys still small)
            step agent 19

            let critics () =
                agent.Networks.Critics.ReadOnline Field.Weights

            let actor () =
                agent.Networks.Actor.ReadOnline Field.Weights

            let before, actorBefore = critics (), actor ()
            let target = agent.Networks.Critics.ReadTarget()
            step agent 1
            Expect.equal (critics ()) before "the critics' event at 20"
            Expect.equal (actor ()) actorBefore "the actor's event at 20"
            Expect.notEqual (agent.Networks.Critics.ReadTarget()) target "targets follow all the same"
            step agent 1
            Expect.notEqual (critics ()) before "the next step"
            Expect.equal (agent.TakeTopologyChanges().Length) 2 "both are reported"
        }

        test "an event on the training batch grows and prunes as any other" {
            use agent = create (withKeys [ "ne.rules", "ours+eventBatch=training" ] small)
            let before = activeCount agent.Networks.Critics
            step agent 60
            let changes = agent.TakeTopologyChanges()
            Expect.equal (changes |> Array.map _.Step |> Array.distinct) [| 20L; 40L; 60L |] "events"
            Expect.isGreaterThan (activeCount agent.Networks.Critics) before "growth"
            Expect.isNull (agent.FindNonFinite()) "finite"
        }

        test "the actor's own clock counts its updates: its events come at twice the interval" {
            for batch in [ "fresh"; "training" ] do
                use agent =
                    create (withKeys [ "ne.rules", $"ours+actorClock=own+eventBatch={batch}" ] small)

                step agent 85
                let changes = agent.TakeTopologyChanges()

                let of' network =
                    changes
                    |> Array.filter (fun change -> change.Network = network)
                    |> Array.map _.Step

                Expect.equal (of' "actor") [| 40L; 80L |] $"{batch}: actor"
                Expect.equal (of' "critic") [| 20L; 40L; 60L; 80L |] $"{batch}: critics"
        }

        test "with the cap on the network growth stops at the event that passes it" {
            use agent =
                create (
                    withKeys
                        [
                            "ne.rules", "ours+densityCap=network"
                            "ne.finalDensity", "0.5"
                            "ne.growRate", "0.1"
                            "ne.omega", "0"
                        ]
                        small
                )

            let group = agent.Networks.Critics
            let mutable last = group.Density

            while group.Density < 0.5 do
                last <- group.Density
                step agent 20

            Expect.isLessThan last 0.5 "not before"
            let reached = group.Density
            step agent 60
            Expect.equal group.Density reached "and no further"
        }

        test "the official variant is the official critic on HalfCheetah: its start counts and its growth" {
            let settings =
                Settings.defaults
                |> withKeys [ for key in Variants.official -> key.Key, key.Value ]
                |> withKeys [ "learner.batchSize", "8"; "ne.growInterval", "1" ]
                |> Settings.resolve
                |> fst

            let shape: TransitionShape = { ObservationSize = 17; ActionSize = 6 }
            use replay = new NE.Benchmarks.RandomReplay(shape, 500, 1.0f, 3L)

            use agent =
                Learners.create settings (AgentTask.Of({ ObservationSize = 17; ActionSize = 6 }, 1.0f))

            let group = agent.Networks.Critics
            let counts () = [ for stack in group.Masks -> stack |> Array.map _.ActiveCount ]
            Expect.equal (counts ()) (List.replicate 2 [| 5_778; 10_603; 10_603; 256 |]) "at the start"

            for _ in 1..5 do
                agent.Update(replay, replay.Window)

            Expect.equal (counts ()) (List.replicate 2 [| 5_778; 10_603 + 5 * 201; 10_603 + 5 * 201; 256 |]) "after five events"

            for change in agent.TakeTopologyChanges() do
                if change.Network = "critic" then
                    for layer in change.Layers do
                        let expected = if layer.Size = 65_536 then 334, 133 else 0, 0
                        Expect.equal (layer.Grown.Length, layer.Pruned.Length) expected $"layer {layer.Layer}"
        }

        test "after growth the official variant exchanges weights at a constant density, and its events go on" {
            use agent = create official
            let group = agent.Networks.Critics

            while group.Density < 0.75 do
                step agent 10

            agent.TakeTopologyChanges() |> ignore
            let count, masks = activeCount group, group.Masks
            step agent 10

            let change =
                agent.TakeTopologyChanges()
                |> Array.find (fun change -> change.Network = "critic")

            Expect.equal (activeCount group) count "as many"
            Expect.isGreaterThan (change.Layers |> Array.sumBy _.Grown.Length) 0 "some came"

            for layer in change.Layers do
                Expect.equal layer.Grown.Length layer.Pruned.Length "as many went"

            Expect.notEqual group.Masks masks "others"
        }

        test "an inactive weight is exactly zero in the official variant too, online and in the target" {
            use agent = create official

            for _ in 1..150 do
                step agent 1

                for group in groups agent do
                    for values in [ group.ReadOnline Field.Weights; group.ReadTarget() ] do
                        for slot in group.Layout.Slots do
                            for i in 0 .. slot.WeightCount - 1 do
                                if not (isActive group slot i) && values[slot.Weights + i] <> 0.0f then
                                    failtest $"{group.Name}, layer {slot.Layer}, weight {i}"

            Expect.isNull (agent.FindNonFinite()) "all finite"
        }

        test "batches are half as large while the fraction of active units is below the bound" {
            let sizes bound =
                let sizes = ResizeArray<int>()
                let mutable reading = false

                let spy = {
                    new ITransitionSource with
                        member _.Gather(numbers, destination, stride) =
                            if reading then
                                sizes.Add numbers.Length

                            reading <- false
                            (replay.Value :> ITransitionSource).Gather(numbers, destination, stride)

                        member _.Row row =
                            (replay.Value :> ITransitionSource).Row row
                }

                use agent =
                    create (withKeys [ "ne.rules", $"ours+halfBatchBelow={bound}"; "ne.review", "off" ] small)

                for _ in 1..30 do
                    // The first gather of an update is its batch.
                    reading <- true
                    agent.Update(spy, replay.Value.Window)

                List.ofSeq sizes

            Expect.equal (sizes "0") (List.replicate 30 32) "off"
            let always = sizes "1"
            Expect.equal always.Head 32 "nothing is measured before the first step"
            Expect.all always.Tail (fun size -> size = 16) "afterwards"
        }

        test "reviveRows reaches the rules of an event" {
            for value, expected in [ "on", true; "off", false ] do
                let rules =
                    GrowthRules.ofSettings (withKeys [ "ne.rules", $"ours+reviveRows={value}" ] small).Ne Forgetting.All

                Expect.equal rules.Evolution.ReviveRows expected value
        }

        test "random growth by neurons gives all but one of the chosen neurons all their inputs" {
            use agent =
                create (
                    withKeys
                        [
                            "ne.criterion", "random"
                            "ne.growUnit", "neuron"
                            "ne.omega", "0"
                            "ne.rules", "ours+reviveRows=off"
                            "ne.denseEnds", "off"
                            "ne.allocation", "uniform"
                            "ne.growRate", "0.2"
                        ]
                        small
                )

            step agent 20

            let change =
                agent.TakeTopologyChanges()
                |> Array.find (fun change -> change.Network = "critic")

            for layer in change.Layers do
                let group = agent.Networks.Critics
                let fanIn = (group.FanIn[layer.Stack])[layer.Layer]
                let columns = layer.Size / fanIn.Length
                let rows = layer.Grown |> Array.map (fun index -> index / columns) |> Array.distinct
                let full = rows |> Array.filter (fun row -> fanIn[row] = columns)
                // Every layer is elastic here; more grows than one neuron has room for, where there are several.
                Expect.isGreaterThan rows.Length (min 1 (fanIn.Length - 1)) $"layer {layer.Layer} grew"
                Expect.isGreaterThanOrEqual full.Length (rows.Length - 1) $"layer {layer.Layer}"
        }
    ]
