namespace NE.Model.Networks.Layers

open NE.Model.Networks

/// Every row brought to mean 0 and variance 1, times gains plus shifts.
[<RequireQualifiedAccess>]
module LayerNormForm =
    [<Literal>]
    let Gains = "LayerNorm gains"

    [<Literal>]
    let Shifts = "LayerNorm shifts"

    let describe (input: RowShape) : LayerDescription = {
        Output = input
        Neurons = 0
        FanIn = 0
        PerNeuron = [ struct (Gains, 1.0f); struct (Shifts, 0.0f) ]
    }

/// A slot with a LayerNorm.
[<AutoOpen>]
module NormedSlot =
    type LayerSlot with

        member private this.Find name =
            (this.PerNeuron |> List.find (fun parameter -> parameter.Name = name)).First

        /// Whether a LayerNorm follows the linear outputs.
        member this.IsNormed = this.Forms |> List.contains LayerForm.LayerNorm
        /// Whether its results leave the network: a hidden one is followed by a ReLU or CReLU.
        member this.EndsNormed = List.last this.Forms = LayerForm.LayerNorm
        /// Offset of the LayerNorm's gains in floats. Raises KeyNotFoundException without a LayerNorm, as Shifts does.
        member this.Gains = this.Find LayerNormForm.Gains
        /// Offset of the LayerNorm's shifts in floats.
        member this.Shifts = this.Find LayerNormForm.Shifts
