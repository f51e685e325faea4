/// The kinds of layers on the torch engine.
[<RequireQualifiedAccess>]
module internal NE.Model.Networks.Layers.TorchLayers

open NE.Model.Networks
open NE.Model.Networks.Torch

/// A layer after another; that one again, if it does by itself what the layer would.
let create (pass: TorchPassing) (slot: LayerSlot) (before: ITorchLayer) (form: LayerForm) : ITorchLayer =
    match form with
    | LayerForm.Dense _ -> TorchDense(pass, slot, before.Output)
    | LayerForm.Conv _ -> TorchConv(pass, slot, before.Output)
    | LayerForm.LayerNorm -> TorchLayerNorm(pass, slot, before.Output)
    | LayerForm.Relu when before.TryRectify() -> before
    | LayerForm.Relu -> TorchRectifier(pass, before.Output, false)
    | LayerForm.Crelu -> TorchRectifier(pass, before.Output, true)
