namespace NE.Model.Topology

open System
open NE.Model

/// The value that a grown weight starts with.
[<RequireQualifiedAccess>]
type GrowInit =
    /// U(-beta, beta) of its layer.
    | Random
    /// 0: the event leaves the network's function unchanged (the official code).
    | Zero

/// What Adam forgets of an entry that is set anew (docs/algorithm.md 2.10).
[<RequireQualifiedAccess>]
type Forgetting =
    /// Nothing: its moments go on as they were (the official code; an ablation).
    | Nothing
    /// Its moments. Its age goes on, as PyTorch's one step count does, so its first step is about 3.16 learning rates.
    | Moments
    /// Its moments and its age: it starts as a fresh entry.
    | All

/// Values on the host while an event edits them, and what Adam keeps of each (docs/algorithm.md 2.10).
type AdamArrays = {
    Values: Slice
    FirstMoment: Slice
    SecondMoment: Slice
    /// beta1^age, hence 1 at age 0.
    Power1: Slice
    /// beta2^age.
    Power2: Slice
}

/// What a LayerNorm has learned, one value per row of its layer's weights.
type NormArrays = {
    Gains: AdamArrays
    Shifts: AdamArrays
}

/// A layer on the host while an event edits it.
type LayerArrays = {
    /// Row-major as in `LayerMask`.
    Weights: AdamArrays
    /// One per row.
    Bias: AdamArrays
    /// Gains and shifts; none without a LayerNorm.
    Norm: NormArrays option
    /// The target network's weights; its other values are left to Polyak averaging.
    TargetWeights: Slice
}

/// How an event fills in values.
type ResetOptions = {
    /// What grown weights start with.
    GrowInit: GrowInit
    /// Values of all weights per layer that grown weights start with instead: those at which their gradient was taken (docs/algorithm.md 2.6,
    /// growGrad=full).
    Given: float32[][] option
    /// What Adam forgets of the entries that the event sets.
    Forgetting: Forgetting
    /// None when clipping is off.
    Clipping: WeightClipping option
}

