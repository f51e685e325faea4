namespace NE.Model.Runs

open NE.Model
open NE.Model.History

/// The two deterministic schedules. A round is: every environment takes its steps, their rows are appended, the learner takes the gradient
/// steps that are owed. Serial does the three in turn. Pipelined lets the learner work on the rows of the round before while the
/// environments step with the policy of the round before.
[<RequireQualifiedAccess>]
module internal LockstepSchedule =

    let private isPipelined (settings: Settings) = settings.Schedule.Kind.IsPipelined

    let private enter (round: LockstepRound) : Turn -> Turn =
        Turn.update (fun state -> {
            state with
                Flight = Some(Lockstep round)
        })

    /// The learner's part of a round: nothing, where nothing is owed and nothing is measured.
    let private learn settings (round: LockstepRound) (turn: Turn) : Turn =
        let ledger = turn.State.Ledger

        let updates =
            Rounds.updatesOwed settings (Ledger.phase ledger) ledger.Position.LearnedSteps round.LearnTo

        if updates = 0L && not round.Due.Metrics then
            turn |> enter { round with IsLearned = true }
        else
            turn
            |> enter round
            |> Turn.order (
                Order.Learn {
                    Window = round.Window
                    Updates = updates
                    Measure = round.Due.Metrics
                    Probe = round.Due.Probe
                }
            )

    /// Begins a round at a barrier.
    let release (settings: Settings) (turn: Turn) : Turn =
        let ledger = turn.State.Ledger
        let now, due = ledger.Position.Steps, Ledger.due settings ledger
        let turn = if due.Evaluation then Turn.evaluate now turn else turn
        let isOver = Phase.isOver settings (Ledger.phase ledger) now ledger.Episodes
        let steps = if isOver then 0L else Rounds.stepsPerRound settings

        let round = {
            Steps = steps
            LearnTo = if isPipelined settings then now else now + steps
            Due = due
            Window = Turn.window settings turn.State
            IsAppended = isOver
            IsLearned = false
            Result = None
        }

        let environments =
            if isOver then
                []
            else
                [ 0 .. turn.State.Environments.Length - 1 ]

        let ask turn environment =
            turn
            |> Turn.askForSteps environment {
                Step = now + int64 environment
                Stride = turn.State.Environments.Length
                Steps = settings.Schedule.RoundSteps
            }

        let turn =
            environments
            |> List.fold ask (turn |> Turn.orderIf due.Video (Order.Film now) |> enter round)

        if isPipelined settings || isOver then
            learn settings round turn
        else
            turn

    /// The last environment has taken its steps: their rows are stored together.
    let stepped (round: LockstepRound) (turn: Turn) : Turn =
        let isStepping environment =
            match environment.Work with
            | Stepping _ -> true
            | Idle
            | Storing _ -> false

        turn
        |> Turn.orderIf (not (Array.exists isStepping turn.State.Environments)) (Order.Append(OfRound, round.Window.First))

    let appended (settings: Settings) (round: LockstepRound) (turn: Turn) : Turn =
        if isPipelined settings then
            enter { round with IsAppended = true } turn
        else
            turn
            |> learn settings {
                round with
                    IsAppended = true
                    Window = Turn.window settings turn.State
            }

    let learned (round: LockstepRound) (result: LearnedSteps) : Turn -> Turn =
        enter {
            round with
                IsLearned = true
                Result = Some result
        }

    let isBarrier (round: LockstepRound) : bool = round.IsAppended && round.IsLearned

    /// Closes a round at its barrier.
    let close (round: LockstepRound) (turn: Turn) : Turn =
        let before = turn.State.Ledger.Position

        let gradientSteps =
            match round.Result with
            | Some result -> result.GradientSteps
            | None -> before.GradientSteps

        let changes =
            match round.Result with
            | Some result -> result.Changes
            | None -> [||]

        // The environments work side by side; the history has one order.
        let episodes =
            turn.State.Environments
            |> Array.collect (fun environment ->
                match environment.Work with
                | Storing(_, episodes) -> episodes
                | Idle
                | Stepping _ -> [||])
            |> Array.sortBy (fun (episode: EpisodeEnded) -> struct (episode.Step, episode.Environment))

        let turn =
            match round.Result with
            // Measured before the gradient steps.
            | Some { IsMeasured = true } ->
                turn
                |> Turn.recordMetrics before.Steps before.GradientSteps (round.Window.Head - round.Window.First)
            | _ -> turn

        turn
        |> Turn.onLedger (Ledger.advance (before.Steps + round.Steps) round.LearnTo gradientSteps)
        |> Turn.recordTopology changes
        |> Turn.recordEpisodes episodes
        |> Turn.update (fun state -> {
            state with
                Environments =
                    state.Environments
                    |> Array.map (fun environment -> { environment with Work = Idle })
        })
