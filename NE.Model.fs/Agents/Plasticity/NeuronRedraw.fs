namespace NE.Model.Agents.Plasticity

open NE.Model.Agents
open NE.Model.Networks
open NE.Model
open NE.Model.Topology

/// Hidden neurons drawn anew (Sokar et al. 2023, section 4): fresh incoming weights, bias 0, gain 1 and shift 0, outgoing weights 0, and an optimiser that
/// has forgotten them. What the topology lacks stays away. The target network is left alone.
[<RequireQualifiedAccess>]
module NeuronRedraw =

    /// Draws the chosen neurons (per stack and hidden layer) anew; returns how many they are. Incoming weights first, so that a weight between two of
    /// them ends as 0. `forgetting` says what Adam forgets of the entries that are set.
    let apply (forgetting: Forgetting) (group: NetworkGroup) (chosen: bool[][][]) (draws: Draws) : int =
        let layout = group.Layout
        let count = chosen |> Seq.concat |> Seq.concat |> Seq.filter id |> Seq.length

        if count > 0 then
            let weights = group.ReadOnline Field.Weights

            let forgotten = [
                if forgetting <> Forgetting.Nothing then
                    Field.FirstMoments, 0.0f, group.ReadOnline Field.FirstMoments
                    Field.SecondMoments, 0.0f, group.ReadOnline Field.SecondMoments

                if forgetting = Forgetting.All then
                    Field.Beta1Powers, 1.0f, group.ReadOnline Field.Beta1Powers
                    Field.Beta2Powers, 1.0f, group.ReadOnline Field.Beta2Powers
            ]

            let set index value =
                weights[index] <- value

                for _, fresh, values in forgotten do
                    values[index] <- fresh

            let each action =
                for stack in 0 .. layout.Stacks - 1 do
                    for layer in 0 .. layout.HiddenLayers - 1 do
                        let neurons = (chosen[stack])[layer]

                        for neuron in 0 .. neurons.Length - 1 do
                            if neurons[neuron] then
                                action stack layer neuron

            each (fun stack layer neuron ->
                let slot = layout.Slot(stack, layer)
                let mask: LayerMask = (group.Masks[stack])[layer]
                let beta = WeightBounds.beta slot.Inputs

                for i in neuron * slot.Inputs .. (neuron + 1) * slot.Inputs - 1 do
                    let value = WeightBounds.symmetric beta draws
                    set (slot.Weights + i) (if mask[i] then value else 0.0f)

                for parameter in slot.PerNeuron do
                    set (parameter.First + neuron) parameter.Neutral)

            each (fun stack layer neuron ->
                let next = layout.Slot(stack, layer + 1)

                for row in 0 .. next.Outputs - 1 do
                    set (next.Weights + row * next.Inputs + neuron) 0.0f)

            group.WriteOnline(Field.Weights, weights)

            for field, _, values in forgotten do
                group.WriteOnline(field, values)

        count
