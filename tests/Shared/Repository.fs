/// Files of the repository, from a suite's own place in it.
module NE.Tests.Repository

open System
open System.IO

/// Full path of the repository.
let repository =
    Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "../../../../../.."))

/// Full path of a file that another project of the test build makes; the project by its folder, such as "tests/NE.TestPlugin".
let built (project: string) (file: string) =
    // This suite's own is tests/SUITE/bin/Release/...
    let output =
        Path.GetRelativePath(repository, AppContext.BaseDirectory).Split('/')[2..]

    Path.Combine [| repository; project; yield! output; file |]
