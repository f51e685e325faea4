namespace NE.Model.Agents

open NE.Model.Networks
open NE.Model
open NE.Model.Replay

/// |dL/dW| of one layer, the inactive weights included.
type LayerGradient = {
    /// "actor" or "critic".
    Network: string
    /// 0 for the actor, 0 and 1 for the twin critics.
    Stack: int
    /// Linear layer within the stack, from 0.
    Layer: int
    /// Neurons.
    Outputs: int
    Inputs: int
    /// Row-major, outputs x inputs.
    Magnitudes: float32[]
}

/// Gradients of a stored agent, as the paper's heat maps of healthy and dormant networks show them (Figure 11).
[<RequireQualifiedAccess>]
module GradientMap =
    /// Rows of the batch, as for events and ratios.
    [<Literal>]
    let Rows = 256

    let private layers (group: NetworkGroup) = [|
        let gradients = group.ReadOnline Field.Gradients

        for slot in group.Layout.Slots do
            {
                Network = group.Name
                Stack = slot.Stack
                Layer = slot.Layer
                Outputs = slot.Outputs
                Inputs = slot.Inputs
                Magnitudes = Array.init slot.WeightCount (fun i -> abs gradients[slot.Weights + i])
            }
    |]

    /// Magnitudes of the losses' gradients on the first `Rows` transitions in stored rows, layer by layer; terms that a technique adds to a
    /// loss are left out. `over`: the rows as the networks read them. Changes nothing of the networks.
    let compute (trainee: Trainee) (over: ITransitionSource -> ITransitionSource) (rows: float32[]) : LayerGradient[] =
        let width = trainee.RowFloats

        let held = HeldRows(rows, width)

        let transitions =
            Seq.init (rows.Length / width) int64
            |> Seq.filter (fun row -> trainee.Probe.Holds(held, held.Window, row))
            |> Seq.truncate Rows
            |> Array.ofSeq

        if transitions.Length < Rows || rows.Length % width <> 0 then
            invalidArg
                (nameof rows)
                $"expected {Rows} transitions in rows of {width} numbers, found {transitions.Length} in {rows.Length} numbers"

        transitions.CopyTo(trainee.Probe.RowNumbers, 0)
        trainee.Probe.Gather(over held)
        let draws = Draws.Of(0L, Purpose.Metrics)

        let found = [
            for group in trainee.UpdateOrder do
                group.Gradient draws |> ignore
                group.Networks.Name, layers group.Networks
        ]

        trainee.Groups
        |> List.map (fun group -> found |> List.find (fun (name, _) -> name = group.Networks.Name) |> snd)
        |> Array.concat
