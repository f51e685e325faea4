module NE.Model.Tests.Networks.AdamTests

open System
open Expecto
open NE.Model.Networks
open NE.Model.Tests.Networks.EngineFixture
open TorchSharp

let private options = {
    LearningRate = 3e-4f
    Beta1 = 0.9
    Beta2 = 0.999
    Epsilon = 1e-8f
}

let private layout = BlockLayout.Create(2, [ 7; 13; 3 ])

/// Random weights, and a mask and a bound for every parameter.
let private block (engine: IEngine) seed sparse bounded =
    let draws = draws seed
    let block = engine.CreateBlock(layout, true)
    let mask = read block Field.Mask
    let weights = layout.Initialise draws

    for i in 0 .. layout.ParameterCount - 1 do
        if sparse && draws.NextSingle() < 0.5f then
            mask[i] <- 0.0f
            weights[i] <- 0.0f

    write block Field.Mask mask
    write block Field.Weights weights

    if bounded then
        write block Field.Bound (Array.create layout.Length 0.3f)

    block

let private gradients seed count =
    let draws = draws (seed + 1000L)

    List.init count (fun step ->
        let scale = if step % 3 = 0 then 0.01f else 1.0f
        let values = normals draws layout.Length |> Array.map (fun g -> scale * g)
        Array.fill values layout.ParameterCount (layout.Length - layout.ParameterCount) 0.0f
        values)

let private run (engine: IEngine) (block: IParameterBlock) steps =
    for gradient in steps do
        write block Field.Gradients gradient
        engine.Adam(block, options)

/// Kingma and Ba 2015 in double precision.
let private reference (weights: float32[]) (steps: float32[] list) =
    let w = Array.map float weights
    let m, v = Array.zeroCreate<float> w.Length, Array.zeroCreate<float> w.Length

    steps
    |> List.iteri (fun step gradient ->
        let age = float (step + 1)

        for i in 0 .. w.Length - 1 do
            let g = float gradient[i]
            m[i] <- 0.9 * m[i] + 0.1 * g
            v[i] <- 0.999 * v[i] + 0.001 * g * g
            let mHat, vHat = m[i] / (1.0 - 0.9 ** age), v[i] / (1.0 - 0.999 ** age)
            w[i] <- w[i] - 3e-4 * mHat / (sqrt vHat + 1e-8))

    w |> Array.map float32

let private perEngineOf (engines: (string * (unit -> IEngine)) list) name body =
    testList name [
        for engineName, makeEngine in engines ->
            testCase engineName (fun () ->
                use engine = makeEngine ()
                body engine)
    ]

let private perEngine name body = perEngineOf engines name body

