namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Who may step and who may learn when.
type Schedule =
    /// Act, store, learn, in turn: the paper's loop.
    | Serial
    /// Environments step one round ahead while the learner learns; deterministic.
    | Pipelined
    /// Environments run free, held by the sample-to-insert ratio; not deterministic.
    | Async

/// Who may step when, with how many environments.
type ScheduleSettings = {
    Kind: Schedule
    Environments: int
    /// Steps that every environment takes in one round.
    RoundSteps: int
    /// Processes of this machine that hold the environments; 0 leaves them on threads of the learner's.
    Workers: int
}

[<RequireQualifiedAccess>]
module internal ScheduleSettings =

    let private key name =
        Keys.key<RunFacts, ScheduleSettings, _> name

    let private roundOf (schedule: ScheduleSettings) =
        int64 schedule.Environments * int64 schedule.RoundSteps

    let private kinds =
        choice [ "serial", Serial; "pipelined", Pipelined; "async", Async ]

    let section =
        Section.create [
            key "schedule.kind" Ours kinds Pipelined _.Kind (fun v s -> { s with Kind = v })
            |> isFixed
            |> says "Who may step when: the paper's loop, one deterministic round ahead, or free."

            key "schedule.environments" Ours (int32Of (wholeNumber 1L 1024L)) 1 _.Environments (fun v s -> { s with Environments = v })
            |> isFixed
            |> inUnit "environments"
            |> says "Environments of the run, each on its own thread."

            key "schedule.roundSteps" Ours (int32Of (wholeNumber 1L 100_000L)) 1 _.RoundSteps (fun v s -> { s with RoundSteps = v })
            |> isFixed
            |> inUnit "steps"
            |> check (fun run schedule ->
                let phase = run.Length.Phases.Steps

                if run.Length.IsCycle && phase > 0L && roundOf schedule > phase then
                    Some $"one round of all environments is longer than a phase (cycle.steps = {phase})"
                else
                    None)
            |> check (fun run schedule ->
                let round = roundOf schedule

                if round > run.Length.Steps then
                    Some $"one round of all environments ({round} steps) is longer than the run ({run.Length.Steps})"
                else
                    None)
            |> says "Steps that every environment takes in one round."

            key "schedule.workers" Ours (int32Of (wholeNumber 0L 64L)) 0 _.Workers (fun v s -> { s with Workers = v })
            |> inUnit "processes"
            |> says
                "Processes of this machine that hold the environments; 0: threads of the learner's process. The run's bits are the same."
        ]
