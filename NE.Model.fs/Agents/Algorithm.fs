namespace NE.Model.Agents

open System
open NE.Model.Networks
open NE.Model.Replay

/// What an algorithm knows of the task.
type AgentTask = {
    /// What it sees.
    Observation: ObservationForm
    /// Length of an action.
    ActionSize: int
    /// Largest magnitude of an action's component.
    MaxAction: float32
} with

    /// A task whose observations are numbers.
    static member Of(shape: TransitionShape, maxAction: float32) : AgentTask = {
        Observation = ObservationForm.Vector shape.ObservationSize
        ActionSize = shape.ActionSize
        MaxAction = maxAction
    }

    /// Sizes of a transition of numbers.
    member this.Shape: TransitionShape = {
        ObservationSize = this.Observation.Floats
        ActionSize = this.ActionSize
    }

/// An algorithm of reinforcement learning: its networks, what a gradient step does to them, and the policy that comes of it. It knows no
/// technique. Owned by one thread, with its engine.
type IAlgorithm =
    inherit IDisposable
    abstract Trainee: Trainee
    /// The batch of the next gradient step, to be filled by the caller; of half as many rows if it is to be halved.
    abstract Batch: isHalved: bool -> Batch
    /// Gradient step t on the batch that was asked for last. Raises NonFiniteException when a loss is not finite, after which the networks
    /// are spoilt.
    abstract Update: t: int64 * optimiser: Optimiser -> unit
    /// Networks beside the trainee's groups, which no technique knows.
    abstract Bodies: NetworkGroup list
    /// An immutable copy of the current actor, which explores as the algorithm asks. `version`: how many updates made it.
    abstract Policy: version: int64 -> Policy
    /// Everything beside its groups that it needs to continue.
    abstract State: StoredParts
