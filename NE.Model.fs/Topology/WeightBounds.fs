namespace NE.Model.Topology

open System
open NE.Model.Random

/// The scale of a linear layer's weights (spec 2.3): the initial range beta, and the clip bound kappa * beta of weight clipping.
[<RequireQualifiedAccess>]
module WeightBounds =

    /// beta = 1 / sqrt(fanIn), with the fan-in of the full layer however sparse it is. Fresh weights and biases are U(-beta, beta).
    let beta (fanIn: int) : float32 =
        if fanIn <= 0 then
            invalidArg (nameof fanIn) $"A layer's fan-in must be positive, but it is {fanIn}."

        1.0f / MathF.Sqrt(float32 fanIn)

    /// kappa * beta: no weight or bias of the layer may be larger in magnitude.
    let clip (kappa: float32) (fanIn: int) : float32 = kappa * beta fanIn

    /// One draw of U(-bound, bound).
    let symmetric (bound: float32) (stream: Stream) : float32 =
        bound * (2.0f * stream.NextSingle() - 1.0f)

    /// Clamps every value into [-bound, bound] and returns how many were outside.
    let clamp (bound: float32) (values: Span<float32>) : int =
        let mutable outside = 0

        for i in 0 .. values.Length - 1 do
            if MathF.Abs values[i] > bound then
                values[i] <- MathF.CopySign(bound, values[i])
                outside <- outside + 1

        outside
