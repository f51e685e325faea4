/// How many seeds a sentence needs.
///
/// A percentile bootstrap of 3 seeds covers 71 % where it promises 95 % (5: 82 %, 7: 87 %, 10: 90 %), and three seeds against three
/// detect only differences of several standard deviations (docs/reports.md). So an arm of few seeds is shown as points.
[<RequireQualifiedAccess>]
module NE.Model.Statistics.Evidence

/// Seeds from which an arm may have an interval, and a comparison with another such arm.
[<Literal>]
let LeastSeeds = 8

/// Whether an arm of this many seeds may have an interval.
let allowsInterval (seeds: int) : bool = seeds >= LeastSeeds

/// Seeds that others have and this arm lacks, ascending.
let missing (expected: int64 seq) (found: int64 seq) : int64[] =
    Set.difference (Set.ofSeq expected) (Set.ofSeq found) |> Set.toArray
