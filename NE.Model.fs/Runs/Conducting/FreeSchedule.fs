namespace NE.Model.Runs

open NE.Model
open NE.Model.History

/// The asynchronous schedule: environments run free, held by credits. An environment is granted its next batch of steps only while the
/// learner is at most a few batches behind, which holds the sample-to-insert ratio. A barrier is made only when one is needed (a commit, a
/// stop, the end): nothing is granted until everything granted is stored and learned from. Not deterministic, but its counters are exact.
[<RequireQualifiedAccess>]
module internal FreeSchedule =

    /// Least steps of one credit; smaller batches cost more messages than they are worth.
    let private leastBatch = 16

    /// Batches per environment that the learner may be behind.
    let private slackBatches = 4

    /// Most steps of one credit.
    let batch (settings: Settings) : int =
        max leastBatch settings.Schedule.RoundSteps

    let private enter (flight: FreeFlight) : Turn -> Turn =
        Turn.update (fun state -> {
            state with
                Flight = Some(Free flight)
        })

    let private isOver settings (flight: FreeFlight) (ledger: Ledger) =
        Phase.isOver settings (Ledger.phase ledger) flight.Steps ledger.Episodes

    let private isIdle (environment: EnvironmentState) =
        match environment.Work with
        | Idle -> true
        | Stepping _
        | Storing _ -> false

    /// Gives the learner its next batch of environment steps, where they owe gradient steps or a row of metrics is due.
    let private learn (settings: Settings) (flight: FreeFlight) (turn: Turn) : struct (FreeFlight * Turn) =
        if flight.IsLearning then
            struct (flight, turn)
        else
            let phase = Ledger.phase turn.State.Ledger

            // At a replay ratio below one, some batches owe nothing.
            let rec next learned =
                let learnTo = min flight.Steps (learned + int64 (batch settings))
                let updates = Rounds.updatesOwed settings phase learned learnTo

                if updates = 0L && learnTo < flight.Steps then
                    next learnTo
                else
                    struct (learned, learnTo, updates)

            // The steps at the start are not learned from.
            let struct (learned, learnTo, updates) =
                next (max flight.LearnedSteps (min flight.Steps (Phase.learnFrom settings phase)))

            if updates = 0L && flight.MeasureAt.IsNone then
                struct ({
                            flight with
                                LearnedSteps = learnTo
                                LearnTo = learnTo
                        },
                        turn)
            else
                let window = Turn.window settings turn.State

                struct ({
                            flight with
                                LearnedSteps = learned
                                LearnTo = learnTo
                                Window = window
                                IsLearning = true
                                // The cadence may fire again before the answer, which belongs to this step.
                                MeasuringAt = defaultArg flight.MeasureAt flight.MeasuringAt
                                MeasureAt = None
                                Probe = false
                        },
                        turn
                        |> Turn.order (
                            Order.Learn {
                                Window = window
                                Updates = updates
                                Measure = flight.MeasureAt.IsSome
                                Probe = flight.Probe
                            }
                        ))

    let private grant (settings: Settings) (flight: FreeFlight) (turn: Turn) : struct (FreeFlight * Turn) =
        let phase = Ledger.phase turn.State.Ledger

        let slack =
            int64 slackBatches
            * int64 (batch settings)
            * int64 turn.State.Environments.Length

        let folder (struct (flight: FreeFlight, turn: Turn)) environment =
            let steps =
                min (int64 (batch settings)) (Phase.lastStep settings phase - flight.Granted)

            if
                flight.IsDraining
                || not (isIdle turn.State.Environments[environment])
                || steps <= 0L
                || not (Rounds.mayGrant settings phase slack flight.Granted flight.LearnedSteps steps)
            then
                struct (flight, turn)
            else
                struct ({
                            flight with
                                Granted = flight.Granted + steps
                        },
                        turn
                        |> Turn.askForSteps environment {
                            Step = flight.Granted
                            Stride = 1
                            Steps = int steps
                        })

        [ 0 .. turn.State.Environments.Length - 1 ]
        |> List.fold folder (struct (flight, turn))

    /// Gives whatever credit can be given now.
    let private pump (settings: Settings) (flight: FreeFlight) (turn: Turn) : Turn =
        // What needs no learning gives credit at once.
        let struct (flight, turn) = learn settings flight turn
        let struct (flight, turn) = grant settings flight turn
        enter flight turn

    /// Leaves a barrier, or begins.
    let release (settings: Settings) (turn: Turn) : Turn =
        let position = turn.State.Ledger.Position

        let flight =
            match turn.State.Flight with
            | Some(Free flight) -> flight
            | _ -> {
                Steps = position.Steps
                Granted = position.Steps
                LearnedSteps = position.LearnedSteps
                LearnTo = position.LearnedSteps
                GradientSteps = position.GradientSteps
                MeasureAt = None
                Probe = false
                MeasuringAt = position.Steps
                IsLearning = false
                IsDraining = false
                Window = Turn.window settings turn.State
              }

        let turn = if position.Round = 0L then Turn.evaluate 0L turn else turn

        let flight = {
            flight with
                IsDraining = isOver settings flight turn.State.Ledger
        }

        pump settings flight turn

    /// Asks for a barrier as soon as there can be one.
    let drain (flight: FreeFlight) : Turn -> Turn = enter { flight with IsDraining = true }

    let stepped (flight: FreeFlight) (environment: int) : Turn -> Turn =
        Turn.order (Order.Append(OfEnvironment environment, flight.Window.First))

    /// The rows of an environment are stored.
    let appended (settings: Settings) (flight: FreeFlight) (environment: int) (turn: Turn) : Turn =
        match turn.State.Environments[environment].Work with
        | Idle
        | Stepping _ -> turn
        | Storing(steps, episodes) ->
            let before, now = flight.Steps, flight.Steps + int64 steps
            let phase = Ledger.phase turn.State.Ledger

            let turn =
                turn
                |> Turn.recordEpisodes episodes
                |> Turn.onEnvironment environment (fun state -> { state with Work = Idle })

            let turn =
                if Rounds.fired settings.Evaluation.Every.Value before now then
                    Turn.evaluate now turn
                else
                    turn

            let isMeasured = Rounds.metricsDue settings phase before now
            let moved = { flight with Steps = now }

            turn
            |> Turn.orderIf (Rounds.firedUnlessOff settings.Video.Every before now) (Order.Film now)
            |> pump settings {
                moved with
                    MeasureAt = if isMeasured then Some now else flight.MeasureAt
                    Probe = flight.Probe || isMeasured && Rounds.probeDue settings phase before now
                    // Rows are committed at a barrier: one is due when the cadence fires, and at the end.
                    IsDraining =
                        flight.IsDraining
                        || Rounds.fired settings.Checkpoint.Every.Value before now
                        || isOver settings moved turn.State.Ledger
            }

    let learned (settings: Settings) (flight: FreeFlight) (result: LearnedSteps) (turn: Turn) : Turn =
        let turn =
            if result.IsMeasured then
                // Measured before the gradient steps.
                turn
                |> Turn.recordMetrics flight.MeasuringAt flight.GradientSteps (flight.Window.Head - flight.Window.First)
            else
                turn

        turn
        |> Turn.recordTopology result.Changes
        |> pump settings {
            flight with
                IsLearning = false
                LearnedSteps = flight.LearnTo
                GradientSteps = result.GradientSteps
        }

    /// Whether nothing is in flight, where a barrier is wanted.
    let isBarrier (state: RunState) (flight: FreeFlight) : bool =
        flight.IsDraining
        && not flight.IsLearning
        && Array.forall isIdle state.Environments

    let close (flight: FreeFlight) : Turn -> Turn =
        Turn.onLedger (Ledger.advance flight.Steps flight.LearnedSteps flight.GradientSteps)
