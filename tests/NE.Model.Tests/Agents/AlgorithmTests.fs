/// Techniques, measurements and stored state on an algorithm that is not TD3.
module NE.Model.Tests.Agents.AlgorithmTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Topology

let private method' text =
    match Method.parse text with
    | Ok parsed -> parsed
    | Error problem -> failtest problem

/// Everything that a technique does is due soon.
let private settings text =
    fst (
        Settings.resolve {
            small with
                Run.Method = method' text
                Run.Steps = 400L
                Learner.StartSteps = Is 10L
                Reset.Every = Is 50L
                ReDo.Every = Is 30L
                ReDo.Threshold = 0.1
                ShrinkAndPerturb.Every = Is 50L
                ContinualBackprop.Maturity = 10L
                ContinualBackprop.ReplacementRate = 0.01
                Injection.Step = Is 50L
        }
    )

let private cloning (settings: Settings) : ILearner =
    Agent.Compose(new CloningAlgorithm(Engines.create settings.Compute, settings, shape, MaxAction), settings, None)

let private networks (learner: ILearner) role =
    (learner.Algorithm.Trainee.Groups |> List.find (fun group -> group.Role = role)).Networks

let private measure (learner: ILearner) =
    learner.Measure(replay.Value, replay.Value.Window, true)

let private metric name learner =
    (measure learner).Metrics
    |> Array.pick (fun struct (known, value) -> if known = name then Some value else None)

let private weightsOf (learner: ILearner) role =
    (networks learner role).ReadOnline Field.Weights

