module NE.Model.Tests.Agents.SaveRestoreTests

open System
open System.IO
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Plasticity
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture

/// A copy of the state with one component replaced.
let private replaced name (bytes: byte[]) (state: AgentState) =
    AgentState(
        state.Components
        |> Seq.map (fun struct (known, own) -> struct (known, (if known = name then bytes else own)))
    )

let private isRefused (action: unit -> unit) =
    try
        action ()
        false
    with :? InvalidDataException ->
        true

let private continues title settings stops =
    testList title [
        for engine, settings in onEachEngine settings ->
            testCase engine (fun () ->
                for stop in stops do
                    use whole = create settings

                    for group in groups whole do
                        kill group 0 0 [ 2; 3 ]

                    step whole stop
                    let saved = whole.Save()
                    use resumed = create settings
                    resumed.Restore saved
                    Expect.equal (digest resumed) (digest whole) $"restored at {stop}"
                    step whole 75
                    step resumed 75
                    Expect.equal (digest resumed) (digest whole) $"75 steps after {stop}"
                    Expect.equal resumed.GradientStep whole.GradientStep "step"
                    let window = replay.Value.Window

                    Expect.equal
                        (shown (resumed.Measure(replay.Value, window, true)))
                        (shown (whole.Measure(replay.Value, window, true)))
                        "metrics and probe"

                    let changes (agent: ILearner) =
                        agent.TakeTopologyChanges() |> Array.map (fun change -> $"%A{change}")

                    Expect.equal (changes resumed) (changes whole) "pending and new events")
    ]

