namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Topology

/// The rules by which a network's topology changes.
type GrowthRules = {
    /// When and how much it grows.
    Growth: GrowthSettings
    /// What grows and what is pruned.
    Evolution: EvolutionOptions
    /// What grown weights start with.
    Init: GrowInit
    /// What Adam forgets of the weights that an event sets.
    Forgetting: Forgetting
    /// Share of a layer that an event exchanges once growth has ended; 0: nothing happens then.
    RewireShare: float
} with

    /// Whether an event takes place at step t of a network's clock.
    member this.IsDue(t: int64) : bool =
        if this.RewireShare > 0.0 then
            t > 0L && t % this.Growth.Interval = 0L
        else
            GrowthSchedule.isDue this.Growth t

[<RequireQualifiedAccess>]
module GrowthRules =

    /// The rules that the keys describe; the settings must be resolved.
    let ofSettings (ne: NeSettings) (forgetting: Forgetting) : GrowthRules = {
        Growth = {
            Interval = ne.GrowInterval.Value
            End = ne.EndStep.Value
            Shape = ne.Growth
            Rate =
                match ne.GrowRate with
                | Auto -> GrowthRate.Auto
                | Is rate -> GrowthRate.Fixed rate
            FinalDensity = ne.FinalDensity
            Cap = ne.Rules.Value.DensityCap
            Rest = ne.Rules.Value.RestCapacity
            StartDensity = ne.StartDensity.Value
            Scale = ne.Rules.Value.RateScale
            CarryFractions = ne.Rules.Value.GrowCarry
        }
        Evolution = {
            Criterion = ne.Criterion
            Unit = ne.GrowUnit
            Granularity = ne.Granularity
            Omega = ne.Omega
            ReviveRows = ne.Rules.Value.ReviveRows
        }
        Init = ne.GrowInit
        Forgetting = forgetting
        RewireShare = ne.Rules.Value.RewireShare
    }
