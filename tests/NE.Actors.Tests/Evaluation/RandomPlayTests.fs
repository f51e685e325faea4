module NE.Actors.Tests.Evaluation.RandomPlayTests

open System
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Evaluation
open NE.Model.Replay

let private play (seed: int64) (steps: int64) =
    use environment = EnvironmentFactory.Create "Hopper-v4"
    let moments = ResizeArray<EpisodeMoment>()
    let results = RandomPlay.Run(environment, seed, steps, Action<_> moments.Add)
    results, List.ofSeq moments

[<Tests>]
let tests =
    testList "Random play" [
        testCase "is the same for the same seed and another for another"
        <| fun _ ->
            let (first, _), (again, _), (other, _) = play 1L 200L, play 1L 200L, play 2L 200L
            Expect.sequenceEqual again.Returns first.Returns "the same seed"
            Expect.notEqual (List.ofSeq other.Returns) (List.ofSeq first.Returns) "another seed"

        testCase "takes exactly the steps that were asked for and counts complete episodes alone"
        <| fun _ ->
            let results, moments = play 1L 100L
            Expect.equal results.Steps 100L "steps"
            let whole = Seq.sum results.Lengths
            Expect.isLessThan whole 101 "steps of complete episodes"
            Expect.equal results.Terminations results.Returns.Count "Hopper falls long before its time limit"
            Expect.equal results.Divergences 0 "divergences"

            let taken = moments |> List.filter (fun moment -> moment.Step > 0)
            Expect.hasLength taken 100 "moments after a step"
            let ends = moments |> List.filter _.IsLast
            Expect.equal [ for moment in ends -> moment.Return ] (List.ofSeq results.Returns) "returns"
            Expect.equal [ for moment in ends -> moment.Step ] (List.ofSeq results.Lengths) "lengths"

        testCase "stops inside an episode that is longer"
        <| fun _ ->
            let results, _ = play 1L 3L
            Expect.isEmpty results.Returns "no episode is complete"

        testCase "takes the first actions of a training run with the same seed"
        <| fun _ ->
            // The worker of a training run, whose first steps are random, beside it.
            let steps = 30

            let settings =
                match
                    NE.Model.Settings.apply [ struct ("run.environment", "Hopper-v4"); struct ("run.seed", "5") ] NE.Model.Settings.defaults
                with
                | Ok settings -> fst (NE.Model.Settings.resolve settings)
                | Error errors -> failwithf "%A" errors

            use environment = EnvironmentFactory.Create "Hopper-v4"
            let worker = EnvironmentWorker(environment, settings, 0)
            worker.Begin 0L

            let block =
                TransitionBlock(0, TransitionRows.create (ObservationForm.Vector 11) 3, steps)

            worker.Step(StepRound(0L, 1, steps, NE.Actors.Tests.Video.Support.policy 11 3 1L, block))
            let trained = [ for episode in block.Episodes -> episode.Return ]
            use again = EnvironmentFactory.Create "Hopper-v4"
            Expect.equal (List.ofSeq (RandomPlay.Run(again, 5L, int64 steps).Returns)) trained "returns"
            Expect.isNonEmpty trained "an episode ended"
    ]
