namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Noise-free evaluation.
type EvaluationSettings = { Every: Derived<int64>; Episodes: int }

[<RequireQualifiedAccess>]
module internal EvaluationSettings =

    let private key name =
        Keys.key<RunFacts, EvaluationSettings, _> name

    let section =
        Section.create [
            key "evaluation.every" OfficialCode (derived (steps 1L)) Auto _.Every (fun v s -> { s with Every = v })
            |> inUnit "environment steps"
            |> auto "1,000 x evaluation.episodes" (fun run evaluation ->
                min run.Length.Steps (int64 evaluation.Episodes * RunFacts.longestEpisode))
            |> says
                "Steps between evaluations; auto: 1,000 x evaluation.episodes, so that evaluations take about a step per step of the run."

            key "evaluation.episodes" OfficialCode (int32Of (wholeNumber 1L 10_000L)) 10 _.Episodes (fun v s -> { s with Episodes = v })
            |> isFixed
            |> inUnit "episodes"
            |> says "Noise-free episodes of one evaluation, on environments of its own."
        ]
