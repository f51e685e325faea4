namespace NE.Model.Runs

open System
open NE.Model
open NE.Model.History

[<RequireQualifiedAccess>]
module Conductor =

    /// Failures of an environment without a completed round in between that fail the run.
    let private mostFailuresInARow = 10

    let private shortestPause, longestPause =
        TimeSpan.FromSeconds 0.5, TimeSpan.FromSeconds 8.0

    let start (settings: Settings) (committedStep: int64 option) : RunState = {
        Stage = Stage.Recovering
        Ledger = Ledger.empty
        Head = 0L
        Environments =
            Array.replicate settings.Schedule.Environments {
                IsReady = false
                Work = Idle
                Episode = 0L
                LastReturn = nan
                Divergences = 0
                Failures = 0
                FailuresInARow = 0
            }
        Flight = None
        Events = []
        Evaluated = Map.empty
        NextId = 0L
        CommitInFlight = None
        CommittedStep = committedStep
        EndsAs = None
        Rewinding = None
        Opening = None
        StopReason = None
        JournalTrouble = None
        RowsTrouble = None
        Failure = None
    }

    let stepsAtOnce (settings: Settings) : int =
        if settings.Schedule.Kind.IsAsync then
            FreeSchedule.batch settings
        else
            settings.Schedule.RoundSteps

    let steps (state: RunState) : int64 =
        match state.Flight with
        | Some(Free flight) -> flight.Steps
        | Some(Lockstep _)
        | None -> state.Ledger.Position.Steps

    let gradientSteps (state: RunState) : int64 =
        match state.Flight with
        | Some(Free flight) -> flight.GradientSteps
        | Some(Lockstep _)
        | None -> state.Ledger.Position.GradientSteps

    let isOver (state: RunState) : bool =
        match state.Stage with
        | Stage.Failing
        | Stage.Filming _
        | Stage.Ended _ -> true
        | _ -> false

    let private toStage (stage: Stage) : Turn -> Turn =
        Turn.update (fun state -> { state with Stage = stage })

    /// Whatever is heard on the way to the commit of a stop gives it its time anew.
    let private stopGoesOn (turn: Turn) : Turn =
        Turn.orderIf turn.State.StopReason.IsSome WatchStop turn

    // The end

    let private finish (settings: Settings) (ending: Ending) (turn: Turn) : Turn =
        match ending with
        | Completed
        | PhaseOver when settings.Video.Every > 0L -> turn |> toStage (Stage.Filming ending) |> Turn.order FinishVideo
        | _ -> turn |> toStage (Stage.Ended ending) |> Turn.order (End ending)

    let private fail (reason: string) (turn: Turn) : Turn =
        if isOver turn.State then
            turn
        else
            turn
            |> toStage Stage.Failing
            |> Turn.update (fun state -> {
                state with
                    Failure =
                        Some {
                            Reason = reason
                            RecordId = state.NextId
                            IsStored = false
                        }
            })
            |> Turn.record (RunFailed(defaultArg turn.State.CommittedStep 0L, reason))
            |> Turn.order WatchRecording

    let private endFailed settings (turn: Turn) : Turn =
        match turn.State.Failure with
        | Some failure -> finish settings (Failed failure.Reason) turn
        | None -> turn

    /// A failing run ends when its reason is stored and a commit that was under way is done.
    let private finishFailing settings (turn: Turn) : Turn =
        match turn.State.Failure with
        | Some { IsStored = true } when turn.State.CommitInFlight.IsNone -> endFailed settings turn
        | _ -> turn

    // Barriers

    let private capture: Turn -> Turn =
        toStage Stage.Capturing >> Turn.order Capture

    let rec private leave settings (turn: Turn) : Turn =
        let turn = turn |> toStage Stage.Training |> Turn.order LeaveBarrier

        let turn =
            if settings.Schedule.Kind.IsAsync then
                FreeSchedule.release settings turn
            else
                LockstepSchedule.release settings turn

        turn |> drainIfStopped |> afterAnswer settings

    /// A stop wants a barrier. In lockstep every round ends in one.
    and private drainIfStopped (turn: Turn) : Turn =
        match turn.State.StopReason, turn.State.Flight with
        | Some _, Some(Free flight) -> FreeSchedule.drain flight turn
        | _ -> turn

    /// Between barriers, after an answer: closes what is complete.
    and private afterAnswer settings (turn: Turn) : Turn =
        let barrier (turn: Turn) =
            turn |> toStage Stage.AwaitingEvaluations |> atBarrier settings

        match turn.State.Flight with
        | _ when turn.State.Stage <> Stage.Training -> turn
        | Some(Lockstep round) when LockstepSchedule.isBarrier round -> turn |> LockstepSchedule.close round |> barrier
        | Some(Free flight) when FreeSchedule.isBarrier turn.State flight -> turn |> FreeSchedule.close flight |> barrier
        | _ -> turn

    /// Nothing is in flight. Delivers, commits and goes on as far as it is due; waits, and is called again, where it must.
    and private atBarrier settings (turn: Turn) : Turn =
        let due = Ledger.due settings turn.State.Ledger
        let isScheduled = due.Commit || due.Finished

        let hasResult (pending: PendingEvaluation) =
            turn.State.Evaluated.ContainsKey pending.Step

        match turn.State.Stage with
        | _ when not isScheduled && turn.State.StopReason.IsNone -> leave settings turn
        | Stage.AwaitingEvaluations when not isScheduled -> turn |> toStage Stage.AwaitingCommit |> atBarrier settings
        // Only a scheduled commit delivers, so that a stop in between changes nothing in the order of the history.
        | Stage.AwaitingEvaluations when Array.forall hasResult turn.State.Ledger.Pending ->
            turn
            |> Turn.deliverEvaluations
            |> toStage Stage.AwaitingCommit
            |> atBarrier settings
        | Stage.AwaitingCommit when turn.State.CommitInFlight.IsNone -> capture turn
        | _ -> turn

    /// Everybody has handed out copies: the commit goes on its way, and unless it is the last one, so does the run.
    let private commit settings (turn: Turn) : Turn =
        let state = turn.State
        let due = Ledger.due settings state.Ledger
        let now = state.Ledger.Position.Steps

        let ending, note =
            match due.Finished, Ledger.isSwitchDue settings state.Ledger, state.StopReason with
            | true, false, _ -> Some Completed, Turn.note (RunCompleted now)
            | _, _, Some reason -> Some(Interrupted reason), Turn.note (RunInterrupted(now, reason))
            | true, true, None -> Some PhaseOver, id
            | false, _, None -> None, id

        let turn = note turn

        let turn =
            turn
            |> Turn.orderWithId (fun id ->
                Commit {
                    Id = id
                    IsScheduled = due.Commit || due.Finished
                    Ledger = turn.State.Ledger
                    Events = List.rev turn.State.Events
                })
            |> Turn.update (fun state -> {
                state with
                    CommitInFlight = Some(state.NextId - 1L)
                    Events = []
                    EndsAs = ending
            })

        match ending with
        | Some _ -> toStage Stage.Ending turn
        | None -> leave settings turn

    let private committed settings (id: int64) (step: int64) (turn: Turn) : Turn =
        if turn.State.CommitInFlight <> Some id then
            turn
        else
            let turn =
                turn
                |> Turn.update (fun state -> {
                    state with
                        CommitInFlight = None
                        CommittedStep = Some step
                        JournalTrouble = None
                })

            match turn.State.Stage, turn.State.EndsAs with
            | Stage.AwaitingCommit, _ -> atBarrier settings turn
            // A stop that came while the commit of a phase's end was being written.
            | Stage.Ending, Some PhaseOver when turn.State.StopReason.IsSome -> finish settings (Interrupted turn.State.StopReason.Value) turn
            | Stage.Ending, Some ending -> finish settings ending turn
            | Stage.Failing, _ -> finishFailing settings turn
            | _ -> turn

    // The beginning

    let private opened (opening: Opening) (turn: Turn) : Turn =
        let turn =
            turn
            |> Turn.update (fun state -> {
                state with
                    Ledger = opening.Ledger
                    Head = opening.Head
                    Environments =
                        (state.Environments, opening.Episodes)
                        ||> Array.map2 (fun environment episode -> { environment with Episode = episode })
                    Opening = Some opening
            })

        match opening.RewindsTo with
        | None -> Turn.order Begin turn
        // Files are cut only once the rewind is stored.
        | Some commit ->
            turn
            |> Turn.update (fun state -> {
                state with
                    Rewinding = Some state.NextId
            })
            |> Turn.orderWithId (fun id -> Rewind(id, commit))

    let private begun settings (turn: Turn) : Turn =
        match turn.State.Opening with
        | None -> turn
        | Some opening ->
            let turn =
                turn
                |> toStage Stage.StartingEnvironments
                |> Turn.update (fun state -> {
                    state with
                        CommittedStep = Option.orElse state.CommittedStep opening.From
                        Opening = None
                        Events = List.rev opening.Note
                })

            let turn =
                (turn, turn.State.Ledger.Pending)
                ||> Array.fold (fun turn pending -> Turn.order (EvaluateAgain pending.Step) turn)

            let turn =
                (turn, opening.Record)
                ||> List.fold (fun turn event -> Turn.record event turn)

            if opening.BeginsPhase then
                Turn.recordPhase settings turn
            else
                turn

    let private environmentReady settings (environment: int) (episode: int64) (turn: Turn) : Turn =
        let turn =
            turn
            |> Turn.onEnvironment environment (fun state -> {
                state with
                    IsReady = true
                    Episode = max state.Episode episode
            })

        match turn.State.Stage with
        | Stage.StartingEnvironments when turn.State.Environments |> Array.forall _.IsReady ->
            if (Ledger.due settings turn.State.Ledger).Finished then
                // Resumed after its end: there is nothing to do, and nothing may change.
                finish settings Completed turn
            elif turn.State.Ledger.Position.Round = 0L && turn.State.CommittedStep.IsNone then
                // A new run commits its very beginning first.
                turn |> toStage Stage.AwaitingEvaluations |> atBarrier settings
            else
                leave settings turn
        | Stage.Capturing -> Turn.order (CaptureEnvironment environment) turn
        | _ ->
            match turn.State.Environments[environment].Work with
            | Stepping _ -> Turn.order (Step environment) turn
            | Idle
            | Storing _ -> turn

    let private environmentFailed (environment: int) (reason: string) (turn: Turn) : Turn =
        let turn =
            turn
            |> Turn.onEnvironment environment (fun state -> {
                state with
                    IsReady = false
                    Failures = state.Failures + 1
                    FailuresInARow = state.FailuresInARow + 1
            })

        let failed = turn.State.Environments[environment]

        if failed.FailuresInARow >= mostFailuresInARow then
            turn
            |> fail $"environment {environment} failed {failed.FailuresInARow} times in a row, the last time because: {reason}"
        else
            let doubled = shortestPause * float (pown 2L (failed.FailuresInARow - 1))

            turn
            |> Turn.onLedger Ledger.countRestart
            |> Turn.record (EnvironmentRestarted(steps turn.State, environment, reason))
            // Never an episode again whose beginning may be stored.
            |> Turn.order (RestartEnvironment(environment, failed.Episode + 1L, min doubled longestPause))

    // Between barriers

    let private stepped (round: SteppedRound) (turn: Turn) : Turn =
        match turn.State.Environments[round.Environment].Work, turn.State.Flight with
        | Stepping assignment, Some flight ->
            let turn =
                turn
                |> Turn.onEnvironment round.Environment (fun state -> {
                    state with
                        Work = Storing(assignment.Steps, round.Episodes)
                        Episode = round.Episode
                        LastReturn =
                            if round.Episodes.Length = 0 then
                                state.LastReturn
                            else
                                (Array.last round.Episodes).Return
                        Divergences = state.Divergences + round.Divergences
                        FailuresInARow = 0
                })

            match flight with
            | Lockstep lockstep -> LockstepSchedule.stepped lockstep turn
            | Free free -> FreeSchedule.stepped free round.Environment turn
        | _ -> turn

    let private appended settings (rows: Rows) (head: int64) (turn: Turn) : Turn =
        let turn =
            turn
            |> Turn.update (fun state -> {
                state with
                    Head = head
                    RowsTrouble = None
            })

        match rows, turn.State.Flight with
        | OfRound, Some(Lockstep round) -> LockstepSchedule.appended settings round turn
        | OfEnvironment environment, Some(Free flight) -> FreeSchedule.appended settings flight environment turn
        | _ -> turn

    let private learned settings (result: LearnedSteps) (turn: Turn) : Turn =
        match turn.State.Flight with
        | Some(Lockstep round) -> LockstepSchedule.learned round result turn
        | Some(Free flight) -> FreeSchedule.learned settings flight result turn
        | None -> turn

    let private evaluated settings (step: int64) returns lengths (turn: Turn) : Turn =
        let turn =
            turn
            |> Turn.update (fun state -> {
                state with
                    Evaluated = Map.add step (struct (returns, lengths)) state.Evaluated
            })

        match turn.State.Stage with
        | Stage.AwaitingEvaluations -> atBarrier settings turn
        | _ -> turn

    let private recorded settings (id: int64) (turn: Turn) : Turn =
        let turn =
            turn
            |> Turn.update (fun state -> {
                state with
                    JournalTrouble =
                        if state.CommitInFlight.IsNone then
                            None
                        else
                            state.JournalTrouble
                    Failure =
                        state.Failure
                        |> Option.map (fun failure -> {
                            failure with
                                IsStored = failure.IsStored || failure.RecordId = id
                        })
            })

        match turn.State.Stage with
        | Stage.Recovering when turn.State.Rewinding = Some id -> Turn.order Begin turn
        | Stage.Failing -> finishFailing settings turn
        | _ -> turn

    // Stops

    let private stop settings (reason: string) (turn: Turn) : Turn =
        match turn.State.Stage with
        // Whoever waits for the last video does not want to any more.
        | Stage.Filming ending -> turn |> toStage (Stage.Ended ending) |> Turn.order (End ending)
        | _ when turn.State.StopReason.IsSome -> turn
        | stage ->
            let turn =
                turn
                |> Turn.update (fun state -> { state with StopReason = Some reason })
                |> Turn.order WatchStop

            match stage with
            // Nothing was done that is not committed already.
            | Stage.Recovering
            | Stage.StartingEnvironments -> finish settings (Interrupted reason) turn
            | Stage.Training -> turn |> drainIfStopped |> afterAnswer settings
            | _ -> turn

    /// A stop commits if it can. An environment that hangs, also in an evaluation, and a disk that takes nothing do not hold it up for ever.
    let private giveUpStopping settings (turn: Turn) : Turn =
        let state = turn.State

        let isStuck =
            match state.Stage with
            | Stage.Training
            | Stage.AwaitingEvaluations
            | Stage.Capturing -> true
            | Stage.AwaitingCommit
            | Stage.Ending -> state.JournalTrouble.IsSome
            | _ -> false

        match state.StopReason with
        | Some reason when isStuck -> finish settings (Interrupted reason) turn
        | Some _ when not (isOver state) -> Turn.order WatchStop turn
        | _ -> turn

    let private hear settings (input: Input) (turn: Turn) : Turn =
        let stage = turn.State.Stage

        match input with
        | Recovered nextId when stage = Stage.Recovering -> turn |> Turn.update (fun state -> { state with NextId = nextId })
        | Opened opening when stage = Stage.Recovering -> opened opening turn
        | Begun when stage = Stage.Recovering -> begun settings turn
        | Recovered _
        | Opened _
        | Begun -> turn
        | EnvironmentReady(environment, episode) -> environmentReady settings environment episode turn
        | EnvironmentFailed(environment, reason) -> environmentFailed environment reason turn
        | Stepped round -> turn |> stopGoesOn |> stepped round |> afterAnswer settings
        | Appended(rows, head) -> turn |> stopGoesOn |> appended settings rows head |> afterAnswer settings
        | Learned result -> turn |> stopGoesOn |> learned settings result |> afterAnswer settings
        | LearningGoesOn -> stopGoesOn turn
        | EpisodePlayed when stage = Stage.AwaitingEvaluations -> stopGoesOn turn
        | EpisodePlayed -> turn
        | Evaluated(step, returns, lengths) -> evaluated settings step returns lengths turn
        | CopyArrived -> stopGoesOn turn
        | Captured when stage = Stage.Capturing -> commit settings turn
        | Captured -> turn
        | Committed(id, step) -> committed settings id step turn
        | Recorded id -> recorded settings id turn
        | JournalRetries reason ->
            turn
            |> Turn.update (fun state -> { state with JournalTrouble = Some reason })
        // Nothing more will be stored.
        | JournalGaveUp _ when stage = Stage.Failing -> endFailed settings turn
        | JournalGaveUp reason ->
            turn
            |> Turn.update (fun state -> { state with CommitInFlight = None })
            |> fail reason
        | RowsRetry reason -> turn |> Turn.update (fun state -> { state with RowsTrouble = Some reason })
        | Broke reason -> fail reason turn
        | StopRequested reason -> stop settings reason turn
        | StopPatienceOver -> giveUpStopping settings turn
        | RecordingPatienceOver -> endFailed settings turn
        | VideoFinished ->
            match stage with
            | Stage.Filming ending -> turn |> toStage (Stage.Ended ending) |> Turn.order (End ending)
            | _ -> turn

    let decide (settings: Settings) (state: RunState) (input: Input) : struct (RunState * Order list) =
        let turn = Turn.start state

        match state.Stage, input with
        | Stage.Ended _, _ -> turn
        // A run that fails or films its last video only waits for this.
        | Stage.Failing, (Committed _ | Recorded _ | JournalGaveUp _ | RecordingPatienceOver) -> hear settings input turn
        | Stage.Filming _, (StopRequested _ | VideoFinished) -> hear settings input turn
        | Stage.Failing, _
        | Stage.Filming _, _ -> turn
        | _ -> hear settings input turn
        |> Turn.finish
