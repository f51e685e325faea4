namespace NE.Model

open System

/// What a configuration asks of the machine that it is resolved on.
type Machine = {
    /// Whether there is a CUDA device; asked only when that decides.
    HasCuda: Func<bool>
    /// Cores that the learner may use.
    Cores: int
} with

    /// One core, no CUDA.
    static member Plain = {
        HasCuda = Func<bool>(fun () -> false)
        Cores = 1
    }

/// The phases of a cycle of tasks; no task where the environment is none.
type internal CyclePhases = {
    Tasks: int64
    Cycles: int64
    /// Environment steps of a phase; 0 where phases are counted in episodes.
    Steps: int64
    /// Training episodes of a phase; 0 where phases are counted in steps.
    Episodes: int64
    /// Environment steps of a later phase before it learns.
    WarmUp: int64
} with

    /// How many there are; 0 for an environment that is no cycle.
    member this.Count = this.Tasks * this.Cycles

/// How long a run is.
type internal RunLength = {
    /// Environment steps, all environments together; of phases counted in episodes at most so many.
    Steps: int64
    Phases: CyclePhases
} with

    /// Whether the run is a cycle of tasks.
    member this.IsCycle = this.Phases.Count > 0L

[<RequireQualifiedAccess>]
module internal RunLength =

    /// Steps of an episode that an upper bound of what is counted in episodes assumes: the time limit of Gymnasium's tasks.
    let longestEpisode = 1_000L

    /// Steps of a phase of a cycle, at most; of a run of one task all of them.
    let ofPhase (length: RunLength) =
        if not length.IsCycle then
            length.Steps
        elif length.Phases.Episodes > 0L then
            min length.Steps (length.Phases.Episodes * longestEpisode)
        else
            length.Phases.Steps

/// What the keys of every learner may know of the rest of the configuration.
type internal LearnerFacts = {
    Learner: LearnerKind
    Length: RunLength
}

/// What the keys of the networks may know of the rest of the configuration.
type internal NetworkFacts = { Learner: LearnerKind; Method: Method }

/// What the keys of learners from pictures may know of the rest of the configuration.
type internal PixelFacts = {
    Learner: LearnerKind
    /// Environment steps before anything is learned.
    StartSteps: int64
    BufferSize: int64
    Environments: int
}

/// What the keys of techniques and cadences may know of the rest of the configuration.
type internal RunFacts = {
    Learner: LearnerKind
    Method: Method
    Length: RunLength
    /// Environment steps with random actions, before anything is learned.
    StartSteps: int64
    BatchSize: int
    BufferSize: int64
    /// Gradient steps per environment step.
    UpdatesPerStep: decimal
    /// Gradient steps of the whole run.
    GradientSteps: int64
    /// Environment steps that are complete, all their gradient steps taken, before the last gradient step.
    CompleteSteps: int64
}

/// What is done to whole networks every so many environment steps.
[<RequireQualifiedAccess>]
module internal Period =

    /// The last step of a run at which it is done: what is set anew within half a period of the end has no time to learn again.
    let lastInTime (steps: int64) (every: int64) = steps - every / 2L

    /// Several times in any run, however late it begins to learn; with the rule in words. From pictures as often as the authors of reset have it for
    /// DrQ.
    let automatic (facts: RunFacts) _ : string * int64 =
        let share = if facts.Learner.SeesPixels then 10L else 5L

        let words, period =
            List.minBy snd [
                $"200,000, at most steps/{share}", min 200_000L (facts.Length.Steps / share)
                "a third of the steps after learner.startSteps", (facts.Length.Steps - facts.StartSteps) / 3L
            ]

        words, max 1L period

    /// A period that never comes, so that the run would be another method's. `nothing` is what would not happen. Of a run that is counted in
    /// episodes nothing is known.
    let problem technique nothing (every: int64) (facts: RunFacts) =
        let steps, start = facts.Length.Steps, facts.StartSteps

        if
            not (facts.Method.Has technique)
            || facts.Length.Phases.Episodes > 0L
            || start >= steps
        then
            None
        elif every = 0L then
            Some $"only a cycle of tasks has switches: nothing would be {nothing}; give a period"
        else
            let first = (start / every + 1L) * every
            let last = min facts.CompleteSteps (lastInTime steps every)

            if first > last then
                Some
                    $"it would first act at step {first}, but nothing is done after step {max 0L last}: nothing would be {nothing}; give a shorter period"
            else
                None
