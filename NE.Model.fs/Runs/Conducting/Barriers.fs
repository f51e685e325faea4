namespace NE.Model.Runs

open NE.Model
open NE.Model.History

/// What a run does where nothing is in flight: deliver, commit, go on.
[<RequireQualifiedAccess>]
module internal Barriers =

    let private capture: Turn -> Turn =
        Turn.toStage Stage.Capturing >> Turn.order Order.Capture

    let rec leave settings (turn: Turn) : Turn =
        let turn = turn |> Turn.toStage Stage.Training |> Turn.order Order.LeaveBarrier

        let turn =
            if settings.Schedule.Kind.IsAsync then
                FreeSchedule.release settings turn
            else
                LockstepSchedule.release settings turn

        turn |> drainIfStopped |> afterAnswer settings

    /// A stop wants a barrier. In lockstep every round ends in one.
    and drainIfStopped (turn: Turn) : Turn =
        match turn.State.StopReason, turn.State.Flight with
        | Some _, Some(Free flight) -> FreeSchedule.drain flight turn
        | _ -> turn

    /// Between barriers, after an answer: closes what is complete.
    and afterAnswer settings (turn: Turn) : Turn =
        let barrier = awaitEvaluations settings

        match turn.State.Flight with
        | _ when turn.State.Stage <> Stage.Training -> turn
        | Some(Lockstep round) when LockstepSchedule.isBarrier round -> turn |> LockstepSchedule.close round |> barrier
        | Some(Free flight) when FreeSchedule.isBarrier turn.State flight -> turn |> FreeSchedule.close flight |> barrier
        | _ -> turn

    /// Nothing is in flight. Delivers, commits and goes on as far as it is due; waits, and is called again, where it must.
    and atBarrier settings (turn: Turn) : Turn =
        let due = Ledger.due settings turn.State.Ledger
        let isScheduled = due.Commit || due.Finished

        match turn.State.Stage with
        | _ when not isScheduled && turn.State.StopReason.IsNone -> leave settings turn
        | Stage.AwaitingEvaluations when not isScheduled -> turn |> Turn.toStage Stage.AwaitingCommit |> atBarrier settings
        // Only a scheduled commit delivers, so that a stop in between changes nothing in the order of the history.
        | Stage.AwaitingEvaluations when (Turn.awaited turn.State).Length = 0 -> deliver settings turn
        // A stop waits for none.
        | Stage.AwaitingEvaluations when turn.State.StopReason.IsSome -> withoutLate settings turn
        | Stage.AwaitingCommit when turn.State.CommitInFlight.IsNone -> capture turn
        | _ -> turn

    /// Nothing is in flight: a barrier begins.
    and awaitEvaluations settings (turn: Turn) : Turn =
        let turn = turn |> Turn.toStage Stage.AwaitingEvaluations |> atBarrier settings
        Turn.orderIf (turn.State.Stage = Stage.AwaitingEvaluations) Order.WatchEvaluations turn

    and private deliver settings (turn: Turn) : Turn =
        turn
        |> Turn.deliverEvaluations
        |> Turn.toStage Stage.AwaitingCommit
        |> atBarrier settings

    and private withoutLate settings (turn: Turn) : Turn =
        turn
        |> Turn.order (Order.EvaluationsLate(Turn.awaited turn.State, false))
        |> deliver settings

    /// A commit has waited for evaluations long enough. It is made without them, but for one that ends a phase: what follows needs all of it.
    let evaluationsLate settings (turn: Turn) : Turn =
        if turn.State.Stage <> Stage.AwaitingEvaluations then
            turn
        elif (Ledger.due settings turn.State.Ledger).Finished then
            Turn.order (Order.EvaluationsLate(Turn.awaited turn.State, true)) turn
        else
            withoutLate settings turn

    /// Everybody has handed out copies: the commit goes on its way, and unless it is the last one, so does the run.
    let commit settings (turn: Turn) : Turn =
        let state = turn.State
        let due = Ledger.due settings state.Ledger
        let now = state.Ledger.Position.Steps

        let ending, note =
            match Ledger.isOver settings state.Ledger, Ledger.isSwitchDue settings state.Ledger, state.StopReason with
            | true, false, _ -> Some Completed, Turn.note (RunCompleted now)
            | _, _, Some reason -> Some(Interrupted reason), Turn.note (RunInterrupted(now, reason))
            | true, true, None -> Some PhaseOver, id
            | false, _, None -> None, id

        let turn = note turn

        let turn =
            turn
            |> Turn.orderWithId (fun id ->
                Order.Commit {
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
        | Some _ -> Turn.toStage Stage.Ending turn
        | None -> leave settings turn

    let committed settings (id: int64) (step: int64) (turn: Turn) : Turn =
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
            | Stage.Ending, Some PhaseOver when turn.State.StopReason.IsSome ->
                Endings.finish settings (Interrupted turn.State.StopReason.Value) turn
            | Stage.Ending, Some ending -> Endings.finish settings ending turn
            | Stage.Failing, _ -> Endings.finishFailing settings turn
            | _ -> turn
