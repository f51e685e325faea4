module NE.Model.Tests.Agents.SacTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Sac
open NE.Model.Networks
open NE.Model.Networks.Simd
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Tests.Networks.EngineFixture
open TorchSharp

/// Frees the oracle's tensors; libtorch must be there before the first use of torch.
let private scope () =
    LibTorch.ensureLoaded ()
    torch.NewDisposeScope()

let private rates = {
    sac with
        Run.Seed = 9L
        // Far from 1, so that a temperature in the wrong place shows.
        Sac.Temperature = Is 0.3
        Sac.TemperatureLearningRate = Is 1e-2
}

/// SAC without clipping, and the eager oracle from the same weights.
let private pair (engine: IEngine) =
    let sac =
        new SacAlgorithm(engine, rates, numbers engine rates, AgentTask.Of(shape, MaxAction))

    sac, new EagerSac(sac.Networks, rates, torch.CPU)

let private rowsOf seed count =
    let rows = Array.zeroCreate<int64> count
    AgeOrder.sampleUniform replay.Value.Window (Draws.Of(seed, Purpose.Batch)) (Span rows)
    rows

/// The standard normals that our SAC will draw next for a batch's actions.
let private noiseOf (rows: int64[]) (noise: Draws) =
    let epsilon = Array.zeroCreate<float32>(rows.Length * shape.ActionSize)
    noise.FillNormal(Span epsilon, 1.0f)
    torch.tensor(epsilon).reshape(int64 rows.Length, int64 shape.ActionSize)

/// The oracle's form of a batch, with the noise of its next actions.
let private eagerBatch (rows: int64[]) (noise: Draws) : EagerBatch =
    let data = rows |> Array.map replay.Value.Copy

    let columns first width =
        torch.tensor(data |> Array.collect (fun row -> Array.sub row first width)).reshape(int64 rows.Length, int64 width)

    {
        S = columns 0 shape.ObservationSize
        A = columns shape.Action shape.ActionSize
        R = columns shape.Reward 1
        NotDone = columns shape.NotDone 1
        S2 = columns shape.NextObservation shape.ObservationSize
        Noise = noiseOf rows noise
    }

let private stored (layout: BlockLayout) (models: Mlp list) select =
    let values = Array.zeroCreate<float32> layout.Length

    models
    |> List.iteri (fun stack model -> model.Store(layout, stack, select, values))

    values

let private metric name (learner: ILearner) =
    (learner.Measure(replay.Value, replay.Value.Window, false)).Metrics
    |> Array.pick (fun struct (known, value) -> if known = name then Some value else None)

let private explored (policy: Policy) (draws: Draws) =
    let action = Array.zeroCreate<float32> shape.ActionSize
    let high = Array.create shape.ActionSize MaxAction
    let low = high |> Array.map (~-)
    let observation = Array.init shape.ObservationSize (fun i -> float32 i / 10.0f)
    policy.Explore(ReadOnlySpan observation, Span action, ReadOnlySpan low, ReadOnlySpan high, draws, policy.CreateScratch())
    action

let private acted (policy: Policy) =
    let action = Array.zeroCreate<float32> shape.ActionSize
    let observation = Array.init shape.ObservationSize (fun i -> float32 i / 10.0f)
    policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
    action

