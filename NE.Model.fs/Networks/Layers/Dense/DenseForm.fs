/// A fully connected layer: y = x W^T + b.
[<RequireQualifiedAccess>]
module NE.Model.Networks.Layers.DenseForm

open NE.Model.Networks

let describe (outputs: int) (input: RowShape) : LayerDescription = {
    Output = RowShape.Vector outputs
    Neurons = outputs
    FanIn = input.Features
    PerNeuron = [ struct ("biases", 0.0f) ]
}
