module NE.Model.Tests.RandomTests

open System
open Expecto
open NE.Model

let private words (state: DrawsState) count =
    let draws = Draws state
    List.init count (fun _ -> draws.NextUInt32())

let private take count (draws: Draws) =
    List.init count (fun _ -> draws.NextUInt64())

[<Tests>]
let tests =
    testList "Random streams" [
        testCase "the generator is Philox 4x32-10: known answers of Salmon et al."
        <| fun _ ->
            Expect.equal
                (words
                    {
                        Key = 0UL
                        Place = 0UL
                        Block = 0UL
                        Word = 0
                    }
                    4)
                [ 0x6627e8d5u; 0xe169c58du; 0xbc57ac4cu; 0x9b00dbd8u ]
                "zeros"

            Expect.equal
                (words
                    {
                        Key = 0x299f31d0a4093822UL
                        Place = 0x0370734413198a2eUL
                        Block = 0x85a308d3243f6a88UL
                        Word = 0
                    }
                    4)
                [ 0xd16cfe09u; 0x94fdccebu; 0x5001e420u; 0x24126ea1u ]
                "digits of pi"

        testProperty "a stream goes on from its state exactly"
        <| fun (seed: int64) (before: byte) ->
            let original = Draws.Of(seed, Purpose.Batch)

            for _ in 1 .. int before do
                original.NextUInt32() |> ignore

            let copy = Draws original.State
            take 10 original = take 10 copy

        testProperty "streams of different purposes, seeds and places differ"
        <| fun (seed: int64) ->
            let streams = [
                Draws.Of(seed, Purpose.Batch)
                Draws.Of(seed, Purpose.Review)
                Draws.Of((seed + 1L), Purpose.Batch)
                Draws.At(seed, Purpose.Reset, 0L, 0L, 0L)
                Draws.At(seed, Purpose.Reset, 1L, 0L, 0L)
                Draws.At(seed, Purpose.Reset, 0L, 1L, 0L)
                Draws.At(seed, Purpose.Reset, 0L, 0L, 1L)
            ]

            streams |> List.map (take 4) |> List.distinct |> List.length = streams.Length

        testProperty "the draws of a place do not depend on what was drawn elsewhere"
        <| fun (seed: int64) (episode: uint16) ->
            let first = take 5 (Draws.At(seed, Purpose.Exploration, 3L, (int64 episode), 7L))

            take 100 (Draws.At(seed, Purpose.Exploration, 2L, (int64 episode), 7L))
            |> ignore

            take 5 (Draws.At(seed, Purpose.Exploration, 3L, (int64 episode), 7L)) = first

        testCase "bounded integers are uniform"
        <| fun _ ->
            let draws = Draws.Of(5L, Purpose.Batch)
            let counts = Array.zeroCreate<float> 7

            for _ in 1..70_000 do
                let value = int (draws.NextInt 7L)
                counts[value] <- counts[value] + 1.0

            // Chi-square with 6 degrees of freedom: 22.5 is exceeded once in a thousand.
            let chi = counts |> Array.sumBy (fun count -> (count - 10_000.0) ** 2.0 / 10_000.0)
            Expect.isLessThan chi 22.5 "chi-square"

        testCase "normals have mean 0 and variance 1"
        <| fun _ ->
            let values = Array.zeroCreate<float32> 100_001
            (Draws.Of(6L, Purpose.TargetNoise)).FillNormal(Span values, 1.0f)
            let mean = values |> Array.averageBy float
            let variance = values |> Array.averageBy (fun v -> (float v - mean) ** 2.0)
            Expect.isLessThan (abs mean) 0.015 "mean"
            Expect.isLessThan (abs (variance - 1.0)) 0.025 "variance"

        testCase "a bound that is not positive is refused"
        <| fun _ -> Expect.throwsT<ArgumentException> (fun () -> (Draws.Of(0L, Purpose.Batch)).NextInt 0L |> ignore) "bound 0"
    ]
