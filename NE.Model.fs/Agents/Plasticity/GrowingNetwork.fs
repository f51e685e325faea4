namespace NE.Model.Agents.Plasticity

open System
open System.Buffers
open NE.Model.Agents
open NE.Model.History
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model
open NE.Model.Topology

/// What an event of a network is decided by. Arrays are in the block's layout, of at least its length.
type EventInput = {
    /// Scheduled step, of the network's own clock.
    Step: int64
    /// The dormant neurons per stack and hidden layer.
    Dormant: bool[][][]
    /// dL/dw of all weights, existing or not.
    Gradient: float32[]
    /// Values that grown weights take; none: as the rules say.
    Given: float32[] option
}

/// A network whose topology grows: its elastic layers and how far each has grown.
[<Sealed>]
type GrowingNetwork(group: NetworkGroup, rules: GrowthRules, elastic: bool[][]) =
    let layout = group.Layout

    let mutable growth =
        group.Masks |> Array.map (Array.map (GrowthSchedule.start rules.Growth))

    let mutable phase = GrowthPhase.Growing
    let sums = GrowthSchedule.Sums rules.Growth

    // Adam's fields, in the order of AdamArrays.
    let fields = [|
        Field.Weights
        Field.FirstMoments
        Field.SecondMoments
        Field.Beta1Powers
        Field.Beta2Powers
    |]

    /// A layer's part of the flat arrays, in place: online fields, then the target's weights.
    let slices (online: float32[][]) (target: float32[]) (slot: LayerSlot) : LayerArrays =
        let part first count : AdamArrays =
            let at (values: float32[]) = Slice(values, first, count)

            {
                Values = at online[0]
                FirstMoment = at online[1]
                SecondMoment = at online[2]
                Power1 = at online[3]
                Power2 = at online[4]
            }

        let perNeuron first = part first slot.Outputs

        {
            Weights = part slot.Weights slot.WeightCount
            Bias = perNeuron slot.Biases
            Norm =
                if slot.IsNormed then
                    Some {
                        Gains = perNeuron slot.Gains
                        Shifts = perNeuron slot.Shifts
                    }
                else
                    None
            TargetWeights = Slice(target, slot.Weights, slot.WeightCount)
        }

    let slots stack =
        Array.init layout.Layers (fun layer -> layout.Slot(stack, layer))

    let isElastic (stack: int) (layer: int) = (elastic[stack])[layer]

    /// Whether nothing is left to grow at step t.
    let hasEnded t =
        let isFull stack layer =
            let mask: LayerMask = (group.Masks[stack])[layer]
            let growth: LayerGrowth = (growth[stack])[layer]
            not (isElastic stack layer) || mask.ActiveCount >= growth.Capacity

        t >= rules.Growth.End
        || match rules.Growth.Cap with
           | DensityCap.Network -> group.Density >= rules.Growth.FinalDensity
           | DensityCap.Layer ->
               Seq.allPairs (seq { 0 .. layout.Stacks - 1 }) (seq { 0 .. layout.Layers - 1 })
               |> Seq.forall (fun (stack, layer) -> isFull stack layer)

    let enterPhase t =
        if rules.RewireShare > 0.0 && phase = GrowthPhase.Growing && hasEnded t then
            phase <- GrowthPhase.Rewiring t

    /// k_l, and what of it is owed to the next event.
    let quota t stack layer (mask: LayerMask) =
        if not (isElastic stack layer) then
            0
        else
            match phase with
            | GrowthPhase.Rewiring since -> Rewiring.quota rules.RewireShare since t rules.Growth.End mask
            | GrowthPhase.Growing when rules.Growth.Cap = DensityCap.Network && hasEnded t -> 0
            | GrowthPhase.Growing ->
                let grown = growth[stack]

                let struct (quota, after) =
                    GrowthSchedule.quota sums t mask.ActiveCount grown[layer]

                grown[layer] <- after
                quota

    let plan (event: EventInput) (weights: float32[]) (options: EvolutionOptions) (draws: Draws) stack =
        let before (layer: int) =
            let slot = layout.Slot(stack, layer)
            let mask = (group.Masks[stack])[layer]
            let quota = quota event.Step stack layer mask

            let part isRead (values: float32[]) =
                if quota > 0 && isRead then
                    Array.sub values slot.Weights slot.WeightCount
                else
                    [||]

            {
                Mask = mask
                Elastic = isElastic stack layer
                Quota = quota
                Gradient = part (options.Criterion = GrowCriterion.Gradient) event.Gradient
                Weights = part (options.Granularity = Granularity.Magnitude) weights
            }

        Evolution.plan
            options
            {
                Layers = Array.init layout.Layers before
                Dormant = event.Dormant[stack]
            }
            draws

    /// Changes values and masks as planned. `online` holds the fields, the weights read already.
    let change (event: EventInput) (plans: TopologyChange[][]) (online: float32[][]) (target: float32[]) (draws: Draws) =
        for i in 1 .. fields.Length - 1 do
            group.ReadOnlineInto(fields[i], online[i])

        group.ReadTargetInto target

        let after =
            Array.init layout.Stacks (fun stack ->
                let slots = slots stack

                let given =
                    event.Given
                    |> Option.map (fun values -> slots |> Array.map (fun slot -> Array.sub values slot.Weights slot.WeightCount))

                PruneAndReset.apply
                    {
                        GrowInit = rules.Init
                        Given = given
                        Forgetting = rules.Forgetting
                        Clipping = group.Clipping
                    }
                    group.Masks[stack]
                    plans[stack]
                    (slots |> Array.map (slices online target))
                    draws)

        for i in 0 .. fields.Length - 1 do
            group.WriteOnlineFrom(fields[i], online[i])

        group.WriteTargetFrom target
        group.SetMasks after

    let report (change: TopologyChange) (mask: LayerMask) stack layer : LayerChange =
        let struct (lowest, highest) =
            change.Scores |> ValueOption.defaultValue (struct (Single.NaN, Single.NaN))

        {
            Stack = stack
            Layer = layer
            Grown = change.Grown
            Pruned = change.Pruned
            Touched = change.Touched
            Dormant = change.Dormant
            Active = mask.ActiveCount
            Size = mask.Size
            MinScore = lowest
            MaxScore = highest
        }

    member _.Group = group

    /// Growth of every stack and layer so far, to be stored.
    member _.Growth
        with get () = growth
        and set (value: LayerGrowth[][]) = growth <- value

    /// Whether it grows or exchanges weights; to be stored if the rules exchange any.
    member _.Phase
        with get () = phase
        and set (value: GrowthPhase) = phase <- value

    /// One event (docs/algorithm.md 4.2). All sets come from the masks before it.
    member _.Evolve(event: EventInput, draws: Draws) : LayerChange[] =
        enterPhase event.Step

        let options =
            match phase with
            | GrowthPhase.Growing -> rules.Evolution
            | GrowthPhase.Rewiring _ -> Rewiring.options rules.Evolution

        // Borrowed: arrays of this size would land on the large-object heap with every event.
        let borrow () =
            ArrayPool<float32>.Shared.Rent layout.Length

        let online, target = fields |> Array.map (fun _ -> borrow ()), borrow ()

        let plans =
            try
                group.ReadOnlineInto(Field.Weights, online[0])
                let plans = Array.init layout.Stacks (plan event online[0] options draws)

                let isEmpty (change: TopologyChange) =
                    change.Grown.Length = 0 && change.Pruned.Length = 0 && change.Touched.Length = 0

                // An event that changes nothing must leave no trace, not even a rounding one.
                if not (plans |> Seq.concat |> Seq.forall isEmpty) then
                    change event plans online target draws

                plans
            finally
                for values in target :: List.ofArray online do
                    ArrayPool<float32>.Shared.Return values

        enterPhase event.Step

        [|
            for stack in 0 .. layout.Stacks - 1 do
                let plan, masks = plans[stack], group.Masks[stack]

                for layer in 0 .. layout.Layers - 1 do
                    report plan[layer] masks[layer] stack layer
        |]
