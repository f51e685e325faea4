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

    /// Whole transitions in rows of pictures that lie one after the other, as the batch of a learner counts them; at most `Rows`.
    let private held (pixels: PixelSettings) (actionSize: int) (rows: float32[]) : int =
        let layout = PixelRows(pixels.Shape, actionSize)
        let held = HeldRows(rows, (layout :> ITransitionRows).RowFloats)
        let reader = PixelReader(held, layout)

        Seq.init (int held.Window.Head) int64
        |> Seq.filter (fun row -> reader.IsTransition(held.Window, pixels.ReturnSteps, row))
        |> Seq.truncate Rows
        |> Seq.length

    /// Rows of pictures that hold `Rows` whole transitions for every one of these learners; null where there are not so many. Not every row ends
    /// a transition, so more rows are read until they do. `read`: so many rows that lie one after the other, of the `most` that there are.
    let rowsOfPictures (learners: PixelSettings seq) actionSize (most: int) (read: System.Func<int, float32[]>) : float32[] | null =
        let rec grow (count: int) : float32[] | null =
            let rows = read.Invoke count

            if learners |> Seq.forall (fun pixels -> held pixels actionSize rows = Rows) then
                rows
            elif count >= most then
                null
            else
                grow (min most (2 * count))

        grow (min most (2 * Rows))

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