[<Tests>]
let tests =
    testList "Adam" [
        perEngine "500 steps equal the published formula in double precision to 1e-6" (fun engine ->
            use block = block engine 1L false false
            let start, steps = read block Field.Weights, gradients 1L 500
            run engine block steps
            Expect.isLessThan (largestDifference (read block Field.Weights) (reference start steps)) 1e-6 "weights")

        perEngine "500 steps equal TorchSharp's Adam to 1e-6" (fun engine ->
            use block = block engine 2L false false
            let steps = gradients 2L 500
            let parameter = new Modules.Parameter(torch.tensor (read block Field.Weights))
            let adam = torch.optim.Adam([ parameter ], lr = 3e-4)

            for gradient in steps do
                parameter.grad <- torch.tensor gradient
                adam.step () |> ignore

            run engine block steps
            let theirs = parameter.detach().data<float32>().ToArray()
            Expect.isLessThan (largestDifference (read block Field.Weights) theirs) 1e-6 "weights")

        testCase "all engines agree to 1e-6, with mask, bound and ages" (fun () ->
            let results = [
                for _, makeEngine in engines do
                    use engine = makeEngine ()
                    use block = block engine 3L true true
                    run engine block (gradients 3L 400)

                    [
                        for field in
                            [
                                Field.Weights
                                Field.FirstMoments
                                Field.SecondMoments
                                Field.Beta1Powers
                                Field.Beta2Powers
                            ] -> read block field
                    ]
            ]

            for other in List.tail results do
                for a, b in List.zip results[0] other do
                    Expect.isLessThan (largestDifference a b) 1e-6 "field")

        perEngine "a masked weight and its moments stay exactly zero whatever its gradient" (fun engine ->
            use block = block engine 4L true true
            let mask = read block Field.Mask
            run engine block (gradients 4L 20)

            for field in [ Field.Weights; Field.FirstMoments; Field.SecondMoments ] do
                let values = read block field

                for i in 0 .. layout.Length - 1 do
                    if mask[i] = 0.0f then
                        Expect.equal values[i] 0.0f $"{field} {i}")

        perEngine "no weight passes its bound, and clipping once more changes nothing" (fun engine ->
            use block = block engine 5L false true

            for gradient in gradients 5L 300 do
                // One sign only, so that weights run into the bound.
                run engine block [ gradient |> Array.map abs ]
                let weights = read block Field.Weights
                Expect.all weights (fun w -> abs w <= 0.3f) "inside the bound"
                Expect.equal (weights |> Array.map (fun w -> Math.Clamp(w, -0.3f, 0.3f))) weights "idempotent"

            Expect.exists (read block Field.Weights) (fun w -> w = -0.3f) "some weight reached it")

        perEngine "an element made fresh late in training moves at most one learning rate on its first step" (fun engine ->
            use block = block engine 6L false false
            run engine block (gradients 6L 200)

            for field, fresh in
                [
                    Field.FirstMoments, 0.0f
                    Field.SecondMoments, 0.0f
                    Field.Beta1Powers, 1.0f
                    Field.Beta2Powers, 1.0f
                ] do
                let values = read block field
                values[5] <- fresh
                write block field values

            let before = read block Field.Weights
            run engine block (gradients 7L 1)
            let after = read block Field.Weights
            let moved = abs (float after[5] - float before[5])
            Expect.isLessThanOrEqual moved (3e-4 * 1.001) "at most lr (1 + 1e-3)"
            Expect.isGreaterThan moved (3e-4 * 0.99) "a full step all the same")

        perEngineOf kernelEngines "ages and moments are flushed before they turn denormal" (fun engine ->
            use block = block engine 8L false false
            run engine block (gradients 8L 1)
            let silent = Array.zeroCreate<float32> layout.Length
            run engine block (List.replicate 2000 silent)

            for field in
                [
                    Field.FirstMoments
                    Field.SecondMoments
                    Field.Beta1Powers
                    Field.Beta2Powers
                ] do
                Expect.all (read block field) (fun x -> x = 0.0f || Single.IsNormal x) $"{field}"

            Expect.all (read block Field.Beta1Powers) (fun p -> p = 0.0f) "0.9^2001 is below 2^-25")

        perEngine "a NaN gradient shows in the weights instead of being clipped away" (fun engine ->
            use block = block engine 9L false true
            Expect.isTrue (block.IsFinite Field.Weights) "finite before"
            let gradient = Array.zeroCreate<float32> layout.Length
            gradient[3] <- Single.NaN
            run engine block [ gradient ]
            Expect.isFalse (block.IsFinite Field.Weights) "found"
            let weights = read block Field.Weights
            Expect.isTrue (Single.IsNaN weights[3]) "still a NaN")

        perEngine "Polyak averaging moves the target by tau and keeps zeros zero" (fun engine ->
            use online = block engine 10L true false
            use target = engine.CreateBlock(layout, false)
            let start = normals (draws 11L) layout.Length
            let mask, weights = read online Field.Mask, read online Field.Weights
            let start = Array.map2 (*) start mask
            write target Field.Weights start
            engine.Polyak(target, online, 0.25f)
            let expected = Array.map2 (fun t w -> t + 0.25f * (w - t)) start weights
            Expect.isLessThan (largestDifference (read target Field.Weights) expected) 1e-6 "average"

            Seq.zip mask (read target Field.Weights)
            |> Seq.iter (fun (m, t) ->
                if m = 0.0f then
                    Expect.equal t 0.0f "zero stays zero"))

        testList "the vector kernels give the bits of a scalar loop" [
            for engineName, makeEngine in kernelEngines do
                for sparse in [ true; false ] do
                    testCase $"{engineName}, sparse: {sparse}" (fun () ->
                        // The scalar loop below does the kernel's operations one element at a time, in float32. The powers of beta1 become 0 within
                        // these steps, so that engines which stop reading them are caught in the act.
                        use engine = makeEngine ()
                        use block = block engine 12L sparse true
                        let w, mask = read block Field.Weights, read block Field.Mask
                        let n = layout.Length
                        let m, v = Array.zeroCreate<float32> n, Array.zeroCreate<float32> n
                        let p1, p2 = Array.create n 1.0f, Array.create n 1.0f
                        let b1, b2, c1, c2 = 0.9f, 0.999f, float32 (1.0 - 0.9), float32 (1.0 - 0.999)
                        let steps = gradients 12L 250

                        for gradient in steps do
                            for i in 0 .. n - 1 do
                                let g = gradient[i] * mask[i]

                                let flush threshold magnitude x =
                                    if magnitude < threshold then 0.0f else x

                                let first = b1 * m[i] + c1 * g
                                m[i] <- flush 1e-30f (abs first) first
                                let second = b2 * v[i] + c2 * (g * g)
                                v[i] <- flush 1e-30f second second
                                let power1 = b1 * p1[i]
                                p1[i] <- flush ElementwiseKernels.FlushPower power1 power1
                                let power2 = b2 * p2[i]
                                p2[i] <- flush ElementwiseKernels.FlushPower power2 power2
                                let root = MathF.Sqrt(1.0f - p2[i])

                                let step =
                                    (3e-4f * m[i] * root) / ((1.0f - p1[i]) * (MathF.Sqrt v[i] + 1e-8f * root))

                                w[i] <- Math.Clamp((w[i] - step) * mask[i], -0.3f, 0.3f)

                        run engine block steps
                        Expect.equal (bits (read block Field.Weights)) (bits w) "weights"
                        Expect.equal (bits (read block Field.Beta2Powers)) (bits p2) "ages")
        ]
    ]
