namespace NE.Model.Replay

open System

/// Gives rows what is known only when their numbers are: as they are stored, one after the other.
type IRowLinker =
    /// A row that is about to get this number. Every number is given once, in order.
    abstract Link: row: Span<float32> * number: int64 -> unit

/// How the transitions of one form of observations lie in the replay memory, in rows of float32.
type ITransitionRows =
    /// Floats of a row.
    abstract RowFloats: int
    /// Most rows that so many steps of one environment take.
    abstract MostRows: steps: int -> int

    /// Writes a step of an environment, and says how many rows it took. The observations have the form's memory.
    abstract Write:
        rows: Span<float32> *
        environment: int *
        position: int *
        observation: ReadOnlySpan<float32> *
        action: ReadOnlySpan<float32> *
        reward: float32 *
        notDone: float32 *
        next: ReadOnlySpan<float32> ->
            int

    /// What links the rows of so many environments that are stored after those of the window.
    abstract CreateLinker: source: ITransitionSource * window: Window * environments: int -> IRowLinker

/// Sizes of one stored transition of numbers. A row is [s | a | r | not done | s'].
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

/// A row per step, complete in itself.
[<Sealed>]
type VectorRows(shape: TransitionShape) =
    interface ITransitionRows with
        member _.RowFloats = shape.StoredWidth
        member _.MostRows steps = steps

        member _.Write(rows, _, _, observation, action, reward, notDone, next) =
            observation.CopyTo rows
            action.CopyTo(rows.Slice shape.Action)
            rows[shape.Reward] <- reward
            rows[shape.NotDone] <- notDone
            next.CopyTo(rows.Slice shape.NextObservation)
            1

        member _.CreateLinker(_, _, _) = {
            new IRowLinker with
                member _.Link(_, _) = ()
        }
