module NE.Model.Tests.Agents.NeuroplasticExpansionTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Agents.Plasticity
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Topology

let private optimiserFields = [ Field.FirstMoments; Field.SecondMoments ]

/// Inactive weights, their targets and their moments are exactly 0.
let private expectMaskedZero (agent: ILearner) =
    for group in groups agent do
        let values =
            group.ReadTarget()
            :: group.ReadOnline Field.Weights
            :: (optimiserFields |> List.map group.ReadOnline)

        for slot in group.Layout.Slots do
            for i in 0 .. slot.WeightCount - 1 do
                if not (isActive group slot i) then
                    for array in values do
                        if array[slot.Weights + i] <> 0.0f then
                            failtest $"{group.Name}, layer {slot.Layer}, weight {i} is {array[slot.Weights + i]}"

/// Steps until the next event of this network, which is returned.
let private untilEvent (agent: ILearner) network =
    let mutable found = None

    while found.IsNone do
        step agent 1

        found <-
            agent.TakeTopologyChanges()
            |> Array.tryFind (fun change -> change.Network = network)

    found.Value

let private withDeadNeurons (settings: Settings) =
    let agent = create settings

    for group in groups agent do
        for stack in 0 .. group.Layout.Stacks - 1 do
            kill group stack 0 [ 1; 4; 9 ]
            kill group stack 1 [ 0; 5 ]

    agent

let private noClip = { small with Network.WeightClip = 0.0 }

