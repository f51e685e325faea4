module NE.Model.Tests.Agents.Td3Tests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Topology
open NE.Model.Tests.Agents.AgentFixture
open TorchSharp

/// Frees the oracle's tensors; libtorch must be there before the first use of torch.
let private scope () =
    LibTorch.ensureLoaded ()
    torch.NewDisposeScope()

/// TD3 without clipping, and the eager oracle from the same weights.
let private pair (engine: IEngine) =
    let td3 =
        new Td3Algorithm(
            engine,
            {
                small with
                    Run.Seed = 9L
                    Network.WeightClip = 0.0
            },
            (AgentTask.Of(shape, MaxAction))
        )

    td3, new EagerTd3(td3.Networks, small, torch.CPU)

let private rowsOf seed count =
    let rows = Array.zeroCreate<int64> count
    AgeOrder.sampleUniform replay.Value.Window (Draws.Of(seed, Purpose.Batch)) (Span rows)
    rows

/// The oracle's form of a batch, with the noise that our TD3 will draw.
let private eagerBatch (rows: int64[]) (noise: Draws) : EagerBatch =
    let count = int64 rows.Length
    let data = rows |> Array.map replay.Value.Copy

    let columns first width =
        torch.tensor(data |> Array.collect (fun row -> Array.sub row first width)).reshape(count, int64 width)

    let epsilon = Array.zeroCreate<float32>(rows.Length * shape.ActionSize)
    noise.FillNormal(Span epsilon, float32 small.Td3.TargetNoise * MaxAction)

    {
        S = columns 0 shape.ObservationSize
        A = columns shape.Action shape.ActionSize
        R = columns shape.Reward 1
        NotDone = columns shape.NotDone 1
        S2 = columns shape.NextObservation shape.ObservationSize
        Noise = torch.tensor(epsilon).reshape(count, int64 shape.ActionSize)
    }

let private stored (layout: BlockLayout) (models: Mlp list) select =
    let values = Array.zeroCreate<float32> layout.Length

    models
    |> List.iteri (fun stack model -> model.Store(layout, stack, select, values))

    values

let private perEngine name body =
    testList name [
        for engineName, makeEngine in NE.Model.Tests.Networks.EngineFixture.engines -> testCase engineName (fun () -> body (makeEngine ()))
    ]

let private difference = NE.Model.Tests.Networks.EngineFixture.largestDifference

