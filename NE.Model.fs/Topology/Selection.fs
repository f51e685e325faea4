namespace NE.Model.Topology

open System
open NE.Model.Random

/// Choosing some of many weights without bias: the parts that growing and pruning share.
[<RequireQualifiedAccess>]
module Selection =

    /// A uniformly random subset of `count` items, all of them if there are fewer.
    let sample (count: int) (items: int[]) (stream: Stream) : int[] =
        if items.Length <= count then
            Array.copy items
        else
            let shuffled = Array.copy items
            stream.ShufflePrefix(shuffled, count)
            Array.sub shuffled 0 count

    /// Bits of |x|: for floats that are not NaN their order is that of the magnitudes.
    let inline private magnitudeBits (x: float32) =
        BitConverter.SingleToUInt32Bits x &&& 0x7FFFFFFFu

    /// The largest bin from the top down at which the running count reaches `rank`, and the count above it.
    let private findBin (histogram: int[]) rank =
        let mutable bin = histogram.Length - 1
        let mutable above = 0

        while above + histogram[bin] < rank do
            above <- above + histogram[bin]
            bin <- bin - 1

        struct (bin, above)

    /// The bits of the `rank`-th largest magnitude (rank >= 1) among the candidates: two passes over 16-bit histograms, linear time.
    let private rankedBits (rank: int) (scores: float32[]) (candidates: int[]) =
        let histogram = Array.zeroCreate 65536

        for index in candidates do
            let high = int (magnitudeBits scores[index] >>> 16)
            histogram[high] <- histogram[high] + 1

        let struct (high, above) = findBin histogram rank
        Array.Clear histogram

        for index in candidates do
            let bits = magnitudeBits scores[index]

            if int (bits >>> 16) = high then
                let low = int (bits &&& 0xFFFFu)
                histogram[low] <- histogram[low] + 1

        let struct (low, _) = findBin histogram (rank - above)
        (uint32 high <<< 16) ||| uint32 low

    /// The `count` candidates of largest |score|, all of them if there are fewer. Among equals at the cut the choice is uniformly
    /// random, so an all-zero score gives a uniformly random subset. Raises if a candidate's score is NaN.
    let largest (count: int) (scores: float32[]) (candidates: int[]) (stream: Stream) : int[] =
        if candidates |> Array.exists (fun index -> Single.IsNaN scores[index]) then
            invalidArg (nameof scores) "A score is NaN: the network's gradient is not finite, so no topology can be chosen by it."

        if count <= 0 then
            [||]
        elif candidates.Length <= count then
            Array.copy candidates
        else
            let cut = rankedBits count scores candidates

            let above =
                candidates |> Array.filter (fun index -> magnitudeBits scores[index] > cut)

            let ties =
                candidates |> Array.filter (fun index -> magnitudeBits scores[index] = cut)

            Array.append above (sample (count - above.Length) ties stream)

    /// The `count` candidates of smallest |score|; ties as in `largest`.
    let smallest (count: int) (scores: float32[]) (candidates: int[]) (stream: Stream) : int[] =
        if count >= candidates.Length then
            Array.copy candidates
        else
            let kept =
                Collections.Generic.HashSet(largest (candidates.Length - max 0 count) scores candidates stream)

            candidates |> Array.filter (fun index -> not (kept.Contains index))
