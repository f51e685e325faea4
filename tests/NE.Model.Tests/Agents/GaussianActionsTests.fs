module NE.Model.Tests.Agents.GaussianActionsTests

open System
open Expecto
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Tests.Networks.EngineFixture

let private maxAction = 0.4f

/// The noise that Sample draws.
let private noiseOf seed count = normals (draws seed) count

/// Outputs of a network: means and log-deviations of which some lie outside of their bounds.
let private outputsOf rows components =
    let random = draws 21L

    Array.init (rows * components) (fun i -> [|
        3.0f * float32 (random.NextNormal())

        match i % 7 with
        | 0 -> -25.0f
        | 1 -> 2.5f
        | _ -> float32 (random.NextNormal())
    |])
    |> Array.concat

let private softplus (x: float) =
    max x 0.0 + Math.Log(1.0 + Math.Exp(-abs x))

/// log sigma in double precision: to [-20, 2], or into [-10, 2].
let private logDeviationOf form output =
    match form with
    | LogDeviation.Clamped -> Math.Clamp(output, -20.0, 2.0)
    | LogDeviation.Tanh -> -10.0 + 6.0 * (Math.Tanh output + 1.0)

/// log pi of one row in double precision, in the form of the paper's reference implementations.
let private logProbability form (outputs: float[]) (noise: float[]) =
    Array.init noise.Length (fun i ->
        let logDeviation = logDeviationOf form outputs[2 * i + 1]
        let u = outputs[2 * i] + Math.Exp logDeviation * noise[i]

        -noise[i] * noise[i] / 2.0
        - logDeviation
        - Math.Log(2.0 * Math.PI) / 2.0
        - 2.0 * (Math.Log 2.0 - u - softplus (-2.0 * u)))
    |> Array.sum

let private actionOf form (outputs: float[]) (noise: float[]) =
    Array.init noise.Length (fun i ->
        float maxAction
        * Math.Tanh(outputs[2 * i] + Math.Exp(logDeviationOf form outputs[2 * i + 1]) * noise[i]))

let private rowsOf width (values: float32[]) =
    values |> Array.map float |> Array.chunkBySize width

/// Actions and log-probabilities of a batch with these outputs.
let private sampledIn form (engine: IEngine) rows components live (outputs: float32[]) seed =
    let gaussian = GaussianActions(rows, components, maxAction, form)
    use source = matrixOf engine rows (2 * components) outputs
    use action = engine.CreateMatrix(rows, components)
    gaussian.Sample(source, live, draws seed, action)
    gaussian, readMatrix action

let private sampled = sampledIn LogDeviation.Clamped

