module NE.Model.Tests.Topology.PruneAndResetTests

open System
open Expecto
open NE.Model
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

/// A stack after an event on it: dormant sets measured on a batch that also serves to compare outputs.
type private Event = {
    Before: LayerMask[]
    Dormant: bool[][]
    Scores: float[][]
    Arrays: LayerArrays[]
    /// Copies of the arrays before the event.
    Old: LayerArrays[]
    Changes: TopologyChange[]
    After: LayerMask[]
    OutputBefore: float[][]
    OutputAfter: float[][]
}

let private copyOf (values: Slice) = Slice(values.ToArray())

let private copyAll (arrays: AdamArrays) : AdamArrays = {
    Values = copyOf arrays.Values
    FirstMoment = copyOf arrays.FirstMoment
    SecondMoment = copyOf arrays.SecondMoment
    Power1 = copyOf arrays.Power1
    Power2 = copyOf arrays.Power2
}

let private copy (layer: LayerArrays) : LayerArrays = {
    Weights = copyAll layer.Weights
    Bias = copyAll layer.Bias
    Norm = layer.Norm
    TargetWeights = copyOf layer.TargetWeights
}

/// What Adam keeps of a value.
let private entry (arrays: AdamArrays) index =
    arrays.FirstMoment[index], arrays.SecondMoment[index], arrays.Power1[index], arrays.Power2[index]

let private reset = {
    GrowInit = GrowInit.Random
    Given = None
    Forgetting = Forgetting.All
    Clipping = None
}

/// A random ReLU stack with dead neurons on a random batch, and one event on it.
let private event (evolution: EvolutionOptions) (reset: ResetOptions) (draws: Draws) =
    let stack = stackBefore draws
    let masks = stack.Layers |> Array.map _.Mask

    let layers =
        stack.Layers
        |> Array.map (fun layer ->
            // A third of the neurons can never fire.
            let bias =
                Array.init layer.Mask.Rows (fun _ ->
                    if draws.NextDouble() < 0.33 then
                        -100.0f
                    else
                        float32 (draws.NextNormal()))

            arrays layer.Mask layer.Weights bias draws)

    let inputs =
        Array.init 16 (fun _ -> normals masks[0].Columns draws |> Array.map float)

    let activations = forward layers masks inputs
    let hidden = activations[.. activations.Length - 2] |> Array.map statistics
    let dormant = hidden |> Array.map (Dormancy.dormant 0.0)
    let old = layers |> Array.map copy
    let changes = Evolution.plan evolution { stack with Dormant = dormant } draws
    let after = PruneAndReset.apply reset masks changes layers draws

    {
        Before = masks
        Dormant = dormant
        Scores = hidden |> Array.map Dormancy.scores
        Arrays = layers
        Old = old
        Changes = changes
        After = after
        OutputBefore = Array.last activations
        OutputAfter = Array.last (forward layers after inputs)
    }

let private dormancyOptions draws = {
    options draws with
        Granularity =
            if draws.NextDouble() < 0.5 then
                Granularity.Neuron
            else
                Granularity.Weight
        Omega = 1.0
}

/// Whether a weight is incoming or outgoing weight of a touched neuron.
let private ofTouched (event: Event) l index =
    let columns = event.Before[l].Columns

    Array.contains (index / columns) event.Changes[l].Touched
    || l > 0 && Array.contains (index % columns) event.Changes[l - 1].Touched

let private isOutgoing (event: Event) l index =
    l > 0
    && Array.contains (index % event.Before[l].Columns) event.Changes[l - 1].Touched

let private largestDifference (a: float[][]) (b: float[][]) =
    Seq.zip (Seq.concat a) (Seq.concat b)
    |> Seq.map (fun (x, y) -> abs (x - y))
    |> Seq.max

