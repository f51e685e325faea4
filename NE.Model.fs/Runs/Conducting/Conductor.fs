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

    let isOver (state: RunState) : bool = Endings.isOver state

    /// Whatever is heard on the way to the commit of a stop gives it its time anew.
    let private stopGoesOn (turn: Turn) : Turn =
        Turn.orderIf turn.State.StopReason.IsSome Order.WatchStop turn

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
            let ledger = turn.State.Ledger

            if Ledger.isOver settings ledger then
                // Resumed after its end: there is nothing to do, and nothing may change.
                Endings.finish settings Completed turn
            elif (Ledger.due settings ledger).Finished then
                // Stopped before its last evaluations were over: they are all that is left.
                Barriers.awaitEvaluations settings turn
            elif ledger.Position.Round = 0L && turn.State.CommittedStep.IsNone then
                // A new run commits its very beginning first.
                Barriers.awaitEvaluations settings turn
            else
                Barriers.leave settings turn
        | Stage.Capturing -> Turn.order (Order.CaptureEnvironment environment) turn
        | _ ->
            match turn.State.Environments[environment].Work with
            | Stepping _ -> Turn.order (Order.Step environment) turn
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
            |> Endings.fail $"environment {environment} failed {failed.FailuresInARow} times in a row, the last time because: {reason}"
        else
            let doubled = shortestPause * float (pown 2L (failed.FailuresInARow - 1))

            turn
            |> Turn.onLedger Ledger.countRestart
            |> Turn.record (EnvironmentRestarted(steps turn.State, environment, reason))
            // Never an episode again whose beginning may be stored.
            |> Turn.order (Order.RestartEnvironment(environment, failed.Episode + 1L, min doubled longestPause))

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
        let turn = Turn.evaluated step returns lengths turn

        match turn.State.Stage with
        | Stage.AwaitingEvaluations -> Barriers.atBarrier settings turn
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
        | Stage.Recovering when turn.State.Rewinding = Some id -> Turn.order Order.Begin turn
        | Stage.Failing -> Endings.finishFailing settings turn
        | _ -> turn

    // Stops

    let private stop settings (reason: string) (turn: Turn) : Turn =
        match turn.State.Stage with
        // Whoever waits for the last video does not want to any more.
        | Stage.Filming ending -> turn |> Turn.toStage (Stage.Ended ending) |> Turn.order (Order.End ending)
        | _ when turn.State.StopReason.IsSome -> turn
        | stage ->
            let turn =
                turn
                |> Turn.update (fun state -> { state with StopReason = Some reason })
                |> Turn.order Order.WatchStop

            match stage with
            // Nothing was done that is not committed already.
            | Stage.Recovering
            | Stage.StartingEnvironments -> Endings.finish settings (Interrupted reason) turn
            | Stage.Training -> turn |> Barriers.drainIfStopped |> Barriers.afterAnswer settings
            | Stage.AwaitingEvaluations -> Barriers.atBarrier settings turn
            | _ -> turn

    /// A stop commits if it can. An environment that hangs and a disk that takes nothing do not hold it up for ever.
    let private giveUpStopping settings (turn: Turn) : Turn =
        let state = turn.State

        let isStuck =
            match state.Stage with
            | Stage.Training
            | Stage.Capturing -> true
            | Stage.AwaitingCommit
            | Stage.Ending -> state.JournalTrouble.IsSome
            | _ -> false

        match state.StopReason with
        | Some reason when isStuck -> Endings.finish settings (Interrupted reason) turn
        | Some _ when not (isOver state) -> Turn.order Order.WatchStop turn
        | _ -> turn

    let private hear settings (input: Input) (turn: Turn) : Turn =
        let stage = turn.State.Stage

        match input with
        | Input.Recovered nextId when stage = Stage.Recovering -> turn |> Turn.update (fun state -> { state with NextId = nextId })
        | Input.Opened opening when stage = Stage.Recovering -> Beginnings.opened opening turn
        | Input.Begun when stage = Stage.Recovering -> Beginnings.begun settings turn
        | Input.Recovered _
        | Input.Opened _
        | Input.Begun -> turn
        | Input.EnvironmentReady(environment, episode) -> environmentReady settings environment episode turn
        | Input.EnvironmentFailed(environment, reason) -> environmentFailed environment reason turn
        | Input.Stepped round -> turn |> stopGoesOn |> stepped round |> Barriers.afterAnswer settings
        | Input.Appended(rows, head) ->
            turn
            |> stopGoesOn
            |> appended settings rows head
            |> Barriers.afterAnswer settings
        | Input.Learned result -> turn |> stopGoesOn |> learned settings result |> Barriers.afterAnswer settings
        | Input.LearningGoesOn -> stopGoesOn turn
        | Input.Evaluated(step, returns, lengths) -> evaluated settings step returns lengths turn
        | Input.EvaluationPatienceOver -> Barriers.evaluationsLate settings turn
        | Input.CopyArrived -> stopGoesOn turn
        | Input.Captured when stage = Stage.Capturing -> Barriers.commit settings turn
        | Input.Captured -> turn
        | Input.Committed(id, step) -> Barriers.committed settings id step turn
        | Input.Recorded id -> recorded settings id turn
        | Input.JournalRetries reason ->
            turn
            |> Turn.update (fun state -> {
                state with
                    JournalTrouble = Some reason
            })
        // Nothing more will be stored.
        | Input.JournalGaveUp _ when stage = Stage.Failing -> Endings.endFailed settings turn
        | Input.JournalGaveUp reason ->
            turn
            |> Turn.update (fun state -> { state with CommitInFlight = None })
            |> Endings.fail reason
        | Input.RowsRetry reason -> turn |> Turn.update (fun state -> { state with RowsTrouble = Some reason })
        | Input.Broke reason -> Endings.fail reason turn
        | Input.StopRequested reason -> stop settings reason turn
        | Input.StopPatienceOver -> giveUpStopping settings turn
        | Input.RecordingPatienceOver -> Endings.endFailed settings turn
        | Input.VideoFinished ->
            match stage with
            | Stage.Filming ending -> turn |> Turn.toStage (Stage.Ended ending) |> Turn.order (Order.End ending)
            | _ -> turn

    let decide (settings: Settings) (state: RunState) (input: Input) : struct (RunState * Order list) =
        let turn = Turn.start state

        match state.Stage, input with
        | Stage.Ended _, _ -> turn
        // A run that fails or films its last video only waits for this.
        | Stage.Failing, (Input.Committed _ | Input.Recorded _ | Input.JournalGaveUp _ | Input.RecordingPatienceOver) ->
            hear settings input turn
        | Stage.Filming _, (Input.StopRequested _ | Input.VideoFinished) -> hear settings input turn
        | Stage.Failing, _
        | Stage.Filming _, _ -> turn
        | _ -> hear settings input turn
        |> Turn.finish
