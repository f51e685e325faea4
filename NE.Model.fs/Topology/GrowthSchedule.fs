namespace NE.Model.Topology

open System

/// c(t), how growth is spread over the run. In closed loop, and with `RateScale.Total`, all shapes have the total growth of the cosine.
[<RequireQualifiedAccess>]
type GrowthShape =
    /// (1 + cos(pi t / T_end)) / 2, the paper's annealing.
    | Cosine
    /// The same at every event; what the official code runs.
    | Uniform
    /// Linear rise over the first 5 % of T_end, then exp(-5 t / T_end).
    | Warm

/// g, how much one event grows.
[<RequireQualifiedAccess>]
type GrowthRate =
    /// Closed loop: the density follows the schedule's curve whatever was pruned, and reaches the final density at T_end.
    | Auto
    /// Open loop: this fraction of the rest capacity per event, times c(t); fractions of a weight are carried over.
    | Fixed of float

/// What a fixed rate means.
[<RequireQualifiedAccess>]
type RateScale =
    /// The total growth: every shape is scaled to the sum of the cosine over the same events, so that shapes compare as shapes.
    | Total
    /// The growth of one event, times c(t) as it is (the official code).
    | Event

/// What a fixed rate multiplies.
[<RequireQualifiedAccess>]
type RestCapacity =
    /// The room left at the start, once and for all.
    | Initial
    /// The room left now: growth is geometric and never quite fills the layer.
    | Current
    /// The start sparsity in the place of a density, (1 - rho0) N_l - |M_l(0)|, never negative (the official code's D8).
    | Sparsity

/// What the final density is a density of.
[<RequireQualifiedAccess>]
type DensityCap =
    /// Every layer stops at it.
    | Layer
    /// The whole network: all growth ends with the event that brings it there; until then layers may fill up (the official code).
    | Network

/// When and how much a network grows. Steps are gradient steps (critic updates), one clock for every network.
type GrowthSettings = {
    /// dT, gradient steps between two events.
    Interval: int64
    /// T_end, the gradient step at which growth has ended.
    End: int64
    /// c(t).
    Shape: GrowthShape
    /// g.
    Rate: GrowthRate
    /// rho1, the density at which growth stops.
    FinalDensity: float
    /// What rho1 is a density of.
    Cap: DensityCap
    /// What a fixed rate multiplies.
    Rest: RestCapacity
    /// rho0, the start density; read for `RestCapacity.Sparsity`.
    StartDensity: float
    /// What a fixed rate means.
    Scale: RateScale
    /// Whether a fraction of a weight is carried to the next event, or dropped (the official code).
    CarryFractions: bool
}

/// The growth of one elastic layer so far: what must be stored to continue it.
[<Struct>]
type LayerGrowth = {
    /// |M_l(0)|, the number of weights at the start.
    Initial: int
    /// floor(rho1 N_l), the largest number of weights; N_l if rho1 is the network's.
    Capacity: int
    /// N_l, the number of weights of the full layer.
    Size: int
    /// acc_l in [0, 1): the fraction of a weight that the open-loop quotas still owe.
    Carry: float
}

