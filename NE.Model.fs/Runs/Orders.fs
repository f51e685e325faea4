/// The vocabulary of a run at work: what it hears, what it orders, and where it stands. Nothing here acts; NE.Actors carries orders out.
namespace NE.Model.Runs

open System
open NE.Model.History
open NE.Model.Replay

/// Whose rows are on their way into the replay memory.
type Rows =
    /// Those of a whole round, in (step, environment) order.
    | OfRound
    /// Those of one environment; the asynchronous schedule stores each as it comes.
    | OfEnvironment of environment: int

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

/// What an environment says of the steps that it has taken.
type SteppedRound = {
    Environment: int
    /// Episodes that ended, in order.
    Episodes: EpisodeEnded[]
    /// Number of the episode that it is in now.
    Episode: int64
    /// Episodes that ended because the simulation left the numbers.
    Divergences: int
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

/// What the learner says when it is done.
type LearnedSteps = {
    /// Gradient steps of the whole run.
    GradientSteps: int64
    /// Topology events of these steps, in order.
    Changes: TopologyChanged[]
    /// Whether a measurement came with them.
    IsMeasured: bool
}

/// What a run begins with, when its files are open.
type Opening = {
    /// Of its last commit, or an empty one; in a new phase already turned to it.
    Ledger: Ledger
    /// Rows that were ever stored.
    Head: int64
    /// The episode that each environment begins with, or goes on in.
    Episodes: int64[]
    /// Step of the commit that it goes on from.
    From: int64 option
    /// A phase of a cycle begins here.
    BeginsPhase: bool
    /// The commit that it goes on from, when later ones no longer count.
    RewindsTo: int64 option
    /// Operational events to be stored now.
    Record: RunEvent list
    /// Operational events that belong to the first commit.
    Note: RunEvent list
}

/// How a run ends.
type Ending =
    /// All steps are taken, learned from and committed.
    | Completed
    /// Stopped on request.
    | Interrupted of reason: string
    /// On an error that another attempt would meet again.
    | Failed of reason: string
    /// A phase of a cycle is over and committed; the next one begins from that commit.
    | PhaseOver

/// What a run hears.
type Input =
    /// The journal is open; ids of messages to it begin here.
    | Recovered of nextId: int64
    /// The files of the last commit are open.
    | Opened of Opening
    /// The cast is on stage.
    | Begun
    /// A simulator is up, in this episode.
    | EnvironmentReady of environment: int * episode: int64
    /// A simulator failed; what it was asked for is lost.
    | EnvironmentFailed of environment: int * reason: string
    | Stepped of SteppedRound
    /// The rows are stored; those below `head` may be sampled.
    | Appended of Rows * head: int64
    /// The learner is in the middle of many gradient steps.
    | LearningGoesOn
    | Learned of LearnedSteps
    /// An episode of an evaluation is over.
    | EpisodePlayed
    /// The policy of a step has played its episodes.
    | Evaluated of step: int64 * returns: float[] * lengths: int[]
    /// One of several who were asked for a copy has handed it out.
    | CopyArrived
    /// Everybody has.
    | Captured
    | Committed of id: int64 * step: int64
    | Recorded of id: int64
    /// The journal could not store a message and tries again.
    | JournalRetries of reason: string
    /// The journal has given up a message.
    | JournalGaveUp of reason: string
    /// The replay memory could not write rows and tries again.
    | RowsRetry of reason: string
    /// Somebody cannot go on, and trying again would end the same way.
    | Broke of reason: string
    | StopRequested of reason: string
    /// Nothing was heard for as long as a stop has patience.
    | StopPatienceOver
    /// The reason of a failure could not be stored in time.
    | RecordingPatienceOver
    /// The last video is done, or has taken too long.
    | VideoFinished

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
    /// Also: forget the policy, or keep it as the best.
    | WriteEvaluation of EvaluationEnded
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

/// Where a run stands.
[<RequireQualifiedAccess>]
type Stage =
    /// Its files are being opened.
    | Recovering
    /// Simulators are being made; nothing has happened yet.
    | StartingEnvironments
    /// Between two barriers.
    | Training
    /// At a barrier, until every evaluation that was started has a result.
    | AwaitingEvaluations
    /// At a barrier, until the commit before is durable.
    | AwaitingCommit
    /// At a barrier, until everybody has handed out copies.
    | Capturing
    /// The last commit is on its way.
    | Ending
    /// The reason is being stored.
    | Failing
    /// Only the last video is waited for.
    | Filming of Ending
    | Ended of Ending

/// What an environment is doing.
type Work =
    | Idle
    | Stepping of Assignment
    /// Its steps are taken; their rows are not stored, or their round is not closed.
    | Storing of steps: int * episodes: EpisodeEnded[]

/// An environment as the run knows it.
type EnvironmentState = {
    /// Its simulator is up.
    IsReady: bool
    Work: Work
    /// Episode that it was last in; at first the one that it begins with.
    Episode: int64
    /// Return of the last finished episode of this process; NaN before the first.
    LastReturn: float
    /// Episodes of this process that ended because the simulation left the numbers.
    Divergences: int
    /// Failures in this process.
    Failures: int
    /// Failures since it last took the steps of a round.
    FailuresInARow: int
}

/// A round of the lockstep schedules (`serial`, `pipelined`).
type LockstepRound = {
    /// Environment steps of the round, all environments together; 0 in the last one, which is for what is due at the last step.
    Steps: int64
    /// Environment steps that are learned from when it is over.
    LearnTo: int64
    Due: Due
    /// Rows that the learner may sample.
    Window: Window
    IsAppended: bool
    IsLearned: bool
    /// Once the learner has answered; it is not always asked.
    Result: LearnedSteps option
}

/// What the asynchronous schedule keeps between barriers.
type FreeFlight = {
    /// Environment steps stored.
    Steps: int64
    /// Environment steps asked for.
    Granted: int64
    /// Environment steps learned from.
    LearnedSteps: int64
    /// Environment steps that are learned from when the learner answers.
    LearnTo: int64
    GradientSteps: int64
    /// Step of a row of metrics that is due.
    MeasureAt: int64 option
    /// The row has a probe of plasticity.
    Probe: bool
    /// Step of the row of metrics that the learner is on.
    MeasuringAt: int64
    IsLearning: bool
    /// A barrier is wanted: nothing is granted any more.
    IsDraining: bool
    Window: Window
}

/// What is in flight between two barriers.
type Flight =
    | Lockstep of LockstepRound
    | Free of FreeFlight

/// Why a run fails.
type Failure = {
    Reason: string
    /// Id of the message that stores the reason.
    RecordId: int64
    IsStored: bool
}

/// A run between two inputs. A value; every decision returns the next one.
type RunState = {
    Stage: Stage
    Ledger: Ledger
    /// Rows that were ever stored.
    Head: int64
    Environments: EnvironmentState[]
    /// None before the first barrier is left.
    Flight: Flight option
    /// History and notes since the last commit, newest first.
    Events: RunEvent list
    /// Results of evaluations that are not delivered yet.
    Evaluated: Map<int64, struct (float[] * int[])>
    /// Next id of a message to the journal.
    NextId: int64
    /// Id of the commit that is being written.
    CommitInFlight: int64 option
    /// Step of the last durable commit that this process knows of.
    CommittedStep: int64 option
    /// How the run ends with the commit that is being written.
    EndsAs: Ending option
    /// What the run begins with, while the rewind to it is being stored.
    Rewinding: int64 option
    Opening: Opening option
    StopReason: string option
    /// Why a message to the journal is tried again.
    JournalTrouble: string option
    /// Why rows wait for the replay memory's disk.
    RowsTrouble: string option
    Failure: Failure option
}
