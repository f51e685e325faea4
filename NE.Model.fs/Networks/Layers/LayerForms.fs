/// The kinds of layers. A new kind is a folder beside this file, with a line here and in the lists of those who compute it: TorchLayers,
/// SimdLayers, HostLayers.
[<RequireQualifiedAccess>]
module NE.Model.Networks.Layers.LayerForms

open NE.Model.Networks
open NE.Model

/// What a layer makes of so many inputs.
let describe (inputs: int) (form: LayerForm) : LayerDescription =
    match form with
    | LayerForm.Dense outputs -> DenseForm.describe outputs inputs
    | LayerForm.LayerNorm -> LayerNormForm.describe inputs
    | LayerForm.Relu -> RectifierForm.relu inputs
    | LayerForm.Crelu -> RectifierForm.crelu inputs

/// Draws what is drawn of a layer's first parameters; the others are neutral already.
let initialise (slot: LayerSlot) (values: float32[]) (draws: Draws) (form: LayerForm) : unit =
    match form with
    | LayerForm.Dense _ -> DenseForm.initialise slot values draws
    | LayerForm.LayerNorm
    | LayerForm.Relu
    | LayerForm.Crelu -> ()

/// Layers that follow each other.
let describeAll (inputs: int) (forms: LayerForm list) : LayerDescription list =
    forms
    |> List.mapFold
        (fun inputs form ->
            let layer = describe inputs form
            layer, layer.Features)
        inputs
    |> fst

/// The layers in slots: each begins with a layer that has weights. Layers before the first such are left out.
let slots (layers: LayerForm list) : LayerForm list list =
    let hasWeights form = (describe 1 form).Neurons > 0

    let rec split layers =
        match layers with
        | [] -> []
        | first :: rest ->
            let following = rest |> List.takeWhile (hasWeights >> not)
            (first :: following) :: split (List.skip following.Length rest)

    layers |> List.skipWhile (hasWeights >> not) |> split

/// Whether the passes can compute these layers: between two layers with weights is a ReLU or CReLU, with or without a LayerNorm before it;
/// the outputs of the last layer are linear.
let isSupported (layers: LayerForm list) : bool =
    let isRectifier form =
        (form = LayerForm.Relu || form = LayerForm.Crelu)

    match layers |> slots |> List.rev with
    | [] -> false
    | last :: hidden ->
        List.concat (List.rev (last :: hidden)) = layers
        && last.Length = 1
        && hidden
           |> List.forall (function
               | [ _; rectifier ]
               | [ _; LayerForm.LayerNorm; rectifier ] -> isRectifier rectifier
               | _ -> false)

/// The layers of every slot as they are computed, each made with the one before it. A layer that the one before it does by itself is none:
/// `create` then returns that one again.
let chain (input: 'Layer) (slots: LayerSlot seq) (create: LayerSlot -> 'Layer -> LayerForm -> 'Layer) : 'Layer[][] =
    let mutable before = input

    [|
        for slot in slots do
            let layers = ResizeArray<'Layer>()

            for form in slot.Forms do
                let layer = create slot before form

                if not (obj.ReferenceEquals(layer, before)) then
                    layers.Add layer

                before <- layer

            layers.ToArray()
    |]
