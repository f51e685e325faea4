module NE.Model.Tests.Agents.PixelAgentTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.DrqV2
open NE.Model.Agents.Pixels
open NE.Model.Agents.Sac
open NE.Model.Networks
open NE.Model.Networks.Simd
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Tests.Agents.PixelFixture

let private learners = [ "drq", drq; "drqv2", drqV2 ]

let private batchOf (batch: Batch) =
    batch.Draw(Whole, noise.Value, noise.Value.Window, Draws.Of(4L, Purpose.Batch))
    batch.Gather noise.Value

/// The mean of (Q_i(s, a) - y)^2, y held, as it is with the weights of now.
let private lossAgain (w: SacWorkspace) (target: float32[]) =
    w.Inputs.Encode()
    w.Critics.Forward()

    w.Values
    |> Array.sumBy (fun values ->
        let q = Array.zeroCreate<float32> values.Rows
        values.Read(Span q)

        Array.fold2 (fun sum a b -> sum + (float a - float b) ** 2.0) 0.0 q target
        / float q.Length)

/// The steepest entries of a gradient, beside central differences of a loss.
let private checkGradient (group: NetworkGroup) (loss: unit -> float) name =
    let gradient = group.ReadOnline Field.Gradients
    let weights = group.ReadOnline Field.Weights

    let steepest =
        gradient
        |> Seq.indexed
        |> Seq.sortByDescending (snd >> abs)
        |> Seq.truncate 12
        |> Seq.map fst

    let largest = gradient |> Seq.map (abs >> float) |> Seq.max
    Expect.isGreaterThan largest 0.0 $"{name}: some gradient"

    for i in steepest do
        let at (shift: float32) =
            let moved = Array.copy weights
            moved[i] <- weights[i] + shift
            group.WriteOnline(Field.Weights, moved)
            loss ()

        let h = 5e-4f
        let slope = (at h - at -h) / float (2.0f * h)
        group.WriteOnline(Field.Weights, weights)
        Expect.isLessThan (abs (slope - float gradient[i])) (0.02 * largest) $"{name}, entry {i}: {slope} and {gradient[i]}"

