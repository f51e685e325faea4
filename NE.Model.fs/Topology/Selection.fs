namespace NE.Model.Topology

open System
open NE.Model

/// Choosing some of many weights without bias: the parts that growing and pruning share.
[<RequireQualifiedAccess>]
module Selection =

    /// A uniformly random subset of `count` items, all of them if there are fewer.
    let sample (count: int) (items: int[]) (draws: Draws) : int[] =
        if items.Length <= count then
            Array.copy items
        else
            let shuffled = Array.copy items
            draws.ShufflePrefix(shuffled, count)
            Array.sub shuffled 0 count

    /// 31 bits that order floats by magnitude, ascending, or descending with `flip` set.
    let inline private key flip (x: float32) =
        (BitConverter.SingleToUInt32Bits x &&& 0x7FFFFFFFu) ^^^ flip

    /// The cut of `highest`: the key of rank `count` from the top, how many candidates share it, and how many of those are still needed.
    /// Radix selection over digits of 11, 10 and 10 bits, hence linear time whatever the scores.
    let private findCut flip count (scores: float32[]) (candidates: int[]) =
        let histogram = Array.zeroCreate 2048
        let mutable prefix = 0u
        let mutable needed = count
        let mutable bin = 0

        for shift in 20..-10..0 do
            Array.Clear histogram

            for index in candidates do
                let key = key flip scores[index]

                if shift = 20 || key >>> (shift + 10) = prefix then
                    let digit = int (key >>> shift) &&& (if shift = 20 then 2047 else 1023)
                    histogram[digit] <- histogram[digit] + 1

            bin <- histogram.Length - 1

            while histogram[bin] < needed do
                needed <- needed - histogram[bin]
                bin <- bin - 1

            prefix <- (prefix <<< 10) ||| uint32 bin

        struct (prefix, histogram[bin], needed)

    /// The `count` candidates of largest key, ties at the cut at random.
    let private highest flip count (scores: float32[]) (candidates: int[]) (draws: Draws) =
        for index in candidates do
            if Single.IsNaN scores[index] then
                invalidArg (nameof scores) "A score is NaN: the network's values are not finite, so no topology can be chosen by them."

        if count <= 0 then
            [||]
        elif candidates.Length <= count then
            Array.copy candidates
        else
            let struct (cut, tied, needed) = findCut flip count scores candidates
            let above = Array.zeroCreate (count - needed)
            let ties = Array.zeroCreate tied
            let mutable aboveCount = 0
            let mutable tieCount = 0

            for index in candidates do
                let key = key flip scores[index]

                if key > cut then
                    above[aboveCount] <- index
                    aboveCount <- aboveCount + 1
                elif key = cut then
                    ties[tieCount] <- index
                    tieCount <- tieCount + 1

            Array.append above (sample needed ties draws)

    /// The `count` candidates of largest |score|, all of them if there are fewer. Among equals at the cut the choice is uniformly
    /// random, so an all-zero score gives a uniformly random subset. Raises if a candidate's score is NaN.
    let largest (count: int) (scores: float32[]) (candidates: int[]) (draws: Draws) : int[] =
        highest 0u count scores candidates draws

    /// The `count` candidates of smallest |score|; otherwise as `largest`.
    let smallest (count: int) (scores: float32[]) (candidates: int[]) (draws: Draws) : int[] =
        highest 0x7FFFFFFFu count scores candidates draws
