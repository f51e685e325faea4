namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// What is between observations and the networks of actor and critics.
type IPerception =
    inherit IDisposable
    /// Length of what actor and critics read of an observation.
    abstract Features: int
    /// How their first parameters are drawn.
    abstract Initialisation: Initialisation
    /// What the value of the next observation counts beside NotDone.
    abstract Discount: float
    /// Floats of a stored row.
    abstract RowFloats: int
    /// Networks of its own, which techniques do not know.
    abstract Bodies: NetworkGroup list
    /// Batches of so many transitions, of which the networks learn; or of which they only read, ready after Gather.
    abstract CreateInputs: rows: int * learns: bool -> IActorCriticInputs
    /// Whether a batch to learn from can be one to read from.
    abstract CanShare: bool
    /// Draws the first parameters of its bodies.
    abstract Initialise: Draws -> unit
    /// The optimiser's step of what learned from the critics.
    abstract StepWithCritics: unit -> unit
    /// The optimiser's step of what learned from the actor.
    abstract StepWithActor: unit -> unit
    /// Its targets follow.
    abstract Polyak: tau: float32 -> unit
    /// A policy that acts on observations, from one that acts on features.
    abstract Complete: policy: Policy -> Policy
    /// All that it needs to continue beside its bodies.
    abstract State: StoredParts

/// Observations that are numbers are read as they are.
[<Sealed>]
type VectorPerception(engine: IEngine, shape: TransitionShape, discount: float) =
    interface IPerception with
        member _.Features = shape.ObservationSize
        member _.Initialisation = Initialisation.Uniform
        member _.Discount = discount
        member _.RowFloats = shape.StoredWidth
        member _.Bodies = []

        member _.CreateInputs(rows, _) = new VectorInputs(engine, rows, shape)

        member _.CanShare = true
        member _.Initialise _ = ()
        member _.StepWithCritics() = ()
        member _.StepWithActor() = ()
        member _.Polyak _ = ()
        member _.Complete policy = policy
        member _.State = { Random = []; Counters = [] }
        member _.Dispose() = ()
