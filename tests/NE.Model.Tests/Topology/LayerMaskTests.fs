module NE.Model.Tests.Topology.LayerMaskTests

open System
open Expecto
open NE.Model.Topology
open NE.Model.Tests.Topology.Cases

let private randomMask draws =
    let rows, columns = between 1 20 draws, between 1 20 draws
    LayerMask.random rows columns (between 0 (rows * columns) draws) draws

[<Tests>]
let tests =
    testList "a layer's mask" [
        law "has as many active weights as were asked for, and fan-in adds up to them" (fun seed ->
            let draws = drawsOf seed
            let rows, columns = between 1 20 draws, between 1 20 draws
            let active = between 0 (rows * columns) draws
            let mask = LayerMask.random rows columns active draws
            Expect.equal mask.ActiveCount active "active"
            Expect.equal (mask.Active.ToArray() |> Array.filter id |> Array.length) active "entries"
            Expect.equal (LayerMask.fanIn mask |> Array.sum) active "fan-in"
            Expect.equal (LayerMask.fanIn mask).Length rows "rows"
            let floats = Array.zeroCreate<float32> mask.Size
            mask.CopyTo(Span floats)
            Expect.equal (floats |> Array.map ((=) 1.0f)) (mask.Active.ToArray()) "floats")

        law "survives packing to bits" (fun seed ->
            let mask = randomMask (drawsOf seed)
            Expect.equal (LayerMask.toBits mask |> LayerMask.ofBits mask.Rows mask.Columns) (Ok mask) "mask")

        testCase "refuses bytes of another shape"
        <| fun () ->
            Expect.isError (LayerMask.ofBits 3 3 [| 0uy |]) "too short"
            Expect.isError (LayerMask.ofBits 3 3 [| 0uy; 2uy |]) "bit past the end"
            Expect.isOk (LayerMask.ofBits 3 3 [| 0uy; 1uy |]) "last entry"

        law "changed by a delta differs exactly by that delta" (fun seed ->
            let draws = drawsOf seed
            let mask = randomMask draws

            let take condition = [|
                for index in 0 .. mask.Size - 1 do
                    if condition mask[index] && draws.NextDouble() < 0.3 then
                        index
            |]

            let grown, pruned = take not, take id
            let after = LayerMask.apply grown pruned mask

            let differs = [|
                for index in 0 .. mask.Size - 1 do
                    if after[index] <> mask[index] then
                        index
            |]

            Expect.equal differs (Array.append grown pruned |> Array.sort) "difference"
            Expect.equal after.ActiveCount (mask.ActiveCount + grown.Length - pruned.Length) "count"
            Expect.equal (LayerMask.apply pruned grown after) mask "the opposite delta undoes it")

        testCase "refuses a delta that belongs to another topology"
        <| fun () ->
            let mask = LayerMask.ofActive 1 3 [| true; false; true |]
            Expect.throws (fun () -> LayerMask.apply [| 0 |] [||] mask |> ignore) "grown twice"
            Expect.throws (fun () -> LayerMask.apply [||] [| 1 |] mask |> ignore) "pruned but absent"
            Expect.throws (fun () -> LayerMask.apply [| 1 |] [| 1 |] mask |> ignore) "grown and pruned"
            Expect.throws (fun () -> LayerMask.apply [||] [| 0; 0 |] mask |> ignore) "pruned twice"

        testCase "drawn at random includes every weight equally often"
        <| fun () ->
            let draws = drawsOf 3L
            let counts = Array.zeroCreate 24

            for _ in 1..3000 do
                let mask = LayerMask.random 4 6 8 draws

                for index in 0..23 do
                    if mask[index] then
                        counts[index] <- counts[index] + 1

            // Inclusions of one mask are negatively correlated, which only makes the statistic smaller.
            expectUniform counts 1000.0 "inclusion"

        law "by magnitude keeps the largest weights" (fun seed ->
            let draws = drawsOf seed
            let rows, columns = between 1 12 draws, between 1 12 draws

            let weights =
                normals (rows * columns) draws |> Array.map (fun w -> MathF.Round(w * 2.0f))

            let active = between 0 (rows * columns) draws
            let mask = LayerMask.magnitude rows columns active weights

            let expected =
                Array.init (rows * columns) id
                |> Array.sortBy (fun i -> -(abs weights[i]), i)
                |> Array.take active
                |> Set.ofArray

            let kept =
                [
                    for index in 0 .. mask.Size - 1 do
                        if mask[index] then
                            index
                ]
                |> Set.ofList

            Expect.equal kept expected "kept")

        testCase "is a value: equal to another mask with the same entries"
        <| fun () ->
            Expect.equal (LayerMask.ofActive 2 1 [| true; true |]) (LayerMask.dense 2 1) "equal"
            Expect.notEqual (LayerMask.dense 1 2) (LayerMask.dense 2 1) "another shape"
    ]
