namespace NE.Model.Agents

open NE.Model.Topology

/// The activated ratios that are logged, by name (docs/algorithm.md 2.2).
[<RequireQualifiedAccess>]
module Ratios =

    let private thresholds = [ "0", 0.0; "0.025", 0.025; "0.1", 0.1 ]

    /// Pooled over the hidden layers given.
    let measure (layers: HiddenLayer[]) : struct (string * float)[] = [|
        for name, tau in thresholds do
            let at = Dormancy.ratios tau layers
            struct ($"anr_{name}", at.Activated)
            struct ($"anr_{name}_raw", at.ActivatedRaw)

        let any = Dormancy.ratios 0.0 layers
        struct ("fau", any.ActiveUnits)
        struct ("fau_raw", any.ActiveUnitsRaw)
        struct ("constant", any.Constant)
        struct ("connected", any.Connected)
    |]

    /// Their names.
    let names: string[] = measure [||] |> Array.map (fun struct (name, _) -> name)

/// What the neurons of a hidden layer do on the batch, or the channels of a convolution.
type HiddenMeasurement = {
    Ratios: struct (string * float)[]
    /// None of a convolution.
    Rank: FeatureRank option
}

/// One layer of one stack: a row of layers.csv.
type LayerMeasurement = {
    /// "actor", "critic" or "encoder".
    Network: string
    Stack: int
    /// From 0; the last one is the output layer, but for the encoder.
    Layer: int
    /// Outputs: neurons, or with CReLU twice as many features; channels of a convolution.
    Width: int
    /// None for the output layer.
    Hidden: HiddenMeasurement option
    /// Norm of the gradient of the batch's loss by the existing weights, the biases, and the gains and shifts of a LayerNorm. NaN for the encoder.
    GradientNorm: float
    /// Norm of the same parameters.
    WeightNorm: float
    /// Norm of the difference between them and what they were at step 0.
    Distance: float
    /// Existing weights, biases apart.
    Active: int64
    /// All weights, biases apart.
    Size: int64
} with

    /// Name and value of every column after network, stack and layer: the same names for every layer, NaN where it has no such value.
    member this.Columns: struct (string * float)[] = [|
        struct ("width", float this.Width)

        match this.Hidden with
        | Some hidden -> yield! hidden.Ratios
        | None ->
            for name in Ratios.names do
                struct (name, nan)

        let rank (choose: FeatureRank -> float) =
            this.Hidden
            |> Option.bind _.Rank
            |> Option.map choose
            |> Option.defaultValue nan

        struct ("effective_rank", rank _.Effective)
        struct ("stable_rank", rank _.Stable)
        struct ("srank", rank _.Truncated)
        struct ("gradient_norm", this.GradientNorm)
        struct ("weight_norm", this.WeightNorm)
        struct ("distance", this.Distance)
        struct ("density", float this.Active / float this.Size)
        struct ("active", float this.Active)
    |]

/// What is measured at one gradient step.
type Measurement = {
    /// Of the agent and of whole networks: a row of metrics.csv.
    Metrics: struct (string * float)[]
    Layers: LayerMeasurement[]
}
