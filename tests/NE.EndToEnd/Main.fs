module NE.EndToEnd.Main

[<EntryPoint>]
let main arguments = NE.Tests.Runner.run arguments
