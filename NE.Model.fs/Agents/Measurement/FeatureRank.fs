namespace NE.Model.Agents

open System

/// How many directions the features of a layer use, from the singular values s of the matrix (samples x neurons) of its activations,
/// which is not centred. All are 0 for a silent layer.
[<Struct>]
type FeatureRank = {
    /// exp of the entropy of s / sum s: between 1 and the number of singular values (Roy and Vetterli 2007).
    Effective: float
    /// sum s^2 / max s^2: at least 1.
    Stable: float
    /// srank at delta 0.01: the least k whose k largest make up 99 % of sum s (Kumar et al. 2021).
    Truncated: float
}

[<RequireQualifiedAccess>]
module FeatureRank =

    /// Share of the sum of singular values that srank may leave out.
    [<Literal>]
    let Delta = 0.01

    let private all value = {
        Effective = value
        Stable = value
        Truncated = value
    }

    /// Of singular values in descending order.
    let ofSingularValues (values: float[]) : FeatureRank =
        let sum = Array.sum values

        if Double.IsNaN sum then
            all nan
        elif sum = 0.0 then
            all 0.0
        else
            let mutable entropy = 0.0
            let mutable squares = 0.0
            let mutable kept = 0.0
            let mutable rank = 0

            for value in values do
                if value > 0.0 then
                    let share = value / sum
                    entropy <- entropy - share * log share

                squares <- squares + value * value

                if kept < (1.0 - Delta) * sum then
                    kept <- kept + value
                    rank <- rank + 1

            {
                Effective = exp entropy
                Stable = squares / (values[0] * values[0])
                Truncated = float rank
            }
