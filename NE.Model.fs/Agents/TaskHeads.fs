namespace NE.Model.Agents

open System.IO
open NE.Model.Networks
open NE.Model.Replay

/// The tasks of a cycle as one agent sees them: every observation and action has the width of the widest, padded with zeros.
type AgentTasks = {
    /// Sizes of the widest.
    Shape: TransitionShape
    /// Action components that each task has, the first ones of the padded action; the most are as many as that has.
    ActionSizes: int[]
    /// Largest magnitude of an action's component, of each task.
    MaxActions: float32[]
}

/// The output layers of several tasks on one shared body (cycles.md). The networks hold the head of one task; the others lie
/// here, with their moments, ages and target weights, and nothing moves them until their task is on again. All begin with the rows that
/// were drawn for the networks' output layer, so make this object when they are initialised and before anything else changes them.
[<Sealed>]
type TaskHeads(trainee: Trainee, actionSizes: int[]) =
    let fields = [
        Field.Weights
        Field.FirstMoments
        Field.SecondMoments
        Field.Beta1Powers
        Field.Beta2Powers
    ]

    let actor = trainee.Actor.Networks
    let groups = [| for group in trainee.Groups -> group.Networks |]

    let mutable active = 0

    /// Outputs that a group has on a task: an actor's are, component by component, as many for each.
    let live (group: NetworkGroup) task =
        if obj.ReferenceEquals(group, actor) then
            group.Layout.Outputs / Array.max actionSizes * actionSizes[task]
        else
            group.Layout.Outputs

    /// The output layer of every stack.
    let slots (group: NetworkGroup) =
        Array.init group.Layout.Stacks (fun stack -> group.Layout.Slot(stack, group.Layout.Layers - 1))

    let size group =
        slots group |> Array.sumBy (fun slot -> slot.WeightCount + slot.Outputs)

    /// The head's part of a field: the weights and biases of every stack.
    let part (group: NetworkGroup) (values: float32[]) = [|
        for slot in slots group do
            yield! Array.sub values slot.Weights slot.WeightCount
            yield! Array.sub values slot.Biases slot.Outputs
    |]

    let replace (group: NetworkGroup) (values: float32[]) (head: float32[]) =
        let mutable from = 0

        for slot in slots group do
            Array.blit head from values slot.Weights slot.WeightCount
            Array.blit head (from + slot.WeightCount) values slot.Biases slot.Outputs
            from <- from + slot.WeightCount + slot.Outputs

        values

    /// The group's head as it is: the online fields, then the target's weights.
    let take (group: NetworkGroup) : float32[][] = [|
        for field in fields do
            part group (group.ReadOnline field)
        part group (group.ReadTarget())
    |]

    let put (group: NetworkGroup) (head: float32[][]) =
        fields
        |> List.iteri (fun i field -> group.WriteOnline(field, replace group (group.ReadOnline field) head[i]))

        group.WriteTarget(replace group (group.ReadTarget()) head[fields.Length])

    /// A head as the task begins with it: what was drawn, without the outputs that the task does not have. Its target is equal, and its
    /// moments are those of an optimiser that has taken no step.
    let fresh (group: NetworkGroup) (task: int) : float32[][] =
        let head = take group
        let mutable from = 0

        for slot in slots group do
            let spare = slot.Outputs - live group task
            Array.fill head[0] (from + live group task * slot.Inputs) (spare * slot.Inputs) 0.0f
            Array.fill head[0] (from + slot.WeightCount + live group task) spare 0.0f
            from <- from + slot.WeightCount + slot.Outputs

        head[fields.Length] <- Array.copy head[0]
        head

    // The heads of each task, group by group; empty for the task whose heads the networks hold.
    let stored: float32[][][][] =
        Array.init actionSizes.Length (fun task -> groups |> Array.map (fun group -> fresh group task))

    let mark task =
        active <- task

        for group in groups do
            group.LiveOutputs <- live group task

    do
        for group in groups do
            group.HasTaskHead <- true

        mark 0
        Array.iter2 put groups stored[0]
        stored[0] <- [||]

    let save (writer: BinaryWriter) =
        writer.Write active
        writer.Write stored.Length

        for task in 0 .. stored.Length - 1 do
            for head in stored[task] do
                for values in head do
                    StateBytes.writeFloats writer values

    let restore (reader: BinaryReader) =
        let task, count = reader.ReadInt32(), reader.ReadInt32()

        if count <> stored.Length || task < 0 || task >= count then
            raise (InvalidDataException $"The stored heads are those of task {task} of {count}; this cycle has {stored.Length} tasks.")

        for other in 0 .. count - 1 do
            stored[other] <-
                if other = task then
                    [||]
                else
                    groups
                    |> Array.map (fun group ->
                        Array.init (fields.Length + 1) (fun _ ->
                            let values = Array.zeroCreate<float32>(size group)
                            StateBytes.readFloats reader values
                            values))

        mark task

    /// The task whose heads the networks hold.
    member _.Active = active

    /// The stored heads of a task, group by group; for tests.
    member internal _.Stored task = stored[task]

    /// Puts the heads of a task into the networks; those that they held are stored.
    member _.Switch(task: int) : unit =
        if task < 0 || task >= stored.Length then
            invalidArg (nameof task) $"A cycle of {stored.Length} tasks has no task {task}."

        if task <> active then
            stored[active] <- groups |> Array.map take
            mark task
            Array.iter2 put groups stored[task]
            stored[task] <- [||]

    /// The heads that are stored; the networks' own are part of their groups.
    member _.Codec: Codec = { Write = save; Read = restore }
