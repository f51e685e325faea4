module NE.Model.Tests.Topology.EvolutionTests

open System
open Expecto
open NE.Model
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

/// floor(omega * count) in exact decimal arithmetic; the cases use tenths for omega.
let private bound (omega: float) count =
    int (Math.Floor(decimal (Math.Round(omega, 1)) * decimal count))

let private case seed =
    let draws = drawsOf seed
    let stack = stackBefore draws
    let options = options draws
    options, stack, Evolution.plan options stack draws

let private gradientOnly = {
    Criterion = GrowCriterion.Gradient
    Unit = GrowUnit.Weight
    Granularity = Granularity.Neuron
    Omega = 0.0
    ReviveRows = false
}

/// What an event does to layer l.
let private changeAt l options stack seed =
    Evolution.plan options stack (drawsOf seed) |> Array.item l

/// A single elastic layer without hidden neurons.
let private single mask quota gradient : StackBefore = {
    Layers = [|
        {
            Mask = mask
            Elastic = true
            Quota = quota
            Gradient = gradient
            Weights = [||]
        }
    |]
    Dormant = [||]
}

/// Two layers, the second elastic, with all weights active but `holes`, so that `quota` = holes can grow.
let private prunable rows columns holes dormantInputs dormantOutputs =
    let active = Array.init (rows * columns) (fun index -> index >= holes)

    {
        Layers = [|
            {
                Mask = LayerMask.dense columns 2
                Elastic = false
                Quota = 0
                Gradient = [||]
                Weights = [||]
            }
            {
                Mask = LayerMask.ofActive rows columns active
                Elastic = true
                Quota = holes
                Gradient = Array.create (rows * columns) 1.0f
                Weights = [||]
            }
            {
                Mask = LayerMask.dense 1 rows
                Elastic = false
                Quota = 0
                Gradient = [||]
                Weights = [||]
            }
        |]
        Dormant = [| dormantInputs; dormantOutputs |]
    }

