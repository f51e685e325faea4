/// When things are due in a run: pure functions of the settings and of a position in the run.
namespace NE.Model.Runs

open NE.Model

/// A barrier: everything up to here is complete, nothing is in flight.
type Position = {
    /// Rounds completed.
    Round: int64
    /// Environment steps taken and stored, all environments together.
    Steps: int64
    /// Environment steps whose gradient steps were taken; behind `Steps` by one round in the pipelined schedule.
    LearnedSteps: int64
    /// Gradient steps taken.
    GradientSteps: int64
}

/// What is due at a barrier.
type Due = {
    /// The whole state is committed before the next round is released.
    Commit: bool
    /// A row of metrics is measured on the window of this barrier.
    Metrics: bool
    /// The row has a probe of plasticity.
    Probe: bool
    /// The policy of this barrier is evaluated.
    Evaluation: bool
    /// The policy of this barrier is recorded.
    Video: bool
    /// All steps of the phase are taken and learned from, and nothing else is due.
    Finished: bool
}

[<RequireQualifiedAccess>]
module Position =
    let start = {
        Round = 0L
        Steps = 0L
        LearnedSteps = 0L
        GradientSteps = 0L
    }

[<RequireQualifiedAccess>]
module Rounds =

    /// True when a multiple of `every` lies in (before, now]: a cadence fires at the first barrier at or after its step, once.
    let fired (every: int64) (before: int64) (now: int64) = now / every > before / every

    /// The same for a cadence that 0 switches off.
    let firedUnlessOff (every: int64) (before: int64) (now: int64) = every > 0L && fired every before now

    /// Environment steps of one round, all environments together.
    let stepsPerRound (settings: Settings) =
        int64 settings.Schedule.Environments * int64 settings.Schedule.RoundSteps

    /// Gradient steps owed for the environment steps in (learned, steps]: none for those at the start of a phase. What primes the critics
    /// is owed once, in the first phase.
    let updatesOwed (settings: Settings) (phase: Phase) (learned: int64) (steps: int64) =
        let start = Phase.learnFrom settings phase

        let priming =
            if phase.Index = 0L && learned <= start && steps > start then
                settings.Learner.PrimingUpdates
            else
                0L

        let owedUntil step =
            ReplayRatio.updatesOf settings.Learner.UpdatesPerStep.Value (max step start - start)

        priming + owedUntil steps - owedUntil learned

    /// Whether there is a batch of the phase's rows to measure on.
    let private canMeasure (settings: Settings) (phase: Phase) (now: int64) =
        let steps = now - phase.Start

        // Of pictures a row stands for a transition when its n steps are there, in one environment.
        steps >= int64 settings.Learner.BatchSize
        && (not settings.Run.Learner.SeesPixels
            || steps
               >= int64 settings.Pixels.ReturnSteps * int64 settings.Schedule.Environments)

    /// Whether a probe of plasticity is due between two barriers of a phase.
    let probeDue (settings: Settings) (phase: Phase) (before: int64) (now: int64) =
        firedUnlessOff settings.Log.ProbeEvery before now
        && canMeasure settings phase now

    /// Whether a row of metrics is due between two barriers of a phase; a probe is always part of one.
    let metricsDue (settings: Settings) (phase: Phase) (before: int64) (now: int64) =
        fired settings.Log.MetricsEvery before now && canMeasure settings phase now
        || probeDue settings phase before now

    /// What is due at a barrier of the phase, given the finished episodes of the run and the environment steps of the barrier before.
    let due (settings: Settings) (phase: Phase) (episodes: int64) (before: int64) (position: Position) : Due =
        let now = position.Steps
        let moved = now > before
        let first = position.Round = 0L
        let allLearned = position.LearnedSteps >= now

        {
            Commit = first || (moved && fired settings.Checkpoint.Every.Value before now)
            Metrics = moved && metricsDue settings phase before now
            Probe = moved && probeDue settings phase before now
            Evaluation = first || (moved && fired settings.Evaluation.Every.Value before now)
            Video = moved && firedUnlessOff settings.Video.Every before now
            // What is due at the last step gets a round of its own, without steps.
            Finished = Phase.isOver settings phase now episodes && allLearned && not moved && not first
        }

    /// Rows of the replay buffer that may be sampled when `head` rows were ever stored: a phase never sees those of another.
    let windowFirst (settings: Settings) (phase: Phase) (head: int64) =
        max phase.Head (head - settings.Learner.BufferSize.Value)

    /// May another batch of `steps` be granted while `granted` steps were granted and `learned` are learned from? Holds the
    /// sample-to-insert ratio of the asynchronous schedule to within `slack` steps. Steps at the start of a phase need no learning.
    let mayGrant (settings: Settings) (phase: Phase) (slack: int64) (granted: int64) (learned: int64) (steps: int64) =
        let start = Phase.learnFrom settings phase

        granted + steps <= Phase.lastStep settings phase
        && (granted + steps <= start || granted + steps - max learned start <= slack)
