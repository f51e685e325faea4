namespace NE.Model.Topology

open System
open NE.Model

/// Weight clipping: bounds of all weights and biases in multiples of their layer's beta.
type WeightClipping = {
    /// kappa.
    Kappa: float32
    /// Whether output layers are clipped too.
    Output: bool
}

/// The scale of a linear layer's weights (docs/algorithm.md 2.3): the initial range beta, and the clip bound kappa * beta of weight clipping.
[<RequireQualifiedAccess>]
module WeightBounds =

    /// beta = 1 / sqrt(fanIn), with the fan-in of the full layer however sparse it is. Fresh weights and biases are U(-beta, beta).
    let beta (fanIn: int) : float32 =
        if fanIn <= 0 then
            invalidArg (nameof fanIn) $"A layer's fan-in must be positive, but it is {fanIn}."

        1.0f / MathF.Sqrt(float32 fanIn)

    /// kappa * beta: no weight or bias of the layer may be larger in magnitude.
    let clip (kappa: float32) (fanIn: int) : float32 = kappa * beta fanIn

    /// The bound of a layer; infinite where nothing is clipped.
    let ofLayer (clipping: WeightClipping option) (isOutput: bool) (fanIn: int) : float32 =
        match clipping with
        | Some clipping when clipping.Output || not isOutput -> clip clipping.Kappa fanIn
        | _ -> Single.PositiveInfinity

    /// One draw of U(-bound, bound).
    let symmetric (bound: float32) (draws: Draws) : float32 =
        bound * (2.0f * draws.NextSingle() - 1.0f)

    /// Clamps every value into [-bound, bound] and returns how many were outside.
    let clamp (bound: float32) (values: Span<float32>) : int =
        let mutable outside = 0

        for i in 0 .. values.Length - 1 do
            if MathF.Abs values[i] > bound then
                values[i] <- MathF.CopySign(bound, values[i])
                outside <- outside + 1

        outside