[<Tests>]
let tests =
    testList "an evolution event" [
        law "grows inactive weights, prunes active ones, and never both at once" (fun seed ->
            let _, stack, changes = case seed

            for layer, change in Seq.zip stack.Layers changes do
                Expect.all change.Grown (fun index -> not layer.Mask[index]) "grown"
                Expect.all change.Pruned (fun index -> layer.Mask[index]) "pruned"
                Expect.equal (Array.distinct change.Grown |> Array.sort) change.Grown "grown is a sorted set"
                Expect.equal (Array.distinct change.Pruned |> Array.sort) change.Pruned "pruned is a sorted set"
                let after = LayerMask.apply change.Grown change.Pruned layer.Mask
                Expect.equal after.ActiveCount (layer.Mask.ActiveCount + change.Grown.Length - change.Pruned.Length) "count")

        law "grows its quota as long as there is room" (fun seed ->
            let _, stack, changes = case seed

            for layer, change in Seq.zip stack.Layers changes do
                Expect.equal change.Grown.Length (min layer.Quota (layer.Mask.Size - layer.Mask.ActiveCount)) "grown")

        law "prunes at most floor(omega * grown), hence never lowers the density" (fun seed ->
            let options, stack, changes = case seed

            for layer, change in Seq.zip stack.Layers changes do
                Expect.isLessThanOrEqual change.Pruned.Length (bound options.Omega change.Grown.Length) "bound"
                Expect.isLessThanOrEqual change.Pruned.Length change.Grown.Length "density"

                if options.Granularity = Granularity.Magnitude then
                    Expect.equal change.Pruned.Length (min layer.Mask.ActiveCount (bound options.Omega change.Grown.Length)) "all of it")

        law "leaves dense layers alone" (fun seed ->
            let _, stack, changes = case seed

            for layer, change in Seq.zip stack.Layers changes do
                if not layer.Elastic then
                    Expect.isEmpty change.Grown "grown"
                    Expect.isEmpty change.Pruned "pruned")

        law "prunes only weights of dormant neurons and touches only dormant neurons that own pruned weights" (fun seed ->
            let options, stack, changes = case seed

            if options.Granularity <> Granularity.Magnitude then
                let isDormant h neuron =
                    h >= 0 && h < stack.Dormant.Length && stack.Dormant[h].[neuron]

                let owns h neuron =
                    changes[h].Pruned
                    |> Array.exists (fun index -> index / stack.Layers[h].Mask.Columns = neuron)
                    || changes[h + 1].Pruned
                       |> Array.exists (fun index -> index % stack.Layers[h + 1].Mask.Columns = neuron)

                changes
                |> Array.iteri (fun l change ->
                    let columns = stack.Layers[l].Mask.Columns
                    Expect.all change.Pruned (fun index -> isDormant l (index / columns) || isDormant (l - 1) (index % columns)) "owner"
                    Expect.all change.Touched (fun neuron -> isDormant l neuron && owns l neuron) "touched"

                    // No pruned weight without a touched owner.
                    let touched h neuron =
                        h >= 0 && Array.contains neuron changes[h].Touched

                    Expect.all
                        change.Pruned
                        (fun index -> touched l (index / columns) || touched (l - 1) (index % columns))
                        "a reset follows")
            else
                Expect.all changes (fun change -> change.Touched.Length = 0) "magnitude resets nobody")

        law "uses up the prune bound if enough weights are prunable" (fun seed ->
            let options, stack, changes = case seed

            if options.Granularity <> Granularity.Magnitude then
                changes
                |> Array.iteri (fun l change ->
                    let mask = stack.Layers[l].Mask

                    let dormant h neuron =
                        h >= 0 && h < stack.Dormant.Length && stack.Dormant[h].[neuron]

                    let prunable =
                        Seq.init mask.Size id
                        |> Seq.filter (fun index ->
                            mask[index]
                            && (dormant l (index / mask.Columns) || dormant (l - 1) (index % mask.Columns)))
                        |> Seq.length

                    Expect.equal change.Pruned.Length (min prunable (bound options.Omega change.Grown.Length)) "size"))

        law "cuts at most one neuron per layer partially" (fun seed ->
            let draws = drawsOf seed
            let stack = stackBefore draws

            let options = {
                options draws with
                    Granularity = Granularity.Neuron
            }

            let changes = Evolution.plan options stack draws

            changes
            |> Array.iteri (fun l change ->
                let mask = stack.Layers[l].Mask
                let pruned = Set.ofArray change.Pruned

                let dormant h =
                    if h >= 0 && h < stack.Dormant.Length then
                        Some stack.Dormant[h]
                    else
                        None

                let entries =
                    [
                        match dormant l with
                        | Some rows ->
                            for row in 0 .. mask.Rows - 1 do
                                if rows[row] then
                                    [ for column in 0 .. mask.Columns - 1 -> row * mask.Columns + column ]
                        | None -> ()
                        match dormant (l - 1) with
                        | Some columns ->
                            for column in 0 .. mask.Columns - 1 do
                                if columns[column] then
                                    [ for row in 0 .. mask.Rows - 1 -> row * mask.Columns + column ]
                        | None -> ()
                    ]
                    |> List.map (List.filter (fun index -> mask[index]))

                // Weights that belong to no wholly pruned neuron must all lie in one neuron.
                let whole =
                    entries
                    |> List.filter (List.forall pruned.Contains)
                    |> List.concat
                    |> Set.ofList

                let rest = pruned - whole

                Expect.isTrue
                    (rest.IsEmpty
                     || entries |> List.exists (fun own -> Set.isSubset rest (Set.ofList own)))
                    "one partial neuron"))

        law "takes the largest gradients" (fun seed ->
            let draws = drawsOf seed
            let stack = stackBefore draws
            let changes = Evolution.plan gradientOnly stack draws

            for layer, change in Seq.zip stack.Layers changes do
                if layer.Elastic && change.Grown.Length > 0 then
                    let score index = abs layer.Gradient[index]
                    let grown = Set.ofArray change.Grown

                    let left = [
                        for index in 0 .. layer.Mask.Size - 1 do
                            if not layer.Mask[index] && not (grown.Contains index) then
                                score index
                    ]

                    let lowest = change.Grown |> Array.map score |> Array.min
                    let highest = change.Grown |> Array.map score |> Array.max
                    Expect.equal change.Scores (ValueSome struct (lowest, highest)) "scores"
                    Expect.all left (fun other -> other <= lowest) "nothing better is left")

        testCase "what grows by no gradient has no scores"
        <| fun () ->
            let plan rows quota =
                let mask = LayerMask.ofActive 2 3 [| rows; rows; rows; true; false; false |]

                Evolution.plan
                    { gradientOnly with ReviveRows = true }
                    {
                        Layers = [|
                            {
                                Mask = mask
                                Elastic = true
                                Quota = quota
                                Gradient = Array.create mask.Size 0.0f
                                Weights = [||]
                            }
                        |]
                        Dormant = [||]
                    }
                    (drawsOf 1L)
                |> Array.exactlyOne

            // A row without input gets one, and that is the whole quota.
            Expect.equal ((plan false 1).Grown.Length, (plan false 1).Scores) (1, ValueNone) "a revived row alone"
            Expect.equal (plan true 1).Scores (ValueSome struct (0.0f, 0.0f)) "a gradient of 0 is a score"
            Expect.equal (plan true 0).Scores ValueNone "nothing"

        law "is a function of the stream's state" (fun seed ->
            let draws = drawsOf seed
            let stack = stackBefore draws
            let options = options draws
            let again = Draws draws.State
            Expect.equal (Evolution.plan options stack draws) (Evolution.plan options stack again) "plan"
            Expect.equal draws.State again.State "position")

        testCase "without gradients grows a uniformly random subset"
        <| fun () ->
            for criterion, gradient in
                [
                    GrowCriterion.Gradient, Array.zeroCreate 40
                    GrowCriterion.Gradient, Array.create 40 -2.5f
                    GrowCriterion.Random, [||]
                ] do
                let counts = Array.zeroCreate 40
                let mask = LayerMask.ofActive 5 8 (Array.init 40 (fun index -> index % 4 = 0))

                for seed in 1L .. 3000L do
                    for index in
                        (changeAt
                            0
                            {
                                gradientOnly with
                                    Criterion = criterion
                            }
                            (single mask 10 gradient)
                            seed)
                            .Grown do
                        counts[index] <- counts[index] + 1

                let inactive = [|
                    for index in 0..39 do
                        if not mask[index] then
                            counts[index]
                |]

                expectUniform inactive 1000.0 $"{criterion}"

        testCase "fills up with random weights when too few gradients are positive"
        <| fun () ->
            let gradient = Array.init 40 (fun index -> if index < 4 then 1.0f else 0.0f)
            let counts = Array.zeroCreate 40

            for seed in 1L .. 3000L do
                for index in (changeAt 0 gradientOnly (single (LayerMask.ofActive 5 8 (Array.zeroCreate 40)) 13 gradient) seed).Grown do
                    counts[index] <- counts[index] + 1

            Expect.all counts[..3] (fun count -> count = 3000) "positive ones always"
            expectUniform counts[4..] 750.0 "the others"

        testCase "prunes nothing with omega 0, and nothing once a layer is full"
        <| fun () ->
            let dormant = Array.create 6 true
            let stack = prunable 6 6 12 dormant dormant

            let pruned options stack =
                (changeAt 1 options stack 1L).Pruned.Length

            Expect.equal (pruned gradientOnly stack) 0 "omega 0"
            Expect.equal (pruned { gradientOnly with Omega = 0.5 } stack) 6 "omega 0.5"
            Expect.equal (pruned { gradientOnly with Omega = 1.0 } (prunable 6 6 0 dormant dormant)) 0 "full"

        testCase "truncates single weights to a uniform subset"
        <| fun () ->
            let counts = Array.zeroCreate 36

            let options = {
                gradientOnly with
                    Omega = 1.0
                    Granularity = Granularity.Weight
            }

            let stack =
                prunable 6 6 6 (Array.create 6 false) [| false; true; true; false; true; false |]

            for seed in 1L .. 3000L do
                for index in (changeAt 1 options stack seed).Pruned do
                    counts[index] <- counts[index] + 1

            let candidates = [|
                for index in 0..35 do
                    if List.contains (index / 6) [ 1; 2; 4 ] then
                        counts[index]
            |]

            expectUniform candidates 1000.0 "candidates"
            Expect.equal (Array.sum candidates) (Array.sum counts) "nothing else"

        testCase "starts with every dormant neuron equally often"
        <| fun () ->
            // Each dormant output owns six weights and the bound is six: exactly one neuron is pruned per event.
            let options = { gradientOnly with Omega = 1.0 }

            let stack =
                prunable 6 6 6 (Array.create 6 false) [| false; true; true; true; true; true |]

            let counts = Array.zeroCreate 6

            for seed in 1L .. 3000L do
                let changes = Evolution.plan options stack (drawsOf seed)
                Expect.equal changes[1].Touched.Length 1 "one neuron"
                counts[changes[1].Touched[0]] <- counts[changes[1].Touched[0]] + 1

            expectUniform counts[1..] 600.0 "neurons"
            Expect.equal counts[0] 0 "the healthy one"

        testCase "by magnitude drops the smallest active weights, dormant or not"
        <| fun () ->
            let stack = prunable 2 3 2 (Array.create 3 false) (Array.create 2 false)
            let weights = [| 0.0f; 0.0f; 3.0f; -0.5f; 2.0f; -1.0f |]

            stack.Layers[1] <-
                {
                    stack.Layers[1] with
                        Weights = weights
                }

            let options = {
                gradientOnly with
                    Omega = 1.0
                    Granularity = Granularity.Magnitude
            }

            Expect.equal (changeAt 1 options stack 1L).Pruned [| 3; 5 |] "pruned"

        law "gives every row without input min(8, mean fan-in) random inputs first, while the quota lasts" (fun seed ->
            let draws = drawsOf seed
            let stack = stackBefore draws
            let changes = Evolution.plan { options draws with ReviveRows = true } stack draws

            for layer, change in Seq.zip stack.Layers changes do
                let mask = layer.Mask

                if layer.Elastic && change.Grown.Length > 0 then
                    let each = max 1 (min 8 (min mask.Columns (mask.ActiveCount / mask.Rows)))

                    let dead =
                        LayerMask.fanIn mask
                        |> Seq.indexed
                        |> Seq.filter (fun (_, f) -> f = 0)
                        |> Seq.map fst
                        |> List.ofSeq

                    let got =
                        dead
                        |> List.map (fun row ->
                            change.Grown
                            |> Array.filter (fun index -> index / mask.Columns = row)
                            |> Array.length)

                    if each * dead.Length <= change.Grown.Length then
                        Expect.all got (fun count -> count >= each) "every dead row"
                    else
                        Expect.equal (List.sum got) change.Grown.Length "all goes to dead rows"

                        Expect.isLessThanOrEqual
                            (got |> List.filter (fun count -> count > 0 && count < each) |> List.length)
                            1
                            "one row is short")

        testCase "names what does not fit"
        <| fun () ->
            let stack = prunable 6 6 6 (Array.create 6 false) (Array.create 6 false)

            let fails stack options =
                Expect.throwsT<ArgumentException> (fun () -> Evolution.plan options stack (drawsOf 1L) |> ignore) "an error"

            fails
                {
                    stack with
                        Dormant = [| stack.Dormant[0] |]
                }
                gradientOnly

            fails
                {
                    stack with
                        Dormant = [| stack.Dormant[0]; [| true |] |]
                }
                gradientOnly

            fails stack { gradientOnly with Omega = 1.5 }
            fails (single (LayerMask.ofActive 1 2 [| true; false |]) 1 [||]) gradientOnly
            fails (single (LayerMask.ofActive 1 2 [| true; false |]) 1 [| 0.0f; nanf |]) gradientOnly

        law "random growth by neurons fills whole rows, all but one" (fun seed ->
            let draws = drawsOf seed
            let stack = stackBefore draws

            let options = {
                options draws with
                    Criterion = GrowCriterion.Random
                    Unit = GrowUnit.Neuron
                    ReviveRows = false
            }

            for layer, change in Array.zip stack.Layers (Evolution.plan options stack draws) do
                let mask = layer.Mask

                let room row =
                    mask.Columns - (LayerMask.fanIn mask)[row]

                let partial =
                    change.Grown
                    |> Array.countBy (fun index -> index / mask.Columns)
                    |> Array.filter (fun (row, count) -> count < room row)

                Expect.isLessThanOrEqual partial.Length 1 "rows that are cut"

                let expected =
                    if layer.Elastic then
                        min layer.Quota (mask.Size - mask.ActiveCount)
                    else
                        0

                Expect.equal change.Grown.Length expected "the quota")

        testCase "random growth by neurons draws every neuron equally often"
        <| fun () ->
            let mask = LayerMask.ofActive 6 4 (Array.init 24 (fun i -> i % 4 = 0))

            let options = {
                gradientOnly with
                    Criterion = GrowCriterion.Random
                    Unit = GrowUnit.Neuron
            }

            let stack = {
                Layers = [|
                    {
                        Mask = mask
                        Elastic = true
                        Quota = 6
                        Gradient = [||]
                        Weights = [||]
                    }
                |]
                Dormant = [||]
            }

            let counts = Array.zeroCreate 6

            for seed in 1L .. 1_200L do
                let change = Evolution.plan options stack (drawsOf seed) |> Array.head

                for index in change.Grown do
                    counts[index / 4] <- counts[index / 4] + 1

            expectUniform (counts |> Array.map (fun count -> count / 3)) 400.0 "two neurons of six"
    ]
