namespace NE.Model.Runs

open NE.Model
open NE.Model.History

/// How a run ends: complete, stopped, or failed.
[<RequireQualifiedAccess>]
module internal Endings =

    let isOver (state: RunState) : bool =
        match state.Stage with
        | Stage.Failing
        | Stage.Filming _
        | Stage.Ended _ -> true
        | _ -> false

    let finish (settings: Settings) (ending: Ending) (turn: Turn) : Turn =
        match ending with
        | Completed
        | PhaseOver when settings.Video.Every > 0L -> turn |> Turn.toStage (Stage.Filming ending) |> Turn.order Order.FinishVideo
        | _ -> turn |> Turn.toStage (Stage.Ended ending) |> Turn.order (Order.End ending)

    let fail (reason: string) (turn: Turn) : Turn =
        if isOver turn.State then
            turn
        else
            turn
            |> Turn.toStage Stage.Failing
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
            |> Turn.order Order.WatchRecording

    let endFailed settings (turn: Turn) : Turn =
        match turn.State.Failure with
        | Some failure -> finish settings (Failed failure.Reason) turn
        | None -> turn

    /// A failing run ends when its reason is stored and a commit that was under way is done.
    let finishFailing settings (turn: Turn) : Turn =
        match turn.State.Failure with
        | Some { IsStored = true } when turn.State.CommitInFlight.IsNone -> endFailed settings turn
        | _ -> turn