[<Tests>]
let tests =
    testList "Save and restore" [
        continues "td3 goes on bit for bit" td3 [ 0; 1; 50 ]

        for title, settings in [ "td3", td3; "sac", sac; "ne", small ] do
            continues
                $"{title} on normalised observations and rewards goes on bit for bit"
                {
                    settings with
                        Normalise.Observations = true
                        Normalise.Rewards = true
                }
                [ 0; 1; 50 ]

        // 20 is an event of both networks; 35 and 36 lie around an event at an odd step, whose actor part is still pending at 35.
        continues "ne goes on bit for bit with growth, pruning and review" small [ 0; 20; 61 ]

        continues "ne goes on bit for bit while an actor event is pending" { small with Ne.GrowInterval = Is 35L } [ 35; 36 ]

        continues
            "ne goes on bit for bit with fractions of weights carried over"
            {
                small with
                    Ne.GrowRate = Is 0.0123
                    Ne.Networks = CriticOnly
                    Ne.Review = ReviewMode.Literal
            }
            [ 47 ]

        // Both sides of what each technique does at step 50 or every 30 steps.
        for technique in
            [
                "reset"
                "redo"
                "shrink-and-perturb"
                "l2-init"
                "continual-backprop"
                "naive-growth"
                "ne+redo"
                "naive-growth+continual-backprop"
                "ne+layer-norm"
                "layer-norm+crelu"
                "plasticity-injection"
                "plasticity-injection+layer-norm"
                "swd"
                "ne+swd"
            ] do
            match Method.parse technique with
            | Error problem -> failtest problem
            | Ok method' ->
                continues
                    $"{technique} goes on bit for bit"
                    (fst (
                        Settings.resolve {
                            small with
                                Run.Method = method'
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
                    ))
                    [ 29; 40; 41 ]
        // 15 lies before an event of the critics, 20 is the first of the actor's clock; by 120 weights are exchanged.
        continues
            "the official variant goes on bit for bit in growth, in its own clocks and in the exchange of weights"
            SwitchesTests.official
            [ 0; 15; 20; 120 ]

        continues
            "ne goes on bit for bit with an actor's clock of its own on fresh batches, halved ones and several gradients"
            {
                small with
                    Ne.Rules =
                        Is {
                            NeRules.ours with
                                ActorClock = ActorClock.Own
                                HalfBatchBelow = 0.9
                        }
                    Ne.GrowAccum = 2
                    Ne.GrowGrad = GrowGrad.Full
                    Learner.AdamAge = AdamAge.Global
            }
            [ 39; 40 ]

        continues
            "random growth by neurons goes on bit for bit"
            {
                small with
                    Ne.Criterion = NE.Model.Topology.GrowCriterion.Random
                    Ne.GrowUnit = NE.Model.Topology.GrowUnit.Neuron
                    Ne.Review = ReviewMode.Off
                    Ne.Rules = Is { NeRules.ours with RewireShare = 0.1 }
            }
            [ 50 ]

        continues
            "naive growth on halved batches goes on bit for bit with continual-backprop, which reads their activations"
            {
                small with
                    Run.Method = Result.defaultWith failwith (Method.parse "naive-growth+continual-backprop")
                    Ne.Rules =
                        Is {
                            NeRules.ours with
                                HalfBatchBelow = 0.99
                        }
                    ContinualBackprop.Maturity = 10L
                    ContinualBackprop.ReplacementRate = 0.01
            }
            [ 41 ]

        test "the state of every technique lies in a place of its own, whatever the order of their names" {
            let places = Techniques.places

            Expect.equal
                (places |> List.map (fun (technique, place) -> Method.nameOf technique, place))
                [
                    "continual-backprop", 0
                    "ne", 1
                    "naive-growth", 2
                    "reset", 3
                    "redo", 4
                    "plasticity-injection", 5
                    "shrink-and-perturb", 6
                    "swd", 7
                ]
                "part of every stored run"

            Expect.equal (places |> List.distinctBy snd) places "no place twice"

            let stateless = [ Technique.L2Init; Technique.LayerNorm; Technique.CRelu ]

            Expect.equal
                (Set.ofList (stateless @ List.map fst places))
                (Method.names |> List.map snd |> Set.ofList)
                "every technique has a place or stores nothing"
        }

        test "in which order techniques are named and act is no format" {
            let settings = {
                td3 with
                    Run.Method = Result.defaultWith failwith (Method.parse "reset+redo+shrink-and-perturb+swd")
            }

            use learner = create settings
            let trainee = learner.Algorithm.Trainee
            let techniques = Techniques.interventions trainee settings
            Expect.equal (List.length techniques) 4 "techniques"

            let bytes techniques =
                let parts = Techniques.state techniques

                StateBytes.write 1 (fun writer ->
                    for part in parts do
                        (Codec.all (part.Random @ part.Counters)).Write writer)

            let expected = bytes techniques

            for order in [ List.rev techniques; techniques[2..] @ techniques[..1] ] do
                Expect.equal (bytes order) expected "the same bytes"

            Expect.notEqual
                (StateBytes.write 1 (fun writer ->
                    for _, technique in List.rev techniques do
                        (Codec.all (technique.State.Random @ technique.State.Counters)).Write writer))
                expected
                "though each has its own"
        }

        test "the state is a copy: later updates do not change it" {
            use agent = create small
            step agent 30
            let saved = agent.Save()

            let copies =
                saved.Components |> Array.map (fun struct (_, bytes) -> Array.copy bytes)

            step agent 30

            for struct (name, bytes), copy in Array.zip saved.Components copies do
                Expect.equal bytes copy name
        }

        test "a damaged or foreign component is refused by name" {
            use agent = create small
            step agent 25
            let saved = agent.Save()

            for struct (name, bytes) in saved.Components do
                use other = create small
                let cut = replaced name (Array.truncate (bytes.Length - 1) bytes) saved
                Expect.isTrue (isRefused (fun () -> other.Restore cut)) $"{name} cut off"
                let longer = replaced name (Array.append bytes [| 0uy |]) saved
                Expect.isTrue (isRefused (fun () -> other.Restore longer)) $"{name} too long"
                let version = Array.copy bytes
                version[0] <- 99uy
                Expect.isTrue (isRefused (fun () -> other.Restore(replaced name version saved))) $"{name} of another version"
                let others = saved.Components |> Seq.filter (fun struct (known, _) -> known <> name)
                Expect.isTrue (isRefused (fun () -> other.Restore(AgentState others))) $"{name} missing"

            use larger =
                create {
                    small with
                        Network.Hidden = Is [ 25; 16 ]
                }

            Expect.isTrue (isRefused (fun () -> larger.Restore saved)) "other network sizes"
        }

        test "the components have the names of the checkpoint manifest" {
            use agent = create td3
            let names = agent.Save().Components |> Array.map (fun struct (name, _) -> name)
            Expect.equal names [| "parameters"; "targets"; "moments"; "masks"; "random"; "counters" |] "names"
        }

        test "bit-packed masks are those of the networks" {
            use agent = create small
            step agent 25

            for mask in agent.Masks() do
                let group = groups agent |> List.find (fun group -> group.Name = mask.Network)

                for layer in mask.Layers do
                    let stack = group.Masks[layer.Stack]
                    let again = NE.Model.Topology.LayerMask.ofBits layer.Rows layer.Columns layer.Bits
                    Expect.equal again (Ok stack[layer.Layer]) $"{mask.Network} {layer.Stack} {layer.Layer}"
        }
    ]
