module NE.Model.Tests.Runs.LedgerTests

open System
open Expecto
open NE.Model.History
open NE.Model.Runs

let private episode value : EpisodeEnded = {
    Step = 10L
    Environment = 0
    Episode = 1L
    Return = value
    Length = 5
    Terminated = false
}

[<Tests>]
let tests =
    testList "The ledger" [
        testCase "ordinals follow each other over all kinds of history"
        <| fun _ ->
            let struct (first, ledger) = Ledger.recordEpisode (episode 1.0) Ledger.empty

            let struct (second, ledger) =
                Ledger.startEvaluation 0L ledger
                |> Ledger.deliverEvaluation 0L [| 3.0 |] [| 7 |]

            match first, second with
            | EpisodeEnded(a, _), EvaluationEnded(b, _) -> Expect.equal (a, b, ledger.NextOrdinal) (0L, 1L, 2L) "ordinals"
            | other -> failtestf "%A" other

        testCase "the best evaluation is the first of the highest mean"
        <| fun _ ->
            let deliver step value (bests, ledger) =
                let struct (event, ledger) =
                    Ledger.startEvaluation step ledger
                    |> Ledger.deliverEvaluation step [| value |] [| 1 |]

                match event with
                | EvaluationEnded(_, evaluation) -> evaluation.IsBest :: bests, ledger
                | other -> failtestf "%A" other

            let bests, ledger =
                ([], Ledger.empty)
                |> deliver 0L -5.0
                |> deliver 1L 7.0
                |> deliver 2L 7.0
                |> deliver 3L 1.0

            Expect.equal (List.rev bests) [ true; true; false; false ] "best"
            Expect.equal ledger.BestStep 1L "step of the best"

        testCase "evaluations are delivered in the order in which they were started"
        <| fun _ ->
            let ledger = Ledger.empty |> Ledger.startEvaluation 5L |> Ledger.startEvaluation 9L

            Expect.throwsT<InvalidOperationException>
                (fun () -> Ledger.deliverEvaluation 9L [| 1.0 |] [| 1 |] ledger |> ignore)
                "the second one first"

        testCase "recent episodes are averaged once"
        <| fun _ ->
            let struct (_, ledger) = Ledger.recordEpisode (episode 1.0) Ledger.empty
            let struct (_, ledger) = Ledger.recordEpisode (episode 4.0) ledger
            let struct (mean, length, ledger) = Ledger.takeRecentEpisodes ledger
            Expect.equal (mean, length) (2.5, 5.0) "mean return and length"
            let struct (none, _, _) = Ledger.takeRecentEpisodes ledger
            Expect.isTrue (Double.IsNaN none) "no episode since"

        testProperty "what is stored is what is read"
        <| fun (steps: int64) (returns: float list) ->
            let ledger =
                returns
                |> List.fold
                    (fun ledger value ->
                        let struct (_, next) = Ledger.recordEpisode (episode value) ledger
                        next)
                    (Ledger.empty
                     |> Ledger.startEvaluation steps
                     |> Ledger.advance steps (steps - 1L) 3L)

            // NaN is not equal to itself, its bytes are.
            Ledger.toBytes (Ledger.ofBytes (ReadOnlySpan(Ledger.toBytes ledger))) = Ledger.toBytes ledger
    ]
