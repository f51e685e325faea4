namespace NE.Model.Runs

open System
open System.Text.Json
open System.Text.Json.Serialization
open NE.Model
open NE.Model.History

/// An evaluation that was started and whose result was not delivered yet.
type PendingEvaluation = {
    /// Environment step whose policy is evaluated.
    Step: int64
    /// The place in the history that is kept for it, once a commit that should have delivered it was made without it.
    [<JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)>]
    Ordinal: Nullable<int64>
}

/// The counters of a run at a barrier: where it is, and what it has counted. A value; every function returns the next one.
///
/// Stored with every commit as JSON: renaming a field breaks old runs.
type Ledger = {
    Position: Position
    /// Steps of the barrier before this one; cadences fire between the two.
    StepsBefore: int64
    /// Ordinal of the next history event.
    NextOrdinal: int64
    /// Finished training episodes.
    Episodes: int64
    /// Sum and number of the returns of episodes since the last row of metrics.
    RecentReturn: float
    RecentEpisodes: int64
    RecentLength: int64
    /// Best mean return of an evaluation of the current phase, and the step of its policy; -1 before the first.
    BestMean: float
    BestStep: int64
    /// Evaluations started and not delivered, by step.
    Pending: PendingEvaluation[]
    /// Environment failures so far.
    Restarts: int64
    /// The phases so far, the current one last; an ordinary run has one.
    Phases: Phase[]
}

