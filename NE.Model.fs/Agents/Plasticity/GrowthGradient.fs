namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Topology

/// The gradient by all weights, existing or not, that decides what grows (docs/algorithm.md 2.6).
[<RequireQualifiedAccess>]
module GrowthGradient =

    /// The weights with a fresh random value in the place of every inactive one.
    let private filled (group: NetworkGroup) (weights: float32[]) (draws: Draws) =
        let values = Array.copy weights

        for slot in group.Layout.Slots do
            let mask: LayerMask = (group.Masks[slot.Stack])[slot.Layer]

            if not mask.IsDense then
                let beta = WeightBounds.beta slot.Inputs

                for i in 0 .. slot.WeightCount - 1 do
                    if not mask[i] then
                        values[slot.Weights + i] <- WeightBounds.symmetric beta draws

        values

    /// Fills `gradient` (at least the layout's length) with the mean over `batches` batches. `oneBatch` gathers a batch and leaves its
    /// gradient in the group's block.
    let average (group: NetworkGroup) (batches: int) (oneBatch: unit -> unit) (gradient: float32[]) : unit =
        oneBatch ()
        group.ReadOnlineInto(Field.Gradients, gradient)

        if batches > 1 then
            let next = Array.zeroCreate<float32> group.Layout.Length

            for _ in 2..batches do
                oneBatch ()
                group.ReadOnlineInto(Field.Gradients, next)

                for i in 0 .. next.Length - 1 do
                    gradient[i] <- gradient[i] + next[i]

            for i in 0 .. next.Length - 1 do
                gradient[i] <- gradient[i] / float32 batches

    /// The same at weights among which the inactive ones have fresh random values for this one pass (the paper's appendix E to the
    /// letter: the gradient of all weights acting together). Returns these weights, of which grown ones keep their value; the network's
    /// own are put back.
    let full (group: NetworkGroup) (batches: int) (oneBatch: unit -> unit) (gradient: float32[]) (draws: Draws) : float32[] =
        let own = group.ReadOnline Field.Weights
        let values = filled group own draws
        group.WriteOnline(Field.Weights, values)
        average group batches oneBatch gradient
        group.WriteOnline(Field.Weights, own)
        values
