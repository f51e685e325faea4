namespace NE.Model.Agents.Plasticity

open NE.Model

/// The environment steps that the learner's gradient steps belong to, as far as the learner knows them: those that were learned from.
[<Sealed>]
type EnvironmentClock(settings: Settings) =
    let start = settings.Td3.StartSteps.Value
    let perStep = int64 settings.Td3.UpdatesPerStep
    let priming = settings.Td3.PrimingUpdates

    /// The environment step that is complete, all its gradient steps taken, before gradient step t; none while t - 1 lies within one, and
    /// before the first.
    member _.Completed(t: int64) : int64 voption =
        let learned = t - 1L - priming

        if learned > 0L && learned % perStep = 0L then
            ValueSome(start + learned / perStep)
        else
            ValueNone

    /// Whether what is done to whole networks every so many environment steps is due before gradient step t; never if that many are 0.
    member this.IsDue(every: int64, t: int64) =
        match this.Completed t with
        | ValueSome step ->
            every > 0L
            && step % every = 0L
            && step <= Resolution.lastInTime settings.Run.Steps every
        | ValueNone -> false
