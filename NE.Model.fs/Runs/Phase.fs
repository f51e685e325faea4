namespace NE.Model.Runs

open System
open NE.Model

/// A stretch of a run on one task: a visit of one of a cycle's tasks, or the whole of an ordinary run. Stored inside the ledger:
/// renaming a field breaks old runs.
type Phase = {
    /// Number of the phase, from 0.
    Index: int64
    /// Environment steps of the run when it began.
    Start: int64
    /// Finished training episodes of the run when it began.
    Episodes: int64
    /// Number of its first row in the replay memory.
    Head: int64
}

/// Where a phase begins and ends, and when it learns: pure functions of the settings (which must be resolved).
[<RequireQualifiedAccess>]
module Phase =

    let first: Phase = {
        Index = 0L
        Start = 0L
        Episodes = 0L
        Head = 0L
    }

    let private tasks (settings: Settings) =
        TaskCycle.tasks settings.Run.Environment

    /// Phases are counted in episodes, not in steps.
    let private byEpisodes (settings: Settings) =
        TaskCycle.isCycle settings.Run.Environment && settings.Cycle.Episodes > 0L

    /// Phases of the run: one, or one per task and cycle.
    let count (settings: Settings) : int64 =
        match (tasks settings).Length with
        | 0 -> 1L
        | tasks -> int64 tasks * int64 settings.Cycle.Cycles

    let isLast (settings: Settings) (phase: Phase) : bool = phase.Index >= count settings - 1L

    /// Which of the cycle's tasks the phase is on, from 0.
    let taskIndex (settings: Settings) (phase: Phase) : int =
        int (phase.Index % int64 (max 1 (tasks settings).Length))

    /// The id of the phase's task.
    let task (settings: Settings) (phase: Phase) : string =
        match tasks settings with
        | [||] -> settings.Run.Environment
        | tasks -> tasks[taskIndex settings phase]

    /// Number of the cycle that the phase belongs to, from 0.
    let cycle (settings: Settings) (phase: Phase) : int64 =
        phase.Index / int64 (max 1 (tasks settings).Length)

    /// Environment steps of the run after which the phase is over; Int64.MaxValue where it is counted in episodes. Phases end at
    /// multiples of their length, so what a round goes past one end does not move the next.
    let lastStep (settings: Settings) (phase: Phase) : int64 =
        if byEpisodes settings then
            Int64.MaxValue
        elif TaskCycle.isCycle settings.Run.Environment then
            (phase.Index + 1L) * settings.Cycle.Steps.Value
        else
            settings.Run.Steps

    /// Whether the run has taken all of the phase's environment steps, given its steps and finished episodes so far.
    let isOver (settings: Settings) (phase: Phase) (steps: int64) (episodes: int64) : bool =
        if byEpisodes settings then
            episodes - phase.Episodes >= settings.Cycle.Episodes
        else
            steps >= lastStep settings phase

    /// Actions are uniformly random before this step of the run.
    let randomUntil (settings: Settings) (phase: Phase) : int64 =
        if phase.Index = 0L then
            settings.Learner.StartSteps.Value
        else
            0L

    /// Gradient steps are owed for environment steps from this one on: the first phase begins with random steps, the others with steps of
    /// the policy that they found.
    let learnFrom (settings: Settings) (phase: Phase) : int64 =
        if phase.Index = 0L then
            settings.Learner.StartSteps.Value
        else
            phase.Start + settings.Cycle.WarmUp.Value

    /// The phase that follows one that ended after these steps and episodes, with this row to be stored next.
    let next (steps: int64) (episodes: int64) (head: int64) (phase: Phase) : Phase = {
        Index = phase.Index + 1L
        Start = steps
        Episodes = episodes
        Head = head
    }

    /// The phase that a policy of this step was learned in. At the step of a switch that is the older one.
    let ofStep (step: int64) (phases: Phase seq) : Phase =
        match phases |> Seq.tryFindBack (fun phase -> phase.Start < step) with
        | Some phase -> phase
        | None -> first
