module NE.Benchmarks.Tests.Main

[<EntryPoint>]
let main arguments =
    match arguments with
    | [| RooflineTests.Argument |] -> RooflineTests.printWidth ()
    | _ -> NE.Tests.Runner.run arguments
