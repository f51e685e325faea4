namespace NE.Model.Tasks.ControlSuite

open System

/// How a reward falls off outside its bounds. d is the distance to the nearer bound in margins, v the value at d = 1
/// (environments.md section 3). Each is 1 at d = 0.
[<RequireQualifiedAccess>]
type Sigmoid =
    /// exp(-d^2 s^2 / 2), s = sqrt(-2 ln v).
    | Gaussian
    /// 1 / cosh(d s), s = acosh(1 / v).
    | Hyperbolic
    /// 1 / ((d s)^2 + 1), s = sqrt(1 / v - 1).
    | LongTail
    /// 1 / (|d| s + 1), s = 1 / v - 1.
    | Reciprocal
    /// (1 + cos(pi d s)) / 2 while |d s| < 1, else 0; s = acos(2 v - 1) / pi. v may be 0.
    | Cosine
    /// 1 - d s while |d s| < 1, else 0; s = 1 - v. v may be 0.
    | Linear
    /// 1 - (d s)^2 while |d s| < 1, else 0; s = sqrt(1 - v). v may be 0.
    | Quadratic
    /// 1 - tanh(d s)^2, s = atanh(sqrt(1 - v)).
    | TanhSquared

/// dm_control's reward shaping.
[<RequireQualifiedAccess>]
module Tolerance =

    /// The value at the margin where a task names none.
    [<Literal>]
    let DefaultValueAtMargin = 0.1

    /// Whether a sigmoid can have this value at the margin: 0 < v < 1; `Cosine`, `Linear` and `Quadratic` also v = 0.
    let isValidAtMargin (sigmoid: Sigmoid) (value: float) =
        match sigmoid with
        | Sigmoid.Cosine
        | Sigmoid.Linear
        | Sigmoid.Quadratic -> 0.0 <= value && value < 1.0
        | _ -> 0.0 < value && value < 1.0

    /// The sigmoid at d margins, v at d = 1.
    let private fallOff (sigmoid: Sigmoid) (v: float) (d: float) =
        /// A shape that ends at 0 once its scaled distance reaches 1.
        let bounded (scaled: float) (shape: float -> float) =
            if abs scaled < 1.0 then shape scaled else 0.0

        match sigmoid with
        | Sigmoid.Gaussian ->
            let s = sqrt (-2.0 * log v)
            exp (-0.5 * (d * s) * (d * s))
        | Sigmoid.Hyperbolic -> 1.0 / cosh (d * Math.Acosh(1.0 / v))
        | Sigmoid.LongTail ->
            let s = sqrt (1.0 / v - 1.0)
            1.0 / ((d * s) * (d * s) + 1.0)
        | Sigmoid.Reciprocal -> 1.0 / (abs d * (1.0 / v - 1.0) + 1.0)
        | Sigmoid.Cosine -> bounded (d * acos (2.0 * v - 1.0) / Math.PI) (fun x -> (1.0 + cos (Math.PI * x)) / 2.0)
        | Sigmoid.Linear -> bounded (d * (1.0 - v)) (fun x -> 1.0 - x)
        | Sigmoid.Quadratic -> bounded (d * sqrt (1.0 - v)) (fun x -> 1.0 - x * x)
        | Sigmoid.TanhSquared ->
            let t = tanh (d * Math.Atanh(sqrt (1.0 - v)))
            1.0 - t * t

    /// 1 inside the bounds (inclusive); outside 0 when the margin is 0, else the sigmoid of the distance to the nearer bound.
    /// Raises `ArgumentException` when lower > upper, the margin is negative, or the value at the margin is impossible for the sigmoid.
    let tolerance (struct (lower: float, upper: float)) (margin: float) (sigmoid: Sigmoid) (valueAtMargin: float) (x: float) : float =
        if lower > upper then
            invalidArg (nameof lower) $"Expected bounds in order, found [{lower}, {upper}]."

        if not (margin >= 0.0) then
            invalidArg (nameof margin) $"Expected a margin of at least 0, found {margin}."

        if lower <= x && x <= upper then
            1.0
        elif margin = 0.0 then
            0.0
        elif not (isValidAtMargin sigmoid valueAtMargin) then
            invalidArg
                (nameof valueAtMargin)
                $"The sigmoid {sigmoid} cannot have the value {valueAtMargin} at its margin; it must lie between 0 and 1."
        else
            let outside = if x < lower then lower - x else x - upper
            fallOff sigmoid valueAtMargin (outside / margin)

    /// A Gaussian fall-off to 0.1 at the margin: dm_control's default.
    let gaussian (bounds: struct (float * float)) (margin: float) (x: float) : float =
        tolerance bounds margin Sigmoid.Gaussian DefaultValueAtMargin x
