/// Python, for the tests that start it.
module NE.Tests.Python

open System.IO

/// The interpreter by its own path: the name may lead to a script that looks for one at every start, which takes ten times as long as the start.
let interpreter =
    [ "/usr/bin/python3"; "/usr/local/bin/python3" ]
    |> List.tryFind File.Exists
    |> Option.defaultValue "python3"
