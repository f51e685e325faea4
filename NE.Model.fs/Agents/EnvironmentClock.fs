namespace NE.Model.Agents

open NE.Model

/// The environment steps that the learner's gradient steps belong to, as far as the learner knows them: those that were learned from.
[<Sealed>]
type EnvironmentClock(settings: Settings) =
    let start = settings.Learner.StartSteps.Value

    /// The last environment step that is complete, all its gradient steps taken, before gradient step t. During the priming
    /// that is the last of the random steps at the start.
    let completed (t: int64) =
        let update = t - settings.Learner.PrimingUpdates

        if update < 1L then
            start
        else
            start + ReplayRatio.completeBefore settings.Learner.UpdatesPerStep.Value update

    /// The last environment step that is complete, all its gradient steps taken, before gradient step t.
    member _.Completed(t: int64) : int64 = completed t

    /// Whether the environment step `at` is complete before gradient step t, and one that was learned from is.
    member _.IsPast(at: int64, t: int64) =
        let now = completed t
        now >= at && now > start

    /// Whether what is done to whole networks every so many environment steps is due before gradient step t; never if that many are 0.
    member _.IsDue(every: int64, t: int64) =
        if every = 0L then
            false
        else
            let last = completed t / every

            last > completed (t - 1L) / every
            && last * every <= Period.lastInTime settings.Run.Steps every
