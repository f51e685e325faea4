namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Videos of the policy while it learns.
type VideoSettings = {
    /// Environment steps between videos; 0 makes none.
    Every: int64
}

[<RequireQualifiedAccess>]
module internal VideoSettings =

    let private key name =
        Keys.key<RunFacts, VideoSettings, _> name

    let section =
        Section.create [
            key "video.every" Ours (steps 0L) 0L _.Every (fun v _ -> { Every = v })
            |> inUnit "environment steps"
            |> says "Steps between videos of one noise-free episode in the run's folder video; 0 makes none."
        ]
