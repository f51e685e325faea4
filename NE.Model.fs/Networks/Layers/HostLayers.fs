/// The kinds of layers of a policy, on the host.
[<RequireQualifiedAccess>]
module internal NE.Model.Networks.Layers.HostLayers

open NE.Model.Networks

/// A layer after another, from a block's host array; that one again, if it does by itself what the layer would.
let create (parameters: nativeptr<float32>) (slot: LayerSlot) (before: IHostLayer) (form: LayerForm) : IHostLayer =
    match form with
    | LayerForm.Dense _ -> HostDense.Of(slot, parameters)
    | LayerForm.Conv _ -> HostConv.Of(slot, parameters)
    | LayerForm.LayerNorm -> HostLayerNorm.Of(slot, parameters)
    | LayerForm.Relu when before.TryRectify() -> before
    | LayerForm.Relu -> HostRectifier(slot.Outputs, before, false)
    | LayerForm.Crelu -> HostRectifier(slot.Outputs, before, true)
