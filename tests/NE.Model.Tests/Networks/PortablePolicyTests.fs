/// Portable policies, computed here as their layers say, in double precision, beside the policies that they are made of.
module NE.Model.Tests.Networks.PortablePolicyTests

open System
open System.Runtime.InteropServices
open Expecto
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Images
open NE.Model.Tests.Networks.EngineFixture

/// A row, or an image [channels x height x width].
type private Value = { Shape: int list; Items: float[] }

let private row items = {
    Shape = [ Array.length items ]
    Items = items
}

/// The filters' answers at every place that they fit into.
let private convolve (weight: int list * float[]) (bias: float[]) stride (x: Value) =
    let (shape, weights), filters = weight, bias.Length
    let channels, height, width = x.Shape[0], x.Shape[1], x.Shape[2]
    Expect.equal shape [ filters; channels; 3; 3 ] "filters"
    let places size = (size - 3) / stride + 1

    {
        Shape = [ filters; places height; places width ]
        Items = [|
            for f in 0 .. filters - 1 do
                for y in 0 .. places height - 1 do
                    for x0 in 0 .. places width - 1 ->
                        bias[f]
                        + Seq.sum (
                            seq {
                                for c in 0 .. channels - 1 do
                                    for i in 0..2 do
                                        for j in 0..2 ->
                                            weights[((f * channels + c) * 3 + i) * 3 + j]
                                            * x.Items[(c * height + stride * y + i) * width + stride * x0 + j]
                            }
                        )
        |]
    }

let private through (network: PortableNetwork) (input: Value) =
    let read tensor = network.Read tensor |> Array.map float

    let step (x: Value) layer =
        match layer with
        | PortableLayer.Linear(weight, bias) ->
            Expect.equal weight.Shape [ bias.Shape.Head; x.Items.Length ] weight.Name

            Array.chunkBySize x.Items.Length (read weight)
            |> Array.map2 (fun bias weights -> bias + Array.sum (Array.map2 (*) weights x.Items)) (read bias)
            |> row
        | PortableLayer.Convolution(weight, bias, stride) -> convolve (weight.Shape, read weight) (read bias) stride x
        | PortableLayer.LayerNorm(weight, bias) ->
            let mean = Array.average x.Items
            let variance = x.Items |> Array.averageBy (fun value -> (value - mean) ** 2.0)
            let scale = 1.0 / sqrt (variance + float PortablePolicy.Epsilon)

            Array.map3 (fun value gain shift -> (value - mean) * scale * gain + shift) x.Items (read weight) (read bias)
            |> row
        | PortableLayer.Relu -> {
            x with
                Items = x.Items |> Array.map (max 0.0)
          }
        | PortableLayer.Crelu ->
            row [|
                yield! x.Items |> Array.map (max 0.0)
                yield! x.Items |> Array.map (fun value -> max 0.0 -value)
            |]
        | PortableLayer.Flatten -> row x.Items
        | PortableLayer.Normalise(mean, scale, clip) ->
            Array.map3
                (fun value mean scale -> min (max ((value - mean) * scale) -(float clip)) (float clip))
                x.Items
                (read mean)
                (read scale)
            |> row
        | PortableLayer.Tanh -> {
            x with
                Items = x.Items |> Array.map tanh
          }

    network.Layers |> List.fold step input

/// tanh of what the bodies put out.
let private tanhOf (policy: PortablePolicy) (observation: Value) =
    let features =
        policy.Perception |> List.fold (fun x network -> through network x) observation

    match policy.Bodies |> List.map (fun body -> (through body features).Items) with
    | [ actor ] -> actor
    | [ actor; kept; subtracted ] -> Array.map3 (fun a k s -> k + (a - s)) actor kept subtracted
    | other -> failtest $"{other.Length} bodies"
    |> Array.map tanh

let private act (policy: Policy) (observation: float32[]) =
    let action = Array.zeroCreate<float32> policy.ActionSize
    policy.Act(ReadOnlySpan observation, Span action, policy.CreateScratch())
    action

let private agrees (policy: Policy) (portable: PortablePolicy) (observation: float32[]) (input: Value) =
    let found =
        tanhOf portable input
        |> Array.map (fun value -> float32 (float policy.MaxAction * value))

    Expect.equal found.Length policy.ActionSize "components"
    Expect.isLessThan (largestDifference found (act policy observation)) 2e-6 "the action"

