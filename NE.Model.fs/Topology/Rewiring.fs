namespace NE.Model.Topology

open System

/// How far a network has come.
[<RequireQualifiedAccess>]
type GrowthPhase =
    /// It grows by its schedule.
    | Growing
    /// It has grown since this step of its clock: from now on its events exchange weights.
    | Rewiring of since: int64

/// What events do once growth has ended in the official code (docs/algorithm.md D21; RigL, Evci et al. 2020): a share of every sparse layer is
/// exchanged, the smallest weights against those of largest gradient, by a cosine that starts with this phase.
[<RequireQualifiedAccess>]
module Rewiring =

    /// How many weights of a layer the event at step t exchanges: floor(share c(t - since) active), and not more than are inactive.
    let quota (share: float) (since: int64) (t: int64) (stop: int64) (mask: LayerMask) : int =
        let factor = GrowthSchedule.shapeAt GrowthShape.Cosine (min stop (t - since)) stop

        min (int (Math.Floor(share * factor * float mask.ActiveCount))) (mask.Size - mask.ActiveCount)

    /// The rules of such an event: as many weights leave as come, dormant or not.
    let options (growing: EvolutionOptions) : EvolutionOptions = {
        growing with
            Unit = GrowUnit.Weight
            Granularity = Granularity.Magnitude
            Omega = 1.0
            ReviveRows = false
    }
