namespace NE.Model.Agents

open System
open NE.Model.Networks

/// What a gradient step of a learner has the actor and the critics do.
type ActorCriticUse = {
    /// Whether a' comes from the actor's target.
    HasTargetActor: bool
    /// What the actor's outputs go through.
    ActorHead: Head
    /// How many critics value the action of the actor's loss, the first ones.
    CriticsOfActor: int
}

/// The passes over one batch.
[<NoEquality; NoComparison>]
type private ActorCriticPasses = {
    NextActor: IPass
    CriticsTarget: IPass
    Critics: IPass
    Actor: IPass
    ActorCritics: IPass
} with

    member this.All = [
        this.NextActor
        this.CriticsTarget
        this.Critics
        this.Actor
        this.ActorCritics
    ]

/// Working memory for computations on a batch. Owns its inputs.
type ActorCriticWorkspace(networks: ActorCriticNetworks, inputs: IActorCriticInputs, usage: ActorCriticUse) =
    inherit Batch(inputs.Transitions)
    let engine, rows = networks.Engine, inputs.Rows
    let actor, critics = networks.Actor, networks.Critics
    let both f = [| f 0; f 1 |]

    let ofActor = InputGradient(inputs.Features, networks.Task.ActionSize)

    let create () = {
        NextActor = actor.CreatePass(usage.HasTargetActor, 1, inputs.NextObservation, usage.ActorHead, NoGradient)
        CriticsTarget = critics.CreatePass(true, 2, inputs.NextObservationAction, Linear, NoGradient)
        Critics = critics.CreatePass(false, 2, inputs.ObservationAction, Linear, inputs.CriticsBackward)
        Actor = actor.CreatePass(false, 1, inputs.Observation, usage.ActorHead, inputs.ActorBackward)
        ActorCritics = critics.CreatePass(false, usage.CriticsOfActor, inputs.ObservationAction, Linear, ofActor)
    }

    let mutable passes = create ()
    let mutable nextValues = both passes.CriticsTarget.Output
    let mutable values = both passes.Critics.Output
    let mutable valueGradients = both passes.Critics.OutputGradient

    let least, target = engine.CreateMatrix(rows, 1), engine.CreateMatrix(rows, 1)
    let loss = engine.CreateSum()

    override this.Gather source =
        inputs.Gather(source, ReadOnlySpan this.RowNumbers)

    override _.Holds(source, window, row) = inputs.Holds(source, window, row)

    /// s, a, r and s' as the networks read them.
    member _.Inputs = inputs
    /// Smallest value of s' over both critics.
    member _.Least = least
    /// y.
    member _.Target = target
    /// L_Q.
    member _.Loss = loss
    /// What the actor, or its target, makes of s'.
    member _.NextActor = passes.NextActor
    /// Q'_i(s', a').
    member _.CriticsTarget = passes.CriticsTarget
    member _.NextValues = nextValues
    /// Q_i(s, a), with the gradient of the critics' parameters.
    member _.Critics = passes.Critics
    member _.Values = values
    member _.ValueGradients = valueGradients
    /// What the actor makes of s, with the gradient of its parameters.
    member _.Actor = passes.Actor
    /// Q_i of s and the action of the actor's loss, with the gradient of that action.
    member _.ActorCritics = passes.ActorCritics

    /// Makes the passes again, after the networks got other bodies.
    member _.Rebuild() =
        for pass in passes.All do
            pass.Dispose()

        passes <- create ()
        nextValues <- both passes.CriticsTarget.Output
        values <- both passes.Critics.Output
        valueGradients <- both passes.Critics.OutputGradient

    /// Frees what a learner's own working memory has besides.
    abstract Release: unit -> unit
    default _.Release() = ()

    interface IDisposable with
        member this.Dispose() =
            this.Release()

            for pass in passes.All do
                pass.Dispose()

            least.Dispose()
            target.Dispose()
            loss.Dispose()
            inputs.Dispose()
