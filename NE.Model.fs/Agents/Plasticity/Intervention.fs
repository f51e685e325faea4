namespace NE.Model.Agents.Plasticity

open System
open NE.Model.Agents
open NE.Model.History
open NE.Model.Replay

/// Something done to an agent beside its own update, to keep it able to learn. The agent calls it in this order at every gradient
/// step; the update itself knows nothing of it. All random draws come from streams of its own. What one does not override does nothing.
[<AbstractClass>]
type Intervention() =
    /// Before everything else of gradient step t.
    abstract BeforeUpdate: t: int64 -> unit
    default _.BeforeUpdate _ = ()
    /// Whether the next batch is half as large.
    abstract HalvesBatch: bool
    default _.HalvesBatch = false
    /// Before the update of gradient step t: where the batch comes from.
    abstract ChooseSource: t: int64 * window: Window -> BatchSource
    default _.ChooseSource(_, _) = Whole
    /// The rows that were drawn for the update.
    abstract Sampled: rows: ReadOnlySpan<int64> * window: Window -> unit
    default _.Sampled(_, _) = ()
    /// After the update of gradient step t.
    abstract AfterUpdate: t: int64 * source: ITransitionSource * window: Window -> unit
    default _.AfterUpdate(_, _, _) = ()
    /// The environment became another one: the next task of a cycle.
    abstract SwitchTask: unit -> unit
    default _.SwitchTask() = ()
    /// What happened to the topology since the last call.
    abstract TakeChanges: unit -> TopologyChanged[]
    default _.TakeChanges() = [||]
    /// Name and value of what it has to report before gradient step t, whose batch will come from the window.
    abstract Metrics: t: int64 * window: Window -> struct (string * float)[]
    /// Everything that it needs to continue.
    abstract State: StoredParts