/// The growth schedule (docs/algorithm.md 2.5, paper section 3.2).
[<RequireQualifiedAccess>]
module GrowthSchedule =

    /// Whether an event takes place at gradient step t: t > 0, t mod dT = 0, t < T_end.
    let isDue (settings: GrowthSettings) (t: int64) : bool =
        t > 0L && t < settings.End && t % settings.Interval = 0L

    /// Number of events of the whole run.
    let eventCount (settings: GrowthSettings) : int64 =
        max 0L ((settings.End - 1L) / settings.Interval)

    /// c(t) of a shape before normalisation; c(0) = 1, c(T_end / 2) = 1/2 and c(T_end) = 0 for the cosine.
    let shapeAt (shape: GrowthShape) (t: int64) (stop: int64) : float =
        let x = float t / float stop

        match shape with
        | GrowthShape.Cosine -> (1.0 + Math.Cos(Math.PI * x)) / 2.0
        | GrowthShape.Uniform -> 1.0
        | GrowthShape.Warm ->
            let rise = 0.05

            if x < rise then
                x / rise * Math.Exp(-5.0 * rise)
            else
                Math.Exp(-5.0 * x)

    /// Sums of c over a run's events, each term added once: a run may have a hundred thousand events, and asks at every one. Any
    /// order of questions gives the same bits; rising steps cost least. Owned by one thread.
    [<Sealed>]
    type Sums(settings: GrowthSettings) =
        let eventsTo t =
            min (eventCount settings) (t / settings.Interval)

        let add shape sum first last =
            let mutable sum = sum

            for event in first..last do
                sum <- sum + shapeAt shape (event * settings.Interval) settings.End

            sum

        let whole shape =
            lazy (add shape 0.0 1L (eventsTo settings.End))

        let total = whole settings.Shape
        let cosine = whole GrowthShape.Cosine
        let mutable reached = 0L
        let mutable sum = 0.0

        let sumTo t =
            let last = eventsTo t

            if last < reached then
                reached <- 0L
                sum <- 0.0

            sum <- add settings.Shape sum (reached + 1L) last
            reached <- last
            sum

        /// What the sums are of.
        member _.Settings = settings
        /// Sum of c over all events.
        member _.Total = total.Value
        /// Sum of the cosine over the same events.
        member _.Cosine = cosine.Value

        /// F(t): the share of the whole growth that is due up to and including step t; 1 from the last event on.
        member _.Progress(t: int64) : float =
            if total.Value > 0.0 then sumTo t / total.Value else 0.0

    /// The growth of a layer that starts with this mask.
    let start (settings: GrowthSettings) (mask: LayerMask) : LayerGrowth = {
        Initial = mask.ActiveCount
        Capacity =
            match settings.Cap with
            | DensityCap.Layer -> int (Math.Floor(settings.FinalDensity * float mask.Size + 1e-6))
            | DensityCap.Network -> mask.Size
        Size = mask.Size
        Carry = 0.0
    }

    /// The number of weights after the event at step t if nothing were pruned at it, |M_l(0)| + F(t) R_l, before rounding.
    let target (sums: Sums) (t: int64) (growth: LayerGrowth) : float =
        let rest = max 0 (growth.Capacity - growth.Initial)

        float growth.Initial + min 1.0 (sums.Progress t) * float rest

    /// k_l, how many weights the layer grows at the event of step t while it has `active` ones, and the layer's growth afterwards.
    /// Never negative, and never past the layer's capacity; what that clamp takes away is not given back.
    let quota (sums: Sums) (t: int64) (active: int) (growth: LayerGrowth) : struct (int * LayerGrowth) =
        let settings = sums.Settings
        let room = max 0 (growth.Capacity - active)

        match settings.Rate with
        | GrowthRate.Auto ->
            let due = int (Math.Round(target sums t growth, MidpointRounding.ToEven)) - active

            struct (min room (max 0 due), growth)
        | GrowthRate.Fixed rate ->
            let rest =
                match settings.Rest with
                | RestCapacity.Initial -> float (max 0 (growth.Capacity - growth.Initial))
                | RestCapacity.Current -> float room
                | RestCapacity.Sparsity -> max 0.0 ((1.0 - settings.StartDensity) * float growth.Size - float growth.Initial)

            let normalised =
                match settings.Shape, settings.Scale with
                | GrowthShape.Cosine, _
                | _, RateScale.Event -> 1.0
                | _, RateScale.Total -> sums.Cosine / sums.Total

            let quota = rate * shapeAt settings.Shape t settings.End * normalised * rest

            let owed = growth.Carry + quota
            let whole = Math.Floor owed

            struct (int (min (float room) whole),
                    {
                        growth with
                            Carry = if settings.CarryFractions then owed - whole else 0.0
                    })
