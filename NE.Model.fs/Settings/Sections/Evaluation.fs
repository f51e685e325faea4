namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Noise-free evaluation.
type EvaluationSettings = {
    Every: Derived<int64>
    Episodes: int
    /// Most steps of an episode; None: what the environment says decides.
    MaxSteps: int64 option
} with

    /// Most steps of an episode where an environment says nothing.
    static member WithoutLimit = 10_000

    /// Steps after which an episode is cut, in an environment with this time limit; Int32.MaxValue is none, here and there.
    member this.LongestEpisode(timeLimit: int) : int =
        match this.MaxSteps with
        | None when timeLimit = System.Int32.MaxValue -> EvaluationSettings.WithoutLimit
        | None
        | Some 0L -> timeLimit
        | Some most -> int (min (int64 timeLimit) most)

[<RequireQualifiedAccess>]
module internal EvaluationSettings =

    let private key name =
        Keys.key<RunFacts, EvaluationSettings, _> name

    let section =
        Section.create [
            key "evaluation.every" OfficialCode (derived (steps 1L)) Auto _.Every (fun v s -> { s with Every = v })
            |> inUnit "environment steps"
            |> auto "a whole part of the run, at most 1,000 x evaluation.episodes" (fun run evaluation ->
                let length, most =
                    RunLength.ofPhase run.Length, int64 evaluation.Episodes * RunLength.longestEpisode

                // As many as it takes, and the last one near the end: what a run has become is what its score is taken of.
                max 1L (length / ((length + most - 1L) / most)))
            |> says
                "Steps between evaluations; auto: 1,000 x evaluation.episodes, or less, so that the last one falls within the last tenth of the run; evaluations then take about a step per step of the run."

            key "evaluation.episodes" OfficialCode (int32Of (wholeNumber 1L 10_000L)) 10 _.Episodes (fun v s -> { s with Episodes = v })
            |> isFixed
            |> inUnit "episodes"
            |> says "Noise-free episodes of one evaluation, on environments of its own."

            key "evaluation.maxSteps" Ours (optional "auto" (wholeNumber 0L 1_000_000_000L)) None _.MaxSteps (fun v s -> {
                s with
                    MaxSteps = v
            })
            // Their episodes ended where the environment ended them.
            |> inOldRuns (Some 0L)
            |> inUnit "steps"
            |> says
                "Most steps of an episode of an evaluation; auto: the environment's time limit, or 10,000 where it has none; 0: the environment's, even if it has none."
        ]
