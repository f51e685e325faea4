/// An encoder, a trunk and a head as groups and as a policy.
module NE.Model.Tests.Networks.Conv.PixelNetworkTests

open System
open System.IO
open System.Runtime.InteropServices
open Expecto
open NE.Model.Networks
open NE.Model.Networks.Images
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks
open NE.Model.Tests.Networks.EngineFixture

let private image: ImageShape = {
    Height = 25
    Width = 23
    Channels = 9
}

let private encoder = BlockLayout.OfForm(1, NetworkForms.encoder image 16)
let private trunk = BlockLayout.OfForm(1, NetworkForms.trunk encoder.Outputs 20)

let private head =
    BlockLayout.OfForm(
        1,
        {
            NetworkForm.Plain [ 20; 32; 6 ] with
                Initialisation = Initialisation.Orthogonal
        }
    )

let private parameters =
    [ encoder; trunk; head ]
    |> List.map (fun layout -> EagerNetwork.parameters layout (draws 12L))

let private pixels =
    PixelEncoder.OfBlocks(image, 16, 20, parameters[0], parameters[1])

let private policy: Policy =
    (Policy.OfBlock(head, ReadOnlySpan parameters[2], 0.7f, 5L)).WithEncoder pixels

let private bytes =
    let draws = draws 2L
    Array.init (3 * image.Size) (fun _ -> byte (draws.NextInt 256L))

/// Observations as a policy gets them.
let private packed =
    let size = HostImages.PackedSize image

    bytes
    |> Array.chunkBySize image.Size
    |> Array.collect (fun bytes ->
        let floats = Array.zeroCreate<float32> size
        bytes.CopyTo(MemoryMarshal.AsBytes(Span floats))
        floats)

let private act (policy: Policy) (observations: float32[]) =
    let rows = observations.Length / policy.ObservationSize
    let actions = Array.zeroCreate<float32>(rows * policy.ActionSize)
    policy.Act(ReadOnlySpan observations, Span actions, policy.CreateScratch rows)
    actions

/// What the engine's passes make of the images.
let private actions (engine: IEngine) =
    let blocks =
        List.map2
            (fun layout values ->
                let block = engine.CreateBlock(layout, false)
                write block Field.Weights values
                block)
            [ encoder; trunk; head ]
            parameters

    use images = engine.CreateImages(3, image)
    images.Write(ReadOnlySpan bytes, ReadOnlySpan [||])
    use first = engine.CreatePass(blocks[0], 1, images.Matrix, Linear, NoGradient)

    use second =
        engine.CreatePass(blocks[1], 1, first.Output 0, ScaledTanh 1.0f, NoGradient)

    use third =
        engine.CreatePass(blocks[2], 1, second.Output 0, ScaledTanh 0.7f, NoGradient)

    for pass in [ first; second; third ] do
        pass.Forward()

    let found = readMatrix (third.Output 0)
    blocks |> List.iter _.Dispose()
    found

