namespace NE.Model.Agents

open System
open System.Collections.Generic
open NE.Model.History
open NE.Model.Networks
open NE.Model.Replay

/// A learning agent: what a run, a probe and a report need of it, whatever its algorithm and its techniques are. Owned by one thread.
type ILearner =
    inherit IDisposable
    /// Gradient steps taken.
    abstract GradientStep: int64
    /// Takes one gradient step on a batch from the window. Raises NonFiniteException when a loss is not finite; the learner must then be
    /// restored or discarded.
    abstract Update: source: ITransitionSource * window: Window -> unit
    /// An immutable copy of the current actor; its Version is the number of actor updates. With the moments of now
    /// where it normalises. The same object until either changes.
    abstract Policy: unit -> Policy
    /// Gives a fresh actor, and what it sees pictures with, the values of a PortablePolicy's tensors, by their names; targets become equal. What techniques
    /// and measurements compare with is still what was drawn. Raises ArgumentException, and changes nothing, for tensors that are not those of this
    /// actor, for one that begins sparse, and in a cycle.
    abstract Adopt: tensors: IReadOnlyDictionary<string, GivenTensor> -> unit
    /// Turns to another task of the cycle, at a barrier between two gradient steps: exchanges the heads. The learner must have been made
    /// to act on that task. Raises InvalidOperationException where there is one task only.
    abstract SwitchTask: next: int -> unit
    /// The topology events since the last call.
    abstract TakeTopologyChanges: unit -> TopologyChanged[]
    /// The topology of every network.
    abstract Masks: unit -> NetworkMask[]
    /// Losses, activated ratios, ranks, norms and what the techniques report, on a batch of 256 rows drawn for this gradient step alone, and
    /// with `probe` how fast copies of the networks learn. Changes no state.
    abstract Measure: source: ITransitionSource * window: Window * probe: bool -> Measurement
    /// How fast copies of the networks learn. Changes no state.
    abstract Probe: source: ITransitionSource * window: Window -> ProbeResult[]
    /// Magnitudes of the losses' gradients on the first GradientMap.Rows transitions in these stored rows, layer by layer. Changes no state.
    /// Raises ArgumentException for fewer of them.
    abstract Gradients: rows: float32[] -> LayerGradient[]
    /// Name of the first parameter tensor or moment with a NaN or an infinity, such as "critic 2, layer 1 weights"; null when there is none.
    abstract FindNonFinite: unit -> string | null
    /// A copy of the whole state at this moment.
    abstract Save: unit -> AgentState
    /// Continues exactly where Save was called, in a learner made from the same settings. Raises InvalidDataException when a component is
    /// missing, damaged or belongs to other settings; the learner must then be discarded.
    abstract Restore: state: AgentState -> unit
