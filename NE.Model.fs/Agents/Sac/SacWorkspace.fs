namespace NE.Model.Agents.Sac

open System
open NE.Model.Agents
open NE.Model.Networks

/// The passes of SAC over one batch.
[<NoEquality; NoComparison>]
type private SacPasses = {
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
[<Sealed>]
type SacWorkspace(networks: SacNetworks, inputs: IActorCriticInputs) =
    inherit Batch(inputs.Transitions)
    let engine, task, rows = networks.Engine, networks.Task, inputs.Rows
    let actor, critics = networks.Actor, networks.Critics
    let both f = [| f 0; f 1 |]

    let create () = {
        NextActor = actor.CreatePass(false, 1, inputs.NextObservation, Linear, NoGradient)
        CriticsTarget = critics.CreatePass(true, 2, inputs.NextObservationAction, Linear, NoGradient)
        Critics = critics.CreatePass(false, 2, inputs.ObservationAction, Linear, inputs.CriticsBackward)
        Actor = actor.CreatePass(false, 1, inputs.Observation, Linear, inputs.ActorBackward)
        ActorCritics = critics.CreatePass(false, 2, inputs.ObservationAction, Linear, InputGradient(inputs.Features, task.ActionSize))
    }

    let mutable passes = create ()
    let mutable nextValues = both passes.CriticsTarget.Output
    let mutable values = both passes.Critics.Output
    let mutable valueGradients = both passes.Critics.OutputGradient

    let column () = engine.CreateMatrix(rows, 1)
    let entropyCost, least, target = column (), column (), column ()
    let loss = engine.CreateSum()

    override this.Gather source =
        inputs.Gather(source, ReadOnlySpan this.RowNumbers)

    override _.Holds(source, window, row) = inputs.Holds(source, window, row)

    /// s, a, r and s' as the networks read them.
    member _.Inputs = inputs
    /// What draws a' and log pi(a'|s').
    member val NextActions = GaussianActions(rows, task.ActionSize, task.MaxAction)
    /// What draws a and log pi(a|s) of the actor's update.
    member val Actions = GaussianActions(rows, task.ActionSize, task.MaxAction)
    /// alpha log pi(a'|s').
    member _.EntropyCost = entropyCost
    /// min_i Q'_i(s', a') - alpha log pi(a'|s').
    member _.Least = least
    /// y.
    member _.Target = target
    /// L_Q.
    member _.Loss = loss
    /// The outputs of pi at s'.
    member _.NextActor = passes.NextActor
    /// Q'_i(s', a').
    member _.CriticsTarget = passes.CriticsTarget
    member _.NextValues = nextValues
    /// Q_i(s, a), with the gradient of the critics' parameters.
    member _.Critics = passes.Critics
    member _.Values = values
    member _.ValueGradients = valueGradients
    /// The outputs of pi at s, with the gradient of the actor's parameters.
    member _.Actor = passes.Actor
    /// Q_i(s, a), a drawn from pi(s), with the gradient of the action.
    member _.ActorCritics = passes.ActorCritics
    /// min_i Q_i(s, a) of the actor's update.
    member val LeastOfActor = LeastValue rows

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

            for matrix in [ entropyCost; least; target ] do
                matrix.Dispose()

            loss.Dispose()
            inputs.Dispose()
