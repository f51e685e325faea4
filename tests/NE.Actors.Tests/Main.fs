module NE.Actors.Tests.Main

open NE.Actors.Tests.Environments
open NE.Actors.Tests.Journal
open NE.Actors.Tests.MuJoCo
open NE.Actors.Tests.Rendering

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| CommitLoop.Argument; runs |] -> CommitLoop.run runs
    | [| Misbehaving.Argument; behaviour |] ->
        Misbehaving.serve behaviour
        0
    | [| WrongLayouts.Argument |] -> WrongLayouts.run ()
    | [| OsMesaChild.Argument; file |] -> OsMesaChild.run file
    | _ -> NE.Tests.Runner.run arguments
