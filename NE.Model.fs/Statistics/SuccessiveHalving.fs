/// Which trials of a search go on (sequential halving, Karnin et al. 2013; successive halving, Jamieson and Talwalkar 2016): all of them run a short
/// way, the best part of them a longer one, until few run to the end.
[<RequireQualifiedAccess>]
module NE.Model.Statistics.SuccessiveHalving

open System

/// Environment steps at which it is decided among so many trials: `first`, and `factor` times the one before while that is less than `total` and more than
/// one trial is left. Ascending.
let rungs (first: int64) (factor: int) (total: int64) (trials: int) : int64[] =
    (first, trials)
    |> Array.unfold (fun (step, left) ->
        if step >= total || left < 2 then
            None
        else
            let next =
                if step > total / int64 factor then
                    total
                else
                    step * int64 factor

            Some(step, (next, max 1 (left / factor))))

/// How many of so many trials go on at a rung.
let survivors (factor: int) (trials: int) : int = max 1 (trials / factor)

/// What a curve is worth at a rung: the mean of its evaluations in the last tenth of the steps up to there, or its newest evaluation up to there if
/// none is that new. NaN when there is none, or one of these is not finite.
let score (rung: int64) (steps: float[]) (returns: float[]) : float =
    let upTo =
        Array.zip steps returns |> Array.filter (fun (step, _) -> step <= float rung)

    if upTo.Length = 0 then
        nan
    else
        let newest = Array.maxBy fst upTo

        let late = upTo |> Array.filter (fun (step, _) -> step > 0.9 * float rung)

        let mean = (if late.Length = 0 then [| newest |] else late) |> Array.averageBy snd

        if Double.IsFinite mean then mean else nan

/// Ranks of values: 1 for the highest, NaN last; equal values share the mean of their ranks.
let private ranks (values: float[]) : float[] =
    let isBetter (a: float) (b: float) =
        a > b || (not (Double.IsNaN a) && Double.IsNaN b)

    values
    |> Array.map (fun value ->
        let better =
            values |> Array.filter (fun other -> isBetter other value) |> Array.length

        let worse =
            values |> Array.filter (fun other -> isBetter value other) |> Array.length

        let equal = values.Length - better - worse
        float better + float (equal + 1) / 2.0)

/// The average over the environments of every trial's rank among the trials, 1 for the best: returns of different tasks have no common unit. The
/// scores are those of a trial on every environment, in one order.
let averageRanks (scores: float[][]) : float[] =
    if scores.Length = 0 then
        [||]
    else
        let perEnvironment = Array.transpose scores |> Array.map ranks
        Array.init scores.Length (fun trial -> perEnvironment |> Array.averageBy (fun ranks -> ranks[trial]))

/// The trials that go on, by their indices in ascending order: those with the least average ranks, and of equal ones the earlier.
let promoted (factor: int) (scores: float[][]) : int[] =
    averageRanks scores
    |> Array.indexed
    |> Array.sortBy (fun (trial, rank) -> rank, trial)
    |> Array.truncate (survivors factor scores.Length)
    |> Array.map fst
    |> Array.sort