[<Tests>]
let tests =
    testList "an agent that learns from pictures" [
        for engineName, settings in onEachEngine drq do
            test $"{engineName}: the critics' loss goes back through trunk and encoder as finite differences say" {
                let engine = Engines.create settings.Compute
                let perception = new PixelPerception(engine, settings, task)
                use algorithm = new SacAlgorithm(engine, settings, perception, task) :> IAlgorithm

                use w =
                    new SacWorkspace((algorithm :?> SacAlgorithm).Networks, (perception :> IPerception).CreateInputs(8, true))

                batchOf w

                let losses =
                    SacLosses((algorithm :?> SacAlgorithm).Networks, 1.0, Temperature(settings.Sac, settings.Learner))

                losses.CriticBackward(w, Draws.Of(6L, Purpose.PolicyDraws))
                let target = Array.zeroCreate<float32> w.Inputs.Rows
                w.Target.Read(Span target)
                Expect.equal target[..7] target[8..] "the targets of both copies are one"
                let loss () = lossAgain w target
                checkGradient perception.Networks.Encoder loss "encoder"
                checkGradient perception.Networks.CriticTrunk loss "critic trunk"
                checkGradient (algorithm :?> SacAlgorithm).Networks.Critics loss "critics"
            }

            test $"{engineName}: the actor's loss goes back through its trunk, and leaves the encoder alone" {
                let engine = Engines.create settings.Compute
                let perception = new PixelPerception(engine, settings, task)
                use algorithm = new SacAlgorithm(engine, settings, perception, task) :> IAlgorithm
                let networks = (algorithm :?> SacAlgorithm).Networks

                use w =
                    new SacWorkspace(networks, (perception :> IPerception).CreateInputs(8, true))

                batchOf w

                let losses = SacLosses(networks, 1.0, Temperature(settings.Sac, settings.Learner))

                losses.CriticBackward(w, Draws.Of(6L, Purpose.PolicyDraws))
                let encoder = perception.Networks.Encoder.ReadOnline Field.Gradients
                losses.ActorBackward(w, Draws.Of(7L, Purpose.PolicyDraws))
                Expect.equal (perception.Networks.Encoder.ReadOnline Field.Gradients) encoder "no gradient of the actor's"

                let loss () =
                    losses.ActorBackward(w, Draws.Of(7L, Purpose.PolicyDraws))
                    losses.ActorLoss w

                let trunk = perception.Networks.ActorTrunk
                let gradient = trunk.ReadOnline Field.Gradients

                let again () =
                    let value = loss ()
                    trunk.WriteOnline(Field.Gradients, gradient)
                    value

                checkGradient trunk again "actor trunk"
            }

        for name, settings in learners do
            for engineName, settings in onEachEngine settings do
                test $"{name} on {engineName} goes on from a stored state as if nothing had happened" {
                    use whole = createPixels settings
                    stepOn noise.Value whole 12
                    use resumed = createPixels settings
                    resumed.Restore(whole.Save())
                    Expect.equal (digest resumed) (digest whole) "restored"
                    stepOn noise.Value whole 9
                    stepOn noise.Value resumed 9
                    Expect.equal (digest resumed) (digest whole) "nine steps later"

                    let measured (agent: ILearner) =
                        agent.Measure(noise.Value, noise.Value.Window, true)

                    Expect.equal (shown (measured resumed)) (shown (measured whole)) "measured"
                    Expect.equal (digest resumed) (digest whole) "measuring changed nothing"
                    Expect.isNull (whole.FindNonFinite()) "finite"
                }

            test $"{name}: the number of threads and the width of the vectors do not change one bit" {
                let digestOf width threads =
                    use agent = Learners.createOn (SimdEngine.CreateAt(width, threads)) settings task
                    stepOn noise.Value agent 8
                    digest agent

                let expected = digestOf (VectorWidth.best ()) 1

                for width, threads in [ VectorWidth.Bits512, 2; VectorWidth.Bits256, 3; VectorWidth.Bits128, 1 ] do
                    Expect.equal (digestOf width threads) expected $"{int width} bits, {threads} threads"
            }

            for method' in
                [
                    "ne"
                    "naive-growth"
                    "reset+layer-norm"
                    "redo"
                    "plasticity-injection"
                    "shrink-and-perturb"
                    "l2-init"
                    "crelu"
                    "continual-backprop"
                    "ne+swd"
                ] do
                test $"{name} learns with {method'}, and can be stored" {
                    let settings =
                        match
                            Settings.apply
                                [
                                    struct ("run.method", method')
                                    struct ("redo.every", "10")
                                    struct ("reset.every", "10")
                                    struct ("shrinkAndPerturb.every", "10")
                                    struct ("injection.step", "10")
                                    struct ("learner.startSteps", "0")
                                ]
                                settings
                        with
                        | Ok settings -> fst (Settings.resolve settings)
                        | Error errors -> failtestf "%A" errors

                    use agent = createPixels settings
                    stepOn noise.Value agent 25
                    use other = createPixels settings
                    other.Restore(agent.Save())
                    stepOn noise.Value agent 5
                    stepOn noise.Value other 5
                    Expect.equal (digest other) (digest agent) "five steps after a restore"
                    let policy = agent.Policy()
                    let stored = Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
                    let observation = Array.zeroCreate<float32> policy.ObservationSize
                    let pictures = Array.init drq.Pixels.Shape.ObservationBytes (fun i -> byte (i * 37))
                    pictures.CopyTo(PackedBytes.write pictures.Length (Span observation))

                    let act (policy: Policy) =
                        let action = Array.zeroCreate<float32> policy.ActionSize
                        policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
                        action

                    Expect.equal (act stored) (act policy) "a stored policy acts the same"
                    Expect.isTrue (act policy |> Array.forall (fun a -> abs a <= 1.0f)) "within the bounds"
                }

        for engineName, settings in onEachEngine drq do
            test $"{engineName}: a measurement has the ratios of the encoder's channels, as a slow sum gives them" {
                use agent = createPixels settings
                stepOn noise.Value agent 12
                let encoder = agent.Algorithm.Trainee.Encoders.Head
                let group = encoder.Networks
                let weights = group.ReadOnline Field.Weights
                let silenced = 3
                let second = group.Layout.Slot(0, 1)
                // A channel that is silent, and one that says always the same.
                Array.fill weights (second.Weights + silenced * second.Inputs) (2 * second.Inputs) 0.0f
                weights[second.Biases + silenced] <- -0.5f
                weights[second.Biases + silenced + 1] <- 0.5f
                group.WriteOnline(Field.Weights, weights)
                let found = agent.Measure(noise.Value, noise.Value.Window, false)

                let metric name =
                    let struct (_, value) =
                        found.Metrics |> Array.find (fun struct (known, _) -> known = name)

                    value

                let layers = found.Layers |> Array.filter (fun layer -> layer.Network = "encoder")

                Expect.equal [ for layer in layers -> layer.Layer, layer.Width ] [ for i in 0..3 -> i, drq.Pixels.Filters ] "layers"
                let mutable units, positive, activated = 0, 0, 0

                for layer in layers do
                    let column name =
                        let struct (_, value) =
                            layer.Columns |> Array.find (fun struct (known, _) -> known = name)

                        value

                    let matrix =
                        if layer.Layer < 3 then
                            encoder.Probe.Hidden(0, layer.Layer)
                        else
                            encoder.Probe.Output 0

                    let values = Array.zeroCreate<float32>(matrix.Rows * matrix.Columns)
                    matrix.Read(Span values)
                    let filters = drq.Pixels.Filters

                    let ofChannels =
                        Array.init filters (fun channel -> [| for i in channel..filters .. values.Length - 1 -> float values[i] |])

                    let means = ofChannels |> Array.map Array.average
                    let varies = ofChannels |> Array.map (fun h -> Array.max h > Array.min h)
                    let mean = Array.average means

                    let scored = means |> Array.map (fun m -> m / (mean + 1e-9) > 0.025)

                    let count condition =
                        Seq.init filters condition |> Seq.filter id |> Seq.length

                    let responding = count (fun i -> scored[i] && varies[i])
                    let ofLayer = values |> Array.filter (fun h -> h > 0.0f) |> Array.length
                    Expect.equal (column "anr_0.025") (float responding / float filters) $"layer {layer.Layer}: activated"

                    Expect.floatClose Accuracy.high (column "fau_raw") (float ofLayer / float values.Length) $"layer {layer.Layer}: units"
                    Expect.isTrue (Double.IsNaN(column "srank") && Double.IsNaN layer.GradientNorm) "neither ranks nor gradients"
                    Expect.isGreaterThan layer.Distance 0.0 "it moved"
                    units <- units + values.Length
                    positive <- positive + ofLayer
                    activated <- activated + responding

                    if layer.Layer = 1 then
                        Expect.isFalse scored[silenced] "silent"
                        Expect.equal (column "constant") (1.0 / float filters) "always the same"

                Expect.floatClose Accuracy.high (metric "encoder_fau_raw") (float positive / float units) "units of all layers"

                Expect.floatClose
                    Accuracy.high
                    (metric "encoder_anr_0.025")
                    (float activated / float (4 * drq.Pixels.Filters))
                    "channels of all layers"
            }

        test "what is tried out in the small is refused where the whole would be" {
            Learners.tryOut drq task

            let refused settings =
                Expect.throwsT<ArgumentException> (fun () -> Learners.tryOut settings task) "tried out"

            refused {
                drq with
                    Pixels.Size = 1_024
                    Pixels.Features = 4_096
            }

            refused {
                drq with
                    Network.Hidden = Is [ 60_000; 60_000 ]
            }
        }

        test "the policy on the host acts as the networks on the engine do" {
            let engine = Engines.create drq.Compute
            let perception = new PixelPerception(engine, drq, task)
            use algorithm = new SacAlgorithm(engine, drq, perception, task) :> IAlgorithm
            let probe = algorithm.Trainee.Probe
            batchOf probe
            algorithm.Trainee.Actor.Probe().Forward()
            let outputs = algorithm.Trainee.Actor.Probe().Output 0
            let values = Array.zeroCreate<float32>(outputs.Rows * outputs.Columns)
            outputs.Read(Span values)
            let policy = algorithm.Policy 0L
            let scratch = policy.CreateScratch()
            let reader = PixelReader(noise.Value, PixelRows(drq.Pixels.Shape, task.ActionSize))
            let next = Array.zeroCreate<byte> drq.Pixels.Shape.ObservationBytes

            for row in 0..20 do
                let observation = Array.zeroCreate<float32> policy.ObservationSize
                let action = Array.zeroCreate<float32> task.ActionSize

                reader.Gather(
                    noise.Value.Window,
                    drq.Pixels.ReturnSteps,
                    probe.RowNumbers[row],
                    0.99,
                    PackedBytes.write next.Length (Span observation),
                    Span action,
                    Span next
                )
                |> ignore

                policy.Act(ReadOnlySpan observation, Span action, scratch)

                for i in 0 .. task.ActionSize - 1 do
                    let mean = values[row * outputs.Columns + 2 * i]
                    Expect.isLessThan (abs (action[i] - MathF.Tanh mean)) 2e-5f $"row {row}, component {i}"
        }

        test "the noise of drqv2 falls by its schedule, for acting and for the losses" {
            let settings = {
                drqV2 with
                    DrqV2.NoiseSteps = 200L
                    Learner.StartSteps = Is 0L
            }

            Expect.equal (settings.DrqV2.NoiseAt 0L, settings.DrqV2.NoiseAt 200L, settings.DrqV2.NoiseAt 900L) (1.0, 0.1, 0.1) "ends"
            Expect.floatClose Accuracy.high (settings.DrqV2.NoiseAt 100L) 0.55 "half way"
            use agent = createPixels settings
            stepOn noise.Value agent 100

            match agent.Policy().Exploration with
            | Exploration.Gaussian deviation -> Expect.floatClose { absolute = 0.01; relative = 0.0 } (float deviation) 0.55 "of the policy"
            | other -> failtestf "%A" other
        }

        // A bright bar somewhere in the picture; the action that is paid for says where.
        for name, settings in [ "drq", drq; "drqv2", drqV2 ] do
            test $"{name} learns from pictures where a bar is" {
                let size = drq.Pixels.Size

                let placeOf (observation: byte[]) =
                    let row =
                        observation[observation.Length - size * size .. observation.Length - size * size + size - 1]

                    float32 (Array.IndexOf(row, 255uy)) / float32 (size - 3) * 2.0f - 1.0f

                let scene = {
                    Show =
                        fun start step ->
                            stackOf
                                (fun at ->
                                    let draws =
                                        Draws.At(int64 (Draws(start.State).NextUInt32()), Purpose.Statistics, 0L, 0L, int64 at)

                                    let place = int (draws.NextInt(int64 (size - 2)))

                                    Array.init drq.Pixels.Shape.FrameBytes (fun i ->
                                        if i % size >= place && i % size < place + 3 then
                                            255uy
                                        else
                                            0uy))
                                step
                    Pay = fun observation action -> 1.0f - abs (action[0] - placeOf observation)
                    Steps = 1
                    Ends = true
                }

                let memory = memoryOf scene 400 8L

                let settings = {
                    settings with
                        Pixels.ReturnSteps = 1
                        Learner.BatchSize = 32
                        Learner.ActorLearningRate = Is 1e-3
                        Learner.CriticLearningRate = Is 1e-3
                        Sac.TemperatureLearningRate = Is 1e-2
                        Sac.TargetEntropy = Is -4.0
                        DrqV2.NoiseSteps = 200L
                        Network.Hidden = Is [ 64; 64 ]
                        Pixels.Features = 16
                }

                use agent = createPixels settings
                stepOn memory agent 700
                let policy = agent.Policy()
                let scratch = policy.CreateScratch()

                let returnOf episode =
                    let seen = scene.Show (Draws.At(99L, Purpose.Reset, 0L, int64 episode, 0L)) 0
                    let observation = Array.zeroCreate<float32> policy.ObservationSize
                    seen.CopyTo(PackedBytes.write seen.Length (Span observation))
                    let action = Array.zeroCreate<float32> task.ActionSize
                    policy.Act(ReadOnlySpan observation, Span action, scratch)
                    float (scene.Pay seen action)

                // An action without a look at the picture is paid 0.5 at best.
                Expect.isGreaterThan (Seq.init 60 returnOf |> Seq.average) 0.75 "mean return on pictures that it has not seen"
            }
    ]