[<Tests>]
let tests =
    testList "Another algorithm" [
        for engine, plain in onEachEngine (settings "td3") do
            test $"{engine}: it learns, and is measured and probed" {
                use learner = cloning plain
                // The rows are random, so that there is nothing to learn but a few of them by heart.
                let few = { First = 0L; Head = 16L }

                let losses () =
                    let metrics = (learner.Measure(replay.Value, few, false)).Metrics

                    [
                        for struct (name, value) in metrics do
                            if name.EndsWith "_loss" then
                                name, value
                    ]

                let before = losses ()
                Expect.equal (List.map fst before) [ "critic_loss"; "actor_loss" ] "of every group"

                for _ in 1..1500 do
                    learner.Update(replay.Value, few)

                for (name, start), (_, learned) in List.zip before (losses ()) do
                    Expect.isLessThan learned (0.5 * start) name

                let found = measure learner

                Expect.equal
                    [ for layer in found.Layers -> layer.Network, layer.Stack, layer.Layer ]
                    [
                        for network in [ "actor"; "critic" ] do
                            for layer in 0..2 -> network, 0, layer
                    ]
                    "rows of layers.csv"

                Expect.all found.Metrics (fun struct (_, value) -> Double.IsFinite value) "metrics"

                let gradients =
                    learner.Gradients(Array.zeroCreate (GradientMap.Rows * shape.StoredWidth))

                Expect.equal [ for map in gradients -> map.Network ] [ for layer in found.Layers -> layer.Network ] "gradients"
            }

        for name in
            "td3" :: List.map fst Method.names
            @ [ "ne+redo+swd"; "naive-growth+continual-backprop" ] do
            test $"{name} goes on bit for bit from a stored state" {
                let settings = settings name

                for stop in [ 41; 60 ] do
                    use whole = cloning settings
                    step whole stop
                    use resumed = cloning settings
                    resumed.Restore(whole.Save())
                    Expect.equal (digest resumed) (digest whole) $"restored at {stop}"
                    step whole 50
                    step resumed 50
                    Expect.equal (digest resumed) (digest whole) $"50 steps after {stop}"
                    Expect.equal (shown (measure resumed)) (shown (measure whole)) "measured"
            }

        test "reset draws all its networks anew" {
            use learner = cloning (settings "reset")
            step learner 40
            let trained = weightsOf learner Role.Critic
            step learner 1
            Expect.equal (metric "resets" learner) 1.0 "one reset"
            let powers = (networks learner Role.Critic).ReadOnline Field.Beta1Powers
            Expect.floatClose Accuracy.low (float powers[0]) 0.9 "the optimiser has taken one step since"
            Expect.notEqual (weightsOf learner Role.Critic) trained "other weights"
        }

        test "redo redraws the neurons that are silent, in every group" {
            use learner = cloning (settings "redo")
            step learner 29

            for role in [ Role.Actor; Role.Critic ] do
                kill (networks learner role) 0 0 [ 3; 7 ]

            step learner 1

            let changes = learner.TakeTopologyChanges()
            Expect.equal [ for change in changes -> change.Network ] [ "critic"; "actor" ] "as they are updated"

            for change in changes do
                Expect.containsAll change.Layers[0].Touched [ 3; 7 ] change.Network

            for group in groups learner do
                let weights, next = group.ReadOnline Field.Weights, group.Layout.Slot(0, 1)

                for row in 0 .. next.Outputs - 1 do
                    Expect.equal weights[next.Weights + row * next.Inputs + 3] 0.0f "no outgoing weight"

            Expect.isGreaterThanOrEqual (metric "redo_redrawn" learner) 4.0 "counted"
        }

        test "shrink-and-perturb shrinks every parameter" {
            use learner =
                cloning {
                    settings "shrink-and-perturb" with
                        ShrinkAndPerturb.Shrink = 0.5
                        ShrinkAndPerturb.Noise = 0.0
                }

            step learner 40
            let before = weightsOf learner Role.Actor
            // No update of the actor.
            step learner 1
            Expect.equal (weightsOf learner Role.Actor) (before |> Array.map (fun w -> 0.5f * w)) "halved"
        }

        test "l2-init with a heavy weight keeps the parameters near the start" {
            let distance weight =
                use learner =
                    cloning {
                        settings "l2-init" with
                            L2Init.Weight = weight
                    }

                let start = weightsOf learner Role.Critic
                step learner 200
                Array.fold2 (fun sum a b -> sum + float (a - b) ** 2.0) 0.0 start (weightsOf learner Role.Critic)

            Expect.isLessThan (distance 100.0) (0.5 * distance 0.0) "pulled back"
        }

        test "continual-backprop replaces units of a group when it is updated" {
            use learner =
                cloning {
                    settings "continual-backprop" with
                        ContinualBackprop.ReplacementRate = 1.0 / 128.0
                        ContinualBackprop.Maturity = 0L
                }

            step learner 384
            // Per layer floor(updates * rate * width): 384 of the critic, 128 of the actor.
            Expect.floatClose
                Accuracy.veryHigh
                (metric "continual_backprop_replaced" learner)
                (3.0 * (24.0 + 16.0) + (24.0 + 16.0))
                "replaced"
        }

        test "an injection freezes the networks and leaves what they put out" {
            use learner = cloning (settings "plasticity-injection")
            step learner 40

            let losses () =
                metric "critic_loss" learner, metric "actor_loss" learner

            let before = losses ()

            for group in learner.Algorithm.Trainee.Groups do
                group.Networks.Inject(Draws.Of(4L, Purpose.PlasticityInjection))

            learner.Algorithm.Trainee.Rebuild()
            Expect.equal (losses ()) before "outputs"
        }

        for batch in [ EventBatch.Fresh; EventBatch.Training ] do
            test $"ne grows and prunes on a %A{batch} batch, the critic at once and the actor at its next update" {
                use learner =
                    cloning {
                        settings "ne" with
                            Ne.Rules = Is { NeRules.ours with EventBatch = batch }
                    }

                let density () =
                    (networks learner Role.Actor).Density, (networks learner Role.Critic).Density

                let actor, critic = density ()
                Expect.isLessThan actor 0.3 "sparse"
                step learner 61
                let changes = learner.TakeTopologyChanges()

                Expect.equal
                    [ for change in changes -> change.Network, change.Step ]
                    [
                        "critic", 20L
                        "actor", 21L
                        "critic", 40L
                        "actor", 42L
                        "critic", 60L
                        "actor", 60L
                    ]
                    "events"

                Expect.isTrue (fst (density ()) > actor && snd (density ()) > critic) "grown"
                Expect.exists changes (fun change -> change.Layers |> Array.exists (fun layer -> layer.MaxScore > 0.0f)) "by gradients"

                for group in groups learner do
                    let weights = group.ReadOnline Field.Weights

                    for slot in group.Layout.Slots do
                        for i in 0 .. slot.WeightCount - 1 do
                            if not (isActive group slot i) && weights[slot.Weights + i] <> 0.0f then
                                failtest $"{group.Name}, layer {slot.Layer}, weight {i} does not exist and has a value"
            }
    ]