let private form widths activation normed =
    NetworkForm.Mlp(widths, activation, normed)

let private forms = [
    form [ 17; 64; 48; 6 ] Activation.Relu [ false; false ]
    form [ 5; 12; 8; 6 ] Activation.Relu [ true; false ]
    form [ 5; 12; 8; 6 ] Activation.Crelu [ true; true ]
    form [ 5; 12; 8; 2 ] Activation.Crelu [ false; true ]
    form [ 4; 6 ] Activation.Relu []
]

/// Of one body or of three.
let private made (layout: BlockLayout) bodies kind =
    let random = draws 21L

    match List.init bodies (fun _ -> EagerNetwork.parameters layout random) with
    | [ kept; learning; frozen ] -> Policy.OfBodies(layout, kept, learning, frozen, 0.7f, 1L, kind)
    | only -> Policy.OfBlock(layout, ReadOnlySpan only.Head, 0.7f, 1L, kind)

let private image: ImageShape = {
    Height = 23
    Width = 21
    Channels = 6
}

let private ofPixels kind =
    let random = draws 22L
    let encoder = BlockLayout.OfForm(1, NetworkForms.encoder image 8)
    let trunk = BlockLayout.OfForm(1, NetworkForms.trunk encoder.Outputs 10)

    let pixels =
        PixelEncoder.OfBlocks(image, 8, 10, EagerNetwork.parameters encoder random, EagerNetwork.parameters trunk random)

    (made (BlockLayout.OfForm(1, form [ 10; 16; 4 ] Activation.Relu [ false ])) 1 kind).WithEncoder pixels