/// Everything that a technique does is due soon.
let private soon text =
    fst (
        Settings.resolve {
            sac with
                Run.Method = Result.defaultWith failwith (Method.parse text)
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

[<Tests>]
let tests =
    testList "Sac" [
        for name, make in engines do
            testCase $"{name}: the gradients of both losses equal autograd's"
            <| fun _ ->
                use _ = scope ()
                let sac, eager = pair (make ())
                use _: IAlgorithm = sac
                let networks = sac.Networks

                let losses =
                    SacLosses(networks, rates.Learner.Discount, Temperature(rates.Sac, rates.Learner))

                use w =
                    new SacWorkspace(networks, (numbers networks.Engine rates).CreateInputs(32, true))

                (rowsOf 1L 32).CopyTo(w.RowNumbers, 0)
                w.Gather replay.Value
                let draws = Draws.Of(1L, Purpose.PolicyDraws)
                let batch = eagerBatch w.RowNumbers (Draws draws.State)
                let loss = losses.CriticGradient(w, draws)
                let expected = eager.CriticLoss batch
                Expect.floatClose Accuracy.medium loss (float (expected.item<float32>())) "L_Q"
                expected.backward ()

                let gradients =
                    stored networks.Critics.Layout (List.ofArray eager.Critics) (fun p -> nonNull p.grad)

                Expect.isLessThan (largestDifference (networks.Critics.ReadOnline Field.Gradients) gradients) 1e-5 "critics"

                let struct (expected, logProbability) =
                    eager.ActorLoss(batch, noiseOf w.RowNumbers (Draws draws.State))

                let loss = losses.ActorGradient(w, draws)
                Expect.floatClose Accuracy.medium loss (float (expected.item<float32>())) "L_pi"
                Expect.floatClose Accuracy.medium w.Actions.MeanLogProbability (float (logProbability.item<float32>())) "mean log pi"
                expected.backward ()

                let gradients =
                    stored networks.Actor.Layout [ eager.Actor ] (fun p -> nonNull p.grad)

                Expect.isLessThan (largestDifference (networks.Actor.ReadOnline Field.Gradients) gradients) 1e-5 "actor"

            testCase $"{name}: 40 updates give the weights, targets and temperature of TorchSharp modules with torch.optim.Adam"
            <| fun _ ->
                use _ = scope ()
                let sac, eager = pair (make ())
                use algorithm: IAlgorithm = sac
                let batch = algorithm.Batch false
                let optimiser = Optimiser(sac.Networks.Engine, [], [])
                let noise = Draws.Of(9L, Purpose.PolicyDraws)

                for t in 1L .. 40L do
                    (rowsOf (100L + t) 32).CopyTo(batch.RowNumbers, 0)
                    batch.Gather replay.Value
                    let eagerBatch = eagerBatch batch.RowNumbers noise
                    eager.Update(eagerBatch, noiseOf batch.RowNumbers noise)
                    algorithm.Update(t, optimiser)

                let actor, critics = sac.Networks.Actor, sac.Networks.Critics

                for name, values, models, layout in
                    [
                        "actor", actor.ReadOnline Field.Weights, [ eager.Actor ], actor.Layout
                        "critics", critics.ReadOnline Field.Weights, List.ofArray eager.Critics, critics.Layout
                        "critic targets", critics.ReadTarget(), List.ofArray eager.CriticTargets, critics.Layout
                    ] do
                    Expect.isLessThan (largestDifference values (stored layout models id)) 5e-5 name

                let struct (_, temperature) =
                    (algorithm.Trainee.Report()).Later
                    |> Array.find (fun struct (name, _) -> name = "temperature")

                Expect.floatClose { absolute = 0.0; relative = 1e-4 } temperature eager.Temperature "temperature"

        test "the temperature rises while the entropy is below its target, and falls while it is above" {
            for target, isRising in [ 50.0, true; -50.0, false ] do
                use agent =
                    create {
                        sac with
                            Sac.TargetEntropy = Is target
                    }

                Expect.equal (metric "temperature" agent) 1.0 "at first"
                step agent 30
                Expect.equal (metric "temperature" agent > 1.0) isRising $"towards {target}"

            use agent =
                create {
                    sac with
                        Sac.LearnTemperature = false
                }

            step agent 30
            Expect.equal (metric "temperature" agent) 1.0 "not learned"
        }

        test "a reset lets the temperature begin anew, unless it is told not to" {
            for restarts in [ true; false ] do
                use agent =
                    create {
                        sac with
                            Run.Method = Method.parse "reset" |> Result.defaultWith failtest
                            Reset = {
                                Every = Is 40L
                                Temperature = restarts
                            }
                    }

                step agent 30
                let reached = metric "temperature" agent
                let mutable moved = 0.0

                while metric "resets" agent = 0.0 do
                    step agent 1
                    moved <- abs (metric "temperature" agent - 1.0)

                // One update after the reset it has moved by one step of Adam at most.
                Expect.isGreaterThan (abs (reached - 1.0)) 0.005 "it has moved far"
                Expect.equal (moved < 0.002) restarts $"restarts: {restarts}, {moved}"
        }

        test "a resume may change how the temperature is learned, and it goes on from where it was" {
            use agent = create sac
            step agent 30
            let reached = metric "temperature" agent
            Expect.notEqual reached 1.0 "it has moved"

            let resumed change =
                let next = create { sac with Sac = change sac.Sac }
                next.Restore(agent.Save())
                Expect.equal (metric "temperature" next) reached "at first"
                step next 10
                let later = metric "temperature" next
                next.Dispose()
                later

            let usual = resumed id
            Expect.equal (resumed (fun sac -> { sac with LearnTemperature = false })) reached "not learned any more"

            Expect.notEqual
                (resumed (fun sac -> {
                    sac with
                        TemperatureLearningRate = Is 1e-2
                }))
                usual
                "another rate"

            Expect.notEqual (resumed (fun sac -> { sac with TargetEntropy = Is 50.0 })) usual "another target"
        }

        test "left alone the entropy comes to minus the number of components" {
            use agent =
                create {
                    sac with
                        Sac.TemperatureLearningRate = Is 0.02
                        Learner.ActorLearningRate = Is 3e-3
                }

            Expect.isGreaterThan (metric "entropy" agent) -1.0 "at first"
            step agent 1500
            Expect.floatClose { absolute = 0.7; relative = 0.0 } (metric "entropy" agent) -(float shape.ActionSize) "later"
        }

        for name in
            "none" :: List.map fst Method.names
            @ [ "ne+redo+swd"; "redo+layer-norm"; "plasticity-injection+layer-norm" ] do
            test $"{name} composes with sac, and goes on bit for bit from a stored state" {
                let settings = soon name

                for stop in [ 41; 60 ] do
                    use whole = create settings
                    step whole stop
                    use resumed = create settings
                    resumed.Restore(whole.Save())
                    Expect.equal (digest resumed) (digest whole) $"restored at {stop}"
                    step whole 180
                    step resumed 180
                    Expect.equal (digest resumed) (digest whole) $"180 steps after {stop}"

                    let measured (learner: ILearner) =
                        learner.Measure(replay.Value, replay.Value.Window, true)

                    Expect.equal (shown (measured resumed)) (shown (measured whole)) "measured"
                    Expect.isNull (whole.FindNonFinite()) "finite"
            }

        test "the number of threads and the width of the vectors do not change one bit" {
            let digestOf settings width threads =
                use agent =
                    Learners.createOn (SimdEngine.CreateAt(width, threads)) settings (AgentTask.Of(shape, MaxAction))

                step agent 90
                agent.Restore(agent.Save())
                step agent 40
                digest agent

            for settings in
                [
                    sac
                    {
                        small with
                            Run.Learner = LearnerKind.Sac
                    }
                    shaped sac
                ] do
                let expected = digestOf settings (VectorWidth.best ()) 1

                for width, threads in
                    [
                        VectorWidth.Bits512, 2
                        VectorWidth.Bits256, 1
                        VectorWidth.Bits256, 3
                        VectorWidth.Bits128, 1
                    ] do
                    Expect.equal (digestOf settings width threads) expected $"{int width} bits, {threads} threads"
        }

        test "the actor's target is no part of learning" {
            use agent = create sac
            let target = (groups agent).Head.ReadTarget()
            step agent 20
            Expect.equal ((groups agent).Head.ReadTarget()) target "as it was drawn"
        }

        test "the policy explores by a draw of its distribution, and acts by the mean" {
            use agent = create sac
            step agent 25
            let policy = agent.Policy()
            Expect.equal policy.Version 25L "every gradient step updates the actor"
            Expect.equal (policy.ActionSize, policy.Form) (shape.ActionSize, ActionForm.SquashedGaussian) "its form"

            let draws, normals =
                Draws.Of(3L, Purpose.Exploration), Draws.Of(3L, Purpose.Exploration)

            let action = explored policy draws
            let noise = Array.zeroCreate<float32> shape.ActionSize
            normals.FillNormal(Span noise, 1.0f)
            Expect.equal draws.State normals.State "one normal for every component, and no other draw"
            let other = explored policy draws
            Expect.notEqual other action "another draw, another action"
            let stored = Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
            Expect.equal (acted stored) (acted policy) "stored, it acts the same"
            Expect.equal (explored stored (Draws.Of(3L, Purpose.Exploration))) (acted policy) "and does not explore"
            let scatter = [ for _ in 1..2000 -> explored policy draws ]

            for i in 0 .. shape.ActionSize - 1 do
                let centred =
                    scatter
                    |> List.averageBy (fun action -> if action[i] > (acted policy)[i] then 1.0 else 0.0)

                Expect.floatClose { absolute = 0.05; relative = 0.0 } centred 0.5 "the mean is the median of the draws"
        }

        test "a NaN in the replay stops the update with a named loss" {
            let broken = {
                new ITransitionSource with
                    member _.Gather(rows, destination, stride) =
                        (replay.Value :> ITransitionSource).Gather(rows, destination, stride)
                        let place = FSharp.NativeInterop.NativePtr.add destination shape.Reward
                        FSharp.NativeInterop.NativePtr.write place Single.NaN

                    member _.Row row =
                        (replay.Value :> ITransitionSource).Row row
            }

            use agent = create sac

            let error =
                try
                    agent.Update(broken, replay.Value.Window)
                    None
                with :? NonFiniteException as error ->
                    Some error.Tensor

            Expect.equal error (Some "The critics' loss") "what"
        }

        for engine in [ EngineKind.Torch; EngineKind.Simd ] do
            test $"an update on {engine} allocates no managed memory once warm" {
                use agent = create { sac with Compute.Engine = Is engine }

                let bytes () =
                    let before = GC.GetAllocatedBytesForCurrentThread()
                    step agent 100
                    GC.GetAllocatedBytesForCurrentThread() - before

                // Warm means that the compiler has put its optimised code in place, which it does when it likes.
                let mutable tries = 1

                while bytes () > 0L && tries < 3000 do
                    tries <- tries + 1

                Expect.isLessThan tries 3000 "a hundred updates without an allocation"
            }
    ]