[<RequireQualifiedAccess>]
module Ledger =

    let empty = {
        Position = Position.start
        StepsBefore = 0L
        NextOrdinal = 0L
        Episodes = 0L
        RecentReturn = 0.0
        RecentEpisodes = 0L
        RecentLength = 0L
        BestMean = Double.NegativeInfinity
        BestStep = -1L
        Pending = [||]
        Restarts = 0L
        Phases = [| Phase.first |]
    }

    /// The current phase.
    let phase (ledger: Ledger) : Phase = Array.last ledger.Phases

    /// What is due at the ledger's barrier.
    let due (settings: Settings) (ledger: Ledger) : Due =
        Rounds.due settings (phase ledger) ledger.Episodes ledger.StepsBefore ledger.Position

    /// Whether the phase is over: its steps are taken and learned from, and every evaluation is delivered.
    let isOver (settings: Settings) (ledger: Ledger) : bool =
        (due settings ledger).Finished && ledger.Pending.Length = 0

    /// Whether the phase is over and another one follows.
    let isSwitchDue (settings: Settings) (ledger: Ledger) : bool =
        isOver settings ledger && not (Phase.isLast settings (phase ledger))

    /// The ledger at the beginning of the next phase, whose first row in the replay memory is `head`. What is best, and the training
    /// returns since the last row of metrics, are those of one task.
    let beginPhase (head: int64) (ledger: Ledger) : Ledger = {
        ledger with
            Phases = Array.append ledger.Phases [| Phase.next ledger.Position.Steps ledger.Episodes head (phase ledger) |]
            RecentReturn = 0.0
            RecentEpisodes = 0L
            RecentLength = 0L
            BestMean = Double.NegativeInfinity
            BestStep = -1L
    }

    /// The event of the current phase's beginning, with its ordinal, and the ledger that has counted it.
    let recordPhase (settings: Settings) (ledger: Ledger) : struct (RunEvent * Ledger) =
        let phase = phase ledger

        struct (PhaseStarted(
                    ledger.NextOrdinal,
                    {
                        Step = phase.Start
                        GradientStep = ledger.Position.GradientSteps
                        Phase = phase.Index
                        Cycle = Phase.cycle settings phase
                        Task = Phase.task settings phase
                    }
                ),
                {
                    ledger with
                        NextOrdinal = ledger.NextOrdinal + 1L
                })

    /// The event with its ordinal, and the ledger that has counted it.
    let recordTopology (change: TopologyChanged) (ledger: Ledger) : struct (RunEvent * Ledger) =
        struct (TopologyChanged(ledger.NextOrdinal, change),
                {
                    ledger with
                        NextOrdinal = ledger.NextOrdinal + 1L
                })

    let recordEpisode (episode: EpisodeEnded) (ledger: Ledger) : struct (RunEvent * Ledger) =
        struct (EpisodeEnded(ledger.NextOrdinal, episode),
                {
                    ledger with
                        NextOrdinal = ledger.NextOrdinal + 1L
                        Episodes = ledger.Episodes + 1L
                        RecentReturn = ledger.RecentReturn + episode.Return
                        RecentEpisodes = ledger.RecentEpisodes + 1L
                        RecentLength = ledger.RecentLength + int64 episode.Length
                })

    let startEvaluation (step: int64) (ledger: Ledger) : Ledger = {
        ledger with
            Pending = Array.append ledger.Pending [| { Step = step; Ordinal = Nullable() } |]
    }

    let countRestart (ledger: Ledger) : Ledger = {
        ledger with
            Restarts = ledger.Restarts + 1L
    }

    /// Keeps a place in the history for every pending evaluation that has none: what happens from now on comes after them.
    let keepPlaces (ledger: Ledger) : Ledger =
        let place next (pending: PendingEvaluation) =
            if pending.Ordinal.HasValue then
                pending, next
            else
                { pending with Ordinal = Nullable next }, next + 1L

        let pending, next = Array.mapFold place ledger.NextOrdinal ledger.Pending

        {
            ledger with
                Pending = pending
                NextOrdinal = next
        }

    /// Places in the history that are kept for evaluations, rising.
    let keptPlaces (ledger: Ledger) : int64[] =
        ledger.Pending
        |> Array.choose (fun pending -> Option.ofNullable pending.Ordinal)

    /// Delivers the oldest pending evaluation: decides whether it is the best so far and takes it off the list. It gets the place that was kept
    /// for it, or the next one.
    let deliverEvaluation (step: int64) (returns: float[]) (lengths: int[]) (ledger: Ledger) : struct (RunEvent * Ledger) =
        if ledger.Pending.Length = 0 || ledger.Pending[0].Step <> step then
            invalidOp $"the evaluation of step {step} is not the oldest pending one"

        let kept = ledger.Pending[0].Ordinal
        let mean = Array.average returns
        let best = mean > ledger.BestMean

        let event =
            EvaluationEnded(
                (if kept.HasValue then kept.Value else ledger.NextOrdinal),
                {
                    Step = step
                    Returns = returns
                    Lengths = lengths
                    IsBest = best
                }
            )

        struct (event,
                {
                    ledger with
                        NextOrdinal =
                            (if kept.HasValue then
                                 ledger.NextOrdinal
                             else
                                 ledger.NextOrdinal + 1L)
                        BestMean = (if best then mean else ledger.BestMean)
                        BestStep = (if best then step else ledger.BestStep)
                        Pending = Array.tail ledger.Pending
                })

    /// Mean return and length of the training episodes since the last call (NaN when there was none), and the ledger with them cleared.
    let takeRecentEpisodes (ledger: Ledger) : struct (float * float * Ledger) =
        let count = float ledger.RecentEpisodes

        struct (ledger.RecentReturn / count,
                float ledger.RecentLength / count,
                {
                    ledger with
                        RecentReturn = 0.0
                        RecentEpisodes = 0L
                        RecentLength = 0L
                })

    /// The ledger at the next barrier.
    let advance (steps: int64) (learned: int64) (gradientSteps: int64) (ledger: Ledger) : Ledger = {
        ledger with
            StepsBefore = ledger.Position.Steps
            Position = {
                Round = ledger.Position.Round + 1L
                Steps = steps
                LearnedSteps = learned
                GradientSteps = gradientSteps
            }
    }

    let private json =
        JsonSerializerOptions(
            PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
            NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
            UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow
        )

    let toBytes (ledger: Ledger) : byte[] =
        JsonSerializer.SerializeToUtf8Bytes(ledger, json)

    /// Fails with JsonException when the bytes are not a ledger.
    let ofBytes (bytes: ReadOnlySpan<byte>) : Ledger =
        match JsonSerializer.Deserialize<Ledger>(bytes, json) with
        | null -> raise (JsonException "the stored counters are null")
        // Stored before runs had phases.
        | ledger when isNull (box ledger.Phases) -> {
            ledger with
                Phases = [| Phase.first |]
          }
        | ledger -> ledger
