namespace NE.Model.Replay

open System
open NE.Model

/// The rows of the replay buffer that may be sampled: numbers First .. Head - 1. Rows are numbered as they are stored, for ever, so the
/// number is the age order; eviction moves First, appending moves Head.
[<Struct>]
type Window = {
    /// Number of the oldest row still stored.
    First: int64
    /// Number that the next row will get.
    Head: int64
} with

    /// Number of rows.
    member window.Size = window.Head - window.First

/// Which rows of the window a batch is drawn from.
[<Struct>]
type BatchSource =
    /// All of them.
    | Whole
    /// The oldest share of them.
    | Oldest of portion: float
    /// All of them, of age a with a weight of max(least, 1 - a / horizon).
    | Decayed of horizon: int64 * least: float

/// Sampling by age (docs/algorithm.md 2.11). For n-step returns pass a window whose head is n - 1 rows earlier.
[<RequireQualifiedAccess>]
module AgeOrder =

    let private fill (first: int64) (count: int64) (draws: Draws) (rows: Span<int64>) =
        if count <= 0L then
            invalidOp "The replay window is empty: nothing can be sampled before the first transition is stored."

        for i in 0 .. rows.Length - 1 do
            rows[i] <- first + draws.NextInt count

    /// Number of rows in the oldest portion: max(batch, floor(portion * size)), never more than there are.
    let oldestCount (portion: float) (batch: int) (window: Window) : int64 =
        min window.Size (max (int64 batch) (int64 (Math.Floor(portion * float window.Size + 1e-9))))

    /// Fills `rows` with row numbers, uniform over the window, with replacement.
    let sampleUniform (window: Window) (draws: Draws) (rows: Span<int64>) : unit =
        fill window.First window.Size draws rows

    /// Fills `rows` with row numbers, each drawn with a probability proportional to max(least, 1 - age / horizon), with replacement. The newest
    /// row has age 0. Draws by rejection: 1 / least pairs of numbers per row at most, on average.
    let sampleDecayed (horizon: int64) (least: float) (window: Window) (draws: Draws) (rows: Span<int64>) : unit =
        for i in 0 .. rows.Length - 1 do
            let mutable drawn = -1L

            while drawn < 0L do
                fill window.First window.Size draws (rows.Slice(i, 1))
                let age = window.Head - 1L - rows[i]
                let weight = max least (1.0 - float age / float horizon)

                if draws.NextDouble() < weight then
                    drawn <- rows[i]

    /// Fills `rows` with row numbers of a batch of so many, as `source` says, with replacement. Those of an oldest portion are uniform over
    /// it.
    let sample (source: BatchSource) (batch: int) (window: Window) (draws: Draws) (rows: Span<int64>) : unit =
        match source with
        | Whole -> sampleUniform window draws rows
        | Oldest portion -> fill window.First (oldestCount portion batch window) draws rows
        | Decayed(horizon, least) -> sampleDecayed horizon least window draws rows
