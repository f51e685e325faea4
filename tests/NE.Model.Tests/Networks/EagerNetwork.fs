/// Networks of every form built from torch functions with autograd, in double precision: what the engines are compared with.
module NE.Model.Tests.Networks.EagerNetwork

open System
open FsCheck.FSharp
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Layers
open NE.Model.Networks.Torch
open NE.Model.Tests.Networks.EngineFixture
open TorchSharp

/// A network's form with what a comparison needs besides.
type Case = {
    Form: NetworkForm
    Stacks: int
    Rows: int
    Scale: float32 option
    Seed: int64
} with

    member this.Head =
        match this.Scale with
        | Some scale -> ScaledTanh scale
        | None -> Head.Linear

    member this.Layout = BlockLayout.OfForm(this.Stacks, this.Form)

/// Random shapes, every hidden layer of a kind of its own. A normed layer has at least four outputs: of two or three, nearly all of the
/// gradient cancels in a LayerNorm, and what is left in single precision are rounding errors.
let cases: FsCheck.Gen<Case> =
    let hidden =
        gen {
            let! isNormed = Gen.elements [ true; true; false ]
            let! rectifier = Gen.elements [ LayerForm.Relu; LayerForm.Crelu ]
            let! size = Gen.choose (1, 45)

            return [
                LayerForm.Dense(if isNormed then size + 3 else size)
                if isNormed then
                    LayerForm.LayerNorm
                rectifier
            ]
        }

    gen {
        let! count = Gen.choose (1, 3)
        let! layers = Gen.listOfLength count hidden
        let! inputs = Gen.choose (2, 30)
        let! outputs = Gen.choose (1, 7)
        let! endsNormed = Gen.elements [ true; false ]
        let! stacks = Gen.choose (1, 2)
        let! rows = Gen.choose (1, 40)
        let! scale = Gen.elements [ None; Some 0.4f ]
        let! seed = Gen.choose (1, 1_000_000)

        return {
            Form = {
                Input = RowShape.Vector inputs
                Initialisation = Initialisation.Uniform
                Layers = [
                    yield! List.concat layers
                    LayerForm.Dense outputs
                    if endsNormed && outputs > 3 then
                        LayerForm.LayerNorm
                ]
            }
            Stacks = stacks
            Rows = rows
            Scale = scale
            Seed = int64 seed
        }
    }

/// Parameters of a block, with gains and shifts that are not those of the start.
let parameters (layout: BlockLayout) (draws: Draws) : float32[] =
    let values = layout.Initialise draws

    for slot in layout.Slots do
        if slot.IsNormed then
            (normals draws slot.Outputs |> Array.map (fun x -> 1.0f + 0.3f * x)).CopyTo(values, slot.Gains)
            (normals draws slot.Outputs |> Array.map (fun x -> 0.3f * x)).CopyTo(values, slot.Shifts)

    values

/// One network of a block with its parameters as leaves.
type EagerNetwork(layout: BlockLayout, stack: int, parameters: float32[]) =
    let leaf offset (shape: int64[]) =
        let count = int (Array.reduce (*) shape)

        let tensor =
            torch.tensor(Array.sub parameters offset count |> Array.map float).reshape shape

        tensor.requires_grad <- true
        offset, tensor

    let slots = [| for layer in 0 .. layout.Layers - 1 -> layout.Slot(stack, layer) |]

    // The parameters of each slot: weights first, then those of its neurons.
    let leaves =
        slots
        |> Array.map (fun slot -> [
            leaf slot.Weights [| int64 slot.Outputs; int64 slot.Inputs |]
            for parameter in slot.PerNeuron do
                leaf parameter.First [| int64 slot.Outputs |]
        ])

    let mutable nearest = Double.PositiveInfinity
    let hidden = ResizeArray<torch.Tensor>()

    /// Features of every hidden layer of the last call.
    member _.Hidden = hidden
    /// The smallest magnitude at the kink of an activation. Where it is tiny, rounding decides about a gradient.
    member _.NearestToKink = nearest

    member _.Forward(x: torch.Tensor, scale: float32 option) : torch.Tensor =
        let mutable h = x

        let kink () =
            nearest <- min nearest (h.abs().min().item<float>())

        for slot, leaves in Array.zip slots leaves do
            let leaf i = snd (List.item i leaves)

            for form in slot.Forms do
                match form with
                | LayerForm.Dense _ -> h <- torch.nn.functional.linear (h, leaf 0, leaf 1)
                | LayerForm.Conv _ -> failwith "Convolutions are compared with ConvReference."
                | LayerForm.LayerNorm -> h <- torch.nn.functional.layer_norm (h, [| int64 slot.Outputs |], leaf 2, leaf 3, 1e-5)
                | LayerForm.Relu ->
                    kink ()
                    h <- torch.nn.functional.relu h
                | LayerForm.Crelu ->
                    kink ()
                    h <- torch.cat ([| torch.nn.functional.relu h; torch.nn.functional.relu -h |], 1L)

            if slot.Layer < layout.HiddenLayers then
                hidden.Add h

        match scale with
        | Some scale -> torch.tanh h * held scale
        | None -> h

    /// Writes the gradients into a block's host array.
    member _.Store(gradients: float32[]) =
        for leaves in leaves do
            for offset, tensor in leaves do
                let values = (nonNull tensor.grad).contiguous().data<float>().ToArray()
                (values |> Array.map float32).CopyTo(gradients, offset)

/// Host values of a double tensor.
let values (tensor: torch.Tensor) =
    tensor.detach().contiguous().data<float>().ToArray() |> Array.map float32

/// The largest difference of a layer's gradients, as a share of the layer's largest gradient.
let worst (layout: BlockLayout) (found: float32[]) (expected: float32[]) =
    layout.Slots
    |> Seq.map (fun slot ->
        let size = slot.WeightCount + slot.Outputs * slot.PerNeuron.Length

        let part (values: float32[]) = Array.sub values slot.Weights size
        let largest = part expected |> Array.map abs |> Array.max
        largestDifference (part found) (part expected) / max 1e-12 (float largest))
    |> Seq.max
