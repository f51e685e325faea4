module NE.Model.Tests.Replay.ExperienceReviewTests

open System
open Expecto
open NE.Model
open NE.Model.Replay
open NE.Model.Tests.Topology.Cases

let private slope = {
    Mode = ReviewMode.Slope
    Scale = ReviewScale.Guarded
    Window = 400L
    Floor = 0.75
    MinStep = 1000L
    Portion = 0.25
    Batch = 32
    Awaken = 0.4
}

let private fresh settings =
    ExperienceReview(settings, ReviewState.empty)

/// Pushes f at every due step of [first, last].
let private feed (review: ExperienceReview) first last f =
    for t in first..last do
        if review.IsSampleDue t then
            review.Push(t, f t)

let private plenty = 1_000_000L

/// Share of reviews in n decisions at step t.
let private frequency (review: ExperienceReview) t size n seed =
    let draws = drawsOf seed

    let hits =
        Seq.init n (fun _ -> review.Decide(t, size, draws))
        |> Seq.filter id
        |> Seq.length

    float hits / float n

/// Within four standard errors of a proportion.
let private expectShare actual expected n message =
    let error = Math.Sqrt(expected * (1.0 - expected) / float n)

    Expect.floatClose
        {
            absolute = 4.0 * error + 1e-12
            relative = 0.0
        }
        actual
        expected
        message

