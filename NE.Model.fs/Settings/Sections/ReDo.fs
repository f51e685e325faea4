namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// ReDo (methods.md).
type ReDoSettings = {
    /// Gradient steps between two looks for dormant neurons.
    Every: Derived<int64>
    /// Score at or below which a neuron is dormant.
    Threshold: float
}

[<RequireQualifiedAccess>]
module internal ReDoSettings =

    let private key name =
        Keys.key<RunFacts, ReDoSettings, _> name

    let section =
        Section.ofTechniques [ Technique.ReDo ] [
            // Its author's setting.
            key "redo.every" (Cited "ReDo") (derived (steps 1L)) Auto _.Every (fun v s -> { s with Every = v })
            |> inUnit "gradient steps"
            |> auto "1,000, at most a fifth of the gradient steps" (fun run _ -> max 1L (min 1_000L (run.GradientSteps / 5L)))
            |> check (fun run redo ->
                if
                    run.Method.Has Technique.ReDo
                    && redo.Every.Value > run.GradientSteps
                    && run.StartSteps < run.Length.Steps
                    && run.Length.Phases.Episodes = 0L
                then
                    Some $"above the {run.GradientSteps} gradient steps of the run: nothing would be drawn anew; give a shorter period"
                else
                    None)
            |> says "Gradient steps between two looks for dormant neurons; auto: 1,000, at most a fifth of the run's."

            key "redo.threshold" (Cited "ReDo") notNegative 0.1 _.Threshold (fun v s -> { s with Threshold = v })
            |> inUnit "mean activity of the layer"
            |> says "A neuron whose activation score is at or below this is drawn anew."
        ]
