namespace NE.Model.Runs

open System
open NE.Model.History
open NE.Model.Replay

/// Steps that an environment is asked for.
[<Struct>]
type Assignment = {
    /// Environment steps of the whole run before its first one.
    Step: int64
    /// Steps of the whole run between two of its own.
    Stride: int
    /// Steps to take.
    Steps: int
}

/// What the learner is asked for.
type LearningTask = {
    /// Rows that may be sampled.
    Window: Window
    /// Gradient steps to take.
    Updates: int64
    /// Measure the networks first, on the same window.
    Measure: bool
    /// The measurement has a probe of plasticity.
    Probe: bool
}

/// What a commit is made of, beside the copies that were handed out.
type Commitment = {
    Id: int64
    /// Made because a cadence or the end asked for it, not a stop.
    IsScheduled: bool
    /// The counters at the barrier.
    Ledger: Ledger
    /// History since the last commit, and the operational events that belong to it, in order.
    Events: RunEvent list
}

/// A row of metrics, beside the measurement that came with the last gradient steps.
[<Struct>]
type MetricsMoment = {
    /// Environment steps of the barrier whose networks were measured.
    Step: int64
    GradientStep: int64
    /// Finished training episodes.
    Episodes: int64
    /// Mean undiscounted return of the training episodes since the last row; NaN when there was none.
    EpisodeReturn: float
    /// Their mean length in steps.
    EpisodeLength: float
    /// Transitions in the window.
    ReplaySize: int64
}

/// What a run wants done.
[<RequireQualifiedAccess>]
type Order =
    /// Void the commits after this one.
    | Rewind of id: int64 * toCommit: int64
    /// Make the cast, and say `Begun`.
    | Begin
    /// Prepare a round of these steps with the policy of now. `Step` sends it.
    | Prepare of environment: int * Assignment
    /// Let an environment take the steps that were prepared for it.
    | Step of environment: int
    /// Make an environment's simulator anew after a pause, in the episode after this one.
    | RestartEnvironment of environment: int * episode: int64 * pause: TimeSpan
    /// Store the rows; nobody reads rows below this one any more.
    | Append of Rows * releaseBefore: int64
    | Learn of LearningTask
    /// Play the policy of now.
    | Evaluate of step: int64
    /// Play a policy that the last commit has as pending.
    | EvaluateAgain of step: int64
    /// Film the policy of now.
    | Film of step: int64
    | WriteTopology of TopologyChanged
    | WritePhase of PhaseStarted
    | WriteMetrics of MetricsMoment
    /// An evaluation is over, and so are those before it: it will be delivered as this. For those who watch.
    | ShowEvaluation of EvaluationEnded
    /// Also: forget the policy, or keep it as the best.
    | WriteEvaluation of EvaluationEnded
    /// A commit waits for evaluations: say when it has done so long enough.
    | WatchEvaluations
    /// These evaluations are late. The commit is made without them, or, at the end of a phase, waits all the same.
    | EvaluationsLate of steps: int64[] * waits: bool
    /// Everybody hands out copies.
    | Capture
    /// An environment that was made anew meanwhile does so too.
    | CaptureEnvironment of environment: int
    /// Make the copies durable.
    | Commit of Commitment
    /// Store an operational event now.
    | Record of id: int64 * RunEvent
    /// The barrier is left. What the learner waited for until now was nobody's fault.
    | LeaveBarrier
    /// Give a stop its patience anew.
    | WatchStop
    /// Wait a while for the reason of a failure to be stored.
    | WatchRecording
    /// Wait for the last video.
    | FinishVideo
    /// The last word.
    | End of Ending
