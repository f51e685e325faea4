module NE.Model.Tests.Agents.TaskHeadsTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Topology
open NE.Model.Tests.Agents.AgentFixture

/// Three tasks; the second has all actions, the third the fewest.
let private tasks: AgentTasks = {
    Shape = shape
    ActionSizes = [| 2; 3; 1 |]
    MaxActions = [| MaxAction; 0.4f; 1.0f |]
}

let private sparse = { small with Ne.StartDensity = Is 0.15 }

let private inCycle (settings: Settings) task =
    Learners.createInCycle settings tasks task

/// As a run does it: another agent goes on from the state of the one before.
let private switched (settings: Settings) (agent: ILearner) task =
    let next = inCycle settings task
    next.Restore(agent.Save())
    next.SwitchTask task
    next

let private fields = [
    Field.Weights
    Field.FirstMoments
    Field.SecondMoments
    Field.Beta1Powers
    Field.Beta2Powers
]

/// All fields of a group's parameters that `inHead` chooses by layer, targets last.
let private part (group: NetworkGroup) inHead =
    let layout = group.Layout

    [
        for values in [ yield! fields |> List.map group.ReadOnline; group.ReadTarget() ] do
            for slot in layout.Slots do
                if (slot.Layer = layout.Layers - 1) = inHead then
                    yield! Array.sub values slot.Weights slot.WeightCount
                    yield! Array.sub values slot.Biases slot.Outputs
    ]

let private heads agent =
    groups agent |> List.map (fun group -> part group true)

let private body agent =
    groups agent |> List.map (fun group -> part group false)

/// Weights and biases of the actor's outputs from this one on, online and of the target.
let private spare (agent: ILearner) live =
    let group = (groups agent).Head
    let slot = group.Layout.Slot(0, group.Layout.Layers - 1)
    let live = slot.Outputs / shape.ActionSize * live

    [
        for values in
            [
                group.ReadOnline Field.Weights
                group.ReadTarget()
                group.ReadOnline Field.FirstMoments
            ] do
            yield! Array.sub values (slot.Weights + live * slot.Inputs) ((slot.Outputs - live) * slot.Inputs)
            yield! Array.sub values (slot.Biases + live) (slot.Outputs - live)
    ]

let private action (agent: ILearner) =
    let policy = agent.Policy()
    let result = Array.zeroCreate<float32> shape.ActionSize
    let observation = Array.init shape.ObservationSize (fun i -> float32 (i + 1) / 3.0f)
    policy.Act(ReadOnlySpan observation, Span result, policy.CreateScratch())
    result

