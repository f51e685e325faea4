namespace NE.Model.Replay

/// Sizes of one stored transition. A stored row is [s | a | r | not done | s'], in float32.
[<Struct>]
type TransitionShape = {
    /// Length of an observation.
    ObservationSize: int
    /// Length of an action.
    ActionSize: int
} with

    /// Column of the action's first component.
    member this.Action = this.ObservationSize
    /// Column of the reward.
    member this.Reward = this.ObservationSize + this.ActionSize
    /// Column of 1 - terminated; a time limit leaves it 1.
    member this.NotDone = this.Reward + 1
    /// Column of the next observation's first component.
    member this.NextObservation = this.Reward + 2
    /// Floats of a stored row.
    member this.StoredWidth = this.NextObservation + this.ObservationSize
    /// Floats of a minibatch row: a stored row, then room for the action in the next state.
    member this.BatchWidth = this.StoredWidth + this.ActionSize

/// Where stored transitions are read from.
type ITransitionSource =
    /// Copies each named row (StoredWidth floats) to `destination`, one row every `strideInFloats` floats.
    abstract Gather: rows: System.ReadOnlySpan<int64> * destination: nativeptr<float32> * strideInFloats: int -> unit
