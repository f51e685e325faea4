module NE.Model.Tests.Statistics.SuccessiveHalvingTests

open System
open Expecto
open FsCheck
open FsCheck.FSharp
open NE.Model.Statistics

/// Scores of up to 30 trials on up to four environments, some of them missing.
let private tables =
    gen {
        let! trials = Gen.choose (1, 30)
        let! environments = Gen.choose (1, 4)

        let! scores =
            Gen.frequency [
                9, Gen.choose (-40, 40) |> Gen.map (fun n -> float n / 4.0)
                1, Gen.constant nan
            ]
            |> Gen.arrayOfLength environments
            |> Gen.arrayOfLength trials

        let! factor = Gen.choose (2, 5)
        return factor, scores
    }

let private ofTables check =
    Prop.forAll (Arb.fromGen tables) (fun (factor, scores) -> check factor scores)

[<Tests>]
let tests =
    testList "Successive halving" [
        test "rungs are powers of the factor before the end, while there is something to decide" {
            Expect.equal (SuccessiveHalving.rungs 10_000L 3 300_000L 27) [| 10_000L; 30_000L; 90_000L |] "27, 9, 3, 1"
            Expect.equal (SuccessiveHalving.rungs 10_000L 3 300_000L 300) [| 10_000L; 30_000L; 90_000L; 270_000L |] "before the end"
            Expect.equal (SuccessiveHalving.rungs 10_000L 3 30_000L 27) [| 10_000L |] "not at the end"
            Expect.equal (SuccessiveHalving.rungs 30_000L 3 30_000L 27) [||] "nothing before the end"
            Expect.equal (SuccessiveHalving.rungs 10_000L 3 300_000L 1) [||] "nobody to compare with"
            Expect.equal (SuccessiveHalving.rungs (Int64.MaxValue / 2L) 4 Int64.MaxValue 20) [| Int64.MaxValue / 2L |] "no overflow"
        }

        test "a curve is worth the mean of its last tenth up to the rung" {
            let steps = [| 0.0; 50.0; 91.0; 100.0; 110.0 |]
            let returns = [| 1.0; 2.0; 30.0; 50.0; 900.0 |]
            Expect.equal (SuccessiveHalving.score 100L steps returns) 40.0 "two evaluations"
            Expect.equal (SuccessiveHalving.score 80L steps returns) 2.0 "the newest"
            Expect.isTrue (Double.IsNaN(SuccessiveHalving.score 100L [||] [||])) "none"
            Expect.isTrue (Double.IsNaN(SuccessiveHalving.score 100L [| 100.0 |] [| infinity |])) "no number"
        }

        test "ranks are averaged over environments, whose returns have no common unit" {
            let scores = [| [| 1.0; 9000.0 |]; [| 3.0; 100.0 |]; [| 2.0; 200.0 |]; [| nan; 100.0 |] |]
            Expect.equal (SuccessiveHalving.averageRanks scores) [| 2.0; 2.25; 2.0; 3.75 |] "ranks"
            Expect.equal (SuccessiveHalving.promoted 2 scores) [| 0; 2 |] "the best two"
            Expect.equal (SuccessiveHalving.promoted 4 scores) [| 0 |] "of equal ones the earlier"
        }

        testProperty "a share of the trials goes on, and none is better than one of them"
        <| ofTables (fun factor scores ->
            let kept = SuccessiveHalving.promoted factor scores
            let ranks = SuccessiveHalving.averageRanks scores
            let dropped = [| 0 .. scores.Length - 1 |] |> Array.except kept
            Expect.hasLength kept (max 1 (scores.Length / factor)) "how many"
            Expect.isTrue (Array.forall (fun a -> Array.forall (fun b -> ranks[a] <= ranks[b]) dropped) kept) "the best"
            Expect.floatClose Accuracy.high (Array.average ranks) (float (scores.Length + 1) / 2.0) "ranks of all")

        testProperty "only the order of the returns on a task counts"
        <| ofTables (fun factor scores ->
            let stretched =
                scores
                |> Array.map (Array.mapi (fun task score -> exp (score / 5.0) * float (task + 1)))

            Expect.equal (SuccessiveHalving.promoted factor stretched) (SuccessiveHalving.promoted factor scores) "the same trials")

        testProperty "a trial that failed everywhere goes on only when nobody else can"
        <| ofTables (fun factor scores ->
            let scores = Array.append [| Array.create scores[0].Length nan |] scores

            let others =
                scores[1..] |> Array.filter (Array.exists (Double.IsNaN >> not)) |> Array.length

            Expect.isTrue
                (Array.head (SuccessiveHalving.promoted factor scores) <> 0
                 || others < SuccessiveHalving.survivors factor scores.Length)
                "not it")
    ]
