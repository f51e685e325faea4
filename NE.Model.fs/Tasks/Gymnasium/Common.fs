namespace NE.Model.Tasks.Gymnasium

open System
open NE.Model
open NE.Model.Tasks

/// The revision of Gymnasium's MuJoCo tasks. Only what differs between the two is a case; see environments.md section 2.
type GymnasiumVersion =
    /// Pays the healthy reward on the terminating step too; Ant without contact forces, unless asked for; Humanoid observes the world
    /// body; Reacher and Pusher pay for the distances before the step.
    | V4
    /// Pays the healthy reward only when healthy; Ant and Humanoid observe and pay for contact forces; Reacher and Pusher pay for the
    /// distances after the step.
    | V5

/// Pieces that the tasks share.
module internal Common =
    [<Literal>]
    let Source = "Farama Gymnasium MuJoCo environments"

    let id (name: string) (version: GymnasiumVersion) =
        match version with
        | V4 -> $"{name}-v4"
        | V5 -> $"{name}-v5"

    let bounds (size: int) (bound: float32) =
        Array.create size -bound, Array.create size bound

    let sumOfSquares (values: ReadOnlySpan<float>) =
        let mutable sum = 0.0

        for value in values do
            sum <- sum + value * value

        sum

    /// Adds independent uniforms in [-scale, scale).
    let addUniform (draws: Draws) (scale: float) (values: Span<float>) =
        for i in 0 .. values.Length - 1 do
            values[i] <- values[i] + draws.Uniform(-scale, scale)

    /// Adds independent normals of the given standard deviation.
    let addNormal (draws: Draws) (scale: float) (values: Span<float>) =
        for i in 0 .. values.Length - 1 do
            values[i] <- values[i] + scale * draws.NextNormal()

    /// Copies the values, each clipped to [-bound, bound].
    let copyClipped (bound: float) (values: ReadOnlySpan<float>) (target: Span<float>) =
        for i in 0 .. values.Length - 1 do
            target[i] <- Math.Clamp(values[i], -bound, bound)

    /// Whether all values lie strictly between the bounds; false when one is not a number.
    let allWithin (low: float) (high: float) (values: ReadOnlySpan<float>) =
        let mutable within = true

        for value in values do
            within <- within && low < value && value < high

        within

    /// The distance between the frames of two bodies in metres, lagged.
    let distance (physics: IPhysics) (one: int) (other: int) =
        let xpos = physics.XPos
        let dx = xpos[3 * one] - xpos[3 * other]
        let dy = xpos[3 * one + 1] - xpos[3 * other + 1]
        let dz = xpos[3 * one + 2] - xpos[3 * other + 2]
        sqrt (dx * dx + dy * dy + dz * dz)

    let allFinite (values: ReadOnlySpan<float>) =
        let mutable finite = true

        for value in values do
            finite <- finite && Double.IsFinite value

        finite

    /// The reward for staying healthy on this step.
    let healthyReward (version: GymnasiumVersion) (amount: float) (healthy: bool) =
        match version with
        | V4 -> amount
        | V5 -> if healthy then amount else 0.0

    /// `healthyReward` in words.
    let healthyText (version: GymnasiumVersion) (amount: int) =
        match version with
        | V4 -> $"{amount}"
        | V5 -> $"({amount} unless it terminates)"

    /// When Reacher and Pusher measure their distances, in words.
    let momentText (version: GymnasiumVersion) =
        match version with
        | V4 -> "before the step"
        | V5 -> "after the step"

    /// The sum of the terms, first to last.
    let total (terms: Span<float>) =
        let mutable sum = 0.0

        for term in terms do
            sum <- sum + term

        sum