[<Tests>]
let tests =
    testList "Td3" [
        perEngine "the gradients of both losses equal autograd's" (fun engine ->
            use _ = scope ()
            let td3, eager = pair engine
            use algorithm: IAlgorithm = td3
            let networks, losses = td3.Networks, Td3Losses(td3.Networks, small)
            use w = td3Workspace networks 32
            (rowsOf 1L 32).CopyTo(w.RowNumbers, 0)
            w.Gather replay.Value
            let batch = eagerBatch w.RowNumbers (Draws.Of(1L, Purpose.TargetNoise))
            let loss = losses.CriticGradient(w, Draws.Of(1L, Purpose.TargetNoise))
            let expected = eager.CriticLoss batch
            Expect.floatClose Accuracy.medium loss (float (expected.item<float32>())) "L_Q"
            expected.backward ()
            let layout = networks.Critics.Layout
            let gradients = stored layout (List.ofArray eager.Critics) (fun p -> nonNull p.grad)
            Expect.isLessThan (difference (networks.Critics.ReadOnline Field.Gradients) gradients) 1e-6 "critics"
            let loss = losses.ActorGradient w
            let expected = eager.ActorLoss batch
            Expect.floatClose Accuracy.medium loss (float (expected.item<float32>())) "L_pi"
            expected.backward ()

            let gradients =
                stored networks.Actor.Layout [ eager.Actor ] (fun p -> nonNull p.grad)

            Expect.isLessThan (difference (networks.Actor.ReadOnline Field.Gradients) gradients) 1e-6 "actor")

        perEngine "40 updates give the weights and targets of TorchSharp modules with torch.optim.Adam" (fun engine ->
            use _ = scope ()
            let td3, eager = pair engine
            use algorithm: IAlgorithm = td3
            let batch = algorithm.Batch false
            let optimiser = Optimiser(engine, [], [])
            let noise = Draws.Of(9L, Purpose.TargetNoise)

            for t in 1L .. 40L do
                (rowsOf (100L + t) 32).CopyTo(batch.RowNumbers, 0)
                batch.Gather replay.Value
                eager.Update(eagerBatch batch.RowNumbers noise)
                algorithm.Update(t, optimiser)

            let actor, critics = td3.Networks.Actor, td3.Networks.Critics

            for name, values, models, layout in
                [
                    "actor", actor.ReadOnline Field.Weights, [ eager.Actor ], actor.Layout
                    "actor target", actor.ReadTarget(), [ eager.NextActor ], actor.Layout
                    "critics", critics.ReadOnline Field.Weights, List.ofArray eager.Critics, critics.Layout
                    "critic targets", critics.ReadTarget(), List.ofArray eager.CriticTargets, critics.Layout
                ] do
                Expect.isLessThan (difference values (stored layout models id)) 2e-5 name)

        test "the actor and all targets move on every second step only" {
            use agent = create td3
            let actor, critics = agent.Networks.Actor, agent.Networks.Critics

            let state () =
                actor.ReadOnline Field.Weights, actor.ReadTarget(), critics.ReadTarget()

            let start = state ()
            step agent 1
            Expect.equal (state ()) start "after step 1"
            step agent 1
            let a, b, c = state ()
            let a0, b0, c0 = start
            Expect.isTrue (a <> a0 && b <> b0 && c <> c0) "after step 2"
        }

        test "output layers are clipped only if they are asked to be" {
            for clipped in [ true; false ] do
                use agent =
                    create {
                        td3 with
                            Network.WeightClip = 0.5
                            Network.ClipOutput = clipped
                            Learner.CriticLearningRate = Is 0.01
                            Learner.ActorLearningRate = Is 0.01
                    }

                step agent 60

                for group in groups agent do
                    let weights = group.ReadOnline Field.Weights

                    let largest isOutput =
                        Seq.max (
                            seq {
                                for slot in group.Layout.Slots do
                                    if (slot.Layer = group.Layout.Layers - 1) = isOutput then
                                        for i in slot.Weights .. slot.Biases + slot.Outputs - 1 do
                                            abs weights[i] / WeightBounds.clip 0.5f slot.Inputs
                            }
                        )

                    Expect.isLessThanOrEqual (largest false) 1.0001f $"{group.Name}: hidden layers"
                    Expect.equal (largest true <= 1.0001f) clipped $"{group.Name}: the output layer"
        }

        test "no weight, online or target, ever passes its clip bound" {
            let settings = {
                td3 with
                    Network.WeightClip = 0.9
                    Network.ClipOutput = true
                    Learner.CriticLearningRate = Is 0.01
                    Learner.ActorLearningRate = Is 0.01
            }

            use agent = create settings

            for _ in 1..60 do
                step agent 1

                for group in groups agent do
                    let online, target = group.ReadOnline Field.Weights, group.ReadTarget()

                    for slot in group.Layout.Slots do
                        let bound = NE.Model.Topology.WeightBounds.clip 0.9f slot.Inputs

                        for values, ulp in [ online, 0.0f; target, MathF.BitIncrement bound - bound ] do
                            for i in slot.Weights .. slot.Biases + slot.Outputs - 1 do
                                if abs values[i] > bound + ulp then
                                    failtest $"{group.Name}: |{values[i]}| > {bound}"
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

            use agent = create td3

            match
                (try
                    Ok(agent.Update(broken, replay.Value.Window))
                 with :? NonFiniteException as error ->
                     Error error)
            with
            | Ok() -> failtest "the NaN went unnoticed"
            | Error error ->
                Expect.equal error.Tensor "The critics' loss" "what"
                Expect.equal error.Step 1L "when"
        }

        test "a parameter that is not finite is found and named" {
            use agent = create td3
            step agent 4
            Expect.isNull (agent.FindNonFinite()) "healthy"
            let critics = agent.Networks.Critics
            let weights = critics.ReadOnline Field.Weights
            weights[critics.Layout.Slot(1, 0).Weights + 3] <- Single.PositiveInfinity
            critics.WriteOnline(Field.Weights, weights)
            Expect.equal (agent.FindNonFinite()) "critic 2, layer 1 weights" "online"
            use agent = create td3
            let actor = agent.Networks.Actor
            let target = actor.ReadTarget()
            target[actor.Layout.Slot(0, 2).Biases] <- Single.NaN
            actor.WriteTarget target
            Expect.equal (agent.FindNonFinite()) "actor target, layer 3 biases" "target"
        }

        test "the policy is the current actor, and stays as it was when the actor moves on" {
            use agent = create td3
            step agent 2
            let policy = agent.Policy()
            Expect.isTrue (obj.ReferenceEquals(policy, agent.Policy())) "one copy per actor"
            let observation = Array.init shape.ObservationSize (fun i -> float32 i / 10.0f)

            let act (policy: Policy) =
                let action = Array.zeroCreate<float32> shape.ActionSize
                policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
                action

            let before = act policy
            step agent 2
            let later = agent.Policy()
            Expect.equal (act policy) before "the old copy"
            Expect.notEqual (act later) before "the new one"
            Expect.equal (policy.Version, later.Version) (1L, 2L) "versions count actor updates"
        }

        for engine in [ EngineKind.Torch; EngineKind.Simd ] do
            test $"an update on {engine} allocates no managed memory once warm" {
                use agent = create { td3 with Compute.Engine = Is engine }

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

        test "the same seed gives the same agent, another seed another one" {
            let run seed =
                use agent = create { small with Run.Seed = seed }
                step agent 70
                digest agent

            let first = run 1L
            Expect.equal (run 1L) first "the same seed"
            let other = run 2L

            for (name, a), (_, b) in Array.zip first other do
                Expect.notEqual a b name
        }
    ]
