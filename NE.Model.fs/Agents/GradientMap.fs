namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks
open NE.Model.Random
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

    /// Magnitudes of the TD3 losses' gradients, layer by layer: the critics' of L_Q, then the actor's of L_pi. The batch is `Rows` stored
    /// transitions, one after the other; terms that a technique adds to a loss are left out. Changes nothing of the agent.
    let compute (agent: Agent) (settings: Settings) (batch: float32[]) : LayerGradient[] =
        let networks = agent.Networks
        let width = networks.Task.Shape.StoredWidth

        if batch.Length <> Rows * width then
            invalidArg (nameof batch) $"expected {Rows} transitions of {width} numbers, found {batch.Length} numbers"

        use work = new Td3Workspace(networks, Rows)
        let td3 = Td3(networks, settings.Td3, [])

        for i in 0 .. Rows - 1 do
            work.RowNumbers[i] <- int64 i

        work.Gather(HeldRows(batch, width))
        td3.CriticGradient(work, stream 0L Purpose.Metrics) |> ignore
        let critics = layers networks.Critics
        td3.ActorGradient work |> ignore
        Array.append (layers networks.Actor) critics
