namespace NE.Model.Topology

open System
open NE.Model

[<RequireQualifiedAccess>]
module Evolution =

    [<Literal>]
    let RevivedInputs = 8

    /// Random inputs for rows of fan-in 0: min(8, mean fan-in) each, at least 1, while the quota lasts. Rows in random order.
    let reviveRows (mask: LayerMask) quota (draws: Draws) =
        let each =
            min (min RevivedInputs mask.Columns) (max 1 (mask.ActiveCount / mask.Rows))

        let dead =
            LayerMask.fanIn mask
            |> Seq.indexed
            |> Seq.filter (fun (_, fanIn) -> fanIn = 0)
            |> Seq.map fst
            |> Array.ofSeq

        draws.ShufflePrefix(dead, dead.Length)
        let mutable left = quota

        dead
        |> Array.collect (fun row ->
            let count = min each left
            left <- left - count

            if count = 0 then
                [||]
            else
                Selection.sample count (Array.init mask.Columns (fun column -> row * mask.Columns + column)) draws)

    /// Whole rows of candidates in random order until the quota is used up; a random part of the last one.
    let growNeurons (mask: LayerMask) count (candidates: int[]) (draws: Draws) =
        let rows =
            candidates |> Array.groupBy (fun index -> index / mask.Columns) |> Array.map snd

        draws.ShufflePrefix(rows, rows.Length)
        let mutable left = count

        rows
        |> Array.collect (fun row ->
            let chosen = if left > 0 then Selection.sample left row draws else [||]
            left <- left - chosen.Length
            chosen)

    let requireLength name (layer: LayerBefore) (values: float32[]) =
        if values.Length <> layer.Mask.Size then
            invalidArg
                name
                $"A layer of {layer.Mask.Rows} x {layer.Mask.Columns} needs {layer.Mask.Size} values of {name}, but {values.Length} were given."

    /// G_l and the range of the scores by which weights of it were chosen.
    let grow (options: EvolutionOptions) (layer: LayerBefore) (draws: Draws) =
        let mask = layer.Mask
        let quota = min layer.Quota (mask.Size - mask.ActiveCount)

        if quota <= 0 then
            struct ([||], ValueNone)
        else
            let revived =
                if options.ReviveRows then
                    reviveRows mask quota draws
                else
                    [||]

            let inactive = LayerMask.inactiveIndices mask

            let candidates =
                if revived.Length = 0 then
                    inactive
                else
                    let taken = Array.zeroCreate mask.Size

                    for index in revived do
                        taken[index] <- true

                    inactive |> Array.filter (fun index -> not taken[index])

            let rest = quota - revived.Length

            let chosen =
                match options.Criterion, options.Unit with
                | GrowCriterion.Random, GrowUnit.Weight -> Selection.sample rest candidates draws
                | GrowCriterion.Random, GrowUnit.Neuron -> growNeurons mask rest candidates draws
                | GrowCriterion.Gradient, _ ->
                    requireLength (nameof layer.Gradient) layer layer.Gradient
                    Selection.largest rest layer.Gradient candidates draws

            let scores =
                if options.Criterion = GrowCriterion.Gradient && chosen.Length > 0 then
                    let mutable lowest = infinityf
                    let mutable highest = 0.0f

                    for index in chosen do
                        lowest <- min lowest (MathF.Abs layer.Gradient[index])
                        highest <- max highest (MathF.Abs layer.Gradient[index])

                    ValueSome struct (lowest, highest)
                else
                    ValueNone

            let grown = Array.append revived chosen
            Array.sortInPlace grown
            struct (grown, scores)

    /// A dormant neuron as an owner of weights of a layer.
    [<Struct>]
    type Owner = {
        /// The weights' row is the neuron (its incoming weights), otherwise their column is (its outgoing ones).
        IsRow: bool
        Neuron: int
    }

    let active (mask: LayerMask) owner =
        if owner.IsRow then
            let first = owner.Neuron * mask.Columns
            [| for index in first .. first + mask.Columns - 1 -> index |]
        else
            [| for row in 0 .. mask.Rows - 1 -> row * mask.Columns + owner.Neuron |]
        |> Array.filter (fun index -> mask[index])

    let ownersOf (rows: bool[]) (columns: bool[]) =
        let dormant isRow (flags: bool[]) =
            flags
            |> Seq.indexed
            |> Seq.filter snd
            |> Seq.map (fun (neuron, _) -> { IsRow = isRow; Neuron = neuron })

        Seq.append (dormant true rows) (dormant false columns) |> Array.ofSeq

    /// Whole neurons in random order until the bound is used up; a neuron that adds nothing is not touched.
    let pruneNeurons (mask: LayerMask) rows columns bound (draws: Draws) =
        let owners = ownersOf rows columns
        draws.ShufflePrefix(owners, owners.Length)
        let taken = Array.zeroCreate mask.Size
        let pruned = ResizeArray<int>()
        let touched = ResizeArray<Owner>()
        let mutable next = 0

        while next < owners.Length && pruned.Count < bound do
            let entries =
                active mask owners[next] |> Array.filter (fun index -> not taken[index])

            let chosen = Selection.sample (bound - pruned.Count) entries draws

            for index in chosen do
                taken[index] <- true

            if chosen.Length > 0 then
                pruned.AddRange chosen
                touched.Add owners[next]

            next <- next + 1

        struct (pruned.ToArray(), touched.ToArray())

    /// Truncate over single weights; every dormant owner of a pruned weight is touched.
    let pruneWeights (mask: LayerMask) (rows: bool[]) (columns: bool[]) bound (draws: Draws) =
        let candidates =
            LayerMask.activeIndices mask
            |> Array.filter (fun index -> rows[index / mask.Columns] || columns[index % mask.Columns])

        let pruned = Selection.sample bound candidates draws

        let owners =
            pruned
            |> Array.collect (fun index ->
                let row = index / mask.Columns
                let column = index % mask.Columns

                [|
                    if rows[row] then
                        { IsRow = true; Neuron = row }
                    if columns[column] then
                        { IsRow = false; Neuron = column }
                |])

        struct (pruned, Array.distinct owners)

    /// P_l and the dormant neurons whose selection made it. `rows` and `columns` say which neurons at the layer's output and input are
    /// dormant.
    let prune (options: EvolutionOptions) (layer: LayerBefore) rows columns grown draws =
        // The 1e-9 keeps a product such as 0.29 * 100 from falling below its whole number.
        let bound = int (Math.Floor(options.Omega * float grown + 1e-9))

        if bound = 0 then
            struct ([||], [||])
        else
            let struct (pruned, touched) =
                match options.Granularity with
                | Granularity.Neuron -> pruneNeurons layer.Mask rows columns bound draws
                | Granularity.Weight -> pruneWeights layer.Mask rows columns bound draws
                | Granularity.Magnitude ->
                    requireLength (nameof layer.Weights) layer layer.Weights
                    let candidates = LayerMask.activeIndices layer.Mask
                    struct (Selection.smallest bound layer.Weights candidates draws, [||])

            Array.sortInPlace pruned
            struct (pruned, touched)

    let validate (options: EvolutionOptions) (stack: StackBefore) =
        if not (options.Omega >= 0.0 && options.Omega <= 1.0) then
            invalidArg (nameof options) $"The prune bound omega must be in [0, 1], but it is {options.Omega}."

        if stack.Dormant.Length <> stack.Layers.Length - 1 then
            invalidArg
                (nameof stack)
                $"A stack of {stack.Layers.Length} layers has {stack.Layers.Length - 1} hidden layers, but {stack.Dormant.Length} dormant sets were given."

        for h in 0 .. stack.Dormant.Length - 1 do
            let width = stack.Layers[h].Mask.Rows

            if stack.Dormant[h].Length <> width || stack.Layers[h + 1].Mask.Columns <> width then
                invalidArg
                    (nameof stack)
                    $"Hidden layer {h} has {width} neurons, but {stack.Dormant[h].Length} dormancy flags and a next layer of {stack.Layers[h + 1].Mask.Columns} inputs were given."

    let plan (options: EvolutionOptions) (stack: StackBefore) (draws: Draws) : TopologyChange[] =
        validate options stack
        let layers = stack.Layers
        let hidden = stack.Dormant.Length

        let touched =
            Array.init hidden (fun h -> Array.create stack.Dormant[h].Length false)

        let dormantAt h =
            if h >= 0 && h < hidden then Some stack.Dormant[h] else None

        let changes =
            layers
            |> Array.mapi (fun l layer ->
                let struct (grown, scores) =
                    if layer.Elastic then
                        grow options layer draws
                    else
                        struct ([||], ValueNone)

                let rows =
                    dormantAt l |> Option.defaultWith (fun () -> Array.create layer.Mask.Rows false)

                let columns =
                    dormantAt (l - 1)
                    |> Option.defaultWith (fun () -> Array.create layer.Mask.Columns false)

                let struct (pruned, owners) = prune options layer rows columns grown.Length draws

                for owner in owners do
                    touched[if owner.IsRow then l else l - 1][owner.Neuron] <- true

                {
                    Grown = grown
                    Pruned = pruned
                    Touched = [||]
                    Dormant = rows |> Array.sumBy (fun isDormant -> if isDormant then 1 else 0)
                    Scores = scores
                })

        changes
        |> Array.mapi (fun l change ->
            if l < hidden then
                {
                    change with
                        Touched = touched[l] |> Seq.indexed |> Seq.filter snd |> Seq.map fst |> Array.ofSeq
                }
            else
                change)