[<Tests>]
let tests =
    testList "Task heads" [
        for name, settings in onEachEngine sparse @ onEachEngine td3 @ onEachEngine sac do
            testCase $"{name}, {Settings.agent settings}: a head does not change while its task is away, and the body is shared"
            <| fun _ ->
                use first = inCycle settings 0
                step first 70
                let left, shared = heads first, body first
                use second = switched settings first 1
                Expect.equal (body second) shared "the body goes on"
                Expect.notEqual (heads second) left "another head"
                step second 50
                use third = switched settings second 2
                step third 30
                use again = switched settings third 0
                Expect.equal (heads again) left "the head of the first task, its optimiser and its targets"
                Expect.notEqual (body again) shared "the body has learned"

            testCase $"{name}, {Settings.agent settings}: actions that a task does not have are exactly 0, whatever was learned before"
            <| fun _ ->
                let check agent task =
                    let live = tasks.ActionSizes[task]
                    step agent 40
                    Expect.all (spare agent live) (fun value -> value = 0.0f) $"parameters, task {task}"
                    let action = action agent
                    Expect.all action[live..] (fun value -> value = 0.0f) $"actions, task {task}"

                    Expect.all
                        action[.. live - 1]
                        (fun value -> value <> 0.0f && abs value <= tasks.MaxActions[task])
                        $"the others, task {task}"

                use first = inCycle settings 0
                check first 0
                use second = switched settings first 1
                check second 1
                use third = switched settings second 2
                check third 2

        testCase "the smoothed target action has no noise where the task has no action"
        <| fun _ ->
            use agent = inCycle td3 2
            agent.SwitchTask 2
            let td3Update = Td3Losses(agent.Networks, td3)
            use work = td3Workspace agent.Networks 32
            Replay.AgeOrder.sampleUniform replay.Value.Window (Draws.Of(1L, Purpose.Batch)) (Span work.RowNumbers)
            work.Gather replay.Value

            td3Update.CriticGradient(work, Draws.Of(2L, Purpose.TargetNoise)) |> ignore

            let next = Array.zeroCreate<float32>(32 * shape.ActionSize)
            work.Inputs.NextAction.Read(Span next)

            for row in Array.chunkBySize shape.ActionSize next do
                Expect.notEqual row[0] 0.0f "the task's own action"
                Expect.equal row[1..] [| 0.0f; 0.0f |] "the others"

        testCase "every task begins with the rows that were drawn, and td3 in a cycle with the parameters of td3"
        <| fun _ ->
            use alone = create td3
            use agent = inCycle td3 0
            agent.SwitchTask 1
            let weights (agent: ILearner) = [ for group in groups agent -> group.ReadOnline Field.Weights ]
            Expect.equal (weights agent) (weights alone) "the task that has all actions"

        testCase "ne leaves the heads dense and uncounted, and grows the body from its first layer on"
        <| fun _ ->
            use agent = inCycle sparse 0

            for group in groups agent do
                let last = group.Layout.Layers - 1

                for stack in group.Masks do
                    Expect.isTrue stack[last].IsDense "the head"
                    Expect.isFalse stack[0].IsDense "the first layer"

                let body = [
                    for stack in group.Masks do
                        yield! stack[.. last - 1]
                ]

                let density =
                    float (body |> List.sumBy _.ActiveCount) / float (body |> List.sumBy _.Size)

                Expect.floatClose { absolute = 0.02; relative = 0.0 } density 0.15 $"density of the {group.Name}'s body"

            let before = agent.Masks()
            step agent 200
            let changed = agent.TakeTopologyChanges() |> Array.collect _.Layers
            Expect.isTrue (changed |> Array.exists (fun layer -> layer.Layer = 0 && layer.Grown.Length > 0)) "the first layer grows"
            Expect.notEqual (agent.Masks()) before "the masks"

            Expect.all
                changed
                (fun layer -> layer.Layer < 2 || layer.Grown.Length = 0 && layer.Pruned.Length = 0)
                "the heads keep all their weights"

        for name, settings in
            [
                "td3", td3
                "ne", sparse
                "sac", sac
                "sac+ne",
                {
                    sparse with
                        Run.Learner = LearnerKind.Sac
                }
                "reset+redo",
                {
                    td3 with
                        Run.Method = Result.defaultWith failwith (Method.parse "reset+redo")
                }
                "l2-init+layer-norm",
                {
                    td3 with
                        Run.Method = Result.defaultWith failwith (Method.parse "l2-init+layer-norm")
                }
            ] do
            testCase $"{name}: a switch goes on bit for bit from a stored state"
            <| fun _ ->
                use first = inCycle settings 0
                step first 45
                let saved = first.Save()

                let goOn () =
                    let next = inCycle settings 1
                    next.Restore saved
                    next.SwitchTask 1
                    next

                use one = goOn ()
                step one 30
                use two = goOn ()
                step two 10
                use resumed = inCycle settings 1
                resumed.Restore(two.Save())
                step resumed 20
                Expect.equal (digest resumed) (digest one) "state"

        testCase "reset begins with new networks at every switch, and keeps to the task's actions"
        <| fun _ ->
            let settings = {
                td3 with
                    Run.Method = Result.defaultWith failwith (Method.parse "reset")
            }

            use first = inCycle settings 1
            first.SwitchTask 1
            step first 20
            let before = body first
            use second = switched settings first 2
            Expect.notEqual (body second) before "the body"
            Expect.all (spare second 1) (fun value -> value = 0.0f) "no other action"

        testCase "review forgets its signal at a switch, not what it has counted"
        <| fun _ ->
            use first = inCycle sparse 0
            step first 200

            let metric (agent: ILearner) name =
                agent.Measure(replay.Value, replay.Value.Window, false).Metrics
                |> Array.pick (fun struct (found, value) -> if found = name then Some value else None)

            Expect.isLessThan (metric first "review_epsilon") 1.0 "before"
            use second = switched sparse first 1
            Expect.equal (metric second "review_epsilon") 1.0 "after"
            Expect.equal (metric second "review_fraction") (metric first "review_fraction") "what was counted"

        testCase "an agent of one task has no heads to exchange, and stores none"
        <| fun _ ->
            use agent = create td3
            Expect.all (agent.Save().Components) (fun struct (name, _) -> name <> "heads") "heads"
            Expect.throwsT<InvalidOperationException> (fun () -> agent.SwitchTask 1) "no other task"

        testCase "a task that the cycle does not have, and heads of another cycle, are refused"
        <| fun _ ->
            use agent = inCycle td3 0
            Expect.throwsT<ArgumentException> (fun () -> agent.SwitchTask 3) "no such task"

            let other =
                Learners.createInCycle
                    td3
                    {
                        tasks with
                            ActionSizes = [| 2; 3 |]
                            MaxActions = [| 1.0f; 1.0f |]
                    }
                    0

            use other = other
            Expect.throwsT<IO.InvalidDataException> (fun () -> other.Restore(agent.Save())) "three tasks for two"
    ]
