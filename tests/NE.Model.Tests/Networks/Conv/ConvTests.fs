module NE.Model.Tests.Networks.Conv.ConvTests

open System
open Expecto
open NE.Model
open NE.Model.Networks
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks
open NE.Model.Tests.Networks.EngineFixture

/// Convolutions with ReLUs over an image.
let private encoder (height: int, width: int, channels: int) (layers: (int * int) list) : NetworkForm = {
    Input =
        RowShape.Image {
            Height = height
            Width = width
            Channels = channels
        }
    Layers = [
        for filters, stride in layers do
            LayerForm.Conv(filters, stride)
            LayerForm.Relu
    ]
    Initialisation = Initialisation.Uniform
}

/// Image, filters and strides, batch.
let private cases = [
    (3, 3, 3), [ 8, 1 ], 1
    (9, 8, 9), [ 32, 2; 32, 1 ], 5
    (11, 7, 8), [ 24, 1; 16, 2 ], 33
    (8, 13, 16), [ 40, 2; 72, 1 ], 9
    (27, 31, 9), [ 32, 2; 32, 1; 32, 1 ], 5
    (5, 26, 40), [ 32, 1; 8, 1 ], 32
    (12, 9, 8), [ 8, 1; 24, 1; 48, 1 ], 10
    (6, 90, 32), [ 32, 1 ], 3
    (41, 40, 16), [ 32, 1; 40, 1 ], 2
    (10, 10, 8), [ 16, 2 ], 1
]

/// All engines, and our kernels with either kind of convolution.
let private enginesOfKinds: (string * (unit -> IEngine)) list =
    ("simd, direct", (fun () -> SimdEngine.Create(1, ConvolutionKind.Direct)))
    :: engines

/// The largest difference, as a share of the largest value.
let private worst (found: float32[]) (expected: float[]) =
    let largest = expected |> Array.map abs |> Array.max

    let difference =
        Seq.zip found expected |> Seq.map (fun (a, b) -> abs (float a - b)) |> Seq.max

    difference / max 1e-30 largest

/// What a pass over random images gives: features of all layers, gradients of the block, gradient by the input if there is one.
let private pass
    (engine: IEngine)
    (form: NetworkForm)
    rows
    (backward: Backward)
    (x: float32[])
    (weight: float32[])
    (parameters: float32[])
    =
    let layout = BlockLayout.OfForm(1, form)
    use block = engine.CreateBlock(layout, true)
    write block Field.Weights parameters
    use input = matrixOf engine rows layout.Inputs x
    use pass = engine.CreatePass(block, 1, input, Linear, backward)
    pass.Forward()

    let features =
        List.init layout.Layers (fun layer -> readMatrix (pass.Hidden(0, layer)))

    writeMatrix (pass.OutputGradient 0) weight
    pass.Backward()
    let struct (_, count) = backward.InputColumns

    features, read block Field.Gradients, (if count > 0 then readMatrix pass.InputGradient else [||])

let private compare (engine: IEngine) (image, filters, rows) =
    let form = encoder image filters
    let layout, draws = BlockLayout.OfForm(1, form), draws 5L
    let parameters = layout.Initialise draws

    let x, weight =
        normals draws (rows * layout.Inputs), normals draws (rows * layout.Outputs)

    let (_, _, channels) = image

    let backward =
        if channels % 8 = 0 then
            BothGradients(0, layout.Inputs)
        else
            ParameterGradient

    let features, gradients, byInput =
        pass engine form rows backward x weight parameters

    let layers = ConvReference.layers layout (Array.map float parameters)
    let case = $"%A{image} %A{filters}, {rows} images, {engine.Name}"

    let split (values: float32[]) =
        values |> Array.chunkBySize (values.Length / rows)

    let images, weights =
        split x |> Array.map (Array.map float), split weight |> Array.map (Array.map float)

    let expected = images |> Array.map (ConvReference.forward layers)

    features
    |> List.iteri (fun layer found ->
        let expected = expected |> Array.collect (List.item layer)
        Expect.isLessThan (worst found expected) 1e-5 $"layer {layer + 1}: {case}")

    // Where rounding decides about a ReLU, the engine's decision is as good as the reference's.
    let active =
        features |> List.map (split >> Array.map (Array.map (fun h -> h > 0.0f)))

    let found =
        Array.init rows (fun row -> ConvReference.backward layers images[row] (active |> List.map (Array.item row)) weights[row])

    let total pick =
        found |> Array.map pick |> Array.reduce (Array.map2 (+))

    for layer in 0 .. layout.Layers - 1 do
        let slot = layout.Slot(0, layer)
        let part first count = Array.sub gradients first count
        let byWeights = total (fst >> List.item layer >> fst)
        let byBiases = total (fst >> List.item layer >> snd)
        Expect.isLessThan (worst (part slot.Weights slot.WeightCount) byWeights) 1e-5 $"weights {layer + 1}: {case}"
        Expect.isLessThan (worst (part slot.Biases slot.Outputs) byBiases) 1e-5 $"biases {layer + 1}: {case}"

    if byInput.Length > 0 then
        Expect.isLessThan (worst byInput (found |> Array.collect snd)) 1e-5 $"input: {case}"

