/// Random topology cases for the property tests: a case is a function of one number, which a failing property prints.
module NE.Model.Tests.Topology.Cases

open System
open Expecto
open FsCheck
open NE.Model
open NE.Model.Topology

/// A stream for test number `seed`.
let drawsOf (seed: int64) = Draws.Of(seed, Purpose.Topology)

/// A property over random 64-bit seeds, 200 of them.
let law name (body: int64 -> unit) =
    testPropertyWithConfig
        {
            FsCheckConfig.defaultConfig with
                maxTest = 200
        }
        name
        (fun (DoNotSize(seed: int64)) -> body seed)

let between low high (draws: Draws) =
    low + int (draws.NextInt(int64 (high - low + 1)))

let normals count (draws: Draws) : float32[] =
    Array.init count (fun _ -> float32 (draws.NextNormal()))

/// Pearson's statistic must stay below a quantile of about 1e-4 (its mean plus four standard deviations).
let expectUniform (counts: int[]) (expected: float) message =
    let statistic =
        counts |> Array.sumBy (fun count -> (float count - expected) ** 2.0 / expected)

    let freedom = float (counts.Length - 1)
    Expect.isLessThan statistic (freedom + 4.0 * Math.Sqrt(2.0 * freedom)) message

/// A stack of two to four layers with up to 14 neurons each, random masks (some rows empty), gradients, weights, dormant sets and quotas.
let stackBefore (draws: Draws) : StackBefore =
    let depth = between 2 4 draws
    let widths = Array.init (depth + 1) (fun _ -> between 1 14 draws)

    let layer l =
        let rows, columns = widths[l + 1], widths[l]
        let size = rows * columns
        let elastic = l = 1 || draws.NextDouble() < 0.5

        let mask =
            if elastic then
                LayerMask.random rows columns (between 0 size draws) draws
            else
                LayerMask.dense rows columns

        // Half of the gradients are exactly 0 in some layers: there ties decide.
        let sparse = draws.NextDouble() < 0.5

        {
            Mask = mask
            Elastic = elastic
            Quota = if elastic then between 0 size draws else 0
            Gradient =
                normals size draws
                |> Array.map (fun g -> if sparse && draws.NextDouble() < 0.5 then 0.0f else g)
            Weights =
                normals size draws
                |> Array.mapi (fun index w -> if mask[index] then w else 0.0f)
        }

    let share = draws.NextDouble()

    {
        Layers = Array.init depth layer
        Dormant = Array.init (depth - 1) (fun h -> Array.init widths[h + 1] (fun _ -> draws.NextDouble() < share))
    }

let options (draws: Draws) : EvolutionOptions = {
    Criterion =
        if draws.NextDouble() < 0.5 then
            GrowCriterion.Gradient
        else
            GrowCriterion.Random
    Unit =
        if draws.NextDouble() < 0.5 then
            GrowUnit.Weight
        else
            GrowUnit.Neuron
    Granularity =
        match draws.NextInt 3L with
        | 0L -> Granularity.Neuron
        | 1L -> Granularity.Weight
        | _ -> Granularity.Magnitude
    Omega = float (draws.NextInt 11L) / 10.0
    ReviveRows = draws.NextDouble() < 0.5
}

/// Arrays of a layer with every value non-zero where its mask allows it, target included.
let arrays (mask: LayerMask) (weights: float32[]) (bias: float32[]) (draws: Draws) : LayerArrays =
    let masked (values: float32[]) =
        values |> Array.mapi (fun index value -> if mask[index] then value else 0.0f)

    let withAdam (values: float32[]) (existing: float32[] -> float32[]) : AdamArrays =
        let powers () =
            Slice(Array.init values.Length (fun _ -> 0.1f + 0.8f * draws.NextSingle()))

        {
            Values = Slice(Array.copy values)
            FirstMoment = Slice(normals values.Length draws |> existing)
            SecondMoment = Slice(normals values.Length draws |> Array.map abs |> existing)
            Power1 = powers ()
            Power2 = powers ()
        }

    {
        Weights = withAdam weights masked
        Bias = withAdam bias id
        Norm = None
        TargetWeights = Slice(normals mask.Size draws |> masked)
    }

/// ReLU network on one row-major batch: the activations of every layer, the last one linear. In double precision.
let forward (layers: LayerArrays[]) (masks: LayerMask[]) (inputs: float[][]) : float[][][] =
    let mutable current = inputs

    Array.init layers.Length (fun l ->
        let mask = masks[l]
        let layer = layers[l]

        current <-
            current
            |> Array.map (fun x ->
                Array.init mask.Rows (fun row ->
                    let mutable sum = float layer.Bias.Values[row]

                    for column in 0 .. mask.Columns - 1 do
                        sum <- sum + float layer.Weights.Values[row * mask.Columns + column] * x[column]

                    if l < layers.Length - 1 then max 0.0 sum else sum))

        current)

/// Statistics of a row-major (rows x width) matrix of activations: a slow reference.
let ofActivations (rows: int) (width: int) (activations: float32[]) : ActivationStatistics =
    let columns =
        Array.init width (fun neuron -> Array.init rows (fun row -> activations[row * width + neuron]))

    let deviation (values: float32[]) =
        let mean = values |> Array.averageBy float

        values
        |> Array.averageBy (fun value -> (float value - mean) ** 2.0)
        |> Math.Sqrt
        |> float32

    {
        MeanAbs = columns |> Array.map (Array.averageBy (float >> Math.Abs) >> float32)
        PositiveCount =
            columns
            |> Array.map (Array.sumBy (fun value -> if value > 0.0f then 1L else 0L))
        Deviation = columns |> Array.map deviation
        Rows = rows
    }

/// Statistics of one layer's activations.
let statistics (activations: float[][]) =
    ofActivations activations.Length activations[0].Length (activations |> Array.concat |> Array.map float32)
