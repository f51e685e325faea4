namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Plasticity injection (methods.md).
type InjectionSettings = {
    /// Environment step of the injection.
    Step: Derived<int64>
}

[<RequireQualifiedAccess>]
module internal InjectionSettings =

    let private key name =
        Keys.key<RunFacts, InjectionSettings, _> name

    let section =
        Section.ofTechniques [ Technique.PlasticityInjection ] [
            key "injection.step" PaperUnstated (derived (steps 1L)) Auto _.Step (fun v s -> { s with Step = v })
            |> inUnit "environment steps"
            |> auto "steps/3" (fun run _ -> max 1L (run.Length.Steps / 3L))
            |> check (fun run injection ->
                if
                    run.Method.Has Technique.PlasticityInjection
                    && injection.Step.Value >= run.Length.Steps
                then
                    Some $"not below run.steps = {run.Length.Steps}: nothing would be injected"
                else
                    None)
            |> says "Step at which new bodies are injected; auto: steps/3."
        ]