[<Tests>]
let tests =
    testList "PixelNetworks" [
        for name, makeEngine in engines do
            testCase $"{name}: a policy acts as the passes compute, on one observation and on several" (fun () ->
                use engine = makeEngine ()
                let expected = actions engine
                Expect.isLessThan (largestDifference (act policy packed) expected) 1e-5 "several"

                let alone =
                    packed |> Array.chunkBySize policy.ObservationSize |> Array.collect (act policy)

                Expect.equal (bits alone) (bits (act policy packed)) "one at a time, bit for bit")

        testCase "a single output behind a convolution is the host's, on any number of threads" (fun () ->
            let form = {
                Input = RowShape.Image { Height = 6; Width = 7; Channels = 8 }
                Layers = [
                    LayerForm.Conv(8, 1)
                    LayerForm.Relu
                    LayerForm.Dense 12
                    LayerForm.Relu
                    LayerForm.Dense 1
                ]
                Initialisation = Initialisation.Uniform
            }

            let layout = BlockLayout.OfForm(1, form)
            let parameters = layout.Initialise(draws 6L)
            let host = HostChain.create layout (ReadOnlySpan parameters)
            let width = HostChain.width (layout.Widths.ToArray())

            for rows in [ 1; 16; 20 ] do
                let x = normals (draws 7L) (rows * layout.Inputs)
                let from = Array.zeroCreate<float32>(rows * width)

                for row in 0 .. rows - 1 do
                    Array.blit x (row * layout.Inputs) from (row * width) layout.Inputs

                let outputs = HostChain.run host from (Array.zeroCreate (rows * width)) width rows

                let expected = Array.init rows (fun row -> 0.7f * MathF.Tanh outputs[row * width])

                let found = [
                    for threads in 1..4 do
                        use engine: IEngine = SimdEngine.Create threads
                        use block = engine.CreateBlock(layout, false)
                        write block Field.Weights parameters
                        use input = matrixOf engine rows layout.Inputs x
                        use pass = engine.CreatePass(block, 1, input, ScaledTanh 0.7f, NoGradient)
                        pass.Forward()
                        readMatrix (pass.Output 0)
                ]

                for other in found do
                    Expect.isLessThan (largestDifference other expected) 1e-5 $"{rows} rows"
                    Expect.equal (bits other) (bits found.Head) $"{rows} rows: the same bits")

        testCase "a policy's bytes make the same policy" (fun () ->
            let again = Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
            Expect.equal (bits (act again packed)) (bits (act policy packed)) "actions"
            Expect.equal (again.ToBytes()) (policy.ToBytes()) "bytes"
            Expect.equal again.Version 5L "version")

        testCase "bytes cut short, or of networks that cannot be, are refused" (fun () ->
            let bytes = policy.ToBytes()

            for length in [ 3; 8; 20; 40; bytes.Length - 4 ] do
                Expect.throwsT<InvalidDataException> (fun () -> Policy.OfBytes(ReadOnlySpan(bytes, 0, length)) |> ignore) $"{length} bytes"

            // After the format: height, width and channels of a picture, filters, features.
            for place, value in [ 0, 0; 0, 2; 2, -1; 3, 77; 4, 21 ] do
                let damaged = Array.copy bytes

                BitConverter.TryWriteBytes(Span(damaged, 4 + 4 * place, 4), (value: int))
                |> ignore

                Expect.throwsT<InvalidDataException> (fun () -> Policy.OfBytes(ReadOnlySpan damaged) |> ignore) $"{value} at {place}")

        testCase "an encoder with another number of features is refused" (fun () ->
            let other = BlockLayout.OfForm(1, NetworkForm.Plain [ 21; 4; 2 ])

            Expect.throwsT<ArgumentException>
                (fun () ->
                    (Policy.OfBlock(other, ReadOnlySpan(Array.zeroCreate other.Length), 1.0f, 1L)).WithEncoder pixels
                    |> ignore)
                "21 features")

        testCase "a gradient goes from the head through the trunk into the encoder" (fun () ->
            // Both gradients of the trunk, by all of its inputs, in one pass, as in two.
            for name, makeEngine in engines do
                use engine = makeEngine ()
                use block = engine.CreateBlock(trunk, true)
                write block Field.Weights parameters[1]
                use input = matrixOf engine 5 trunk.Inputs (normals (draws 3L) (5 * trunk.Inputs))
                let weight = normals (draws 4L) (5 * trunk.Outputs)

                let run backward =
                    use pass = engine.CreatePass(block, 1, input, ScaledTanh 1.0f, backward)
                    pass.Forward()
                    writeMatrix (pass.OutputGradient 0) weight
                    pass.Backward()
                    let struct (_, count) = backward.InputColumns
                    read block Field.Gradients, (if count > 0 then readMatrix pass.InputGradient else [||])

                let parameterGradient, byInput = run (BothGradients(0, trunk.Inputs))
                Expect.equal (bits parameterGradient) (bits (fst (run ParameterGradient))) $"{name}: by parameters"
                Expect.equal (bits byInput) (bits (snd (run (InputGradient(0, trunk.Inputs))))) $"{name}: by the input")

        testCase "what is written to a block of convolutions is what is read" (fun () ->
            for _, makeEngine in engines do
                use engine = makeEngine ()
                use block = engine.CreateBlock(encoder, true)

                for field in Enum.GetValues<Field>() do
                    let values = normals (draws (int64 field)) encoder.Length
                    write block field values
                    Expect.equal (bits (read block field)) (bits values) $"{field}")

        testCase "Adam over panels of filters is Adam over the host's order" (fun () ->
            let options = {
                LearningRate = 1e-3f
                Beta1 = 0.9
                Beta2 = 0.999
                Epsilon = 1e-8f
            }

            let results = [
                for _, makeEngine in kernelEngines do
                    use engine = makeEngine ()
                    use block = engine.CreateBlock(encoder, true)
                    write block Field.Weights parameters[0]

                    for step in 1L .. 3L do
                        write block Field.Gradients (normals (draws step) encoder.Length)
                        engine.Adam(block, options)

                    // The padding at the end is nobody's.
                    bits (read block Field.Weights |> Array.truncate encoder.ParameterCount)
            ]

            Expect.allEqual results results.Head "bits")
    ]
