module NE.Model.Tests.Topology.DormancyTests

open System
open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

/// Activations of a ReLU layer: some neurons silent, some constant.
let private activations rows width draws =
    let kinds = Array.init width (fun _ -> between 0 3 draws)
    let level = normals width draws

    Array.init (rows * width) (fun index ->
        match kinds[index % width] with
        | 0 -> 0.0f
        | 1 -> abs level[index % width]
        | _ -> max 0.0f (float32 (draws.NextNormal())))

let private layer rows width draws =
    let h = activations rows width draws
    let fanIn = Array.init width (fun _ -> between 0 2 draws)

    h,
    {
        Statistics = ofActivations rows width h
        FanIn = fanIn
    }

[<Tests>]
let tests =
    testList "dormancy" [
        law "agrees with a slow reference" (fun seed ->
            let draws = drawsOf seed
            let rows, width = between 1 30 draws, between 1 12 draws
            let h = activations rows width draws
            let tau = if draws.NextDouble() < 0.5 then 0.0 else draws.NextDouble()

            let mean neuron =
                [ for row in 0 .. rows - 1 -> float (abs h[row * width + neuron]) ]
                |> List.average

            let layerMean = [ for neuron in 0 .. width - 1 -> mean neuron ] |> List.average

            let margin neuron =
                abs (mean neuron / (layerMean + 1e-9) - tau)

            let result = Dormancy.dormant tau (ofActivations rows width h)

            for neuron in 0 .. width - 1 do
                // The statistics are single precision: a score within rounding of the threshold may fall on either side.
                if tau = 0.0 || margin neuron > 1e-5 then
                    Expect.equal result[neuron] (mean neuron / (layerMean + 1e-9) <= tau) $"neuron {neuron}")

        testCase "of a silent layer is complete"
        <| fun () ->
            let silent = ofActivations 5 4 (Array.zeroCreate 20)
            Expect.equal (Dormancy.scores silent) (Array.zeroCreate 4) "scores"
            Expect.equal (Dormancy.dormant 0.0 silent) (Array.create 4 true) "dormant"

        law "does not depend on the scale of the layer" (fun seed ->
            let draws = drawsOf seed
            let rows, width = between 1 30 draws, between 1 12 draws
            let h = activations rows width draws
            let scale = MathF.Pow(2.0f, float32 (between -4 6 draws))
            let plain = ofActivations rows width h
            let scaled = ofActivations rows width (h |> Array.map (fun x -> scale * x))
            Seq.iter2 (fun a b -> Expect.floatClose Accuracy.low a b "score") (Dormancy.scores scaled) (Dormancy.scores plain)
            Expect.equal (Dormancy.dormant 0.0 scaled) (Dormancy.dormant 0.0 plain) "dormant")

        law "pools its ratios over layers, with the full width as denominator" (fun seed ->
            let draws = drawsOf seed
            let rows = between 2 30 draws

            let layers =
                Array.init (between 1 4 draws) (fun _ -> layer rows (between 1 12 draws) draws)

            let tau = [ 0.0; 0.025; 0.1 ][between 0 2 draws]
            let ratios = Dormancy.ratios tau (Array.map snd layers)

            let neurons = [
                for h, layer in layers do
                    for i in 0 .. layer.FanIn.Length - 1 -> h, layer, i
            ]

            let column (h: float32[], layer: HiddenLayer, i) = [ for row in 0 .. rows - 1 -> h[row * layer.FanIn.Length + i] ]

            let varies neuron =
                column neuron |> List.distinct |> List.length > 1

            let hasInput (_, layer: HiddenLayer, i) = layer.FanIn[i] > 0
            let responds neuron = hasInput neuron && varies neuron

            let active (_, layer, i) =
                not (Dormancy.dormant tau layer.Statistics |> Array.item i)

            let share holds =
                (neurons |> List.filter holds |> List.length |> float) / float neurons.Length

            let positive holds =
                neurons
                |> List.filter holds
                |> List.sumBy (column >> List.filter (fun x -> x > 0.0f) >> List.length)
                |> float

            let pairs = float (rows * neurons.Length)

            let close a b message =
                Expect.floatClose Accuracy.veryHigh a b message

            close ratios.Activated (share (fun n -> active n && responds n)) "anr"
            close ratios.ActivatedRaw (share active) "raw anr"
            close ratios.ActiveUnits (positive responds / pairs) "fau"
            close ratios.ActiveUnitsRaw (positive (fun _ -> true) / pairs) "raw fau"
            close ratios.Connected (share hasInput) "connected"
            close ratios.Constant (share (fun n -> not (responds n) && (column n |> List.exists (fun x -> x > 0.0f)))) "constant"

            if tau = 0.0 then
                close ratios.ActivatedRaw (ratios.Activated + ratios.Constant) "at tau 0 the constant neurons are the difference")

        testCase "sees no variation in a positive constant, whatever its value"
        <| fun () ->
            for value in [ 0.1f; 1.0f / 3.0f; 1e-20f; 12345.678f ] do
                let statistics = ofActivations 1000 1 (Array.create 1000 value)
                Expect.equal statistics.Deviation[0] 0.0f $"{value}"

                let ratios =
                    Dormancy.ratios 0.0 [|
                        {
                            Statistics = statistics
                            FanIn = [| 3 |]
                        }
                    |]

                Expect.equal (ratios.Activated, ratios.ActivatedRaw, ratios.Constant) (0.0, 1.0, 1.0) "ratios"
    ]
