module NE.Model.Tests.Networks.PolicyTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open NE.Model
open NE.Model.Networks
open NE.Model.Tests.Networks.EngineFixture

let private makeOf form maxAction version =
    let layout = BlockLayout.OfForm(1, form)
    let parameters = EagerNetwork.parameters layout (draws 5L)
    layout, parameters, Policy.OfBlock(layout, ReadOnlySpan parameters, maxAction, version)

let private make widths = makeOf (NetworkForm.Plain widths)

let private shaped (widths: int list) activation (normed: bool list) =
    NetworkForm.Mlp(widths, activation, normed)

let private forms = [
    for widths in [ [ 17; 256; 128; 6 ]; [ 376; 40; 17 ]; [ 3; 5; 7; 9; 1 ]; [ 2; 1 ] ] do
        NetworkForm.Plain widths
    shaped [ 17; 256; 128; 6 ] Activation.Relu [ true; true ]
    shaped [ 17; 256; 128; 6 ] Activation.Crelu [ true; false ]
    shaped [ 17; 42; 6 ] Activation.Crelu [ false ]
    shaped [ 3; 10; 36; 14; 2 ] Activation.Crelu [ true; false; true ]
    shaped [ 3; 5; 37; 1 ] Activation.Relu [ false; true ]
]

let private act (policy: Policy) (scratch: PolicyScratch) (observation: float32[]) =
    let action = Array.zeroCreate<float32> policy.ActionSize
    policy.Act(ReadOnlySpan observation, Span action, scratch)
    action

let private isInvalid (bytes: byte[]) =
    try
        Policy.OfBytes(ReadOnlySpan bytes) |> ignore
        false
    with :? InvalidDataException ->
        true

