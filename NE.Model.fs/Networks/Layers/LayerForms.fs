/// The kinds of layers. A new kind is a folder beside this file, with a line here and in the lists of those who compute it: TorchLayers,
/// SimdLayers, HostLayers.
[<RequireQualifiedAccess>]
module NE.Model.Networks.Layers.LayerForms

open System
open NE.Model.Networks
open NE.Model
open NE.Model.Topology

/// What a layer makes of its input. Raises ArgumentException where there can be no such layer.
let describe (input: RowShape) (form: LayerForm) : LayerDescription =
    match form with
    | LayerForm.Dense outputs -> DenseForm.describe outputs input
    | LayerForm.Conv(filters, stride) -> ConvForm.describe filters stride input
    | LayerForm.LayerNorm -> LayerNormForm.describe input
    | LayerForm.Relu -> RectifierForm.relu input
    | LayerForm.Crelu -> RectifierForm.crelu input

/// Draws what is drawn of a slot's first parameters; the others are neutral already.
let initialise (way: Initialisation) (slot: LayerSlot) (values: float32[]) (draws: Draws) : unit =
    let weights = Span<float32>(values, slot.Weights, slot.WeightCount)

    match way, slot.Forms.Head with
    | Initialisation.Uniform, _ ->
        let bound = WeightBounds.beta slot.Inputs
        draws.FillUniform(weights, bound)
        draws.FillUniform(Span<float32>(values, slot.Biases, slot.Outputs), bound)
    | Initialisation.Orthogonal, LayerForm.Conv _ -> Orthogonal.fill (sqrt 2.0) slot.Outputs slot.Inputs weights draws
    | Initialisation.Orthogonal, _ -> Orthogonal.fill 1.0 slot.Outputs slot.Inputs weights draws

/// Layers that follow each other.
let describeAll (input: RowShape) (forms: LayerForm list) : LayerDescription list =
    forms
    |> List.mapFold
        (fun input form ->
            let layer = describe input form
            layer, layer.Output)
        input
    |> fst

/// The layers in slots: each begins with a layer that has weights. Layers before the first such are left out.
let slots (layers: LayerForm list) : LayerForm list list =
    let hasWeights form =
        match form with
        | LayerForm.Dense _
        | LayerForm.Conv _ -> true
        | LayerForm.LayerNorm
        | LayerForm.Relu
        | LayerForm.Crelu -> false

    let rec split layers =
        match layers with
        | [] -> []
        | first :: rest ->
            let following = rest |> List.takeWhile (hasWeights >> not)
            (first :: following) :: split (List.skip following.Length rest)

    layers |> List.skipWhile (hasWeights >> not) |> split

/// Whether any of the layers is a convolution.
let hasConvolution (layers: LayerForm list) : bool =
    layers
    |> List.exists (fun form ->
        match form with
        | LayerForm.Conv _ -> true
        | _ -> false)

/// Whether nothing but products and the zeros of ReLUs goes into the gradient of a row by the input.
let hasOnlyProducts (layers: LayerForm list) : bool =
    layers
    |> List.forall (fun form ->
        match form with
        | LayerForm.Dense _
        | LayerForm.Relu
        | LayerForm.Crelu -> true
        | LayerForm.Conv _
        | LayerForm.LayerNorm -> false)

/// Whether the passes can compute these layers: after a convolution is a ReLU; between two fully connected layers is a ReLU or CReLU, with or
/// without a LayerNorm before it; the outputs of a last fully connected layer are linear, or those of a LayerNorm.
let isSupported (layers: LayerForm list) : bool =
    let isConvolution slot =
        match slot with
        | [ LayerForm.Conv _; LayerForm.Relu ] -> true
        | _ -> false

    let isHidden slot =
        match slot with
        | [ LayerForm.Dense _; rectifier ]
        | [ LayerForm.Dense _; LayerForm.LayerNorm; rectifier ] -> rectifier = LayerForm.Relu || rectifier = LayerForm.Crelu
        | _ -> isConvolution slot

    let isLast slot =
        match slot with
        | [ LayerForm.Dense _ ]
        | [ LayerForm.Dense _; LayerForm.LayerNorm ] -> true
        | _ -> isConvolution slot

    match layers |> slots |> List.rev with
    | [] -> false
    | last :: hidden ->
        List.concat (List.rev (last :: hidden)) = layers
        && isLast last
        && List.forall isHidden hidden

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
