module NE.Model.Tests.Networks.PolicyTests

open System
open System.IO
open System.Threading.Tasks
open Expecto
open NE.Model.Networks
open NE.Model.Tests.Networks.EngineFixture

let private make widths maxAction version =
    let layout = BlockLayout.Create(1, widths)
    let parameters = layout.Initialise(draws 5L)
    layout, parameters, Policy.OfBlock(layout, ReadOnlySpan parameters, maxAction, version)

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
        for widths in [ [ 17; 256; 128; 6 ]; [ 376; 40; 17 ]; [ 3; 5; 7; 9; 1 ]; [ 2; 1 ] ] do
            let title = String.Join("-", widths)

            for engineName, makeEngine in engines do
                testCase $"acting equals the forward pass of {engineName}, {title}" (fun () ->
                    let layout, parameters, policy = make widths 0.4f 1L
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

            testCase $"a policy survives its bytes, {title}" (fun () ->
                let _, _, policy = make widths 1.5f 42L
                let again = Policy.OfBytes(ReadOnlySpan(policy.ToBytes()))
                Expect.equal again.Version 42L "version"
                Expect.equal (again.ToBytes()) (policy.ToBytes()) "bytes"
                let observation = normals (draws 7L) policy.ObservationSize

                Expect.equal
                    (bits (act again (again.CreateScratch()) observation))
                    (bits (act policy (policy.CreateScratch()) observation))
                    "the same action, bit for bit")

        testCase "damaged bytes are refused" (fun () ->
            let _, _, policy = make [ 3; 4; 2 ] 1.0f 1L
            let bytes = policy.ToBytes()
            Expect.isTrue (isInvalid [||]) "empty"
            Expect.isTrue (isInvalid (Array.truncate (bytes.Length - 4) bytes)) "cut off"
            Expect.isTrue (isInvalid (Array.append bytes [| 0uy |])) "too long"
            let other = Array.copy bytes
            other[0] <- 9uy
            Expect.isTrue (isInvalid other) "another format")

        testCase "an observation of another size is refused" (fun () ->
            let _, _, policy = make [ 3; 4; 2 ] 1.0f 1L

            Expect.throwsT<ArgumentException>
                (fun () -> act policy (policy.CreateScratch()) [| 1.0f; 2.0f |] |> ignore)
                "two values for three")

        testCase "scratch of a smaller policy is refused" (fun () ->
            let _, _, small = make [ 3; 4; 2 ] 1.0f 1L
            let _, _, large = make [ 3; 400; 2 ] 1.0f 1L
            let foreign = small.CreateScratch()

            Expect.throwsT<ArgumentException> (fun () -> act large foreign [| 1.0f; 2.0f; 3.0f |] |> ignore) "too small")

        testCase "acting allocates nothing" (fun () ->
            let _, _, policy = make [ 17; 256; 128; 6 ] 1.0f 1L

            let scratch, observation, action =
                policy.CreateScratch(), normals (draws 8L) 17, Array.zeroCreate<float32> 6

            let run count =
                for _ in 1..count do
                    policy.Act(ReadOnlySpan observation, Span action, scratch)

            run 100
            let before = GC.GetAllocatedBytesForCurrentThread()
            run 1000
            Expect.equal (GC.GetAllocatedBytesForCurrentThread() - before) 0L "bytes")

        testCase "many threads may act with one policy" (fun () ->
            let _, _, policy = make [ 17; 64; 32; 6 ] 1.0f 1L
            let observations = Array.init 200 (fun i -> normals (draws (int64 i)) 17)
            let alone = observations |> Array.map (act policy (policy.CreateScratch()))
            let together = Array.zeroCreate observations.Length

            Parallel.For(0, observations.Length, fun i -> together[i] <- act policy (policy.CreateScratch()) observations[i])
            |> ignore

            Expect.equal together alone "the same actions")
    ]
