namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Topology

/// The topology that a network starts with (docs/algorithm.md 2.4).
[<RequireQualifiedAccess>]
module StartTopology =

    let private maskOf (settings: NeSettings) (slot: LayerSlot) (weights: float32[]) (active: int) (draws: Draws) =
        if active = slot.WeightCount then
            LayerMask.dense slot.Outputs slot.Inputs
        else
            match settings.Rules.Value.InitialMask with
            | InitialMask.Random -> LayerMask.random slot.Outputs slot.Inputs active draws
            | InitialMask.Magnitude -> LayerMask.magnitude slot.Outputs slot.Inputs active (Array.sub weights slot.Weights slot.WeightCount)

    // A task's head is dense and not counted; the body that it shares grows from its first layer on.
    let private bodyOf (layout: BlockLayout) (hasTaskHead: bool) =
        if hasTaskHead then layout.Layers - 1 else layout.Layers

    /// How many weights each layer of a network has at first. Raises ArgumentException for a density that the layers cannot have.
    /// `name`: "actor" or "critic". `hasTaskHead`: whether the output layer is the head of one of several tasks.
    let plan (settings: NeSettings) (name: string) (layout: BlockLayout) (hasTaskHead: bool) : DensityPlan =
        let body = bodyOf layout hasTaskHead

        let shape (stack: int) (layer: int) =
            let slot = layout.Slot(stack, layer)
            ({ Out = slot.Outputs; In = slot.Inputs }: LayerShape)

        let density = settings.StartDensity.Value

        match
            ErdosRenyi.allocate {
                Stacks = Array.init layout.Stacks (fun stack -> Array.init body (shape stack))
                Density = density
                Allocation = settings.Allocation
                DenseEnds = if hasTaskHead then DenseEnds.Off else settings.DenseEnds
                Scope = settings.Rules.Value.DensityScope
                Gains =
                    layout.Slots
                    |> Seq.sumBy (fun slot -> if slot.IsNormed then slot.Outputs else 0)
            }
        with
        | Ok plan -> plan
        | Error problem -> invalidArg (nameof settings) $"The {name} cannot start at density {density}. {problem}"

    /// Draws the masks of a network, zeroes what does not exist, and only then copies the targets. Returns which layers are elastic, per
    /// stack. Raises ArgumentException for a density that the layers cannot have.
    let apply (settings: NeSettings) (group: NetworkGroup) (draws: Draws) : bool[][] =
        let layout = group.Layout
        let body = bodyOf layout group.HasTaskHead
        let plan = plan settings group.Name layout group.HasTaskHead
        let weights = group.ReadOnline Field.Weights

        let masks =
            Array.init layout.Stacks (fun stack ->
                let layers = plan.Stacks[stack]

                Array.init layout.Layers (fun layer ->
                    let slot = layout.Slot(stack, layer)

                    let active =
                        if layer < body then
                            layers[layer].Active
                        else
                            slot.WeightCount

                    let mask = maskOf settings slot weights active draws

                    for i in 0 .. slot.WeightCount - 1 do
                        if not mask[i] then
                            weights[slot.Weights + i] <- 0.0f

                    mask))

        group.WriteOnline(Field.Weights, weights)
        group.WriteTarget weights
        group.SetMasks masks

        plan.Stacks
        |> Array.map (fun layers -> Array.init layout.Layers (fun layer -> layer < body && layers[layer].Elastic))
