module NE.Model.Tests.Replay.AgeOrderTests

open System
open Expecto
open NE.Model
open NE.Model.Replay
open NE.Model.Tests.Topology.Cases

/// A buffer of `capacity` rows as a plain list, oldest first, after `appended` rows.
let private model capacity appended = [
    for row in 0L .. appended - 1L do
        if row >= appended - capacity then
            row
]

let private windowOf capacity appended = {
    First = max 0L (appended - capacity)
    Head = appended
}

[<Tests>]
let tests =
    testList "age order" [
        law "samples only rows that a list model holds, and only its oldest quarter on review" (fun seed ->
            let draws = drawsOf seed
            let capacity = int64 (between 1 60 draws)
            let appended = int64 (between 1 200 draws)
            let rows = model capacity appended
            let window = windowOf capacity appended
            Expect.equal window.Size (int64 rows.Length) "size"
            let batch = between 1 20 draws
            let quarter = List.truncate (max batch (rows.Length / 4)) rows
            Expect.equal (AgeOrder.oldestCount 0.25 batch window) (int64 quarter.Length) "quarter"
            let sample = Array.zeroCreate batch
            AgeOrder.sampleUniform window draws (Span sample)
            Expect.all sample (fun row -> List.contains row rows) "stored"
            AgeOrder.sample (Oldest 0.25) batch window draws (Span sample)
            Expect.all sample (fun row -> List.contains row quarter) "oldest quarter")

        testCase "reaches every row of the quarter, and no other, before and after eviction"
        <| fun () ->
            for capacity in [ 8L; 12L; 13L ] do
                for appended in [ 4L .. 40L ] do
                    let window = windowOf capacity appended
                    let quarter = List.truncate (max 2 (int window.Size / 4)) (model capacity appended)
                    let draws = drawsOf (1000L * capacity + appended)
                    let sample = Array.zeroCreate 2
                    let seen = Collections.Generic.SortedSet<int64>()

                    for _ in 1..100 do
                        AgeOrder.sample (Oldest 0.25) sample.Length window draws (Span sample)
                        seen.UnionWith sample

                    Expect.equal (List.ofSeq seen) quarter $"capacity {capacity}, {appended} rows"

        testCase "agrees with a ring of physical slots that has wrapped"
        <| fun () ->
            // Slot of row n in a ring is n mod capacity; age index j lies in slot (ptr + j) mod capacity once full.
            for capacity in 3L .. 9L do
                for appended in 1L .. 30L do
                    let window = windowOf capacity appended
                    let pointer = appended % capacity
                    let first = if appended >= capacity then pointer else 0L

                    for j in 0L .. window.Size - 1L do
                        Expect.equal ((window.First + j) % capacity) ((first + j) % capacity) "slot"

        testCase "draws with weights that decay with age, as far as the least one"
        <| fun () ->
            let window = { First = 1_000L; Head = 1_100L }
            let horizon, least, draws = 80L, 0.25, 400_000
            let counts = Array.zeroCreate<int> 100
            let sample = Array.zeroCreate draws
            AgeOrder.sampleDecayed horizon least window (drawsOf 5L) (Span sample)

            for row in sample do
                counts[int (row - window.First)] <- counts[int (row - window.First)] + 1

            let weights =
                Array.init 100 (fun i -> max least (1.0 - float (99 - i) / float horizon))

            let total = Array.sum weights
            // Chi-square with 99 degrees of freedom: 1 in 1,000 above 149.
            let distance =
                Array.map2
                    (fun (count: int) weight ->
                        (float count - float draws * weight / total) ** 2.0
                        / (float draws * weight / total))
                    counts
                    weights
                |> Array.sum

            Expect.isLessThan distance 149.0 "frequencies"

        testCase "with a least weight of 1 draws every row alike, and from a window of one row that one"
        <| fun () ->
            let sample = Array.zeroCreate 20_000
            AgeOrder.sampleDecayed 10L 1.0 { First = 0L; Head = 100L } (drawsOf 6L) (Span sample)
            Expect.floatClose { absolute = 1.0; relative = 0.0 } (Array.averageBy float sample) 49.5 "mean"
            AgeOrder.sampleDecayed 10L 0.1 { First = 7L; Head = 8L } (drawsOf 6L) (Span sample)
            Expect.all sample (fun row -> row = 7L) "the only row"

        testCase "draws uniformly"
        <| fun () ->
            let window = { First = 70L; Head = 110L }
            let all = Array.zeroCreate 40
            let oldest = Array.zeroCreate 10
            let draws = drawsOf 5L
            let sample = Array.zeroCreate 8

            for _ in 1..5000 do
                AgeOrder.sampleUniform window draws (Span sample)

                for row in sample do
                    all[int row - 70] <- all[int row - 70] + 1

                AgeOrder.sample (Oldest 0.25) sample.Length window draws (Span sample)

                for row in sample do
                    oldest[int row - 70] <- oldest[int row - 70] + 1

            expectUniform all 1000.0 "whole window"
            expectUniform oldest 4000.0 "oldest quarter"

        testCase "takes at least a batch as the oldest portion, and at most the window"
        <| fun () ->
            let count batch size =
                AgeOrder.oldestCount 0.25 batch { First = 5L; Head = 5L + size }

            Expect.equal (count 256 100_000L) 25_000L "a quarter"
            Expect.equal (count 256 1_003L) 256L "a batch"
            Expect.equal (count 256 100L) 100L "the window"
            Expect.equal (AgeOrder.oldestCount 0.3 1 { First = 0L; Head = 10L }) 3L "30 %"

        testCase "says so when nothing is stored"
        <| fun () ->
            let sample = Array.zeroCreate 1

            Expect.throwsT<InvalidOperationException>
                (fun () -> AgeOrder.sampleUniform { First = 3L; Head = 3L } (drawsOf 1L) (Span sample))
                "empty window"

        law "continues from a stored stream" (fun seed ->
            let draws = drawsOf seed
            let window = { First = 10L; Head = 500L }
            let a, b = Array.zeroCreate 16, Array.zeroCreate 16
            let again = Draws draws.State
            AgeOrder.sample (Oldest 0.25) a.Length window draws (Span a)
            AgeOrder.sample (Oldest 0.25) b.Length window again (Span b)
            Expect.equal a b "rows")
    ]
