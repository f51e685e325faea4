namespace NE.Model

/// Gradient steps per environment step that is learned from: 2, 1, or a fraction such as 0.5, one gradient step every second environment
/// step. A decimal number, with which counts of steps come out exact.
[<RequireQualifiedAccess>]
module internal ReplayRatio =

    /// Gradient steps that so many environment steps owe.
    let updatesOf (ratio: decimal) (steps: int64) : int64 = int64 (floor (ratio * decimal steps))

    /// Environment steps that are complete, all their gradient steps taken, before gradient step t (from 1): those that owe fewer than t.
    let completeBefore (ratio: decimal) (t: int64) : int64 = int64 (ceil (decimal t / ratio)) - 1L