[<Tests>]
let tests =
    testList "Portable policies" [
        for form in forms do
            for bodies in [ 1; 3 ] do
                for kind in [ ActionForm.Deterministic; ActionForm.SquashedGaussian ] do
                    let title = $"{form.Inputs} %A{form.Layers} %A{kind}".ReplaceLineEndings " "

                    test $"{title}: as their layers say, {bodies} bodies act as the policy does" {
                        let layout = BlockLayout.OfForm(1, form)
                        let policy = made layout bodies kind
                        let portable = policy.Portable()
                        let random = draws 3L

                        for _ in 1..20 do
                            let observation = normals random form.Inputs
                            agrees policy portable observation (row (Array.map float observation))

                        let places =
                            portable.Networks
                            |> List.collect _.Tensors
                            |> List.collect (_.Places >> List.ofArray)

                        Expect.equal
                            (List.countBy id places |> List.map snd |> List.distinct, places.Length)
                            ([ bodies ], bodies * layout.ParameterCount)
                            "every parameter of every body, once"
                    }

        for kind in [ ActionForm.Deterministic; ActionForm.SquashedGaussian ] do
            test $"%A{kind}: pictures in the order of other programs are seen as the policy sees them" {
                let policy = ofPixels kind
                let portable = policy.Portable()
                Expect.equal portable.Input (PortableInput.Pictures image) "its pictures"
                let random = draws 4L

                for _ in 1..3 do
                    let bytes = Array.init image.Size (fun _ -> byte (random.NextInt 256L))
                    let packed = Array.zeroCreate<float32>(HostImages.PackedSize image)
                    bytes.CopyTo(MemoryMarshal.AsBytes(Span packed))

                    agrees policy portable packed {
                        Shape = [ image.Channels; image.Height; image.Width ]
                        Items = bytes |> Array.map (fun value -> float value / 255.0 - 0.5)
                    }
            }

        test "a normaliser is the first network, and is cut to an observation's own numbers like the body behind it" {
            let random = draws 6L
            let mean, deviation = normals random 17, normals random 17 |> Array.map exp
            let layout = BlockLayout.OfForm(1, forms[0])

            let policy =
                (made layout 1 ActionForm.Deterministic)
                    .Normalising(ObservationNormaliser(mean, deviation |> Array.map (fun d -> 1.0f / d), 1.5f))

            let portable = policy.Portable()
            Expect.equal (portable.Perception |> List.map _.Name) [ "normaliser" ] "networks in front"

            for _ in 1..20 do
                let observation = normals random 17 |> Array.map ((*) 3.0f)
                agrees policy portable observation (row (Array.map float observation))

            let own = policy.Portable(12, 6)

            Expect.equal
                [ for tensor in own.Perception.Head.Tensors -> tensor.Name, tensor.Shape ]
                [ "normaliser.0.mean", [ 12 ]; "normaliser.0.scale", [ 12 ] ]
                "its own"
        }

        test "a squashed Gaussian's log sigma is a layer beside the last one" {
            let layout = BlockLayout.OfForm(1, forms[1])
            // The same outputs, each as an action.
            let outputs = (made layout 1 ActionForm.Deterministic).Portable()
            let portable = (made layout 1 ActionForm.SquashedGaussian).Portable()
            let body, deviation = portable.Bodies.Head, portable.Deviations.Head

            let hidden = {
                body with
                    Layers = body.Layers |> List.truncate (body.Layers.Length - 1)
            }

            let observation = row (normals (draws 5L) 5 |> Array.map float)
            let all = (through outputs.Bodies.Head observation).Items
            let found = (through deviation (through hidden observation)).Items
            Expect.equal found [| all[1]; all[3]; all[5] |] "the odd outputs"
            Expect.equal (deviation.Tensors |> List.map _.Name) [ "log_deviation.weight"; "log_deviation.bias" ] "names"
        }

        for kind in [ ActionForm.Deterministic; ActionForm.SquashedGaussian ] do
            for form in [ forms[1]; forms[4] ] do
                test $"%A{kind} %A{form.Widths}: for a task of a cycle, what it lacks is left out" {
                    let policy = made (BlockLayout.OfForm(1, form)) 1 kind
                    let trimmed = policy.Portable(3, 2)
                    Expect.equal (trimmed.Input, trimmed.ActionSize) (PortableInput.Numbers 3, 2) "sizes"
                    let own = normals (draws 6L) 3
                    let padded = Array.append own (Array.zeroCreate (form.Inputs - 3))
                    let expected = (act policy padded)[..1]

                    let found =
                        tanhOf trimmed (row (Array.map float own))
                        |> Array.map (fun value -> 0.7f * float32 value)

                    Expect.isLessThan (largestDifference found expected) 2e-6 "its actions"

                    for deviation in trimmed.Deviations do
                        Expect.equal deviation.Tensors[0].Shape.Head 2 "its deviations"
                }

        test "names and shapes are those that docs/policies.md promises" {
            let described (policy: Policy) = [
                for network in (policy.Portable()).Networks do
                    for tensor in network.Tensors -> tensor.Name, tensor.Shape
            ]

            Expect.equal
                (described (ofPixels ActionForm.SquashedGaussian))
                [
                    "encoder.0.weight", [ 8; 6; 3; 3 ]
                    "encoder.0.bias", [ 8 ]
                    "encoder.2.weight", [ 8; 8; 3; 3 ]
                    "encoder.2.bias", [ 8 ]
                    "encoder.4.weight", [ 8; 8; 3; 3 ]
                    "encoder.4.bias", [ 8 ]
                    "encoder.6.weight", [ 8; 8; 3; 3 ]
                    "encoder.6.bias", [ 8 ]
                    "trunk.1.weight", [ 10; 8 * 5 * 4 ]
                    "trunk.1.bias", [ 10 ]
                    "trunk.2.weight", [ 10 ]
                    "trunk.2.bias", [ 10 ]
                    "actor.0.weight", [ 16; 10 ]
                    "actor.0.bias", [ 16 ]
                    "actor.2.weight", [ 2; 16 ]
                    "actor.2.bias", [ 2 ]
                    "log_deviation.weight", [ 2; 16 ]
                    "log_deviation.bias", [ 2 ]
                ]
                "from pictures"

            Expect.equal
                (described (made (BlockLayout.OfForm(1, forms[1])) 3 ActionForm.Deterministic)
                 |> List.map fst
                 |> List.filter _.EndsWith("weight"))
                [
                    for body in [ "actor"; "kept"; "subtracted" ] do
                        for layer in [ 0; 1; 3; 5 ] -> $"{body}.{layer}.weight"
                ]
                "after an injection"
        }
    ]
