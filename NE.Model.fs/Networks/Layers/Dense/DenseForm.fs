/// A fully connected layer: y = x W^T + b.
[<RequireQualifiedAccess>]
module NE.Model.Networks.Layers.DenseForm

open System
open NE.Model.Networks
open NE.Model
open NE.Model.Topology

let describe (outputs: int) (inputs: int) : LayerDescription = {
    Features = outputs
    Neurons = outputs
    FanIn = inputs
    PerNeuron = [ struct ("biases", 0.0f) ]
}

/// Draws the parameters as PyTorch draws a Linear layer: weights and biases U(-beta, beta).
let initialise (slot: LayerSlot) (values: float32[]) (draws: Draws) : unit =
    let bound = WeightBounds.beta slot.Inputs
    draws.FillUniform(Span<float32>(values, slot.Weights, slot.WeightCount), bound)
    draws.FillUniform(Span<float32>(values, slot.Biases, slot.Outputs), bound)