[<Tests>]
let tests =
    testList "Gaussian actions" [
        for (name, make), form in List.allPairs engines [ LogDeviation.Clamped; LogDeviation.Tanh ] do
            testCase $"{name}, %A{form}: actions and their log-probabilities are those of a slow computation in double precision"
            <| fun _ ->
                use engine = make ()

                for rows, components in [ 13, 3; 4, 1; 32, 6 ] do
                    let outputs = outputsOf rows components
                    let gaussian, actions = sampledIn form engine rows components components outputs 5L
                    let noise = rowsOf components (noiseOf 5L (rows * components))

                    Array.iteri2
                        (fun row (outputs: float[]) noise ->
                            let expected = logProbability form outputs noise

                            Expect.floatClose
                                { absolute = 1e-5; relative = 1e-6 }
                                (float gaussian.LogProbabilities[row])
                                expected
                                $"log pi, row {row}"

                            Array.iter2
                                (fun found action -> Expect.floatClose { absolute = 1e-6; relative = 0.0 } found action $"row {row}")
                                (rowsOf components actions).[row]
                                (actionOf form outputs noise))
                        (rowsOf (2 * components) outputs)
                        noise

                    Expect.floatClose
                        Accuracy.high
                        gaussian.MeanLogProbability
                        (gaussian.LogProbabilities |> Array.averageBy float)
                        "the mean"

            testCase $"{name}, %A{form}: the gradient is that of finite differences"
            <| fun _ ->
                use engine = make ()
                let rows, components, weight = 9, 3, 0.7f
                let outputs = outputsOf rows components
                let gaussian, _ = sampledIn form engine rows components components outputs 5L
                let noise = rowsOf components (noiseOf 5L (rows * components))
                let byAction = noiseOf 6L (rows * components)
                use actionGradient = matrixOf engine rows components byAction
                use outputGradient = engine.CreateMatrix(rows, 2 * components)
                gaussian.Backward(actionGradient, weight, components, outputGradient)
                let found = rowsOf (2 * components) (readMatrix outputGradient)

                for row in 0 .. rows - 1 do
                    let values = (rowsOf (2 * components) outputs).[row]
                    let slopes = (rowsOf components byAction).[row]

                    let loss (values: float[]) =
                        float weight * logProbability form values noise[row]
                        + Array.fold2 (fun sum slope action -> sum + slope * action) 0.0 slopes (actionOf form values noise[row])

                    for i in 0 .. values.Length - 1 do
                        let moved by =
                            loss (Array.mapi (fun j value -> if i = j then value + by else value) values)

                        let expected = (moved 1e-5 - moved -1e-5) / 2e-5
                        Expect.floatClose { absolute = 1e-5; relative = 1e-4 } found[row].[i] expected $"row {row}, output {i}"

        testCase "far out, where 1 - tanh^2 is 0 in any precision, the log-probability and its gradient are finite and right"
        <| fun _ ->
            use engine = simdAt Simd.VectorWidth.Bits256 1 ()
            let gaussian, actions = sampled engine 2 1 1 [| 60.0f; 0.0f; -60.0f; 0.0f |] 5L
            let noise = noiseOf 5L 2

            for row in 0..1 do
                let expected =
                    logProbability LogDeviation.Clamped [| (if row = 0 then 60.0 else -60.0); 0.0 |] [| float noise[row] |]

                Expect.floatClose Accuracy.medium (float gaussian.LogProbabilities[row]) expected "log pi"

            Expect.equal actions [| maxAction; -maxAction |] "at the bounds"

        testCase "a density integrates to 1 over the actions scaled to [-1, 1]"
        <| fun _ ->
            use engine = simdAt Simd.VectorWidth.Bits256 1 ()
            let rows = 20_000

            for mean, logDeviation in [ 0.0f, 0.0f; 0.8f, -1.0f; -1.5f, 0.7f ] do
                let outputs = Array.init rows (fun _ -> [| mean; logDeviation |]) |> Array.concat
                let gaussian, actions = sampled engine rows 1 1 outputs 8L

                let points =
                    Array.zip actions gaussian.LogProbabilities
                    |> Array.map (fun (action, density) -> float action / float maxAction, Math.Exp(float density))
                    |> Array.sortBy fst

                // Trapezoids between the drawn actions; the tails beyond the outermost ones have hardly any weight.
                let integral =
                    points
                    |> Array.pairwise
                    |> Array.sumBy (fun ((x, p), (y, q)) -> (y - x) * (p + q) / 2.0)

                Expect.floatClose { absolute = 2e-3; relative = 0.0 } integral 1.0 $"mean {mean}, log sigma {logDeviation}"

        testCase "components that the task does not have do nothing and get no gradient"
        <| fun _ ->
            use engine = simdAt Simd.VectorWidth.Bits256 1 ()
            let rows, components, live = 5, 4, 2

            let outputs =
                outputsOf rows components
                |> Array.mapi (fun i value -> if i % (2 * components) < 2 * live then value else 0.0f)

            let gaussian, actions = sampled engine rows components live outputs 5L
            let noise = rowsOf components (noiseOf 5L (rows * components))
            use slopes = matrixOf engine rows components (Array.create (rows * components) 1.0f)
            use gradient = engine.CreateMatrix(rows, 2 * components)
            gaussian.Backward(slopes, 0.3f, live, gradient)

            for row in 0 .. rows - 1 do
                let actions = (Array.chunkBySize components actions).[row]
                Expect.equal actions[live..] [| 0.0f; 0.0f |] "no action"

                let expected =
                    logProbability LogDeviation.Clamped (rowsOf (2 * components) outputs).[row].[.. 2 * live - 1] noise[row].[.. live - 1]

                Expect.floatClose Accuracy.medium (float gaussian.LogProbabilities[row]) expected "log pi of the others"
                let gradient = (Array.chunkBySize (2 * components) (readMatrix gradient)).[row]
                Expect.all gradient[2 * live ..] (fun value -> value = 0.0f) "no gradient"

        testCase "a NaN stays visible"
        <| fun _ ->
            use engine = simdAt Simd.VectorWidth.Bits256 1 ()

            for outputs in [ [| nanf; 0.0f |]; [| 0.0f; nanf |] ] do
                let gaussian, actions = sampled engine 1 1 1 outputs 5L
                Expect.isTrue (Single.IsNaN actions[0] && Single.IsNaN gaussian.LogProbabilities[0]) "both"
    ]