[<Tests>]
let tests =
    testList "Policy" [
        for form in forms do
            let title = $"{form.Inputs} %A{form.Layers}".ReplaceLineEndings(" ")

            for engineName, makeEngine in engines do
                testCase $"acting equals the forward pass of {engineName}, {title}" (fun () ->
                    let layout, parameters, policy = makeOf form 0.4f 1L
                    use engine = makeEngine ()
                    use block = engine.CreateBlock(layout, true)
                    write block Field.Weights parameters
                    let observations = normals (draws 6L) (20 * layout.Inputs)
                    let input = matrixOf engine 20 layout.Inputs observations
                    use pass = engine.CreatePass(block, 1, input, ScaledTanh 0.4f, NoGradient)
                    pass.Forward()
                    let expected = readMatrix (pass.Output 0)
                    let scratch = policy.CreateScratch()

                    let actions =
                        observations
                        |> Array.chunkBySize layout.Inputs
                        |> Array.collect (act policy scratch)

                    Expect.isLessThan (largestDifference actions expected) 2e-6 "actions"
                    Expect.all actions (fun a -> abs a <= 0.4f) "within the bounds")

            for rows in [ 2; 3; 4; 5; 8; 11; 16 ] do
                testCase $"{rows} observations at once give the bits of one at a time, {title}" (fun () ->
                    let _, _, policy = makeOf form 0.7f 1L
                    let observations = normals (draws 9L) (rows * policy.ObservationSize)

                    let alone =
                        observations
                        |> Array.chunkBySize policy.ObservationSize
                        |> Array.collect (act policy (policy.CreateScratch()))

                    let together = Array.zeroCreate<float32>(rows * policy.ActionSize)
                    // Room for more than are given: what is left in it from another call must not show.
                    let scratch = policy.CreateScratch 16

                    policy.Act(
                        ReadOnlySpan(normals (draws 10L) (16 * policy.ObservationSize)),
                        Span(Array.zeroCreate (16 * policy.ActionSize)),
                        scratch
                    )

                    policy.Act(ReadOnlySpan observations, Span together, scratch)
                    Expect.equal (bits together) (bits alone) "actions, bit for bit")

            testCase $"a policy survives its bytes, {title}" (fun () ->
                let _, _, policy = makeOf form 1.5f 42L
                let again = Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
                Expect.equal again.Version 42L "version"
                Expect.equal (again.ToBytes()) (policy.ToBytes()) "bytes"
                let observation = normals (draws 7L) policy.ObservationSize

                Expect.equal
                    (bits (act again (again.CreateScratch()) observation))
                    (bits (act policy (policy.CreateScratch()) observation))
                    "the same action, bit for bit")

        testCase "an injected policy acts on several observations as on one" (fun () ->
            let layout = BlockLayout.Create(1, [| 17; 256; 128; 6 |])
            let random = draws 11L
            let bodies = Array.init 3 (fun _ -> EagerNetwork.parameters layout random)
            let policy = Policy.OfBodies(layout, bodies[0], bodies[1], bodies[2], 1.0f, 1L)
            let observations = normals random (9 * 17)
            let together = Array.zeroCreate<float32>(9 * 6)
            policy.Act(ReadOnlySpan observations, Span together, policy.CreateScratch 9)

            let alone =
                observations
                |> Array.chunkBySize 17
                |> Array.collect (act policy (policy.CreateScratch()))

            Expect.equal (bits together) (bits alone) "actions, bit for bit")

        for bodies in [ 1; 3 ] do
            testCase
                $"behind a normaliser it acts on normalised observations, one or several, and survives its bytes, {bodies} bodies"
                (fun () ->
                    let layout, random = BlockLayout.Create(1, [| 19; 32; 6 |]), draws 12L

                    let policy =
                        match List.init bodies (fun _ -> EagerNetwork.parameters layout random) with
                        | [ kept; learning; frozen ] -> Policy.OfBodies(layout, kept, learning, frozen, 1.0f, 1L)
                        | only -> Policy.OfBlock(layout, ReadOnlySpan only.Head, 1.0f, 1L)

                    let mean, scale, clip = normals random 19, normals random 19 |> Array.map exp, 1.25f
                    let normalising = policy.Normalising(ObservationNormaliser(mean, scale, clip))
                    let observations = normals random (9 * 19)

                    let normalised =
                        observations
                        |> Array.mapi (fun at x -> min (max ((x - mean[at % 19]) * scale[at % 19]) -clip) clip)

                    Expect.exists normalised (fun x -> abs x = clip) "some are clipped"
                    let together = Array.zeroCreate<float32>(9 * 6)
                    normalising.Act(ReadOnlySpan observations, Span together, normalising.CreateScratch 9)

                    let alone policy rows =
                        rows
                        |> Array.chunkBySize 19
                        |> Array.collect (act policy (policy.CreateScratch()))

                    Expect.equal (bits together) (bits (alone policy normalised)) "the bits of actions on normalised observations"
                    Expect.equal (bits (alone normalising observations)) (bits together) "alone as together"
                    let bytes = normalising.ToBytes()
                    let again = Policy.OfBytes(ReadOnlySpan bytes)
                    Expect.equal (again.ToBytes()) bytes "bytes"
                    Expect.equal (bits (alone again observations)) (bits together) "what was stored"

                    for length in 0 .. bytes.Length - 1 do
                        Expect.isTrue (isInvalid bytes[.. length - 1]) $"{length} bytes"

                    Expect.throwsT<ArgumentException>
                        (fun () ->
                            policy.Normalising(ObservationNormaliser([| 0.0f |], [| 1.0f |], 1.0f))
                            |> ignore)
                        "another number of components")

        testCase "a policy with several kinds of hidden layers acts, but has no bytes" (fun () ->
            let form = {
                Input = RowShape.Vector 5
                Initialisation = Initialisation.Uniform
                Layers = [
                    LayerForm.Dense 8
                    LayerForm.Relu
                    LayerForm.Dense 6
                    LayerForm.LayerNorm
                    LayerForm.Crelu
                    LayerForm.Dense 2
                ]
            }

            let layout, parameters, policy = makeOf form 0.4f 1L
            use engine = simdAt Simd.VectorWidth.Bits128 1 ()
            use block = engine.CreateBlock(layout, true)
            write block Field.Weights parameters
            let observation = normals (draws 6L) 5

            use pass =
                engine.CreatePass(block, 1, matrixOf engine 1 5 observation, ScaledTanh 0.4f, NoGradient)

            pass.Forward()
            let action = act policy (policy.CreateScratch()) observation
            Expect.isLessThan (largestDifference action (readMatrix (pass.Output 0))) 2e-6 "action"
            Expect.throwsT<InvalidOperationException> (fun () -> policy.ToBytes() |> ignore) "bytes")

        testCase "damaged bytes are refused" (fun () ->
            let _, _, policy = make [ 3; 4; 2 ] 1.0f 1L
            let bytes = policy.ToBytes()
            Expect.isTrue (isInvalid [||]) "empty"
            Expect.isTrue (isInvalid (Array.truncate (bytes.Length - 4) bytes)) "cut off"
            Expect.isTrue (isInvalid (Array.append bytes [| 0uy |])) "too long"

            let changed (bytes: byte[]) index value =
                let other = Array.copy bytes
                other[index] <- value
                other

            Expect.isTrue (isInvalid (changed bytes 0 9uy)) "another format"
            // Format, number of widths and four widths are before the activation and the LayerNorms.
            let _, _, policy =
                makeOf (shaped [ 3; 4; 6; 2 ] Activation.Relu [ true; false ]) 1.0f 1L

            let bytes = policy.ToBytes()
            Expect.isTrue (isInvalid (Array.truncate 26 bytes)) "cut off before its LayerNorms"
            Expect.isTrue (isInvalid (Array.truncate (bytes.Length - 4) bytes)) "cut off"
            Expect.isTrue (isInvalid (changed bytes 24 2uy)) "an activation that there is not"
            Expect.isTrue (isInvalid (changed bytes 24 1uy)) "the wrong number of parameters"
            Expect.isTrue (isInvalid (changed bytes 25 7uy)) "neither with nor without a LayerNorm"
            Expect.isTrue (isInvalid (changed bytes 26 1uy)) "parameters of a LayerNorm that are not there"
            Expect.isTrue (isInvalid (changed (changed bytes 24 1uy) 12 5uy)) "an odd width for CReLU")

        testCase "a policy that was stored before there was LayerNorm is read" (fun () ->
            let stored =
                Convert.FromHexString(
                    "01000000030000000200000003000000010000000000C03F2A000000000000004F1AE1BE2A58903C79641A3FF43599BE7EFAEEBE7584D53E8C511E3FDDCE013F5AA51C3E4D5F1C3D79E8F9BCF248F13EE2F1993E"
                )

            let _, _, same = make [ 2; 3; 1 ] 1.5f 42L
            let read = Policy.OfBytes(ReadOnlySpan stored)
            Expect.equal (read.ToBytes()) stored "its bytes"
            Expect.equal (same.ToBytes()) stored "a ReLU network is still written so"
            let observation = [| 0.25f; -1.0f |]

            Expect.equal (act read (read.CreateScratch()) observation) (act same (same.CreateScratch()) observation) "its action")

        testCase "an observation of another size is refused" (fun () ->
            let _, _, policy = make [ 3; 4; 2 ] 1.0f 1L

            Expect.throwsT<ArgumentException>
                (fun () -> act policy (policy.CreateScratch()) [| 1.0f; 2.0f |] |> ignore)
                "two values for three"

            let refuses observations actions rows =
                Expect.throwsT<ArgumentException>
                    (fun () ->
                        policy.Act(
                            ReadOnlySpan(Array.zeroCreate observations),
                            Span(Array.zeroCreate actions),
                            policy.CreateScratch(rows: int)
                        ))
                    $"{observations} values to {actions}, room for {rows}"

            refuses 0 0 1
            refuses 6 2 2
            refuses 7 4 2
            refuses 6 4 1

            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> policy.CreateScratch 0 |> ignore) "room for nothing")

        testCase "scratch of a smaller policy is refused" (fun () ->
            let _, _, small = make [ 3; 4; 2 ] 1.0f 1L
            let _, _, large = make [ 3; 400; 2 ] 1.0f 1L
            let foreign = small.CreateScratch()

            Expect.throwsT<ArgumentException> (fun () -> act large foreign [| 1.0f; 2.0f; 3.0f |] |> ignore) "too small")

        for form, rows in List.allPairs [ forms[0]; forms[5] ] [ 1; 10 ] do
            testCase $"acting allocates nothing, {form.Layers.Length} layers, {rows} at once" (fun () ->
                let _, _, policy = makeOf form 1.0f 1L

                let scratch, observations, actions =
                    policy.CreateScratch rows, normals (draws 8L) (rows * 17), Array.zeroCreate<float32>(rows * 6)

                let bytes () =
                    let before = GC.GetAllocatedBytesForCurrentThread()

                    for _ in 1..1000 do
                        policy.Act(ReadOnlySpan observations, Span actions, scratch)

                    GC.GetAllocatedBytesForCurrentThread() - before

                // Code that is not optimised yet may allocate.
                let mutable tries = 1

                while bytes () > 0L && tries < 1000 do
                    tries <- tries + 1

                Expect.isLessThan tries 1000 "a thousand calls without an allocation")

        testCase "many threads may act with one policy" (fun () ->
            let _, _, policy = make [ 17; 64; 32; 6 ] 1.0f 1L
            let observations = Array.init 200 (fun i -> normals (draws (int64 i)) 17)
            let alone = observations |> Array.map (act policy (policy.CreateScratch()))
            let together = Array.zeroCreate observations.Length

            Parallel.For(0, observations.Length, fun i -> together[i] <- act policy (policy.CreateScratch()) observations[i])
            |> ignore

            Expect.equal together alone "the same actions")

        for bodies in [ 1; 3 ] do
            test $"a squashed Gaussian with {bodies} bodies acts by its means and explores by draws, and survives its bytes" {
                let layout =
                    BlockLayout.OfForm(1, shaped [ 5; 12; 8; 6 ] Activation.Relu [ true; false ])

                let random = draws 12L
                let parameters = Array.init bodies (fun _ -> EagerNetwork.parameters layout random)

                let made form =
                    match parameters with
                    | [| one |] -> Policy.OfBlock(layout, ReadOnlySpan one, 0.7f, 4L, form)
                    | _ -> Policy.OfBodies(layout, parameters[0], parameters[1], parameters[2], 0.7f, 4L, form)

                // With an action for every output, tanh apart.
                let outputs, policy =
                    made ActionForm.Deterministic, made ActionForm.SquashedGaussian

                Expect.equal policy.ActionSize 3 "an action for every pair of outputs"
                let observations = normals random (4 * 5)

                let together, all =
                    Array.zeroCreate<float32>(4 * 3), Array.zeroCreate<float32>(4 * 6)

                policy.Act(ReadOnlySpan observations, Span together, policy.CreateScratch 4)
                outputs.Act(ReadOnlySpan observations, Span all, outputs.CreateScratch 4)
                Expect.equal together [| for i in 0..2..22 -> all[i] |] "a_max tanh of the means"
                let again = Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
                Expect.equal (again.Form, again.Version) (ActionForm.SquashedGaussian, 4L) "its form"
                let observation = observations[..4]
                Expect.equal (act again (again.CreateScratch()) observation) together[..2] "its action"
                let exploring = policy.Exploring(Exploration.Sampling LogDeviation.Clamped)
                let action, noise = Array.zeroCreate<float32> 3, normals (draws 3L) 3
                let high = [| 0.7f; 0.7f; 0.0f |]
                let low = high |> Array.map (~-)

                exploring.Explore(
                    ReadOnlySpan observation,
                    Span action,
                    ReadOnlySpan low,
                    ReadOnlySpan high,
                    draws 3L,
                    exploring.CreateScratch()
                )

                let expected i =
                    let output j = MathF.Atanh(all[j] / 0.7f)
                    0.7f * MathF.Tanh(output (2 * i) + MathF.Exp(output (2 * i + 1)) * noise[i])

                Expect.isLessThan (largestDifference action[..1] [| expected 0; expected 1 |]) 1e-4 "m + sigma eps"
                Expect.equal action[2] 0.0f "no action that the task does not have"

                Expect.throwsT<ArgumentException>
                    (fun () -> outputs.Exploring(Exploration.Sampling LogDeviation.Clamped) |> ignore)
                    "nothing to draw from"
            }

        test "exploring is acting with noise of its deviation, clipped to the bounds of every component" {
            let _, _, policy = make [ 4; 16; 5 ] 0.5f 3L
            let exploring = policy.Exploring(Exploration.Gaussian 0.4f)
            Expect.equal (exploring.ToBytes()) (policy.ToBytes()) "no part of the bytes"

            Expect.equal
                (Policy.OfBytes(ReadOnlySpan(exploring.ToBytes()))).Exploration
                Exploration.Off
                "so a stored policy does not explore"
            // The last component is one that the task does not have.
            let high = [| 0.5f; 0.5f; 0.5f; 0.5f; 0.0f |]
            let low = high |> Array.map (~-)
            let observation = [| 0.3f; -1.0f; 0.5f; 2.0f |]
            let scratch = exploring.CreateScratch()

            let explore (policy: Policy) (draws: Draws) =
                let action = Array.zeroCreate<float32> 5
                policy.Explore(ReadOnlySpan observation, Span action, ReadOnlySpan low, ReadOnlySpan high, draws, scratch)
                action

            let plain = act policy scratch observation

            for seed in 1L .. 50L do
                let noise = Array.zeroCreate<float32> 5
                (draws seed).FillNormal(Span noise, 0.4f)

                let expected =
                    Array.init 5 (fun i -> Math.Clamp(plain[i] + high[i] * noise[i], low[i], high[i]))

                Expect.equal (explore exploring (draws seed)) expected $"seed {seed}"

            let still = draws 7L
            Expect.equal (explore policy still) [| yield! plain[..3]; 0.0f |] "without a way to explore it acts"
            Expect.equal still.State (draws 7L).State "and draws nothing"
        }
    ]
