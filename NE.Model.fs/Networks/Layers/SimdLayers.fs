/// The kinds of layers on the simd engine.
[<RequireQualifiedAccess>]
module internal NE.Model.Networks.Layers.SimdLayers

open NE.Model.Networks
open NE.Model.Networks.Simd

/// A layer after another; that one again, if it does by itself what the layer would.
let create (pass: SimdPassing) (slot: LayerSlot) (before: ISimdLayer) (form: LayerForm) : ISimdLayer =
    let place = pass.Block.Panels.Slot(slot.Stack, slot.Layer)

    match form with
    | LayerForm.Dense _ -> SimdDense(pass, place, before.Output)
    | LayerForm.Conv _ -> SimdConv(pass, place, before.Output)
    | LayerForm.LayerNorm -> SimdLayerNorm(pass, place, before.Output)
    | LayerForm.Relu when before.TryRectify() -> before
    | LayerForm.Relu -> SimdRectifier(pass, before.Output, false)
    | LayerForm.Crelu -> SimdRectifier(pass, before.Output, true)
