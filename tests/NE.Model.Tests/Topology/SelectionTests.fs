module NE.Model.Tests.Topology.SelectionTests

open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

/// Scores over the whole range of single precision, with repetitions.
let private scores count draws =
    let exponent = between 0 2 draws

    Array.init count (fun _ ->
        match exponent with
        | 0 -> float32 (between -3 3 draws)
        | 1 -> float32 (draws.NextNormal()) * 10.0f ** float32 (between -44 38 draws)
        | _ -> float32 (draws.NextNormal()))

[<Tests>]
let tests =
    testList "selection" [
        law "agrees with sorting by magnitude" (fun seed ->
            let draws = drawsOf seed
            let values = scores (between 1 80 draws) draws

            let candidates =
                Array.init values.Length id |> Array.filter (fun _ -> draws.NextDouble() < 0.7)

            let count = between 0 (candidates.Length + 2) draws
            let magnitudes = Array.map (fun index -> abs values[index]) >> Array.sort
            let sorted = magnitudes candidates
            let taken = min count candidates.Length
            let largest = Selection.largest count values candidates draws
            let smallest = Selection.smallest count values candidates draws
            Expect.equal (magnitudes largest) (Array.skip (sorted.Length - taken) sorted) "largest"
            Expect.equal (magnitudes smallest) (Array.take taken sorted) "smallest"

            for chosen in [ largest; smallest ] do
                Expect.equal (Array.distinct chosen).Length chosen.Length "distinct"
                Expect.all chosen (fun index -> Array.contains index candidates) "candidates")

        law "truncates to the bound and to a subset" (fun seed ->
            let draws = drawsOf seed
            let items = Array.init (between 0 30 draws) (fun i -> 3 * i)
            let bound = between 0 40 draws
            let kept = Selection.sample bound items draws
            Expect.equal kept.Length (min bound items.Length) "size"
            Expect.isTrue (Set.isSubset (Set.ofArray kept) (Set.ofArray items)) "subset"
            Expect.equal (Array.distinct kept).Length kept.Length "distinct"
            Expect.equal items (Array.init items.Length (fun i -> 3 * i)) "the items are not disturbed")
    ]
