namespace NE.Model.Agents.Td3

open System
open NE.Model.Agents
open NE.Model.Networks

/// The passes of TD3 over one batch.
[<NoEquality; NoComparison>]
type private Td3Passes = {
    ActorTarget: IPass
    CriticsTarget: IPass
    Critics: IPass
    Actor: IPass
    FirstCritic: IPass
} with

    member this.All = [
        this.ActorTarget
        this.CriticsTarget
        this.Critics
        this.Actor
        this.FirstCritic
    ]

/// Working memory for computations on a batch of a fixed number of rows.
[<Sealed>]
type Td3Workspace(networks: Td3Networks, rows: int) =
    inherit Batch(rows)
    let engine, task = networks.Engine, networks.Task
    let shape = task.Shape
    let batch = engine.CreateMinibatch(rows, shape)
    let actor, critics = networks.Actor, networks.Critics
    let head = ScaledTanh task.MaxAction
    let observationAction = batch.View(0, shape.ObservationSize + shape.ActionSize)

    let nextObservationAction =
        batch.View(shape.NextObservation, shape.ObservationSize + shape.ActionSize)

    let observation = batch.View(0, shape.ObservationSize)
    let nextObservation = batch.View(shape.NextObservation, shape.ObservationSize)
    let both f = [| f 0; f 1 |]

    let create () = {
        ActorTarget = actor.CreatePass(true, 1, nextObservation, head, NoGradient)
        CriticsTarget = critics.CreatePass(true, 2, nextObservationAction, Linear, NoGradient)
        Critics = critics.CreatePass(false, 2, observationAction, Linear, ParameterGradient)
        Actor = actor.CreatePass(false, 1, observation, head, ParameterGradient)
        FirstCritic = critics.CreatePass(false, 1, observationAction, Linear, InputGradient(shape.Action, shape.ActionSize))
    }

    let mutable passes = create ()
    let mutable nextValues = both passes.CriticsTarget.Output
    let mutable values = both passes.Critics.Output
    let mutable valueGradients = both passes.Critics.OutputGradient

    let action = batch.View(shape.Action, shape.ActionSize)
    let reward, notDone = batch.View(shape.Reward, 1), batch.View(shape.NotDone, 1)
    let nextAction = batch.View(shape.StoredWidth, shape.ActionSize)

    let column () = engine.CreateMatrix(rows, 1)
    let noise = engine.CreateMatrix(rows, shape.ActionSize)
    let least, target, loss = column (), column (), engine.CreateSum()

    override this.Gather source =
        batch.Gather(source, ReadOnlySpan this.RowNumbers)

    /// s.
    member _.Observation = observation
    /// s and a, side by side.
    member _.ObservationAction = observationAction
    /// a, of which the actor's update makes pi(s).
    member _.Action = action
    member _.Reward = reward
    member _.NotDone = notDone
    /// Room for a'.
    member _.NextAction = nextAction
    member _.Noise = noise
    member val NoiseHost: float32[] = Array.zeroCreate (rows * shape.ActionSize)
    /// min_i Q'_i(s', a').
    member _.Least = least
    /// y.
    member _.Target = target
    /// L_Q.
    member _.Loss = loss
    /// pi'(s').
    member _.ActorTarget = passes.ActorTarget
    /// Q'_i(s', a').
    member _.CriticsTarget = passes.CriticsTarget
    member _.NextValues = nextValues
    /// Q_i(s, a), with the gradient of the critics' parameters.
    member _.Critics = passes.Critics
    member _.Values = values
    member _.ValueGradients = valueGradients
    /// pi(s), with the gradient of the actor's parameters.
    member _.Actor = passes.Actor
    /// Q_1(s, pi(s)), with the gradient of the action.
    member _.FirstCritic = passes.FirstCritic

    /// Makes the passes again, after the networks got other bodies.
    member _.Rebuild() =
        for pass in passes.All do
            pass.Dispose()

        passes <- create ()
        nextValues <- both passes.CriticsTarget.Output
        values <- both passes.Critics.Output
        valueGradients <- both passes.Critics.OutputGradient

    interface IDisposable with
        member _.Dispose() =
            for pass in passes.All do
                pass.Dispose()

            for matrix in
                [
                    observation
                    observationAction
                    nextObservation
                    nextObservationAction
                    action
                    reward
                    notDone
                    nextAction
                    noise
                    least
                    target
                ] do
                matrix.Dispose()

            loss.Dispose()

            batch.Dispose()