[<Tests>]
let tests =
    testList "prune and reset" [
        law "leaves an inactive weight exactly 0 online and in the target, with no moments" (fun seed ->
            let draws = drawsOf seed
            let event = event (options draws) reset draws

            event.After
            |> Array.iteri (fun l mask ->
                let layer = event.Arrays[l]

                for index in 0 .. mask.Size - 1 do
                    Expect.isFalse (Single.IsNaN layer.Weights.Values[index]) "NaN"

                    if not mask[index] then
                        Expect.equal layer.Weights.Values[index] 0.0f "weight"
                        Expect.equal layer.TargetWeights[index] 0.0f "target"
                        Expect.equal layer.Weights.FirstMoment[index] 0.0f "first moment"
                        Expect.equal layer.Weights.SecondMoment[index] 0.0f "second moment"))

        law "gives pruned, grown and reset weights age 0 and no moments, and the other ones keep theirs" (fun seed ->
            let draws = drawsOf seed
            let event = event (options draws) reset draws

            event.Before
            |> Array.iteri (fun l mask ->
                let layer, old, change = event.Arrays[l], event.Old[l], event.Changes[l]

                for index in 0 .. mask.Size - 1 do
                    if
                        ofTouched event l index
                        || Array.contains index change.Grown
                        || Array.contains index change.Pruned
                    then
                        Expect.equal (entry layer.Weights index) (0.0f, 0.0f, 1.0f, 1.0f) "fresh"
                    else
                        Expect.equal (entry layer.Weights index) (entry old.Weights index) "kept"
                        Expect.equal layer.Weights.Values[index] old.Weights.Values[index] "weight kept"
                        Expect.equal layer.TargetWeights[index] old.TargetWeights[index] "target kept"

                for neuron in 0 .. mask.Rows - 1 do
                    if Array.contains neuron change.Touched then
                        Expect.equal (entry layer.Bias neuron) (0.0f, 0.0f, 1.0f, 1.0f) "fresh bias"
                    else
                        Expect.equal (entry layer.Bias neuron) (entry old.Bias neuron) "bias kept"
                        Expect.equal layer.Bias.Values[neuron] old.Bias.Values[neuron] "bias value kept"))

        law "redraws a touched neuron's active inputs within beta, makes its bias non-negative and silences its outputs" (fun seed ->
            let draws = drawsOf seed
            let event = event (dormancyOptions draws) reset draws
            let mutable drawn = 0
            let mutable coincidences = 0

            for l in 0 .. event.After.Length - 1 do
                let mask = event.After[l]
                let beta = 1.0f / MathF.Sqrt(float32 mask.Columns)
                let layer = event.Arrays[l]

                for neuron in event.Changes[l].Touched do
                    Expect.isTrue (layer.Bias.Values[neuron] >= 0.0f && layer.Bias.Values[neuron] <= beta) "bias"

                    for index in neuron * mask.Columns .. (neuron + 1) * mask.Columns - 1 do
                        Expect.isLessThanOrEqual (abs layer.Weights.Values[index]) beta "incoming"

                        if mask[index] && not (isOutgoing event l index) then
                            drawn <- drawn + 1

                            if
                                layer.Weights.Values[index] = event.Old[l].Weights.Values[index]
                                || layer.Weights.Values[index] = 0.0f
                            then
                                coincidences <- coincidences + 1

                for index in 0 .. mask.Size - 1 do
                    if isOutgoing event l index then
                        Expect.equal layer.Weights.Values[index] 0.0f "outgoing"
                        Expect.equal layer.TargetWeights[index] 0.0f "target's outgoing"

            // One in 2^24 draws may repeat the old value or be 0.
            Expect.isTrue (coincidences <= drawn / 100 + 1) "redrawn")

        law "never resets a neuron that responds" (fun seed ->
            let draws = drawsOf seed
            let event = event (options draws) reset draws

            event.Scores
            |> Array.iteri (fun h scores -> Expect.all event.Changes[h].Touched (fun neuron -> scores[neuron] <= 0.0) "score"))

        law "leaves the output on the event's batch unchanged, unless healthy neurons grow" (fun seed ->
            let draws = drawsOf seed

            let event =
                event (dormancyOptions draws) { reset with GrowInit = GrowInit.Zero } draws

            Expect.isLessThan (largestDifference event.OutputBefore event.OutputAfter) 1e-6 "output")

        law "with growth from zero and without pruning leaves the function unchanged to the bit" (fun seed ->
            let draws = drawsOf seed

            let event =
                event { options draws with Omega = 0.0 } { reset with GrowInit = GrowInit.Zero } draws

            Expect.equal event.OutputAfter event.OutputBefore "output")

        testCase "with random growth changes the function"
        <| fun () ->
            let changed =
                [ 1L .. 100L ]
                |> List.filter (fun seed ->
                    let draws = drawsOf seed
                    let event = event { options draws with Omega = 0.0 } reset draws
                    largestDifference event.OutputBefore event.OutputAfter > 0.0)

            // Some cases have nothing to grow, or grow only behind dead neurons.
            Expect.isGreaterThan changed.Length 40 "changed"

        law "starts grown weights within beta, and their targets at 0" (fun seed ->
            let draws = drawsOf seed
            let event = event (options draws) reset draws

            let mutable grown = 0
            let mutable zeros = 0

            for l in 0 .. event.After.Length - 1 do
                let mask = event.After[l]

                for index in event.Changes[l].Grown do
                    Expect.isLessThanOrEqual (abs event.Arrays[l].Weights.Values[index]) (WeightBounds.beta mask.Columns) "weight"
                    Expect.equal event.Arrays[l].TargetWeights[index] 0.0f "target"

                    if not (isOutgoing event l index) then
                        grown <- grown + 1

                        if event.Arrays[l].Weights.Values[index] = 0.0f then
                            zeros <- zeros + 1

            Expect.isTrue (zeros <= grown / 100 + 1) "alive")

        law "clips weights and biases to kappa beta, and only those" (fun seed ->
            let draws = drawsOf seed
            let kappa = 1.0f + draws.NextSingle()
            let start = draws.State

            let clipped =
                event
                    (options draws)
                    {
                        reset with
                            Clipping = Some { Kappa = kappa; Output = true }
                    }
                    draws

            let again = Draws start
            let free = event (options again) reset again

            clipped.After
            |> Array.iteri (fun l mask ->
                let bound = WeightBounds.clip kappa mask.Columns

                let expected (values: Slice) =
                    values.ToArray()
                    |> Array.map (fun value -> MathF.CopySign(min (abs value) bound, value))
                    |> Slice

                Expect.equal clipped.Arrays[l].Weights.Values (expected free.Arrays[l].Weights.Values) "weights"
                Expect.equal clipped.Arrays[l].Bias.Values (expected free.Arrays[l].Bias.Values) "bias"
                Expect.equal clipped.Arrays[l].TargetWeights free.Arrays[l].TargetWeights "target"
                let twice = copy clipped.Arrays[l]
                Expect.equal (WeightBounds.clamp bound twice.Weights.Values.Span) 0 "idempotent"))

        law "is a function of the stream's state" (fun seed ->
            let draws = drawsOf seed
            let start = draws.State
            let first = event (options draws) reset draws
            let again = Draws start
            let second = event (options again) reset again
            Expect.equal first second "event"
            Expect.equal draws.State again.State "position")

        law "takes no draw and changes nothing where there is nothing to grow" (fun seed ->
            let draws = drawsOf seed
            let options = options draws
            let masks = [| LayerMask.dense 5 3; LayerMask.dense 4 5; LayerMask.dense 2 4 |]

            let layers =
                masks
                |> Array.map (fun mask -> arrays mask (normals mask.Size draws) (normals mask.Rows draws) draws)

            let old = layers |> Array.map copy
            let position = draws.State

            let before = {
                Layers =
                    masks
                    |> Array.map (fun mask -> {
                        Mask = mask
                        Elastic = true
                        Quota = 7
                        Gradient = Array.create mask.Size 1.0f
                        Weights = Array.create mask.Size 1.0f
                    })
                Dormant = [| Array.create 5 true; Array.create 4 true |]
            }

            let changes = Evolution.plan options before draws
            Expect.equal (PruneAndReset.apply reset masks changes layers draws) masks "masks"
            Expect.equal layers old "arrays"
            Expect.equal draws.State position "draws")

        testCase "redraws the whole row of a dense layer in front"
        <| fun () ->
            let masks = [|
                LayerMask.dense 2 3
                LayerMask.ofActive 2 2 [| true; true; false; false |]
                LayerMask.dense 1 2
            |]

            let draws = drawsOf 9L

            let layers =
                masks
                |> Array.map (fun mask ->
                    arrays mask (Array.init mask.Size (fun i -> if mask[i] then 5.0f else 0.0f)) (Array.create mask.Rows -3.0f) draws)

            let nothing = {
                Grown = [||]
                Pruned = [||]
                Touched = [||]
                Dormant = 0
                Scores = ValueNone
            }

            let changes = [|
                { nothing with Touched = [| 1 |] }
                {
                    nothing with
                        Grown = [| 2 |]
                        Pruned = [| 1 |]
                }
                nothing
            |]

            PruneAndReset.apply reset masks changes layers draws |> ignore
            Expect.equal (layers[0].Weights.Values.ToArray()[..2]) [| 5.0f; 5.0f; 5.0f |] "the healthy neuron's row"

            Expect.all
                (layers[0].Weights.Values.ToArray()[3..])
                (fun w -> abs w <= WeightBounds.beta 3 && w <> 5.0f)
                "the touched neuron's row"

            Expect.equal layers[0].Bias.Values[0] -3.0f "the healthy neuron's bias"
            Expect.isGreaterThanOrEqual layers[0].Bias.Values[1] 0.0f "the touched neuron's bias"
            Expect.equal layers[1].Weights.Values[0] 5.0f "another neuron's output"
            Expect.equal layers[1].Weights.Values[1] 0.0f "the touched neuron's output"
            Expect.notEqual layers[1].Weights.Values[2] 0.0f "growth"

        testCase "gives a touched neuron the gain 1 and the shift 0 of a fresh LayerNorm, whose moments it forgets as those of its bias"
        <| fun () ->
            let masks = [| LayerMask.dense 2 3; LayerMask.dense 1 2 |]

            let perNeuron (value: float32) : AdamArrays =
                let values () = Slice(Array.create 2 value)

                {
                    Values = values ()
                    FirstMoment = values ()
                    SecondMoment = values ()
                    Power1 = values ()
                    Power2 = values ()
                }

            let touched neurons = {
                Grown = [||]
                Pruned = [||]
                Touched = neurons
                Dormant = 0
                Scores = ValueNone
            }

            for forgetting, moments, power in
                [
                    Forgetting.All, 0.0f, 1.0f
                    Forgetting.Moments, 0.0f, 0.5f
                    Forgetting.Nothing, 0.5f, 0.5f
                ] do
                let draws = drawsOf 9L

                let norm = {
                    Gains = perNeuron 0.5f
                    Shifts = perNeuron 0.5f
                }

                let layers =
                    masks
                    |> Array.map (fun mask -> arrays mask (normals mask.Size draws) (normals mask.Rows draws) draws)

                layers[0] <- { layers[0] with Norm = Some norm }

                PruneAndReset.apply { reset with Forgetting = forgetting } masks [| touched [| 1 |]; touched [||] |] layers draws
                |> ignore

                for arrays, fresh in [ norm.Gains, 1.0f; norm.Shifts, 0.0f ] do
                    Expect.equal (arrays.Values.ToArray()) [| 0.5f; fresh |] "value"

                    for values in [ arrays.FirstMoment; arrays.SecondMoment ] do
                        Expect.equal (values.ToArray()) [| 0.5f; moments |] $"{forgetting}: moments"

                    for values in [ arrays.Power1; arrays.Power2 ] do
                        Expect.equal (values.ToArray()) [| 0.5f; power |] $"{forgetting}: age"

        law "forgets nothing of the optimiser, or its moments alone, if so told, and sets the same values" (fun seed ->
            let draws = drawsOf seed
            let start = draws.State
            let options = options draws
            let fresh = event options reset draws

            for forgetting in [ Forgetting.Nothing; Forgetting.Moments ] do
                let again = Draws start
                let options = Cases.options again
                let kept = event options { reset with Forgetting = forgetting } again

                for l in 0 .. fresh.Arrays.Length - 1 do
                    let layer, old, expected = kept.Arrays[l], kept.Old[l], fresh.Arrays[l]
                    Expect.equal layer.Weights.Values expected.Weights.Values "weights"
                    Expect.equal layer.Bias.Values expected.Bias.Values "biases"
                    Expect.equal layer.TargetWeights expected.TargetWeights "target"
                    Expect.equal (layer.Weights.Power1, layer.Bias.Power2) (old.Weights.Power1, old.Bias.Power2) "ages go on"

                    let moments (of': LayerArrays) =
                        of'.Weights.FirstMoment, of'.Weights.SecondMoment, of'.Bias.FirstMoment, of'.Bias.SecondMoment

                    Expect.equal (moments layer) (moments (if forgetting = Forgetting.Nothing then old else expected)) "moments")

        law "gives grown weights the values that it is told to" (fun seed ->
            let draws = drawsOf seed
            let start = draws.State
            let options = { options draws with Omega = 0.0 }
            let free = event options reset draws
            let given = free.Before |> Array.map (fun mask -> Array.init mask.Size float32)
            let again = Draws start
            Cases.options again |> ignore
            let told = event options { reset with Given = Some given } again

            for l in 0 .. given.Length - 1 do
                for index in told.Changes[l].Grown do
                    Expect.equal told.Arrays[l].Weights.Values[index] (float32 index) "given")

        testCase "names arrays of the wrong length"
        <| fun () ->
            let mask = LayerMask.dense 2 2
            let layer = arrays mask (Array.zeroCreate 4) (Array.zeroCreate 2) (drawsOf 1L)

            let short = {
                layer with
                    Weights.Power1 = Slice [| 1.0f |]
            }

            Expect.throwsC (fun () -> PruneAndReset.apply reset [| mask |] [||] [| layer |] (drawsOf 1L) |> ignore) (fun error ->
                Expect.stringContains error.Message "one mask, change and set of arrays" "message")

            let change =
                (Evolution.plan
                    (options (drawsOf 1L))
                    {
                        Layers = [|
                            {
                                Mask = mask
                                Elastic = false
                                Quota = 0
                                Gradient = [||]
                                Weights = [||]
                            }
                        |]
                        Dormant = [||]
                    }
                    (drawsOf 1L))

            Expect.throwsC (fun () -> PruneAndReset.apply reset [| mask |] change [| short |] (drawsOf 1L) |> ignore) (fun error ->
                Expect.stringContains error.Message "Weights.Power1" "message")
    ]
