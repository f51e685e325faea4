module NE.Model.Tests.Networks.Simd.GradientTests

open System
open Expecto
open NE.Benchmarks
open NE.Model.Networks
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks.EngineFixture
open TorchSharp

/// The largest difference of a layer's gradients, as a share of the layer's largest gradient.
let private worst (layout: BlockLayout) (found: float32[]) (expected: float32[]) =
    layout.Slots
    |> Seq.map (fun slot ->
        let part (values: float32[]) =
            Array.sub values slot.Weights (slot.WeightCount + slot.Outputs)

        let largest = part expected |> Array.map abs |> Array.max
        largestDifference (part found) (part expected) / float largest)
    |> Seq.max

/// Gradients of sum (output * weight) by the parameters and by the input, of an engine and of TorchSharp's autograd.
let private compare (engine: IEngine) (widths: int list) rows (scale: float32 option) =
    LibTorch.ensureLoaded ()
    use _ = torch.NewDisposeScope()
    let layout, draws = BlockLayout.Create(1, widths), draws 3L
    let parameters = layout.Initialise draws
    let x = normals draws (rows * layout.Inputs)
    let weight = normals draws (rows * layout.Outputs)

    let head =
        match scale with
        | Some scale -> ScaledTanh scale
        | None -> Linear

    use block = engine.CreateBlock(layout, true)
    write block Field.Weights parameters
    use input = matrixOf engine rows layout.Inputs x
    use pass = engine.CreatePass(block, 1, input, head, ParameterGradient)
    pass.Forward()
    writeMatrix (pass.OutputGradient 0) weight
    pass.Backward()

    use second =
        engine.CreatePass(block, 1, input, head, InputGradient(0, layout.Inputs))

    second.Forward()
    writeMatrix (second.OutputGradient 0) weight
    second.Backward()

    use model = new Mlp(layout.Widths.ToArray(), scale)
    model.Load(layout, 0, parameters)
    let leaf = torch.tensor(x).reshape(int64 rows, int64 layout.Inputs)
    leaf.requires_grad <- true
    let output = model.forward leaf
    (output * torch.tensor(weight).reshape(output.shape)).sum().backward()
    let expected = Array.zeroCreate<float32> layout.Length
    model.Store(layout, 0, (fun parameter -> nonNull parameter.grad), expected)
    let inputExpected = (nonNull leaf.grad).data<float32>().ToArray()
    let largest = inputExpected |> Array.map abs |> Array.max
    let case = $"%A{widths}, {rows} rows, {engine.Name}"
    Expect.isLessThan (worst layout (read block Field.Gradients) expected) 1e-5 $"parameters: {case}"

    Expect.isLessThan
        (largestDifference (readMatrix second.InputGradient) inputExpected
         / float largest)
        1e-5
        $"input: {case}"

[<Tests>]
let tests =
    testList "Gradients" [
        for name, makeEngine in kernelEngines do
            testCase $"{name}: within 1e-5 of each layer's largest autograd gradient at all sizes of tasks and networks" (fun () ->
                use engine = makeEngine ()

                for hidden in [ [ 256; 128 ]; [ 32; 32 ]; [ 7; 5 ]; [ 40 ]; [ 33; 17; 9 ] ] do
                    for observation, action in [ 11, 3; 17, 6; 376, 17; 3, 1 ] do
                        for rows in [ 1; 7; 256 ] do
                            // The largest of everything would only take long.
                            if observation < 376 || rows < 256 then
                                compare engine [ observation; yield! hidden; action ] rows (Some 0.4f)
                                compare engine [ observation + action; yield! hidden; 1 ] rows None)
    ]
