namespace NE.Model.Agents

open System
open NE.Model.Networks
open NE.Model.Replay

/// A batch as an actor and its critics read it. Between an observation and what they read may be networks that learn with them: what these have to
/// do is done where the losses say so.
type IActorCriticInputs =
    inherit IDisposable
    /// Transitions of the batch.
    abstract Transitions: int
    /// Rows of the matrices: one per transition, or one for each shifted copy of it.
    abstract Rows: int
    /// Reads the transitions of these numbers.
    abstract Gather: source: ITransitionSource * numbers: ReadOnlySpan<int64> -> unit
    /// Whether a row of the window stands for a transition that can be gathered.
    abstract Holds: source: ITransitionSource * window: Window * row: int64 -> bool
    /// What the actor reads of s.
    abstract Observation: IMatrix
    /// What the critics read of s, and a, side by side.
    abstract ObservationAction: IMatrix
    /// a.
    abstract Action: IMatrix
    abstract Reward: IMatrix
    /// 0 where the task ended, and what the value of s' counts beside the discount elsewhere.
    abstract NotDone: IMatrix
    /// What the actor reads of s'.
    abstract NextObservation: IMatrix
    /// What the critics' targets read of s', and room for a', side by side.
    abstract NextObservationAction: IMatrix
    /// Room for a'.
    abstract NextAction: IMatrix
    /// Columns in front of the actions.
    abstract Features: int
    /// Networks of convolutions that s goes through, with their passes over it.
    abstract Encoders: TraineeEncoder list
    /// What the critics' pass over s and a has to compute on its way back.
    abstract CriticsBackward: Backward
    /// What the actor's pass over s has to compute on its way back.
    abstract ActorBackward: Backward
    /// Before anything reads s'. May be called again for one batch.
    abstract EncodeNext: unit -> unit
    /// Makes the targets [Rows x 1] of the copies of a transition equal: their mean.
    abstract Average: targets: IMatrix -> unit
    /// Before the critics read s.
    abstract Encode: unit -> unit
    /// After the critics' pass went back.
    abstract LearnFromCritics: critics: IPass -> unit
    /// Before the actor, and the critics after their step, read s.
    abstract EncodeForActor: unit -> unit
    /// After the actor's pass went back.
    abstract LearnFromActor: actor: IPass -> unit

/// Observations that are numbers, read as they are.
[<Sealed>]
type VectorInputs(engine: IEngine, rows: int, shape: TransitionShape) =
    let batch = engine.CreateMinibatch(rows, shape)
    let observation = batch.View(0, shape.ObservationSize)

    let observationAction = batch.View(0, shape.ObservationSize + shape.ActionSize)

    let action = batch.View(shape.Action, shape.ActionSize)
    let reward, notDone = batch.View(shape.Reward, 1), batch.View(shape.NotDone, 1)
    let nextObservation = batch.View(shape.NextObservation, shape.ObservationSize)

    let nextObservationAction =
        batch.View(shape.NextObservation, shape.ObservationSize + shape.ActionSize)

    let nextAction = batch.View(shape.StoredWidth, shape.ActionSize)

    interface IActorCriticInputs with
        member _.Transitions = rows
        member _.Rows = rows
        member _.Gather(source, numbers) = batch.Gather(source, numbers)
        member _.Holds(_, _, _) = true
        member _.Observation = observation
        member _.ObservationAction = observationAction
        member _.Action = action
        member _.Reward = reward
        member _.NotDone = notDone
        member _.NextObservation = nextObservation
        member _.NextObservationAction = nextObservationAction
        member _.NextAction = nextAction
        member _.Features = shape.ObservationSize
        member _.Encoders = []
        member _.CriticsBackward = ParameterGradient
        member _.ActorBackward = ParameterGradient
        member _.EncodeNext() = ()
        member _.Average _ = ()
        member _.Encode() = ()
        member _.LearnFromCritics _ = ()
        member _.EncodeForActor() = ()
        member _.LearnFromActor _ = ()

        member _.Dispose() =
            for matrix in
                [
                    observation
                    observationAction
                    action
                    reward
                    notDone
                    nextObservation
                    nextObservationAction
                    nextAction
                ] do
                matrix.Dispose()

            batch.Dispose()
