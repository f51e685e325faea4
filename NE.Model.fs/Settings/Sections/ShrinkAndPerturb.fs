namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Shrink and perturb (methods.md).
type ShrinkAndPerturbSettings = {
    /// Environment steps between two of them.
    Every: Derived<int64>
    /// Factor of the old parameters.
    Shrink: float
    /// Factor of the fresh ones.
    Noise: float
}

[<RequireQualifiedAccess>]
module internal ShrinkAndPerturbSettings =

    let private key name =
        Keys.key<RunFacts, ShrinkAndPerturbSettings, _> name

    let section =
        Section.ofTechniques [ Technique.ShrinkAndPerturb ] [
            key "shrinkAndPerturb.every" Ours (derived (steps 1L)) Auto _.Every (fun v s -> { s with Every = v })
            |> inUnit "environment steps"
            |> autoBy Period.automatic
            |> check (fun run shrink -> Period.problem Technique.ShrinkAndPerturb "shrunk and perturbed" shrink.Every.Value run)
            |> says
                "Steps between two shrinkings; auto: 200,000, at most a fifth of the run, from pictures a tenth, and a third of its steps after learner.startSteps. Never within half of that before the end."

            key "shrinkAndPerturb.shrink" Ours fraction 0.8 _.Shrink (fun v s -> { s with Shrink = v })
            |> says "Factor of the old parameters."

            key "shrinkAndPerturb.noise" Ours fraction 0.2 _.Noise (fun v s -> { s with Noise = v })
            |> says "Factor of the fresh parameters that are added."
        ]