[<Tests>]
let tests =
    testList "NeuroplasticExpansion" [
        for (engine, td3), (_, small) in List.zip (onEachEngine td3) (onEachEngine small) do
            test $"{engine}: with start density 1, prune off and review off it equals td3 bit for bit over 1,000 steps" {
                use dense = create td3

                use expanding =
                    create {
                        small with
                            Ne.StartDensity = Is 1.0
                            Ne.Omega = 0.0
                            Ne.Review = ReviewMode.Off
                    }

                for _ in 1..10 do
                    step dense 100
                    step expanding 100
                    let a, b = dense.Save(), expanding.Save()

                    for name in [ "parameters"; "targets"; "moments" ] do
                        Expect.equal (b.Find name) (a.Find name) name
            }

            test $"{engine}: an inactive weight, its target and its moments are exactly zero after every step and event" {
                use agent = withDeadNeurons small
                expectMaskedZero agent

                for _ in 1..130 do
                    step agent 1
                    expectMaskedZero agent

                Expect.isNull (agent.FindNonFinite()) "all finite"
            }

        test "targets are copied after the initial mask is applied" {
            use agent = create small

            for group in groups agent do
                Expect.equal (group.ReadTarget()) (group.ReadOnline Field.Weights) group.Name
                Expect.isLessThan group.Density 0.3 "sparse"
        }

        for (engine, td3), (_, small) in List.zip (onEachEngine td3) (onEachEngine small) do
            test $"{engine}: sparse networks compute what dense ones with the masked weights do" {
                use sparse = create small
                use dense = create td3
                // The clock decides which rows are measured.
                step sparse 45
                step dense 45

                for from, into in List.zip (groups sparse) (groups dense) do
                    let weights = from.ReadOnline Field.Weights

                    for slot in from.Layout.Slots do
                        for i in 0 .. slot.WeightCount - 1 do
                            if not (isActive from slot i) then
                                weights[slot.Weights + i] <- 0.0f

                    into.WriteOnline(Field.Weights, weights)

                let values (agent: ILearner) = [
                    for struct (name, value) in agent.Measure(replay.Value, replay.Value.Window, false).Metrics do
                        if name.EndsWith "q_mean" then
                            name, value
                ]

                let act (agent: ILearner) =
                    let policy = agent.Policy()
                    let action = Array.zeroCreate<float32> shape.ActionSize

                    policy.Act(
                        ReadOnlySpan [| for i in 1 .. shape.ObservationSize -> 0.25f * float32 i - 1.0f |],
                        Span action,
                        policy.CreateScratch()
                    )

                    action

                Expect.isNonEmpty (values sparse) "measured"
                Expect.equal (values dense) (values sparse) "critics"
                Expect.equal (act dense) (act sparse) "actor"
            }

        test "events come at every interval, for the critics at once and for the actor at its next update" {
            use agent =
                create {
                    small with
                        Ne.GrowInterval = Is 15L
                        Td3.PolicyDelay = 2
                }

            step agent 62

            let steps network =
                agent.TakeTopologyChanges()
                |> Array.map (fun change -> change.Network, change.Step)
                |> Array.filter (fun (name, _) -> name = network || network = "")

            Expect.equal
                (steps "")
                [|
                    "critic", 15L
                    "actor", 16L
                    "critic", 30L
                    "actor", 30L
                    "critic", 45L
                    "actor", 46L
                    "critic", 60L
                    "actor", 60L
                |]
                "15 and 45 are odd: the actor waits one step"

            Expect.isEmpty (agent.TakeTopologyChanges()) "taken once"
        }

        test "the density follows the cosine and reaches the final density at the end" {
            use agent = create small
            let start = groups agent |> List.map _.Density

            let schedule =
                GrowthSchedule.Sums {
                    Interval = 20L
                    End = 400L
                    Shape = GrowthShape.Cosine
                    Rate = GrowthRate.Auto
                    FinalDensity = 1.0
                    Cap = DensityCap.Layer
                    Rest = RestCapacity.Initial
                    StartDensity = 0.25
                    Scale = RateScale.Total
                    CarryFractions = true
                }

            for event in 1L .. 20L do
                step agent 20
                let progress = schedule.Progress(20L * event)

                for group, first in List.zip (groups agent) start do
                    let expected = first + progress * (1.0 - first)
                    Expect.isLessThanOrEqual group.Density (expected + 0.01) $"{group.Name}, event {event}: never above"
                    Expect.isGreaterThan group.Density (expected - 0.05) $"{group.Name}, event {event}: below by what was pruned"
        }

        test "a change names exactly what changed in the masks" {
            use agent = withDeadNeurons small
            step agent 19
            let before = groups agent |> List.map (fun group -> group.Name, group.Masks)
            step agent 1

            for change in agent.TakeTopologyChanges() do
                let group = groups agent |> List.find (fun group -> group.Name = change.Network)
                let masks = before |> List.find (fun (name, _) -> name = change.Network) |> snd

                for layer in change.Layers do
                    let old = masks[layer.Stack]
                    let expected = LayerMask.apply layer.Grown layer.Pruned old[layer.Layer]
                    let now = group.Masks[layer.Stack]
                    Expect.equal now[layer.Layer] expected "M' = (M or G) and not P"
                    Expect.equal layer.Active expected.ActiveCount "active"
                    Expect.equal layer.Size expected.Size "size"
                    let bound = int (floor (0.4 * float layer.Grown.Length))
                    Expect.isLessThanOrEqual layer.Pruned.Length bound "|P| <= omega |G|"
        }

        test "a reset neuron starts fresh: no moments, no age, a bias that is not negative, and nobody healthy is touched" {
            // So slow a learning rate that the networks of the event are those that are looked at here.
            use agent =
                withDeadNeurons {
                    noClip with
                        Learner.CriticLearningRate = Is 1e-20
                        Ne.PruneBatch = Is 20_000
                }

            let group = agent.Networks.Critics
            use all = td3Workspace agent.Networks 3000
            Array.init 3000 int64 |> fun rows -> rows.CopyTo(all.RowNumbers, 0)
            all.Gather replay.Value
            all.Critics.Forward()
            let activity = Activity group
            activity.Add(all.Critics, 3000)
            let silent = activity.Dormant 0.0
            let change = untilEvent agent "critic"
            let touched = change.Layers |> Array.sumBy _.Touched.Length
            Expect.isGreaterThan touched 0 "something was reset"
            let read = group.ReadOnline

            let weights, m, v =
                read Field.Weights, read Field.FirstMoments, read Field.SecondMoments

            let p1, p2 = read Field.Beta1Powers, read Field.Beta2Powers

            for layer in change.Layers do
                let slot = group.Layout.Slot(layer.Stack, layer.Layer)

                for neuron in layer.Touched do
                    let isSilent = Array.item layer.Layer silent[layer.Stack]
                    Expect.isTrue isSilent[neuron] "only silent neurons are reset"
                    let row = [ for i in 0 .. slot.Inputs - 1 -> slot.Weights + neuron * slot.Inputs + i ]

                    for i in (slot.Biases + neuron) :: row do
                        Expect.equal (m[i], v[i], p1[i], p2[i]) (0.0f, 0.0f, 1.0f, 1.0f) "fresh"

                    Expect.isGreaterThanOrEqual weights[slot.Biases + neuron] 0.0f "bias"
                    let next = group.Layout.Slot(layer.Stack, layer.Layer + 1)

                    for row in 0 .. next.Outputs - 1 do
                        let i = next.Weights + row * next.Inputs + neuron
                        Expect.equal (weights[i], m[i], v[i]) (0.0f, 0.0f, 0.0f) "silent outgoing weight"
                        Expect.equal (group.ReadTarget()[i]) 0.0f "in the target too"
        }

        test "pruning and resetting silent neurons leaves the network's output as it was" {
            use agent =
                withDeadNeurons {
                    noClip with
                        Ne.GrowInit = GrowInit.Zero
                }

            for network in [ "critic"; "actor" ] do
                let change = untilEvent agent network
                let pruned = change.Layers |> Array.sumBy _.Pruned.Length
                Expect.isGreaterThan (pruned + (change.Layers |> Array.sumBy _.Touched.Length)) 0 "something happened"
                Expect.isLessThan change.OutputShift 1e-5 network
        }

        test "growth with zero leaves the outputs bit-equal, growth with random values changes them" {
            let shiftOf init =
                use agent =
                    create {
                        small with
                            Ne.Omega = 0.0
                            Ne.GrowInit = init
                    }

                (untilEvent agent "critic").OutputShift

            Expect.equal (shiftOf GrowInit.Zero) 0.0 "zero"
            Expect.isGreaterThan (shiftOf GrowInit.Random) 0.0 "random"
        }

        test "grown sets are the inactive weights of largest gradient" {
            // Rebuilt from pieces, so that the gradient of the event batch is at hand.
            use agent = create small
            let group = agent.Networks.Critics
            let td3 = Td3Losses(agent.Networks, small)
            use w = td3Workspace agent.Networks 64
            AgeOrder.sampleUniform replay.Value.Window (Draws.Of(1L, Purpose.Batch)) (Span w.RowNumbers)
            w.Gather replay.Value
            td3.CriticGradient(w, Draws.Of(1L, Purpose.TargetNoise)) |> ignore
            let gradient = group.ReadOnline Field.Gradients
            let masks = group.Masks

            let rules: GrowthRules = {
                GrowthRules.ofSettings
                    {
                        small.Ne with
                            GrowInterval = Is 10L
                            EndStep = Is 100L
                            GrowRate = Is 0.05
                            Omega = 0.0
                            Rules = Is { NeRules.ours with ReviveRows = false }
                    }
                    Forgetting.All with
                    Init = GrowInit.Random
            }

            let elastic = masks |> Array.map (Array.map (fun mask -> not mask.IsDense))

            let nobody =
                Array.init 2 (fun _ -> [| Array.create 24 false; Array.create 16 false |])

            let layers =
                GrowingNetwork(group, rules, elastic)
                    .Evolve(
                        {
                            Step = 10L
                            Dormant = nobody
                            Gradient = gradient
                            Given = None
                        },
                        Draws.Of(1L, Purpose.Topology)
                    )

            let mutable grown = 0

            for layer in layers do
                let slot = group.Layout.Slot(layer.Stack, layer.Layer)
                let stack = masks[layer.Stack]
                let old = stack[layer.Layer]
                let chosen = Set.ofArray layer.Grown
                grown <- grown + chosen.Count
                let score i = abs gradient[slot.Weights + i]

                let left =
                    seq { 0 .. old.Size - 1 }
                    |> Seq.filter (fun i -> not old[i] && not (chosen.Contains i))
                    |> Seq.map score

                if chosen.Count > 0 && not (Seq.isEmpty left) then
                    Expect.isGreaterThanOrEqual (chosen |> Seq.map score |> Seq.min) (Seq.max left) "top k"
                    Expect.equal layer.MinScore (chosen |> Seq.map score |> Seq.min) "lowest score"
                    Expect.equal layer.MaxScore (chosen |> Seq.map score |> Seq.max) "highest score"

            Expect.isGreaterThan grown 0 "something grew"
        }

        test "only the named networks expand, the other starts dense" {
            for networks, actorIsDense, criticIsDense in [ ActorOnly, false, true; CriticOnly, true, false; Both, false, false ] do
                use agent = create { small with Ne.Networks = networks }
                Expect.equal (agent.Networks.Actor.Density = 1.0) actorIsDense $"{networks}: actor"
                Expect.equal (agent.Networks.Critics.Density = 1.0) criticIsDense $"{networks}: critics"
                step agent 21

                let names =
                    agent.TakeTopologyChanges()
                    |> Array.map _.Network
                    |> Array.distinct
                    |> Array.sort

                let expected = [|
                    if not actorIsDense then
                        "actor"
                    if not criticIsDense then
                        "critic"
                |]

                Expect.equal names expected $"{networks}: events"
        }

        test "a density that the layers cannot have is one clear error" {
            Expect.throwsT<ArgumentException>
                (fun () ->
                    create {
                        small with
                            Ne.StartDensity = Is 0.02
                            Ne.DenseEnds = DenseEnds.Forced
                    }
                    |> ignore)
                "forced ends take more than 2 %"
        }

        test "review trains on the oldest quarter, never before its first step" {
            use agent =
                create {
                    small with
                        Ne.ReviewThreshold = 0.0
                        Ne.ReviewFirstStep = Is 60L
                }

            let rows = ResizeArray<int64>()
            let mutable reading = false

            let spy = {
                new ITransitionSource with
                    member _.Gather(numbers, destination, stride) =
                        if reading then
                            for number in numbers do
                                rows.Add number

                        reading <- false
                        (replay.Value :> ITransitionSource).Gather(numbers, destination, stride)

                    member _.Row row =
                        (replay.Value :> ITransitionSource).Row row
            }

            let mutable reviewed = 0

            for t in 1..200 do
                rows.Clear()
                // The first gather of an update is its batch.
                reading <- true
                agent.Update(spy, replay.Value.Window)

                if Seq.max rows < 750L then
                    Expect.isGreaterThanOrEqual t 60 "not before the first step"
                    reviewed <- reviewed + 1

            Expect.isGreaterThan reviewed 10 "some batches were reviewed"

            let fraction =
                agent.Measure(replay.Value, replay.Value.Window, false).Metrics
                |> Array.find (fun struct (name, _) -> name = "review_fraction")

            let struct (_, fraction) = fraction
            Expect.floatClose Accuracy.high fraction (float reviewed / 200.0) "the logged fraction"
        }

        test "measuring changes nothing and gives every ratio in its range" {
            use agent = create small
            step agent 50
            let before = digest agent
            let metrics = agent.Measure(replay.Value, replay.Value.Window, true)
            Expect.equal (digest agent) before "state"
            Expect.equal (shown (agent.Measure(replay.Value, replay.Value.Window, true))) (shown metrics) "the same again"
            use untouched = create small
            step untouched 50
            step untouched 10
            step agent 10
            Expect.equal (digest agent) (digest untouched) "the run goes on as if nobody had looked"
            let names = metrics.Metrics |> Array.map (fun struct (name, _) -> name)
            Expect.equal (Array.distinct names) names "no name twice"

            for struct (name, value) in metrics.Metrics do
                if
                    name.Contains "anr"
                    || name.Contains "fau"
                    || name.Contains "density"
                    || name.Contains "connected"
                then
                    Expect.isTrue (value >= 0.0 && value <= 1.0) name
        }

        test "a neuron that lost every input comes back within three events at table 1's size" {
            let settings =
                fst (
                    Settings.resolve {
                        Settings.defaults with
                            Ne.GrowInterval = Is 4L
                            Ne.EndStep = Is 400L
                            Ne.PruneBatch = Is 256
                            Ne.Review = ReviewMode.Off
                    }
                )

            let shape: TransitionShape = { ObservationSize = 17; ActionSize = 6 }
            use replay = new NE.Benchmarks.RandomReplay(shape, 2000, 1.0f, 3L)

            for seed in 1L .. 6L do
                use agent =
                    Learners.create { settings with Run.Seed = seed } (AgentTask.Of({ ObservationSize = 17; ActionSize = 6 }, 1.0f))

                let group = agent.Networks.Critics
                let slot = group.Layout.Slot(0, 1)
                let neuron = 7

                // The neuron loses all inputs; its bias is not positive, the trap of docs/algorithm.md 2.8.
                kill group 0 1 [ neuron ]

                let masks =
                    group.Masks
                    |> Array.mapi (fun stack layers ->
                        layers
                        |> Array.mapi (fun layer mask ->
                            if stack = 0 && layer = 1 then
                                LayerMask.ofActive
                                    mask.Rows
                                    mask.Columns
                                    (Array.init mask.Size (fun i -> mask[i] && i / mask.Columns <> neuron))
                            else
                                mask))

                group.SetMasks masks
                group.WriteTarget(group.ReadOnline Field.Weights)

                for _ in 1..13 do
                    agent.Update(replay, replay.Window)

                let weights = group.ReadOnline Field.Weights
                let row = Array.sub weights (slot.Weights + neuron * slot.Inputs) slot.Inputs
                Expect.exists row (fun w -> w <> 0.0f) $"seed {seed}: an incoming weight lives again"
        }
    ]
