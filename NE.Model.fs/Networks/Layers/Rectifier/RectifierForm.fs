/// ReLU, and CReLU, which hands on both signs.
[<RequireQualifiedAccess>]
module NE.Model.Networks.Layers.RectifierForm

open NE.Model.Networks

let private without (features: int) : LayerDescription = {
    Features = features
    Neurons = 0
    FanIn = 0
    PerNeuron = []
}

let relu (inputs: int) : LayerDescription = without inputs
let crelu (inputs: int) : LayerDescription = without (2 * inputs)
