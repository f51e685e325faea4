/// The history of a run: what happened, as values. The journal stores these events; the state of the topology at any past step is their fold.
module NE.Model.History

/// What an event did to one layer of one stack.
type LayerChange = {
    /// Stack within the network: 0 for the actor, 0 and 1 for the twin critics.
    Stack: int
    /// Linear layer within the stack, 0 is the first.
    Layer: int
    /// Weights activated, as row-major indices into the (outputs x inputs) matrix, ascending.
    Grown: int[]
    /// Weights deactivated, as row-major indices, ascending.
    Pruned: int[]
    /// Neurons of the layer's output that were re-initialised (docs/algorithm.md 2.8).
    Touched: int[]
    /// Dormant neurons among the layer's outputs when the event was planned.
    Dormant: int
    /// Active weights after the event.
    Active: int
    /// All weights of the layer.
    Size: int
    /// Smallest |gradient| among the grown weights; NaN when nothing grew by gradient.
    MinScore: float32
    /// Largest |gradient| among the grown weights; NaN when nothing grew by gradient.
    MaxScore: float32
}

/// One grow-prune event of one network.
type TopologyChanged = {
    /// Gradient step of the event.
    Step: int64
    /// "actor" or "critic".
    Network: string
    Layers: LayerChange[]
    /// max over the event batch of |change of the network's output| / standard deviation of that output (docs/algorithm.md 1.6).
    OutputShift: float
}

/// One finished training episode.
type EpisodeEnded = {
    /// Environment steps of the whole run when the episode ended.
    Step: int64
    Environment: int
    /// Number of the episode within its environment, from 0.
    Episode: int64
    /// Undiscounted return.
    Return: float
    Length: int
    Terminated: bool
}

/// Noise-free evaluation of the policy of one step.
type EvaluationEnded = {
    /// Environment step whose policy was evaluated.
    Step: int64
    /// Undiscounted return of each episode.
    Returns: float[]
    Lengths: int[]
    /// True when this is the best mean so far (of the phase, in a cycle); the `best` checkpoint follows it.
    IsBest: bool
}

/// The beginning of a phase of a cycle: the run turns to another task.
type PhaseStarted = {
    /// Environment steps of the whole run.
    Step: int64
    GradientStep: int64
    /// Number of the phase, from 0.
    Phase: int64
    /// Number of the cycle, from 0.
    Cycle: int64
    /// Id of the task.
    Task: string
}

/// What happened to a run. The first four are the run's history and are the same for a killed and resumed run as for one that never
/// stopped; the others are operational and are not compared.
type RunEvent =
    /// Weights were grown and pruned.
    | TopologyChanged of ordinal: int64 * TopologyChanged
    /// A training episode ended.
    | EpisodeEnded of ordinal: int64 * EpisodeEnded
    /// An evaluation was delivered.
    | EvaluationEnded of ordinal: int64 * EvaluationEnded
    /// A cycle turned to its next task.
    | PhaseStarted of ordinal: int64 * PhaseStarted
    /// The run began, with the resolved configuration as YAML.
    | RunStarted of configuration: string * versions: string
    /// A stopped run went on from the commit at this step.
    | RunResumed of step: int64 * versions: string
    /// Keys changed at a resume: (key, old, new).
    | ConfigurationChanged of step: int64 * changes: (string * string * string)[]
    /// An environment failed and was started anew.
    | EnvironmentRestarted of step: int64 * environment: int * reason: string
    /// The run was asked to stop and can be resumed.
    | RunInterrupted of step: int64 * reason: string
    /// The run stopped on an error.
    | RunFailed of step: int64 * reason: string
    /// All steps are done.
    | RunCompleted of step: int64
