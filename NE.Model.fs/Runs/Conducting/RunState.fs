namespace NE.Model.Runs

open NE.Model.History
open NE.Model.Replay

/// Where a run stands.
[<RequireQualifiedAccess>]
type Stage =
    /// Its files are being opened.
    | Recovering
    /// Simulators are being made; nothing has happened yet.
    | StartingEnvironments
    /// Between two barriers.
    | Training
    /// At a barrier, until every evaluation that was started has a result, or patience is over.
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
