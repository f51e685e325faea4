namespace NE.Model.Runs

/// How a run begins: from the last commit, or from nothing.
[<RequireQualifiedAccess>]
module internal Beginnings =

    let opened (opening: Opening) (turn: Turn) : Turn =
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
        | None -> Turn.order Order.Begin turn
        // Files are cut only once the rewind is stored.
        | Some commit ->
            turn
            |> Turn.update (fun state -> {
                state with
                    Rewinding = Some state.NextId
            })
            |> Turn.orderWithId (fun id -> Order.Rewind(id, commit))

    let begun settings (turn: Turn) : Turn =
        match turn.State.Opening with
        | None -> turn
        | Some opening ->
            let turn =
                turn
                |> Turn.toStage Stage.StartingEnvironments
                |> Turn.update (fun state -> {
                    state with
                        CommittedStep = Option.orElse state.CommittedStep opening.From
                        Opening = None
                        Events = List.rev opening.Note
                })

            let turn =
                (turn, turn.State.Ledger.Pending)
                ||> Array.fold (fun turn pending -> Turn.order (Order.EvaluateAgain pending.Step) turn)

            let turn =
                (turn, opening.Record) ||> List.fold (fun turn event -> Turn.record event turn)

            if opening.BeginsPhase then
                Turn.recordPhase settings turn
            else
                turn
