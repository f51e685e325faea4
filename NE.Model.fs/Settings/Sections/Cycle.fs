namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// The phases of a cycle of tasks; without meaning for an environment that is none.
type CycleSettings = {
    /// Times that every task is visited.
    Cycles: int
    /// Environment steps of a phase; 0 where phases are counted in episodes, and where there are none.
    Steps: Derived<int64>
    /// Training episodes of a phase; 0 where phases are counted in steps.
    Episodes: int64
    /// Environment steps with the policy that a phase finds, before it learns; the first phase has random steps instead.
    WarmUp: Derived<int64>
}

[<RequireQualifiedAccess>]
module internal CycleSettings =

    let private key name =
        Keys.key<RunSettings, CycleSettings, _> name

    let private defaultCycles = 3

    /// Environment steps of a phase when neither run.steps nor a length of the phase is given.
    let private phaseSteps = 100_000L

    let private count (run: RunSettings) (cycle: CycleSettings) =
        int64 (TaskCycle.tasks run.Environment).Length * int64 cycle.Cycles

    /// The phases of a resolved cycle.
    let phases (run: RunSettings) (cycle: CycleSettings) : CyclePhases = {
        Tasks = (TaskCycle.tasks run.Environment).Length
        Cycles = cycle.Cycles
        Steps = cycle.Steps.Value
        Episodes = cycle.Episodes
        WarmUp = cycle.WarmUp.Value
    }

    let private lengthOfPhase (run: RunSettings) (cycle: CycleSettings) =
        let phases = count run cycle

        match cycle.Steps with
        | Is given when given > 0L || phases = 0L || cycle.Episodes > 0L -> None
        | _ when phases = 0L -> Some("no cycle", Is 0L)
        | _ when cycle.Episodes > 0L -> Some("phases are counted in episodes", Is 0L)
        | _ when RunSettings.isLengthGiven run -> Some("run.steps / phases", Is(run.Steps / phases))
        | _ -> Some("100,000 where run.steps is not given", Is phaseSteps)

    let private onlyInCycle isGiven (run: RunSettings) (cycle: CycleSettings) =
        if count run cycle = 0L && isGiven cycle then
            Some "run.environment is not a cycle of tasks; give it as cycle:TASK,TASK,..."
        else
            None

    /// There is one way to treat the buffer at a switch; the other one that people ask for gets an answer.
    let private clearedBuffer = {
        Words = "clear"
        Show = fun () -> "clear"
        Parse =
            fun (text: string) ->
                match text.Trim().ToLowerInvariant() with
                | "clear" -> Ok()
                | "keep" -> Error "one buffer per task, kept across the cycles, is not offered"
                | _ -> Error "not one of these"
    }

    let section =
        Section.create [
            key "cycle.cycles" Paper (KeyKinds.count 1L) defaultCycles _.Cycles (fun v s -> { s with Cycles = v })
            |> inUnit "visits of every task"
            |> check (onlyInCycle (fun cycle -> cycle.Cycles <> defaultCycles))
            |> says "How often every task of run.environment = cycle:... is visited."

            key "cycle.steps" Ours (derived (steps 0L)) Auto _.Steps (fun v s -> { s with Steps = v })
            |> isFixed
            |> inUnit "environment steps"
            |> becomes lengthOfPhase
            |> check (onlyInCycle (fun cycle -> cycle.Steps.Value > 0L))
            |> says "Length of a phase, the same for every task; auto: run.steps shared equally, or 100,000 when that is not given."

            key "cycle.episodes" PaperUnstated (steps 0L) 0L _.Episodes (fun v s -> { s with Episodes = v })
            |> isFixed
            |> inUnit "training episodes"
            |> check (onlyInCycle (fun cycle -> cycle.Episodes > 0L))
            |> check (fun run cycle ->
                if count run cycle > 0L && cycle.Episodes > 0L && cycle.Steps.Value > 0L then
                    Some $"a phase has a length in steps already (cycle.steps = {cycle.Steps.Value}); give one of the two"
                else
                    None)
            |> says "Length of a phase in episodes instead, as in the paper; 0 counts steps."

            key "cycle.warmUp" Ours (derived (steps 0L)) Auto _.WarmUp (fun v s -> { s with WarmUp = v })
            |> isFixed
            |> inUnit "environment steps"
            |> auto "5,000, at most cycle.steps/20" (fun _ cycle ->
                if cycle.Steps.Value > 0L then
                    min 5_000L (cycle.Steps.Value / 20L)
                else
                    5_000L)
            |> check (fun run cycle ->
                let length = cycle.Steps.Value

                if count run cycle > 0L && length > 0L && cycle.WarmUp.Value >= length then
                    Some $"not below cycle.steps = {length}: nothing would be learned after the first phase"
                else
                    None)
            |> says "Steps after a switch with the policy as it is, before updates go on; auto: 5,000, at most a twentieth of a phase."

            key "cycle.buffer" Ours clearedBuffer () ignore (fun () s -> s)
            |> isFixed
            |> says "What becomes of the replay buffer at a switch."
        ]
