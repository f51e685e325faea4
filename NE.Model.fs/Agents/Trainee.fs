namespace NE.Model.Agents

open NE.Model.Networks
open NE.Model
open NE.Model.Topology

/// What a group of networks is for.
[<RequireQualifiedAccess>]
type Role =
    /// It chooses actions. An algorithm may update it less often than the critics.
    | Actor
    /// It values actions. Every gradient step updates it.
    | Critic

/// A group of networks of an algorithm, as techniques and measurements know it.
[<NoEquality; NoComparison>]
type TraineeGroup = {
    Role: Role
    Networks: NetworkGroup
    /// Constants of its Adam steps.
    Adam: AdamOptions
    /// Whether gradient step t updates it.
    IsDue: int64 -> bool
    /// The pass of its last update, over the training batch of the gradient step.
    Training: unit -> IPass
    /// A pass over the batch of the trainee's Probe, for whoever has gathered one.
    Probe: unit -> IPass
    /// The group's inputs in that batch.
    Input: IMatrix
    /// Leaves the gradient of the group's loss on that batch in the group's Gradients, without terms of techniques, and returns the loss. May
    /// draw from the stream, and write over what only groups read that are updated before this one.
    Gradient: Draws -> float
}

/// A network of convolutions in front of the groups. No technique knows it: what it does is measured alone.
[<NoEquality; NoComparison>]
type TraineeEncoder = {
    Networks: NetworkGroup
    /// A pass over the observations of the Probe's batch.
    Probe: IPass
}

/// Name and value of what an algorithm has to report of the Probe's batch, once it took the gradients of all groups.
type AlgorithmMetrics = {
    /// Columns of metrics.csv behind the losses of the groups.
    First: struct (string * float)[]
    /// Columns behind what techniques report.
    Later: struct (string * float)[]
}

/// What techniques and measurements know of an algorithm: its networks, in groups. They know nothing else of it, so that they work with any.
[<NoEquality; NoComparison>]
type Trainee = {
    Engine: IEngine
    /// In the order in which they are drawn, stored and shown: the actor first.
    Groups: TraineeGroup list
    /// The same in the order in which a gradient step updates them: the critics first.
    UpdateOrder: TraineeGroup list
    /// What is between pictures and the groups; none where observations are numbers.
    Encoders: TraineeEncoder list
    /// The batch that events, ratios and measurements are defined on: 256 rows, apart from the training batch or at times the same.
    Probe: Batch
    /// Rows of a training batch.
    BatchSize: int
    /// Floats of a stored row of the replay memory.
    RowFloats: int
    /// What Adam forgets of an entry that a technique sets anew.
    Forgetting: Forgetting
    Clock: EnvironmentClock
    /// Makes all passes again, after networks got other bodies.
    Rebuild: unit -> unit
    /// What the algorithm learns beside its networks begins anew.
    Restart: unit -> unit
    Report: unit -> AlgorithmMetrics
} with

    /// Rows of the Probe.
    static member ProbeRows = 256
    /// The group that acts.
    member this.Actor = this.Groups |> List.find (fun group -> group.Role = Role.Actor)

    /// The group that values actions.
    member this.Critics = this.Groups |> List.find (fun group -> group.Role = Role.Critic)
