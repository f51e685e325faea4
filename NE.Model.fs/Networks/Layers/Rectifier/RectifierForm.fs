/// ReLU, and CReLU, which hands on both signs.
[<RequireQualifiedAccess>]
module NE.Model.Networks.Layers.RectifierForm

open NE.Model.Networks

let private without (output: RowShape) : LayerDescription = {
    Output = output
    Neurons = 0
    FanIn = 0
    PerNeuron = []
}

let relu (input: RowShape) : LayerDescription = without input

let crelu (input: RowShape) : LayerDescription =
    without (RowShape.Vector(2 * input.Features))
