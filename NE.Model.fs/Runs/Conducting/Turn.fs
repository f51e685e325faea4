namespace NE.Model.Runs

open NE.Model.History
open NE.Model.Replay

/// A decision under way: the state and the orders so far, the newest order first.
[<Struct>]
type internal Turn = { State: RunState; Orders: Order list }

/// What the decisions of all schedules are made of.
[<RequireQualifiedAccess>]
module internal Turn =

    let start (state: RunState) : Turn = { State = state; Orders = [] }

    let finish (turn: Turn) : struct (RunState * Order list) =
        struct (turn.State, List.rev turn.Orders)

    let update (change: RunState -> RunState) (turn: Turn) : Turn = { turn with State = change turn.State }

    let order (order: Order) (turn: Turn) : Turn = {
        turn with
            Orders = order :: turn.Orders
    }

    let orderIf (wanted: bool) (wish: Order) (turn: Turn) : Turn =
        if wanted then order wish turn else turn

    let toStage (stage: Stage) : Turn -> Turn =
        update (fun state -> { state with Stage = stage })

    let onLedger (change: Ledger -> Ledger) : Turn -> Turn =
        update (fun state -> {
            state with
                Ledger = change state.Ledger
        })

    let onEnvironment (index: int) (change: EnvironmentState -> EnvironmentState) : Turn -> Turn =
        update (fun state -> {
            state with
                Environments = Array.updateAt index (change state.Environments[index]) state.Environments
        })

    let note (event: RunEvent) : Turn -> Turn =
        update (fun state -> {
            state with
                Events = event :: state.Events
        })

    /// An event that the ledger has counted becomes history.
    let private keep (struct (event: RunEvent, ledger: Ledger)) (turn: Turn) : Turn =
        turn |> onLedger (fun _ -> ledger) |> note event

    /// Takes the next id of a message to the journal.
    let orderWithId (order': int64 -> Order) (turn: Turn) : Turn =
        let id = turn.State.NextId

        turn
        |> update (fun state -> { state with NextId = id + 1L })
        |> order (order' id)

    /// An operational event, to be stored now.
    let record (event: RunEvent) : Turn -> Turn =
        orderWithId (fun id -> Order.Record(id, event))

    let recordTopology (changes: TopologyChanged[]) (turn: Turn) : Turn =
        (turn, changes)
        ||> Array.fold (fun turn change ->
            turn
            |> keep (Ledger.recordTopology change turn.State.Ledger)
            |> order (Order.WriteTopology change))

    let recordEpisodes (episodes: EpisodeEnded[]) (turn: Turn) : Turn =
        (turn, episodes)
        ||> Array.fold (fun turn episode -> turn |> keep (Ledger.recordEpisode episode turn.State.Ledger))

    let recordPhase settings (turn: Turn) : Turn =
        match Ledger.recordPhase settings turn.State.Ledger with
        | struct (PhaseStarted(_, phase), _) as recorded -> turn |> keep recorded |> order (Order.WritePhase phase)
        | recorded -> keep recorded turn

    /// A row of metrics of the barrier at this step; the training episodes since the last row are part of it.
    let recordMetrics (step: int64) (gradientStep: int64) (replaySize: int64) (turn: Turn) : Turn =
        let struct (episodeReturn, episodeLength, ledger) =
            Ledger.takeRecentEpisodes turn.State.Ledger

        turn
        |> onLedger (fun _ -> ledger)
        |> order (
            Order.WriteMetrics {
                Step = step
                GradientStep = gradientStep
                Episodes = ledger.Episodes
                EpisodeReturn = episodeReturn
                EpisodeLength = episodeLength
                ReplaySize = replaySize
            }
        )

    let evaluate (step: int64) (turn: Turn) : Turn =
        turn |> onLedger (Ledger.startEvaluation step) |> order (Order.Evaluate step)

    /// The pending evaluations that have results, up to the first that has none, in the order of their steps: the events that they become, and
    /// the ledger that has counted all of them.
    let private evaluations (state: RunState) : struct (RunEvent list * Ledger) =
        let rec go events (ledger: Ledger) =
            match Array.tryHead ledger.Pending with
            | Some pending when state.Evaluated.ContainsKey pending.Step ->
                let struct (returns, lengths) = state.Evaluated[pending.Step]

                let struct (event, ledger) =
                    Ledger.deliverEvaluation pending.Step returns lengths ledger

                go (event :: events) ledger
            | _ -> struct (List.rev events, ledger)

        go [] state.Ledger

    let private orderFor (order': EvaluationEnded -> Order) (events: RunEvent list) (turn: Turn) : Turn =
        (turn, events)
        ||> List.fold (fun turn event ->
            match event with
            | EvaluationEnded(_, evaluation) -> order (order' evaluation) turn
            | _ -> turn)

    /// A result has come. Shows what it lets be delivered.
    let evaluated (step: int64) returns lengths (turn: Turn) : Turn =
        let struct (before, _) = evaluations turn.State

        let turn =
            turn
            |> update (fun state -> {
                state with
                    Evaluated = Map.add step (struct (returns, lengths)) state.Evaluated
            })

        let struct (now, _) = evaluations turn.State
        orderFor Order.ShowEvaluation (List.skip before.Length now) turn

    /// Steps of the evaluations that have no result.
    let awaited (state: RunState) : int64[] =
        state.Ledger.Pending
        |> Array.map _.Step
        |> Array.filter (state.Evaluated.ContainsKey >> not)

    /// Delivers the evaluations that have results, in the order of their steps, and keeps the places of those from the first that has none. At
    /// scheduled commits alone, so that the order of the history does not depend on how long the episodes took.
    let deliverEvaluations (turn: Turn) : Turn =
        let struct (events, ledger) = evaluations turn.State

        let delivered =
            events
            |> List.choose (function
                | EvaluationEnded(_, evaluation) -> Some evaluation.Step
                | _ -> None)

        (turn, events)
        ||> List.fold (fun turn event -> note event turn)
        |> orderFor Order.WriteEvaluation events
        |> onLedger (fun _ -> Ledger.keepPlaces ledger)
        |> update (fun state -> {
            state with
                Evaluated = List.foldBack Map.remove delivered state.Evaluated
        })

    /// Rows that may be sampled when everything stored so far is known.
    let window settings (state: RunState) : Window = {
        First = Rounds.windowFirst settings (Ledger.phase state.Ledger) state.Head
        Head = state.Head
    }

    /// Asks an environment for steps with the policy of now. One that is not up takes them when it is.
    let askForSteps (environment: int) (assignment: Assignment) (turn: Turn) : Turn =
        turn
        |> onEnvironment environment (fun state -> {
            state with
                Work = Stepping assignment
        })
        |> order (Order.Prepare(environment, assignment))
        |> orderIf turn.State.Environments[environment].IsReady (Order.Step environment)
