module NE.Model.Tests.Networks.PassTests

open System
open Expecto
open Expecto.ExpectoFsCheck
open NE.Model.Networks
open NE.Model.Networks.Torch
open NE.Model.Tests.Networks.EngineFixture
open TorchSharp

/// The same network built from torch functions with autograd.
let private autograd (layout: BlockLayout) stack (parameters: float32[]) (x: torch.Tensor) (scale: float32 option) =
    let leaves =
        Array.init layout.Layers (fun layer ->
            let slot = layout.Slot(stack, layer)

            let w =
                torch.tensor(Array.sub parameters slot.Weights slot.WeightCount).reshape(int64 slot.Outputs, int64 slot.Inputs)

            let b = torch.tensor (Array.sub parameters slot.Biases slot.Outputs)
            w.requires_grad <- true
            b.requires_grad <- true
            slot, w, b)

    let mutable h = x

    for layer in 0 .. layout.Layers - 1 do
        let _, w, b = leaves[layer]
        h <- torch.nn.functional.linear (h, w, b)

        if layer < layout.Layers - 1 then
            h <- torch.nn.functional.relu h

    let output =
        match scale with
        | Some scale -> torch.tanh (h) * held scale
        | None -> h

    output, leaves

let private array (tensor: torch.Tensor) =
    tensor.detach().contiguous().data<float32>().ToArray()

type private Case = {
    Layout: BlockLayout
    Rows: int
    Head: Head
    Scale: float32 option
}

let private cases = [
    for widths in [ [ 5; 8; 1 ]; [ 17; 32; 24; 6 ]; [ 3; 9; 7; 11; 2 ] ] do
        for stacks in [ 1; 2 ] do
            for scale in [ None; Some 1.0f; Some 0.4f ] do
                {
                    Layout = BlockLayout.Create(stacks, widths)
                    Rows = 19
                    Head =
                        (match scale with
                         | Some s -> ScaledTanh s
                         | None -> Linear)
                    Scale = scale
                }
]

let private perCase name body =
    testList name [
        for engineName, makeEngine in engines do
            for case in cases do
                let widths = String.Join("-", case.Layout.Widths.ToArray())

                testCase $"{engineName}, {case.Layout.Stacks} x {widths}, %A{case.Head}" (fun () ->
                    LibTorch.ensureLoaded ()
                    // The oracle's tensors are held until the end.
                    use _ = torch.NewDisposeScope()
                    use engine = makeEngine ()
                    body engine case)
    ]

let private perEngine name body =
    testList name [
        for engineName, makeEngine in engines ->
            testCase engineName (fun () ->
                use engine = makeEngine ()
                body engine)
    ]