[<Tests>]
let tests =
    testList "experience review" [
        testCase "samples its signal forty times per window"
        <| fun () ->
            let review = fresh { slope with Window = 10_000L }
            Expect.equal (Seq.init 10_000 int64 |> Seq.filter review.IsSampleDue |> Seq.length) 40 "samples"
            Expect.isTrue ((fresh { slope with Window = 7L }).IsSampleDue 3L) "every step in a short window"

        testCase "has eps 1 until the window has filled and the guard is over, and 0 for a constant signal from then on"
        <| fun () ->
            let review = fresh slope
            feed review 1L 409L (fun _ -> 0.7)
            Expect.equal review.Epsilon 1.0 "not full yet"
            feed review 410L 999L (fun _ -> 0.7)
            Expect.equal review.Epsilon 1.0 "guarded"
            Expect.equal (review.Probability(1000L, plenty)) 0.0 "no review"
            feed review 1000L 3000L (fun _ -> 0.7)
            Expect.equal review.Epsilon 0.0 "full"
            Expect.equal (review.Probability(3000L, plenty)) 0.25 "at most 1 - eps0"

        testCase "compares the newest with the oldest quarter of the window"
        <| fun () ->
            let review = fresh slope
            feed review 1L 2000L (fun t -> 0.001 * float t)
            Expect.floatClose Accuracy.high review.Epsilon 1.0 "a steady slope is the largest so far"
            // A window of 41 samples, ten apart: the quarters of ten are 31 samples apart, a slope of 0.31.
            Expect.floatClose Accuracy.high review.State.LargestSlope 0.31 "slope"
            feed review 2001L 2200L (fun _ -> 2.0)
            // The oldest quarter averages 1.845, the newest is 2.
            Expect.floatClose Accuracy.high review.Epsilon (0.155 / 0.31) "half as steep"

        law "has eps in [0, 1], whatever the signal, and keeps one window of samples" (fun seed ->
            let draws = drawsOf seed

            let review =
                fresh {
                    slope with
                        Window = int64 (between 1 300 draws)
                }

            let mutable t = 0L

            for _ in 1 .. between 1 300 draws do
                t <- t + int64 (between 1 30 draws)
                review.Push(t, draws.NextDouble())
                Expect.isTrue (review.Epsilon >= 0.0 && review.Epsilon <= 1.0) "eps"
                let steps = review.State.Steps
                Expect.equal (Array.last steps) t "newest"

            let state = review.State
            Expect.equal state.Steps.Length state.Values.Length "lengths"
            Expect.equal (Array.sort state.Steps |> Array.distinct) state.Steps "order")

        testCase "measures change against the largest one since the guard, whatever the start did"
        <| fun () ->
            let signal t =
                if t < 900L then
                    1.0
                else
                    0.01 * Math.Exp(-float(t - 900L) / 1000.0)

            let guarded = fresh { slope with MinStep = 1500L }

            let older =
                fresh {
                    slope with
                        MinStep = 1500L
                        Scale = ReviewScale.FromStart
                }

            let probabilities (review: ExperienceReview) = [
                for t in 1L .. 6000L do
                    if review.IsSampleDue t then
                        review.Push(t, signal t)

                        if t >= 1500L then
                            review.Probability(t, plenty)
            ]

            let adapting = probabilities guarded
            Expect.isGreaterThan (adapting |> List.distinct |> List.length) 100 "it goes on moving"
            Expect.equal adapting (List.sort adapting) "as the signal's change declines, review sets in"
            Expect.floatClose Accuracy.low adapting.Head 0.0 "not at all at first"
            Expect.isGreaterThan (List.last adapting) 0.24 "nearly as much as the floor allows at the end"
            Expect.equal (probabilities older |> List.distinct) [ 0.25 ] "the rule of older versions had one value for ever"

        testCase "is not decided by outliers of the signal"
        <| fun () ->
            let trend t = 0.0001 * float t
            let clean, disturbed = fresh slope, fresh slope
            feed clean 1L 6000L trend
            // Four of ten samples of a quarter at most.
            feed disturbed 1L 6000L (fun t -> if t % 100L < 30L then trend t + 50.0 else trend t)
            Expect.isLessThan disturbed.State.LargestSlope (2.0 * clean.State.LargestSlope) "the largest change is that of the trend"

        testCase "reviews with probability (1 - eps0) (1 - eps)"
        <| fun () ->
            let n = 20_000

            for floor in [ 0.0; 0.4; 0.75; 1.0 ] do
                let review = fresh { slope with Floor = floor }
                feed review 1L 2000L (fun t -> 0.001 * float t)
                expectShare (frequency review 2000L plenty n 1L) 0.0 n "steep"
                feed review 2001L 2200L (fun _ -> 2.0)
                expectShare (frequency review 2200L plenty n 2L) ((1.0 - floor) * 0.5) n $"floor {floor}"
                feed review 2201L 3000L (fun _ -> 2.0)
                expectShare (frequency review 3000L plenty n 3L) (1.0 - floor) n $"flat, floor {floor}"

        testCase "as older versions had it, reviews with probability 1 - max(eps, eps0)"
        <| fun () ->
            for floor in [ 0.4; 0.75 ] do
                let review =
                    fresh {
                        slope with
                            Floor = floor
                            Scale = ReviewScale.FromStart
                    }

                feed review 1L 2000L (fun t -> 0.001 * float t)
                feed review 2001L 2200L (fun _ -> 2.0)
                Expect.floatClose Accuracy.high (review.Probability(2200L, plenty)) (1.0 - max 0.5 floor) $"floor {floor}"

        testCase "never reviews before its first step, nor with fewer than four batches stored"
        <| fun () ->
            let review = fresh slope
            feed review 1L 1000L (fun _ -> 0.5)
            Expect.equal (frequency review 999L plenty 5000 1L) 0.0 "too early"
            Expect.equal (frequency review 1000L 127L 5000 1L) 0.0 "too few rows"
            Expect.isGreaterThan (frequency review 1000L 128L 5000 1L) 0.2 "both met"

        testCase "reports a probability of 0 where a review is forbidden"
        <| fun () ->
            let review = fresh slope
            feed review 1L 1000L (fun _ -> 0.5)
            Expect.equal (review.Probability(999L, plenty)) 0.0 "too early"
            Expect.equal (review.Probability(1000L, 127L)) 0.0 "too few rows"
            Expect.equal (review.Probability(1000L, 128L)) 0.25 "both met"

        testCase "takes one draw per decision, however it falls, and none when it is off"
        <| fun () ->
            for mode in [ ReviewMode.Slope; ReviewMode.Literal; ReviewMode.Official ] do
                let review = fresh { slope with Mode = mode }
                let draws = drawsOf 4L
                let reference = drawsOf 4L

                for t in 1L .. 2000L do
                    if review.IsSampleDue t then
                        review.Push(t, 0.3)

                    review.Decide(t, t, draws) |> ignore
                    reference.NextDouble() |> ignore

                Expect.equal draws.State reference.State $"{mode}"
                Expect.equal review.State.Decisions 2000L "decisions"

            let off = fresh { slope with Mode = ReviewMode.Off }
            let draws = drawsOf 4L
            Expect.isFalse (off.IsSampleDue 400L) "no signal needed"
            Expect.equal (frequency off 5000L plenty 100 1L) 0.0 "never"
            off.Decide(5000L, plenty, draws) |> ignore
            Expect.equal draws.State (drawsOf 4L).State "no draw"

        testCase "to the letter divides the change of the count by the window, without floor"
        <| fun () ->
            let review = fresh { slope with Mode = ReviewMode.Literal }
            feed review 1L 2000L (fun t -> if t <= 1800L then 100.0 else 220.0)
            Expect.floatClose Accuracy.veryHigh review.Epsilon (120.0 / 400.0) "eps"
            expectShare (frequency review 2000L plenty 20_000 1L) 0.7 20_000 "frequency"
            feed review 2001L 3000L (fun _ -> 220.0)
            Expect.equal (review.Probability(3000L, plenty)) 1.0 "late: almost every batch"

        testCase "in the official code is a logistic gate below the awaken threshold"
        <| fun () ->
            let review =
                fresh {
                    slope with
                        Mode = ReviewMode.Official
                }

            let probability () = review.Probability(1000L, plenty)
            Expect.equal (probability ()) 0.0 "no signal yet"
            review.Push(1L, 0.4)
            Expect.equal (probability ()) 0.0 "not below"
            review.Push(2L, 0.4 - 1e-9)
            Expect.equal (Math.Round(probability (), 3)) 0.474 "just below"
            review.Push(3L, 0.0)
            Expect.equal (Math.Round(probability (), 3)) 0.573 "at 0"
            expectShare (frequency review 1000L plenty 20_000 1L) (probability ()) 20_000 "frequency"

        law "continues from its stored bytes as if it had never stopped" (fun seed ->
            let draws = drawsOf seed

            let settings = {
                slope with
                    Window = int64 (between 1 200 draws)
                    MinStep = 0L
                    Floor = draws.NextDouble()
            }

            let original = fresh settings
            let stop = int64 (between 1 400 draws)

            let step (review: ExperienceReview) (decisions: Draws) t =
                if review.IsSampleDue t then
                    review.Push(t, Math.Sin(float t / 50.0) / float t)

                let reviewed = review.Decide(t, plenty, decisions)
                review.Record(ReadOnlySpan [| t; t / 2L |], { First = 0L; Head = t + 1L })
                reviewed

            let decisions = drawsOf 6L

            for t in 1L .. stop do
                step original decisions t |> ignore

            let restored =
                match original.State |> ReviewState.toBytes |> ReviewState.ofBytes with
                | Ok state -> ExperienceReview(settings, state)
                | Error message -> failtest message

            Expect.equal restored.State original.State "state"
            let again = Draws decisions.State
            let continued review decisions = [ for t in stop + 1L .. stop + 300L -> step review decisions t ]
            Expect.equal (continued restored again) (continued original decisions) "decisions"
            Expect.equal restored.State original.State "state at the end"
            Expect.equal (ReviewState.toBytes restored.State) (ReviewState.toBytes original.State) "bytes at the end")

        testCase "refuses damaged or foreign bytes"
        <| fun () ->
            let review = fresh slope
            feed review 1L 500L (fun _ -> 0.5)
            let bytes = ReviewState.toBytes review.State
            Expect.equal bytes.Length (45 + 16 * review.State.Steps.Length) "length"
            Expect.isError (ReviewState.ofBytes bytes[.. bytes.Length - 2]) "short"
            Expect.isError (ReviewState.ofBytes [||]) "empty"
            Expect.isError (ReviewState.ofBytes (Array.append [| 9uy |] bytes[1..])) "version"
            Expect.isError (ReviewState.ofBytes (Array.append bytes [| 0uy |])) "long"

        testCase "counts what it did"
        <| fun () ->
            let review = fresh { slope with MinStep = 0L; Floor = 0.0 }
            Expect.equal (review.RealisedFraction, review.MeanAge) (0.0, 0.0) "nothing yet"
            feed review 1L 1000L (fun _ -> 0.5)
            frequency review 1000L plenty 100 1L |> ignore
            Expect.equal review.RealisedFraction 1.0 "all"
            review.Record(ReadOnlySpan [| 99L; 89L |], { First = 50L; Head = 100L })
            Expect.equal review.MeanAge 5.0 "the newest row has age 0"

        testCase "refuses a signal that is out of order or not finite"
        <| fun () ->
            let review = fresh slope
            review.Push(10L, 0.5)
            Expect.throwsT<ArgumentException> (fun () -> review.Push(10L, 0.5)) "same step"
            Expect.throwsT<ArgumentException> (fun () -> review.Push(20L, nan)) "NaN"
    ]
