namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// When the run's state is committed.
type CheckpointSettings = { Every: Derived<int64> }

[<RequireQualifiedAccess>]
module internal CheckpointSettings =

    let private key name =
        Keys.key<RunFacts, CheckpointSettings, _> name

    let section =
        Section.create [
            key "checkpoint.every" Ours (derived (steps 1L)) Auto _.Every (fun v _ -> { Every = v })
            |> inOldRuns (Is 25_000L)
            |> inUnit "environment steps"
            |> auto "25,000; from pictures 1,000, at most steps/10" (fun run _ ->
                // What a crash costs is time, and a step from pictures takes a thousand times as long.
                if run.Learner.SeesPixels then
                    max 1L (min 1_000L (run.Length.Steps / 10L))
                else
                    25_000L)
            |> says "Steps between commits of the whole state; auto: 25,000, from pictures 1,000, at most a tenth of the run."
        ]
