namespace NE.Model.Runs

open NE.Model.History
open NE.Model.Replay

/// Whose rows are on their way into the replay memory.
type Rows =
    /// Those of a whole round, in (step, environment) order.
    | OfRound
    /// Those of one environment; the asynchronous schedule stores each as it comes.
    | OfEnvironment of environment: int

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
[<RequireQualifiedAccess>]
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
    /// The policy of a step has played its episodes.
    | Evaluated of step: int64 * returns: float[] * lengths: int[]
    /// A commit has waited for evaluations as long as it has patience.
    | EvaluationPatienceOver
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