/// Carries out a planned event on the values of a stack (docs/algorithm.md 2.8, 2.9).
[<RequireQualifiedAccess>]
module PruneAndReset =

    let private forget forgetting (arrays: AdamArrays) index =
        if forgetting <> Forgetting.Nothing then
            arrays.FirstMoment[index] <- 0.0f
            arrays.SecondMoment[index] <- 0.0f

        if forgetting = Forgetting.All then
            arrays.Power1[index] <- 1.0f
            arrays.Power2[index] <- 1.0f

    let private renew forgetting (arrays: AdamArrays) index value =
        arrays.Values[index] <- value
        forget forgetting arrays index

    /// Items 1 and 2: fresh incoming weights, and a bias that is never negative, so that the neuron passes a gradient even without input. A
    /// LayerNorm could silence it all the same, by a shift that it has learned.
    let private redrawIncoming forgetting (mask: LayerMask) (layer: LayerArrays) neuron (draws: Draws) =
        let beta = WeightBounds.beta mask.Columns

        for index in neuron * mask.Columns .. (neuron + 1) * mask.Columns - 1 do
            let value =
                if mask[index] then
                    WeightBounds.symmetric beta draws
                else
                    0.0f

            renew forgetting layer.Weights index value

        renew forgetting layer.Bias neuron (beta * draws.NextSingle())

        match layer.Norm with
        | None -> ()
        | Some norm ->
            renew forgetting norm.Gains neuron 1.0f
            renew forgetting norm.Shifts neuron 0.0f

    /// The weight is 0 in the online and in the target network.
    let private drop forgetting (layer: LayerArrays) index =
        renew forgetting layer.Weights index 0.0f
        layer.TargetWeights[index] <- 0.0f

    /// Items 3 and 5: a reset neuron says nothing yet, in the online and in the target network.
    let private silenceOutgoing forgetting (mask: LayerMask) (layer: LayerArrays) neuron =
        for row in 0 .. mask.Rows - 1 do
            drop forgetting layer (row * mask.Columns + neuron)

    let private requireShape (mask: LayerMask) (layer: LayerArrays) =
        let check name (values: Slice) expected =
            if values.Length <> expected then
                invalidArg
                    name
                    $"A layer of {mask.Rows} x {mask.Columns} needs {expected} values of {name}, but {values.Length} were given."

        let checkAll (name: string) (arrays: AdamArrays) expected =
            for part, values in
                [
                    nameof arrays.Values, arrays.Values
                    nameof arrays.FirstMoment, arrays.FirstMoment
                    nameof arrays.SecondMoment, arrays.SecondMoment
                    nameof arrays.Power1, arrays.Power1
                    nameof arrays.Power2, arrays.Power2
                ] do
                check $"{name}.{part}" values expected

        checkAll (nameof layer.Weights) layer.Weights mask.Size
        checkAll (nameof layer.Bias) layer.Bias mask.Rows
        check (nameof layer.TargetWeights) layer.TargetWeights mask.Size

        match layer.Norm with
        | None -> ()
        | Some norm ->
            checkAll (nameof norm.Gains) norm.Gains mask.Rows
            checkAll (nameof norm.Shifts) norm.Shifts mask.Rows

    /// Edits the values of a stack in place for the changes that `Evolution.plan` made from `masks`, and returns the masks after the
    /// event. Draws from the stream: touched neurons layer by layer (incoming weights, then bias), then grown weights layer by layer.
    let apply
        (options: ResetOptions)
        (masks: LayerMask[])
        (changes: TopologyChange[])
        (layers: LayerArrays[])
        (draws: Draws)
        : LayerMask[] =
        if masks.Length <> changes.Length || masks.Length <> layers.Length then
            invalidArg
                (nameof changes)
                $"An event needs one mask, change and set of arrays per layer, but {masks.Length}, {changes.Length} and {layers.Length} were given."

        Array.iter2 requireShape masks layers

        let after =
            Array.map2 (fun mask (change: TopologyChange) -> LayerMask.apply change.Grown change.Pruned mask) masks changes

        for l in 0 .. layers.Length - 1 do
            for index in changes[l].Pruned do
                drop options.Forgetting layers[l] index

        for l in 0 .. layers.Length - 1 do
            for neuron in changes[l].Touched do
                redrawIncoming options.Forgetting after[l] layers[l] neuron draws

        // After all redraws: a weight between two reset neurons is silent (ReDo's order).
        for l in 0 .. layers.Length - 2 do
            for neuron in changes[l].Touched do
                silenceOutgoing options.Forgetting after[l + 1] layers[l + 1] neuron

        let isTouched =
            Array.init (layers.Length + 1) (fun l ->
                let flags =
                    Array.create (if l = 0 then masks[0].Columns else masks[l - 1].Rows) false

                if l > 0 then
                    for neuron in changes[l - 1].Touched do
                        flags[neuron] <- true

                flags)

        for l in 0 .. layers.Length - 1 do
            let columns = masks[l].Columns
            let beta = WeightBounds.beta columns

            for index in changes[l].Grown do
                // A touched row was drawn above, a touched column stays silent.
                let ownedByReset =
                    isTouched[l + 1].[index / columns] || isTouched[l].[index % columns]

                if not ownedByReset then
                    let value =
                        match options.Given, options.GrowInit with
                        | Some given, _ -> (given[l])[index]
                        | None, GrowInit.Random -> WeightBounds.symmetric beta draws
                        | None, GrowInit.Zero -> 0.0f

                    renew options.Forgetting layers[l].Weights index value
                    layers[l].TargetWeights[ index ] <- 0.0f

        if options.Clipping.IsSome then
            for l in 0 .. layers.Length - 1 do
                let bound =
                    WeightBounds.ofLayer options.Clipping (l = layers.Length - 1) masks[l].Columns

                WeightBounds.clamp bound layers[l].Weights.Values.Span |> ignore
                WeightBounds.clamp bound layers[l].Bias.Values.Span |> ignore

        after