[<Tests>]
let tests =
    testList "Pass" [
        testPropertyWithConfig
            {
                FsCheckConfig.defaultConfig with
                    maxTest = 50
            }
            "the layers of a layout fill the block without gap or overlap"
            (fun (stacks: byte) (widths: byte list) ->
                let widths =
                    1 :: 2 :: (widths |> List.truncate 5 |> List.map (fun w -> int w % 40 + 1))

                let layout = BlockLayout.Create(int stacks % 3 + 1, widths)
                let used = Array.zeroCreate<int> layout.Length

                for slot in layout.Slots do
                    for i in slot.Weights .. slot.Weights + slot.WeightCount - 1 do
                        used[i] <- used[i] + 1

                    for i in slot.Biases .. slot.Biases + slot.Outputs - 1 do
                        used[i] <- used[i] + 1

                layout.Length % 16 = 0
                && used
                   |> Array.indexed
                   |> Array.forall (fun (i, count) -> count = (if i < layout.ParameterCount then 1 else 0)))

        perCase "the backward pass gives autograd's gradients of all parameters" (fun engine case ->
            let layout, draws = case.Layout, draws 1L
            use block = engine.CreateBlock(layout, true)
            let parameters = layout.Initialise draws
            write block Field.Weights parameters
            let x = normals draws (case.Rows * layout.Inputs)
            let input = matrixOf engine case.Rows layout.Inputs x

            use pass =
                engine.CreatePass(block, layout.Stacks, input, case.Head, ParameterGradient)

            pass.Forward()
            let expected = Array.zeroCreate<float32> layout.Length

            for stack in 0 .. layout.Stacks - 1 do
                let output, leaves =
                    autograd layout stack parameters (torch.tensor(x).reshape(int64 case.Rows, int64 layout.Inputs)) case.Scale

                Expect.isLessThan (largestDifference (readMatrix (pass.Output stack)) (array output)) 1e-6 "output"
                let weight = normals draws (case.Rows * layout.Outputs)
                writeMatrix (pass.OutputGradient stack) weight
                (output * torch.tensor(weight).reshape(output.shape)).sum().backward()

                for slot, w, b in leaves do
                    (array (nonNull w.grad)).CopyTo(expected, slot.Weights)
                    (array (nonNull b.grad)).CopyTo(expected, slot.Biases)

            pass.Backward()
            Expect.isLessThan (largestDifference (read block Field.Gradients) expected) 1e-5 "gradients")

        perCase "the backward pass gives autograd's gradient of the chosen input columns" (fun engine case ->
            let layout, draws = case.Layout, draws 2L
            use block = engine.CreateBlock(layout, true)
            let parameters = layout.Initialise draws
            write block Field.Weights parameters
            let x = normals draws (case.Rows * layout.Inputs)
            let input = matrixOf engine case.Rows layout.Inputs x
            let first, count = 1, layout.Inputs - 1

            use pass =
                engine.CreatePass(block, layout.Stacks, input, case.Head, InputGradient(first, count))

            pass.Forward()
            let leaf = torch.tensor(x).reshape(int64 case.Rows, int64 layout.Inputs)
            leaf.requires_grad <- true

            for stack in 0 .. layout.Stacks - 1 do
                let output, _ = autograd layout stack parameters leaf case.Scale
                let weight = normals draws (case.Rows * layout.Outputs)
                writeMatrix (pass.OutputGradient stack) weight
                (output * torch.tensor(weight).reshape(output.shape)).sum().backward()

            pass.Backward()
            let expected = (nonNull leaf.grad).narrow(1L, int64 first, int64 count)
            Expect.isLessThan (largestDifference (readMatrix pass.InputGradient) (array expected)) 1e-5 "gradients")

        perCase "both gradients in one backward pass are the bits of one after the other" (fun engine case ->
            let layout, draws = case.Layout, draws 5L
            use block = engine.CreateBlock(layout, true)
            write block Field.Weights (layout.Initialise draws)

            let input =
                matrixOf engine case.Rows layout.Inputs (normals draws (case.Rows * layout.Inputs))

            let weights =
                Array.init layout.Stacks (fun _ -> normals draws (case.Rows * layout.Outputs))

            let run backward =
                let pass = engine.CreatePass(block, layout.Stacks, input, case.Head, backward)
                write block Field.Gradients (Array.zeroCreate layout.Length)
                pass.Forward()

                for stack in 0 .. layout.Stacks - 1 do
                    writeMatrix (pass.OutputGradient stack) weights[stack]

                pass.Backward()
                pass, bits (read block Field.Gradients)

            let first, count = 1, layout.Inputs - 1
            let parametersAlone, gradients = run ParameterGradient
            let inputsAlone, untouched = run (InputGradient(first, count))
            let both, same = run (BothGradients(first, count))
            Expect.equal same gradients "gradients of the parameters"
            Expect.all untouched (fun bits -> bits = 0) "an input gradient leaves those of the parameters alone"

            Expect.equal
                (bits (readMatrix both.InputGradient))
                (bits (readMatrix inputsAlone.InputGradient))
                "gradient of the input columns"

            for pass in [ parametersAlone; inputsAlone; both ] do
                pass.Dispose())

        perCase "rows without a gradient by the output have the bits that they have in a pass of all rows" (fun engine case ->
            let layout, draws = case.Layout, draws 6L
            use block = engine.CreateBlock(layout, true)
            write block Field.Weights (layout.Initialise draws)

            use input =
                matrixOf engine case.Rows layout.Inputs (normals draws (case.Rows * layout.Inputs))

            // A row is asked of one stack, or of none; the zeros are of both signs.
            let weights =
                Array.init layout.Stacks (fun stack ->
                    normals draws (case.Rows * layout.Outputs)
                    |> Array.mapi (fun i value ->
                        let row = i / layout.Outputs

                        if row % 3 = stack then value
                        elif row % 2 = 0 then 0.0f
                        else -0.0f))

            let run backward =
                use pass = engine.CreatePass(block, layout.Stacks, input, case.Head, backward)
                // Twice: what the first has left behind must not matter.
                for _ in 1..2 do
                    pass.Forward()

                    for stack in 0 .. layout.Stacks - 1 do
                        writeMatrix (pass.OutputGradient stack) weights[stack]

                    pass.Backward()

                bits (readMatrix pass.InputGradient)

            let first, count = 1, layout.Inputs - 1
            Expect.equal (run (InputGradient(first, count))) (run (BothGradients(first, count))) "bits")

        perEngine "the head of a single output is applied once" (fun engine ->
            let layout = BlockLayout.Create(1, [ 3; 8; 1 ])
            use block = engine.CreateBlock(layout, false)
            write block Field.Weights (layout.Initialise(draws 7L))
            use input = matrixOf engine 19 3 (normals (draws 8L) 57)
            use pass = engine.CreatePass(block, 1, input, Linear, NoGradient)
            pass.Forward()

            let expected =
                readMatrix (pass.Output 0) |> Array.map (fun y -> 0.4f * MathF.Tanh y)

            engine.HeadForward(pass.Output 0, ScaledTanh 0.4f)
            Expect.isLessThan (largestDifference (readMatrix (pass.Output 0)) expected) 1e-6 "tanh")

        perEngine "a minibatch holds each row as stored, with room for the next action" (fun engine ->
            let shape: NE.Model.Replay.TransitionShape = { ObservationSize = 4; ActionSize = 2 }
            use replay = new NE.Benchmarks.RandomReplay(shape, 50, 1.0f, 1L)
            use batch = engine.CreateMinibatch(3, shape)
            batch.Gather(replay, ReadOnlySpan [| 7L; 0L; 49L |])

            let expected = Array.collect replay.Copy [| 7L; 0L; 49L |]

            Expect.equal (readMatrix (batch.View(0, shape.StoredWidth))) expected "rows"
            Expect.equal shape.BatchWidth (shape.StoredWidth + 2) "room for a'"

            Expect.throwsT<ArgumentException> (fun () -> batch.Gather(replay, ReadOnlySpan [| 1L; 2L |])) "two rows for a batch of three")

        perEngine "what does not fit is refused" (fun engine ->
            let layout = BlockLayout.Create(1, [ 3; 4; 2 ])
            use target = engine.CreateBlock(layout, false)
            use matrix = engine.CreateMatrix(2, 3)
            use pass = engine.CreatePass(target, 1, matrix, Linear, NoGradient)
            let short = Array.zeroCreate<float32> 5
            Expect.throwsT<ArgumentException> (fun () -> writeMatrix matrix short) "five floats for 2 x 3"
            Expect.throwsT<ArgumentException> (fun () -> matrix.Read(Span short)) "room for five of 2 x 3"
            Expect.throwsT<ArgumentException> (fun () -> write target Field.Weights short) "five floats for a block"
            Expect.throwsT<InvalidOperationException> (fun () -> read target Field.Gradients |> ignore) "a target has no gradients"
            Expect.throwsT<InvalidOperationException> (fun () -> pass.Backward()) "a pass without gradient")
    ]
