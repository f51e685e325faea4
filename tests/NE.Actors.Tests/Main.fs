module NE.Actors.Tests.Main

open NE.Actors.Tests.Journal

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| CommitLoop.Argument; runs |] -> CommitLoop.run runs
    | _ -> NE.Tests.Runner.run arguments
