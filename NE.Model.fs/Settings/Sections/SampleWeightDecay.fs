namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Sample weight decay (methods.md): the weight of a transition in the draw of a batch.
type SampleWeightDecaySettings = {
    /// Age, in transitions, at which the weight would reach 0.
    Horizon: Derived<int64>
    /// The least weight, that of old transitions.
    MinWeight: float
}

[<RequireQualifiedAccess>]
module internal SampleWeightDecaySettings =

    let private key name =
        Keys.key<RunFacts, SampleWeightDecaySettings, _> name

    let section =
        Section.ofTechniques [ Technique.SampleWeightDecay ] [
            key "swd.horizon" Ours (derived (steps 1L)) Auto _.Horizon (fun v s -> { s with Horizon = v })
            |> inUnit "transitions"
            |> auto "steps, in a cycle those of a phase, at most learner.bufferSize" (fun run _ ->
                // A cycle clears the buffer at every switch: nothing in it is older than its phase.
                min (RunLength.ofPhase run.Length) run.BufferSize)
            |> says
                "T: a transition of age a has the weight max(minWeight, 1 - a/T) in the draw of a batch; auto: the run's steps, in a cycle those of a phase, at most bufferSize."

            key "swd.minWeight" (Cited "SWD") positiveFraction 0.1 _.MinWeight (fun v s -> { s with MinWeight = v })
            |> says "Least weight of an old transition; 1: all are drawn alike."
        ]
