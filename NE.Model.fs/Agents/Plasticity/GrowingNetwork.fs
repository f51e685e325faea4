namespace NE.Model.Agents.Plasticity

open System
open NE.Model.Agents
open NE.Model.History
open NE.Model.Networks
open NE.Model.Random
open NE.Model.Topology

/// The rules by which a network's topology changes.
type GrowthRules = {
    Growth: GrowthSettings
    Evolution: EvolutionOptions
    Init: GrowInit
}

/// A network whose topology grows: its elastic layers and how far each has grown.
[<Sealed>]
type GrowingNetwork(group: NetworkGroup, rules: GrowthRules, elastic: bool[][]) =
    let layout = group.Layout

    let mutable growth =
        group.Masks |> Array.map (Array.map (GrowthSchedule.start rules.Growth))

    // Adam's fields, in the order of LayerArrays.
    let fields = [
        Field.Weights
        Field.FirstMoments
        Field.SecondMoments
        Field.Beta1Powers
        Field.Beta2Powers
    ]

    let weightsOf (slot: LayerSlot) (values: float32[]) =
        Array.sub values slot.Weights slot.WeightCount

    let biasesOf (slot: LayerSlot) (values: float32[]) =
        Array.sub values slot.Biases slot.Outputs

    /// A layer's part of the flat arrays: online fields, then the target's weights.
    let split (online: float32[] list) (target: float32[]) (slot: LayerSlot) =
        let w = online |> List.map (weightsOf slot) |> Array.ofList
        let b = online |> List.map (biasesOf slot) |> Array.ofList

        {
            Weights = w[0]
            WeightsFirstMoment = w[1]
            WeightsSecondMoment = w[2]
            WeightsPower1 = w[3]
            WeightsPower2 = w[4]
            Bias = b[0]
            BiasFirstMoment = b[1]
            BiasSecondMoment = b[2]
            BiasPower1 = b[3]
            BiasPower2 = b[4]
            TargetWeights = weightsOf slot target
        }

    let join (online: float32[] list) (target: float32[]) (slot: LayerSlot) (arrays: LayerArrays) =
        let weights = [
            arrays.Weights
            arrays.WeightsFirstMoment
            arrays.WeightsSecondMoment
            arrays.WeightsPower1
            arrays.WeightsPower2
        ]

        let biases = [
            arrays.Bias
            arrays.BiasFirstMoment
            arrays.BiasSecondMoment
            arrays.BiasPower1
            arrays.BiasPower2
        ]

        List.iter2 (fun (whole: float32[]) (part: float32[]) -> part.CopyTo(whole, slot.Weights)) online weights
        List.iter2 (fun (whole: float32[]) (part: float32[]) -> part.CopyTo(whole, slot.Biases)) online biases
        arrays.TargetWeights.CopyTo(target, slot.Weights)

    let slots stack =
        Array.init layout.Layers (fun layer -> layout.Slot(stack, layer))

    let report (change: TopologyChange) (mask: LayerMask) stack layer : LayerChange =
        let byGradient =
            rules.Evolution.Criterion = GrowCriterion.Gradient && change.Grown.Length > 0

        {
            Stack = stack
            Layer = layer
            Grown = change.Grown
            Pruned = change.Pruned
            Touched = change.Touched
            Dormant = change.Dormant
            Active = mask.ActiveCount
            Size = mask.Size
            MinScore = if byGradient then change.LowestScore else Single.NaN
            MaxScore = if byGradient then change.HighestScore else Single.NaN
        }

    member _.Group = group

    /// Growth of every stack and layer so far, to be stored.
    member _.Growth
        with get () = growth
        and set (value: LayerGrowth[][]) = growth <- value

    /// The event of scheduled step t (spec 4.2): the block's Gradients hold the dense gradient of the event batch, `dormant` the
    /// dormant neurons per stack and hidden layer. All sets come from the masks before the event.
    member _.Evolve(t: int64, dormant: bool[][][], stream: Stream) : LayerChange[] =
        let gradient = group.ReadOnline Field.Gradients
        let online = fields |> List.map group.ReadOnline
        let target = group.ReadTarget()
        let before = group.Masks

        let plans =
            Array.init layout.Stacks (fun stack ->
                let masks, slots = before[stack], slots stack

                let layers =
                    Array.init layout.Layers (fun layer ->
                        let mask, grown = masks[layer], growth[stack]
                        let isElastic = (elastic[stack])[layer]

                        let struct (quota, after) =
                            if isElastic then
                                GrowthSchedule.quota rules.Growth t mask.ActiveCount grown[layer]
                            else
                                struct (0, grown[layer])

                        grown[layer] <- after

                        {
                            Mask = mask
                            Elastic = isElastic
                            Quota = quota
                            Gradient = weightsOf slots[layer] gradient
                            Weights = weightsOf slots[layer] online.Head
                        })

                Evolution.plan
                    rules.Evolution
                    {
                        Layers = layers
                        Dormant = dormant[stack]
                    }
                    stream)

        let isEmpty (change: TopologyChange) =
            change.Grown.Length = 0 && change.Pruned.Length = 0 && change.Touched.Length = 0

        // An event that changes nothing must leave no trace, not even a rounding one.
        if not (plans |> Seq.concat |> Seq.forall isEmpty) then
            let after =
                Array.init layout.Stacks (fun stack ->
                    let slots = slots stack
                    let arrays = slots |> Array.map (split online target)

                    let masks =
                        PruneAndReset.apply
                            {
                                GrowInit = rules.Init
                                Kappa = group.Kappa
                            }
                            before[stack]
                            plans[stack]
                            arrays
                            stream

                    Array.iter2 (join online target) slots arrays
                    masks)

            List.iter2 (fun field values -> group.WriteOnline(field, values)) fields online
            group.WriteTarget target
            group.SetMasks after

        [|
            for stack in 0 .. layout.Stacks - 1 do
                let plan, masks = plans[stack], group.Masks[stack]

                for layer in 0 .. layout.Layers - 1 do
                    report plan[layer] masks[layer] stack layer
        |]
