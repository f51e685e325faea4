module NE.Benchmarks.Tests.Main

[<EntryPoint>]
let main arguments = NE.Tests.Runner.run arguments
