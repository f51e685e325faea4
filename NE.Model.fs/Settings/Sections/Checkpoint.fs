namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// When the run's state is committed.
type CheckpointSettings = { Every: int64 }

[<RequireQualifiedAccess>]
module internal CheckpointSettings =

    let private key name =
        Keys.key<RunFacts, CheckpointSettings, _> name

    let section =
        Section.create [
            key "checkpoint.every" Ours (steps 1L) 25_000L _.Every (fun v _ -> { Every = v })
            |> inUnit "environment steps"
            |> says "Steps between commits of the whole state."
        ]
