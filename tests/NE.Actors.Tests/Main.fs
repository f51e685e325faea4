module NE.Actors.Tests.Main

open NE.Actors.Tests.Environments
open NE.Actors.Tests.Journal

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| CommitLoop.Argument; runs |] -> CommitLoop.run runs
    | [| Misbehaving.Argument; behaviour |] ->
        Misbehaving.serve behaviour
        0
    | _ -> NE.Tests.Runner.run arguments
