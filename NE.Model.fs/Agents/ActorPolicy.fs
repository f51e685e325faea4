namespace NE.Model.Agents

open System
open NE.Model.Networks

/// From an actor's networks to the policy that acts with them.
[<RequireQualifiedAccess>]
module ActorPolicy =

    /// A host copy of the actor as it is, through all its bodies. `version`: how many updates made it.
    let copy (actor: NetworkGroup) (form: ActionForm) (maxAction: float32) (version: int64) : Policy =
        actor.ReadOnlineInto(Field.Weights, actor.Passing)

        match actor.Injected with
        | ValueNone -> Policy.OfBlock(actor.Layout, ReadOnlySpan actor.Passing, maxAction, version, form)
        | ValueSome bodies ->
            let struct (kept, subtracted) = bodies.Read()
            Policy.OfBodies(actor.Layout, kept, actor.Passing, subtracted, maxAction, version, form)