[<Tests>]
let tests =
    testList "Convolutions" [
        test "the reference's gradients are the slopes of its outputs" {
            let form = encoder (9, 8, 3) [ 8, 2; 16, 1 ]
            let layout, draws = BlockLayout.OfForm(1, form), draws 2L
            let parameters = layout.Initialise draws |> Array.map float
            let x = normals draws layout.Inputs |> Array.map float
            let weight = normals draws layout.Outputs |> Array.map float

            let at parameters x =
                ConvReference.forward (ConvReference.layers layout parameters) x

            let loss parameters x =
                Array.fold2 (fun sum a b -> sum + a * b) 0.0 weight (List.last (at parameters x))

            let active = at parameters x |> List.map (Array.map (fun h -> h > 0.0))

            let gradients, byInput =
                ConvReference.backward (ConvReference.layers layout parameters) x active weight

            let slope (values: float[]) (lossOf: float[] -> float) i =
                let moved (by: float) =
                    let copy = Array.copy values
                    copy[i] <- copy[i] + by
                    lossOf copy

                (moved 1e-6 - moved -1e-6) / 2e-6

            for layer in 0 .. layout.Layers - 1 do
                let slot = layout.Slot(0, layer)
                let byWeights, byBiases = gradients[layer]

                for i in 0..7 .. slot.WeightCount - 1 do
                    let expected = slope parameters (fun p -> loss p x) (slot.Weights + i)
                    Expect.floatClose Accuracy.low byWeights[i] expected $"weight {i} of layer {layer + 1}"

                for i in 0 .. slot.Outputs - 1 do
                    let expected = slope parameters (fun p -> loss p x) (slot.Biases + i)
                    Expect.floatClose Accuracy.low byBiases[i] expected $"bias {i} of layer {layer + 1}"

            for i in 0..5 .. x.Length - 1 do
                Expect.floatClose Accuracy.low byInput[i] (slope x (loss parameters) i) $"pixel {i}"
        }

        for name, makeEngine in enginesOfKinds do
            testCase $"{name}: features and gradients are those of plain loops, within 1e-5 of the largest" (fun () ->
                use engine = makeEngine ()
                cases |> List.iter (compare engine))

        testCase "the simd engine's bits are the same for every width of vectors and any number of threads" (fun () ->
            let form = encoder (23, 26, 16) [ 32, 2; 40, 1; 24, 1 ]
            let rows = 33
            let layout, draws = BlockLayout.OfForm(1, form), draws 7L
            let parameters = layout.Initialise draws

            let x, weight =
                normals draws (rows * layout.Inputs), normals draws (rows * layout.Outputs)

            for kind in [ ConvolutionKind.Direct; ConvolutionKind.Winograd ] do
                let results = [
                    for width in [ VectorWidth.Bits512; VectorWidth.Bits256; VectorWidth.Bits128 ] do
                        for threads in 1..3 do
                            use engine: IEngine = SimdEngine.CreateAt(width, threads, kind)

                            let features, gradients, byInput =
                                pass engine form rows (BothGradients(0, layout.Inputs)) x weight parameters

                            Array.concat (gradients :: byInput :: features) |> bits
                ]

                for other in results do
                    Expect.isTrue (other = results.Head) $"%A{kind}: the same bits")

        testCase "an image's numbers do not depend on what was computed before them" (fun () ->
            let form = encoder (14, 15, 24) [ 32, 1; 40, 1 ]
            let layout, draws = BlockLayout.OfForm(1, form), draws 9L
            let parameters = layout.Initialise draws
            let image, weight = normals draws layout.Inputs, normals draws layout.Outputs
            use engine: IEngine = SimdEngine.Create 1

            /// Of the last of so many images, the others of which are infinite.
            let last rows =
                let behind (values: float32[]) =
                    Array.append (Array.create ((rows - 1) * values.Length) Single.PositiveInfinity) values

                let features, _, byInput =
                    pass engine form rows (BothGradients(0, layout.Inputs)) (behind image) (behind weight) parameters

                let tail (values: float32[]) =
                    Array.sub values (values.Length / rows * (rows - 1)) (values.Length / rows)

                Array.concat (tail byInput :: List.map tail features) |> bits

            Expect.isTrue (last 1 = last 9) "the same bits")

        testCase "what no convolution reads is refused" (fun () ->
            let refuse form part =
                Expect.throwsC (fun () -> BlockLayout.OfForm(1, form) |> ignore) (fun error ->
                    Expect.isTrue (error :? ArgumentException) "type"
                    Expect.stringContains error.Message part "message")

            refuse (encoder (2, 9, 3) [ 8, 1 ]) "finds no place in an image of 2 x 9"
            refuse (encoder (9, 9, 3) [ 8, 3 ]) "stride"
            refuse (encoder (9, 9, 3) [ 12, 1 ]) "multiple of 8"
            refuse (encoder (5, 5, 3) [ 8, 2; 8, 1 ]) "finds no place in an image of 2 x 2"

            refuse
                {
                    encoder (9, 9, 3) [ 8, 1 ] with
                        Input = RowShape.Vector 243
                }
                "reads an image"

            refuse
                {
                    encoder (9, 9, 3) [] with
                        Layers = [ LayerForm.Conv(8, 1); LayerForm.Conv(8, 1) ]
                }
                "after a convolution there must be a ReLU")
    ]
