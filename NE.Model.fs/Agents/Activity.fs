namespace NE.Model.Agents

open System
open NE.Model.Networks
open NE.Model.Topology

/// Statistics of a group's hidden neurons, gathered over one or more batches (docs/algorithm.md 2.2). ReLU outputs are never negative, so their mean is
/// their mean magnitude. With CReLU every feature counts as a neuron.
[<Sealed>]
type Activity(group: NetworkGroup) =
    let layout = group.Layout
    let widths = layout.Widths.ToArray()
    let hidden = layout.HiddenLayers
    let width (i: int) = widths[i % hidden + 1]
    // One entry per stack and hidden layer, stack by stack.
    let make (value: float32) =
        Array.init (layout.Stacks * hidden) (fun i -> Array.create (width i) value)

    let sums = make 0.0f
    let positives = make 0.0f
    let lowest = make Single.PositiveInfinity
    let highest = make Single.NegativeInfinity
    let mutable rows = 0
    let host = HostRows()

    /// Adds the first `count` rows of the pass's last Forward.
    member _.Add(pass: IPass, count: int) =
        for i in 0 .. sums.Length - 1 do
            host.Look(
                pass.Hidden(i / hidden, i % hidden),
                fun h ->
                    use sum = fixed sums[i]
                    use positive = fixed positives[i]
                    use low = fixed lowest[i]
                    use high = fixed highest[i]
                    ElementwiseKernels.accumulateActivity { h with Rows = count } sum positive low high
            )

        rows <- rows + count

    /// One per stack and hidden layer, stack by stack.
    member _.Layers: HiddenLayer[] =
        Array.init sums.Length (fun i -> {
            Statistics = {
                MeanAbs = sums[i] |> Array.map (fun sum -> sum / float32 rows)
                PositiveCount = positives[i] |> Array.map int64
                Deviation = Array.map2 (fun high low -> high - low) highest[i] lowest[i]
                Rows = rows
            }
            FanIn = group.FeatureFanIn(i / hidden, i % hidden)
        })

    /// D_h at tau: per stack and hidden layer, which neurons are dormant.
    member this.Dormant(tau: float) : bool[][][] =
        this.Layers
        |> Array.map (fun layer -> Dormancy.dormant tau layer.Statistics)
        |> Array.chunkBySize (max 1 hidden)

    /// Number of hidden neurons of all stacks.
    member _.Neurons = sums |> Array.sumBy _.Length
