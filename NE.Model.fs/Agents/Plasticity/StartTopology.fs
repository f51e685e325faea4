namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Random
open NE.Model.Topology

/// The topology that a network starts with (spec 2.4).
[<RequireQualifiedAccess>]
module StartTopology =

    let private maskOf (settings: NeSettings) (slot: LayerSlot) (weights: float32[]) (density: LayerDensity) (stream: Stream) =
        if density.Active = slot.WeightCount then
            LayerMask.dense slot.Outputs slot.Inputs
        else
            match settings.InitialMask with
            | InitialMask.Random -> LayerMask.random slot.Outputs slot.Inputs density.Active stream
            | InitialMask.Magnitude ->
                LayerMask.magnitude slot.Outputs slot.Inputs density.Active (Array.sub weights slot.Weights slot.WeightCount)

    /// Draws the masks of a network, zeroes what does not exist, and only then copies the targets. Returns which layers are elastic, per
    /// stack. Raises ArgumentException for a density that the layers cannot have.
    let apply (settings: NeSettings) (group: NetworkGroup) (stream: Stream) : bool[][] =
        let layout = group.Layout

        let shape (stack: int) (layer: int) =
            let slot = layout.Slot(stack, layer)
            ({ Out = slot.Outputs; In = slot.Inputs }: LayerShape)

        let plan =
            match
                ErdosRenyi.allocate {
                    Stacks = Array.init layout.Stacks (fun stack -> Array.init layout.Layers (shape stack))
                    Density = settings.StartDensity
                    Allocation = settings.Allocation
                    DenseEnds = settings.DenseEnds
                    Scope = settings.DensityScope
                    Gains = 0
                }
            with
            | Ok plan -> plan
            | Error problem -> invalidArg (nameof settings) $"The {group.Name} cannot start at density {settings.StartDensity}. {problem}"

        let weights = group.ReadOnline Field.Weights

        let masks =
            Array.init layout.Stacks (fun stack ->
                let layers = plan.Stacks[stack]

                Array.init layout.Layers (fun layer ->
                    let slot = layout.Slot(stack, layer)
                    let mask = maskOf settings slot weights layers[layer] stream

                    for i in 0 .. slot.WeightCount - 1 do
                        if not mask[i] then
                            weights[slot.Weights + i] <- 0.0f

                    mask))

        group.WriteOnline(Field.Weights, weights)
        group.WriteTarget weights
        group.SetMasks masks
        plan.Stacks |> Array.map (Array.map _.Elastic)
