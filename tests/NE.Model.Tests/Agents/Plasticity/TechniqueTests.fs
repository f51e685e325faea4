module NE.Model.Tests.Agents.Plasticity.TechniqueTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Agents.Plasticity
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Tests.Agents.AgentFixture

let private method' text =
    match Method.parse text with
    | Ok parsed -> parsed
    | Error problem -> failtest problem

/// A run of 400 steps that learns from step 10 on, with everything that a technique does due soon.
let private settings text = {
    td3 with
        Run.Method = method' text
        Run.Steps = 400L
        Learner.StartSteps = Is 10L
        Reset.Every = Is 50L
        ReDo.Every = Is 30L
        ShrinkAndPerturb.Every = Is 50L
        Injection.Step = Is 50L
        ContinualBackprop.Maturity = 10L
        ContinualBackprop.ReplacementRate = 0.01
}

let private metric name (agent: ILearner) =
    agent.Measure(replay.Value, replay.Value.Window, false).Metrics
    |> Array.find (fun struct (known, _) -> known = name)
    |> fun struct (_, value) -> value

let private componentOf name (agent: ILearner) =
    agent.Save().Components
    |> Array.find (fun struct (known, _) -> known = name)
    |> fun struct (_, bytes) -> bytes

[<Tests>]
let tests =
    testList "Techniques" [
        testList "Reset" [
            test "it creates all networks, targets and moments anew before the step after a multiple of its period, and keeps the counters" {
                use reset = create (settings "reset")
                use dense = create (settings "td3")
                // 40 gradient steps are those of environment steps 11 to 50.
                step reset 40
                step dense 40
                Expect.equal (componentOf "parameters" reset) (componentOf "parameters" dense) "equal before"
                step reset 1
                Expect.equal (metric "resets" reset) 1.0 "one reset"
                Expect.equal reset.GradientStep 41L "the clock goes on"

                for group in groups reset do
                    let powers = group.ReadOnline Field.Beta1Powers
                    let biases = [ for slot in group.Layout.Slots -> powers[slot.Biases] ]

                    if group.Name = "critic" then
                        // One step was taken since.
                        for power in biases do
                            Expect.floatClose Accuracy.low (float power) 0.9 "a fresh optimiser has taken one step"
                    else
                        for power in biases do
                            Expect.equal power 1.0f "a fresh optimiser has taken none"
                            Expect.equal (group.ReadTarget()) (group.ReadOnline Field.Weights) "the target is its copy"
            }

            test "with period 0 there is none" {
                use agent =
                    create {
                        settings "reset" with
                            Reset.Every = Is 0L
                    }

                step agent 60
                Expect.equal (metric "resets" agent) 0.0 "only switches reset"
            }

            test "with learner.optimizerReset off the optimiser goes on" {
                use agent =
                    create {
                        settings "reset" with
                            Learner.OptimizerReset = false
                    }

                step agent 40
                let before = agent.Networks.Actor.ReadOnline Field.FirstMoments
                step agent 1
                Expect.equal (metric "resets" agent) 1.0 "the networks are new"
                Expect.equal (agent.Networks.Actor.ReadOnline Field.FirstMoments) before "the moments are not"
            }

            test "with more updates per step it counts environment steps" {
                use agent =
                    create {
                        settings "reset" with
                            Learner.UpdatesPerStep = Is 2.0m
                    }

                step agent 80
                Expect.equal (metric "resets" agent) 0.0 "80 gradient steps belong to steps 11 to 50"
                step agent 1
                Expect.equal (metric "resets" agent) 1.0 "then the reset"
            }

            test "with an update every third step, too" {
                use agent =
                    create {
                        settings "reset" with
                            Learner.UpdatesPerStep = Is 0.333m
                            Reset.Every = Is 25L
                    }

                // Gradient steps belong to steps 14, 17, 20, 23, 26 (0.333 x 16 = 5.3), ...
                step agent 4
                Expect.equal (metric "resets" agent) 0.0 "of 23 steps"
                step agent 1
                Expect.equal (metric "resets" agent) 1.0 "step 25 is complete before that of step 26, though none belongs to it"
                step agent 7
                Expect.equal (metric "resets" agent) 1.0 "once"
            }
        ]

        testList "ReDo" [
            test "at threshold 0 without a dormant neuron it does nothing" {
                let never = {
                    settings "redo" with
                        ReDo.Every = Is 1L
                }

                use redo = create never
                use dense = create (settings "td3")

                // Neurons that always speak: inputs hardly matter to the first layer, and what the second gets is positive.
                for agent in [ redo; dense ] do
                    for group in groups agent do
                        let weights = group.ReadOnline Field.Weights

                        for slot in group.Layout.Slots do
                            if slot.Layer < group.Layout.HiddenLayers then
                                Array.fill weights slot.Biases slot.Outputs 0.5f

                                for i in slot.Weights .. slot.Weights + slot.WeightCount - 1 do
                                    weights[i] <- 0.1f * abs weights[i]

                        group.WriteOnline(Field.Weights, weights)

                step redo 20
                step dense 20

                for name in [ "parameters"; "targets"; "moments" ] do
                    Expect.equal (componentOf name redo) (componentOf name dense) name

                Expect.isEmpty (redo.TakeTopologyChanges()) "no event"
            }

            for engine, settings in onEachEngine (settings "redo") do
                test $"{engine}: a dormant neuron gets fresh inputs, no outputs and no moments; targets stay" {
                    use agent = create settings
                    step agent 29
                    let critics = agent.Networks.Critics
                    kill critics 1 0 [ 3; 7 ]
                    let before = critics.ReadTarget()
                    let fields = [ Field.FirstMoments; Field.SecondMoments ]
                    // Step 30 is odd for nobody: compare with the step alone.
                    use other = create { settings with ReDo.Every = Is 1000L }
                    other.Restore(agent.Save())
                    step agent 1
                    step other 1
                    let weights = critics.ReadOnline Field.Weights
                    let plain = other.Networks.Critics.ReadOnline Field.Weights
                    let first, second = critics.Layout.Slot(1, 0), critics.Layout.Slot(1, 1)

                    for neuron in [ 3; 7 ] do
                        Expect.equal weights[first.Biases + neuron] 0.0f "bias"

                        for row in 0 .. second.Outputs - 1 do
                            Expect.equal weights[second.Weights + row * second.Inputs + neuron] 0.0f "outgoing"

                        let incoming =
                            Array.sub weights (first.Weights + neuron * first.Inputs) first.Inputs

                        Expect.all
                            incoming
                            (fun w -> w <> 0.0f && abs w <= Topology.WeightBounds.beta first.Inputs)
                            "fresh incoming weights"

                        for field in fields do
                            let values = critics.ReadOnline field
                            Expect.all (Array.sub values (first.Weights + neuron * first.Inputs) first.Inputs) (fun v -> v = 0.0f) "moments"

                    // A healthy neuron is left as the update made it.
                    let healthy = first.Weights + 5 * first.Inputs
                    Expect.equal (Array.sub weights healthy first.Inputs) (Array.sub plain healthy first.Inputs) "healthy"
                    Expect.equal (critics.ReadTarget()) (other.Networks.Critics.ReadTarget()) "targets"
                    Expect.notEqual (critics.ReadTarget()) before "which moved by Polyak alone"
                    let changes = agent.TakeTopologyChanges()
                    let critic = changes |> Array.find (fun change -> change.Network = "critic")

                    let layer =
                        critic.Layers |> Array.find (fun layer -> layer.Stack = 1 && layer.Layer = 0)

                    Expect.containsAll layer.Touched [ 3; 7 ] "recorded"
                    Expect.all critic.Layers (fun layer -> layer.Grown.Length = 0 && layer.Pruned.Length = 0) "no weight grown or pruned"
                }

            test "composed with ne it leaves absent weights absent" {
                use agent =
                    create {
                        small with
                            Run.Method = method' "ne+redo"
                            ReDo.Every = Is 25L
                            ReDo.Threshold = 0.5
                    }

                step agent 60
                Expect.isGreaterThan (metric "redo_redrawn" agent) 0.0 "it had something to do"

                for group in groups agent do
                    let weights = group.ReadOnline Field.Weights

                    for slot in group.Layout.Slots do
                        for i in 0 .. slot.WeightCount - 1 do
                            if not (isActive group slot i) && weights[slot.Weights + i] <> 0.0f then
                                failtest $"{group.Name} {slot.Stack} {slot.Layer} {i}"
            }
        ]

        testList "Shrink and perturb" [
            test "every parameter becomes shrink * old + noise * fresh, within its bound" {
                let scaled shrink noise = {
                    settings "shrink-and-perturb" with
                        ShrinkAndPerturb.Shrink = shrink
                        ShrinkAndPerturb.Noise = noise
                }

                use plain = create (scaled 1.0 0.0)
                use agent = create (scaled 0.5 0.0)
                step plain 40
                step agent 40
                let clock = EnvironmentClock(settings "td3")
                Expect.isTrue (clock.IsDue(50L, 41L)) "due before gradient step 41"
                let before = plain.Networks.Actor.ReadOnline Field.Weights
                step agent 1
                // Step 41 updates no actor.
                Expect.equal (agent.Networks.Actor.ReadOnline Field.Weights) (before |> Array.map (fun w -> 0.5f * w)) "halved"
                use noisy = create (scaled 0.0 1.0)
                step noisy 41
                let fresh = noisy.Networks.Actor.ReadOnline Field.Weights
                let slot = noisy.Networks.Actor.Layout.Slot(0, 0)
                let first = Array.sub fresh slot.Weights slot.WeightCount
                Expect.all first (fun w -> abs w <= Topology.WeightBounds.beta slot.Inputs) "fresh weights"
                Expect.notEqual first (Array.sub before slot.Weights slot.WeightCount) "other weights"
            }
        ]

        testList "Reset and shrink-and-perturb" [
            for name, count in [ "reset", "resets"; "shrink-and-perturb", "perturbations" ] do
                test $"{name}: there is none within half a period of the end" {
                    use agent = create { settings name with Run.Steps = 120L }

                    step agent 110
                    // Steps 50 and 100 are multiples; 100 is less than 25 from the end.
                    Expect.equal (metric count agent) 1.0 "one"
                }

            for steps, expected in
                [
                    300_000L, [ 60_000L; 120_000L; 180_000L; 240_000L ]
                    2_000L, [ 800L; 1_200L; 1_600L ]
                ] do
                test $"a run of {steps} steps with default periods acts several times, each with time to learn again" {
                    let settings, _ =
                        Settings.resolve {
                            Settings.defaults with
                                Run.Steps = steps
                        }

                    let clock = EnvironmentClock settings
                    let start = settings.Learner.StartSteps.Value

                    for every in [ settings.Reset.Every.Value; settings.ShrinkAndPerturb.Every.Value ] do
                        let acts = [
                            for t in 1L .. steps - start do
                                if clock.IsDue(every, t) then
                                    start + t - 1L
                        ]

                        Expect.equal acts expected "steps"
                }
        ]

        testList "Sample weight decay" [
            test "batches lean towards new rows, alone and with NE, whose review it switches off" {
                for name in [ "swd"; "ne+swd" ] do
                    use agent =
                        create (
                            fst (
                                Settings.resolve {
                                    settings name with
                                        SampleWeightDecay.Horizon = Is 3000L
                                }
                            )
                        )

                    step agent 200
                    // 3,000 rows of weight 1 - a/3000, at least 0.1: on average 1,016 old; drawn alike, 1,500.
                    let age = metric "swd_sample_age" agent
                    Expect.floatClose { absolute = 30.0; relative = 0.0 } age 1016.0 $"{name}: mean age"

                    if name = "ne+swd" then
                        Expect.equal (metric "review_fraction" agent) 0.0 "no review"
            }

            test "with a least weight of 1 it draws like td3, from another part of the stream" {
                use agent =
                    create {
                        settings "swd" with
                            SampleWeightDecay.MinWeight = 1.0
                            SampleWeightDecay.Horizon = Is 10L
                    }

                step agent 200
                Expect.floatClose { absolute = 30.0; relative = 0.0 } (metric "swd_sample_age" agent) 1499.5 "mean age"
            }
        ]

        testList "L2 init" [
            for engine, plain in onEachEngine (settings "td3") do
                test $"{engine}: the gradient has the pull towards the initial parameters in it" {
                    use dense = create plain
                    use engineOfPlain = Engines.create plain.Compute
                    let layout = dense.Networks.Critics.Layout
                    use block = engineOfPlain.CreateBlock(layout, true)
                    use anchor = engineOfPlain.CreateBlock(layout, false)
                    let random = Random 3

                    let values () =
                        Array.init layout.Length (fun i ->
                            if i < layout.ParameterCount then
                                random.NextSingle()
                            else
                                0.0f)

                    let w, g, a = values (), values (), values ()
                    block.Write(Field.Weights, ReadOnlySpan w)
                    block.Write(Field.Gradients, ReadOnlySpan g)
                    anchor.Write(Field.Weights, ReadOnlySpan a)

                    engineOfPlain.AddDifference(block.Flat Field.Gradients, 0.02f, block.Flat Field.Weights, anchor.Flat Field.Weights)

                    let result = Array.zeroCreate layout.Length
                    block.Read(Field.Gradients, Span result)

                    for i in 0 .. layout.ParameterCount - 1 do
                        Expect.floatClose Accuracy.medium (float result[i]) (float (g[i] + 0.02f * (w[i] - a[i]))) "entry"
                }

            test "with a heavy weight the parameters stay near the start; with weight 0 it is td3" {
                use dense = create (settings "td3")

                let l2 weight = {
                    settings "l2-init" with
                        L2Init.Weight = weight
                }

                use heavy = create (l2 100.0)
                use none = create (l2 0.0)
                let start = dense.Networks.Critics.ReadOnline Field.Weights

                for agent in [ dense; heavy; none ] do
                    step agent 300

                let distance (agent: ILearner) =
                    Array.map2 (fun a b -> float (a - b) ** 2.0) start (agent.Networks.Critics.ReadOnline Field.Weights)
                    |> Array.sum
                    |> sqrt

                Expect.isLessThan (distance heavy) (0.5 * distance dense) "pulled back"
                Expect.equal (componentOf "parameters" none) (componentOf "parameters" dense) "weight 0"
            }
        ]

        testList "Continual backprop" [
            test "it replaces units at its rate once they are mature, and the actor's only when the actor is updated" {
                // Exact in binary, so that the carried fractions add up.
                let rate = 1.0 / 128.0

                use agent =
                    create {
                        settings "continual-backprop" with
                            ContinualBackprop.ReplacementRate = rate
                            ContinualBackprop.Maturity = 1_000_000L
                    }

                step agent 50
                Expect.equal (metric "continual_backprop_replaced" agent) 0.0 "nobody is mature"

                use young =
                    create {
                        settings "continual-backprop" with
                            ContinualBackprop.ReplacementRate = rate
                            ContinualBackprop.Maturity = 0L
                    }

                step young 128
                // All are always mature: per layer floor(updates * rate * width); critics two stacks, 128 updates, actor 64.
                let expected = 2.0 * (24.0 + 16.0) + (12.0 + 8.0)
                Expect.floatClose Accuracy.veryHigh (metric "continual_backprop_replaced" young) expected "replaced"
            }

            test "the unit with the lowest contribution goes first" {
                use agent =
                    create {
                        settings "continual-backprop" with
                            ContinualBackprop.ReplacementRate = 1.0 / 24.0 + 1e-9
                            ContinualBackprop.Maturity = 0L
                    }

                kill agent.Networks.Critics 0 0 [ 11 ]
                let slot = agent.Networks.Critics.Layout.Slot(0, 0)
                step agent 1
                let weights = agent.Networks.Critics.ReadOnline Field.Weights
                // It contributed nothing; now it has fresh inputs.
                Expect.all (Array.sub weights (slot.Weights + 11 * slot.Inputs) slot.Inputs) (fun w -> w <> 0.0f) "redrawn"
            }
        ]

        testList "Naive growth" [
            test "every layer starts at the same density, grows at random and prunes nothing" {
                use agent =
                    create {
                        small with
                            Run.Method = method' "naive-growth"
                    }

                for group in groups agent do
                    for mask in Seq.concat group.Masks do
                        Expect.floatClose Accuracy.low (float mask.ActiveCount / float mask.Size) 0.25 "uniform"

                step agent 100
                let changes = agent.TakeTopologyChanges()
                Expect.isNonEmpty changes "it grew"

                for change in changes do
                    for layer in change.Layers do
                        Expect.isEmpty layer.Pruned "nothing is pruned"
                        Expect.isTrue (Single.IsNaN layer.MaxScore) "no gradient was asked"
            }
        ]

        testList "Plasticity injection" [
            for engine, injected in onEachEngine (settings "plasticity-injection") do
                test $"{engine}: before it the run is td3 bit for bit, and outputs are bit-equal across it" {
                    use agent = create injected

                    use dense =
                        create {
                            injected with
                                Run.Method = Method.Td3
                        }

                    step agent 40
                    step dense 40

                    for name in [ "parameters"; "targets"; "moments" ] do
                        Expect.equal (componentOf name agent) (componentOf name dense) name

                    let networks = agent.Networks
                    use probe = td3Workspace networks 64
                    let draws = Draws.Of(4L, Purpose.PlasticityInjection)

                    let outputs () =
                        Replay.AgeOrder.sampleUniform replay.Value.Window (Draws.Of(3L, Purpose.Batch)) (Span probe.RowNumbers)
                        probe.Gather replay.Value

                        [
                            for pass in [ probe.Critics; probe.CriticsTarget; probe.Actor; probe.NextActor ] do
                                pass.Forward()

                                for stack in 0 .. pass.Stacks - 1 do
                                    let matrix = pass.Output stack
                                    let values = Array.zeroCreate<float32>(matrix.Rows * matrix.Columns)
                                    matrix.Read(Span values)
                                    values
                        ]

                    let act () =
                        let policy = agent.Policy()
                        let action = Array.zeroCreate<float32> shape.ActionSize

                        let observation =
                            Array.init shape.ObservationSize (fun i -> 0.3f * float32 i - 1.0f)

                        policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
                        action

                    let before, action = outputs (), act ()
                    // What the step after environment step 50 begins with.
                    (networks.Actor: NetworkGroup).Inject draws
                    networks.Critics.Inject draws
                    probe.Rebuild()
                    Expect.equal (outputs ()) before "outputs"
                    Expect.equal (act ()) action "actions"
                }

                test $"{engine}: afterwards only the new body learns, and the frozen ones stay" {
                    use agent = create injected
                    step agent 42
                    let critics = agent.Networks.Critics

                    let bodies () =
                        match critics.Injected with
                        | ValueNone -> failtest "there was no injection"
                        | ValueSome frozen ->
                            let read (block: IParameterBlock) =
                                let values = Array.zeroCreate<float32> critics.Layout.Length
                                block.Read(Field.Weights, Span values)
                                values

                            {|
                                Kept = read frozen.Online.Kept
                                Subtracted = read frozen.Online.Subtracted
                                KeptTarget = read frozen.Targets.Kept
                            |}

                    let before, learning = bodies (), critics.ReadOnline Field.Weights
                    step agent 20
                    let after = bodies ()
                    Expect.equal after.Kept before.Kept "kept"
                    Expect.equal after.Subtracted before.Subtracted "subtracted"
                    Expect.notEqual after.KeptTarget before.KeptTarget "the target's follows the kept one"
                    Expect.notEqual (critics.ReadOnline Field.Weights) learning "the new body learns"
                    Expect.equal (critics.ReadOnline Field.Weights).Length learning.Length "as many parameters as before"
                    Expect.equal (metric "injected" agent) 1.0 "it is reported"
                }

            test "the gradient of the injected networks is that of finite differences" {
                use agent = create (settings "plasticity-injection")
                step agent 60
                let networks = agent.Networks
                let td3 = Td3Losses(networks, td3)
                use w = td3Workspace networks 64
                Replay.AgeOrder.sampleUniform replay.Value.Window (Draws.Of(3L, Purpose.Batch)) (Span w.RowNumbers)
                let group = networks.Actor
                let original = group.ReadOnline Field.Weights

                let loss (values: float32[]) =
                    group.WriteOnline(Field.Weights, values)
                    w.Gather replay.Value
                    td3.ActorGradient w

                loss original |> ignore
                let gradient = group.ReadOnline Field.Gradients
                let largest = gradient |> Array.map abs |> Array.max
                let h = 1e-2f

                for slot in group.Layout.Slots do
                    for i in [ slot.Weights; slot.Weights + slot.WeightCount / 2; slot.Biases ] do
                        let moved delta =
                            let values = Array.copy original
                            values[i] <- values[i] + delta
                            loss values

                        let difference = (moved h - moved -h) / (2.0 * float h)
                        Expect.isLessThan (abs (difference - float gradient[i])) (0.05 * float largest) $"layer {slot.Layer}, {i}"
            }

            test "a policy of three bodies survives its bytes" {
                use agent = create (settings "plasticity-injection+layer-norm")
                step agent 60
                let policy = agent.Policy()
                let again = Networks.Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
                let observation = Array.init shape.ObservationSize (fun i -> 0.2f * float32 i)

                let act (policy: Networks.Policy) =
                    let action = Array.zeroCreate<float32> shape.ActionSize
                    policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
                    action

                Expect.equal (act again) (act policy) "actions"
                // The policy computes what the pass computes.
                let networks = agent.Networks
                use input = networks.Engine.CreateMatrix(1, shape.ObservationSize)
                input.Write(ReadOnlySpan observation)

                use pass =
                    networks.Actor.CreatePass(false, 1, input, ScaledTanh MaxAction, NoGradient)

                pass.Forward()
                let output = Array.zeroCreate<float32> shape.ActionSize
                (pass.Output 0).Read(Span output)

                for a, b in Array.zip output (act policy) do
                    Expect.floatClose Accuracy.medium (float a) (float b) "action"

                let cut = policy.ToBytes() |> Array.truncate 400
                Expect.throws (fun () -> Networks.Policy.OfBytes(ReadOnlySpan cut) |> ignore) "a cut policy is refused"
            }
        ]

        testList "Forms of the networks" [
            test "layer-norm and crelu change the networks alone" {
                let resolved text =
                    fst (
                        Settings.resolve {
                            settings text with
                                Network.LayerNorm = LayerNorm.Off
                                Network.Activation = Activation.Relu
                        }
                    )

                Expect.equal (resolved "layer-norm").Network.LayerNorm LayerNorm.All "layer-norm"
                Expect.equal (resolved "crelu").Network.Activation Activation.Crelu "crelu"
                Expect.equal (resolved "td3").Network.LayerNorm LayerNorm.Off "td3"
                use agent = create (resolved "layer-norm+crelu")
                step agent 4
                Expect.isTrue (agent.Networks.Actor.Layout.Slot(0, 0)).IsNormed "normed"
                Expect.contains (agent.Networks.Actor.Layout.Slot(0, 1)).Forms Networks.LayerForm.Crelu "concatenated"
            }

            test "what contradicts the method is refused with a reason" {
                let problems change =
                    Settings.validate (fst (Settings.resolve (change (settings "td3"))))
                    |> List.map _.Key

                let with' text change =
                    fun s -> change { s with Run.Method = method' text }

                Expect.equal
                    (problems (
                        with' "layer-norm" (fun s -> {
                            s with
                                Network.LayerNorm = LayerNorm.CriticLast
                        })
                    ))
                    [ "network.layerNorm" ]
                    "layer-norm"

                Expect.equal
                    (problems (
                        with' "redo" (fun s -> {
                            s with
                                Network.Activation = Activation.Crelu
                        })
                    ))
                    [ "network.activation" ]
                    "redo on crelu"

                Expect.equal
                    (problems (with' "plasticity-injection" (fun s -> { s with Injection.Step = Is 400L })))
                    [ "injection.step" ]
                    "an injection at the end"
            }
        ]

        test "an actor that an intervention changed between two of its updates is published" {
            use agent = create (settings "shrink-and-perturb")
            step agent 40
            let before = agent.Policy()
            // Gradient step 41 updates no actor, but the weights were shrunk before it.
            step agent 1
            Expect.isFalse (obj.ReferenceEquals(before, agent.Policy())) "a new policy"
        }
    ]
