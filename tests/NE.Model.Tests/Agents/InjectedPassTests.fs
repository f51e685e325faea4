module NE.Model.Tests.Agents.InjectedPassTests

open System
open Expecto
open NE.Model.Agents
open NE.Model.Networks
open NE.Model
open NE.Model.Tests.Networks.EngineFixture

[<Tests>]
let tests =
    testList "Injected pass" [
        for engineName, makeEngine in engines do
            testCase $"{engineName}: both gradients in one backward pass are the bits of one after the other" (fun () ->
                use engine = makeEngine ()
                let layout, draws = BlockLayout.Create(2, [ 7; 20; 12; 3 ]), draws 1L
                use group = new NetworkGroup("critic", engine, layout, None)
                group.Initialise draws
                group.Inject(Draws.Of(2L, Purpose.PlasticityInjection))
                // The new body has learned something, or it would cancel with the one that is subtracted.
                let values = group.ReadOnline Field.Weights

                group.WriteOnline(
                    Field.Weights,
                    values
                    |> Array.mapi (fun i w ->
                        if i < layout.ParameterCount then
                            w + 0.1f * draws.NextSingle()
                        else
                            w)
                )

                let rows, first, count = 19, 2, 5
                let input = matrixOf engine rows 7 (normals draws (7 * rows))
                let weights = Array.init 2 (fun _ -> normals draws (3 * rows))

                let run backward read =
                    use pass = group.CreatePass(false, 2, input, ScaledTanh 0.4f, backward)
                    group.WriteOnline(Field.Gradients, Array.zeroCreate layout.Length)
                    pass.Forward()

                    for stack in 0..1 do
                        writeMatrix (pass.OutputGradient stack) weights[stack]

                    pass.Backward()
                    bits (group.ReadOnline Field.Gradients), read pass

                let ofInput (pass: IPass) = bits (readMatrix pass.InputGradient)
                let gradients, _ = run ParameterGradient ignore
                let untouched, inputGradient = run (InputGradient(first, count)) ofInput
                let both = run (BothGradients(first, count)) ofInput
                Expect.equal both (gradients, inputGradient) "gradients of the new body's parameters, and of the input columns"
                Expect.isTrue (gradients |> Array.exists ((<>) 0)) "there is a gradient"
                Expect.all untouched ((=) 0) "an input gradient leaves those of the parameters alone")
    ]
