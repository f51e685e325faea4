module NE.Shell.Tests.CompletionTests

open System.IO
open Expecto
open NE.Shell.Host
open NE.Shell.Tests.Compare
open NE.Shell.Tests.Support

/// What can follow on a line, with runs in a folder.
let private following (runs: string) (line: string) =
    let code, output, error = execute (host runs noRun) [ "complete"; line ]
    Expect.equal (code, error) (ExitCode.Ok, "") line
    output.Split('\n', System.StringSplitOptions.RemoveEmptyEntries) |> List.ofArray

[<Tests>]
let tests =
    testList "completion" [
        testCase "knows verbs, options, tasks, keys, methods, runs and sweeps"
        <| fun _ ->
            use folder = new TemporaryFolder()
            let runs = folder.Path
            RunFiles.write runs { RunFiles.run with Name = "first" } |> ignore
            RunFiles.write runs { RunFiles.run with Name = "second" } |> ignore
            RunFiles.sweep runs "mine" "" [ "first", "Hopper-v4", "dense", 0L ]
            let following = following runs

            for line, expected in
                [
                    "ne tr", [ "train" ]
                    "ne env ", [ "list"; "replay"; "run"; "show" ]
                    "ne train Hop", [ "Hopper-v4"; "Hopper-v5" ]
                    "ne train Hopper-v4 learner.batch", [ "learner.batchSize=" ]
                    "ne train --method re", [ "redo"; "reset" ]
                    "ne train --dry", [ "--dry-run" ]
                    "ne resume ", [ "first"; "second" ]
                    "ne resume first --checkpoint ", [ "last"; "previous" ]
                    "ne eval first --checkpoint ", [ "best"; "last"; "previous" ]
                    "ne status m", [ "mine" ]
                    $"ne resume --runs {runs} fi", [ "first" ]
                    "ne sweep paper/figure-1",
                    [
                        "paper/figure-10"
                        "paper/figure-13"
                        "paper/figure-13-pixels"
                        "paper/figure-14"
                    ]
                    "ne nothing ", []
                ] do
                let found = following line

                Expect.equal
                    (found
                     |> List.filter (fun word -> not (word.Contains '.') || not (line.EndsWith ' ')))
                    expected
                    line

            Expect.isFalse (List.contains "complete" (following "ne ")) "what is not for people"

        testCase "each shell has a script that is one, and others are refused"
        <| fun _ ->
            let code, script, _ = shell [ "completion"; "bash" ]
            Expect.equal code ExitCode.Ok "bash"
            use folder = new TemporaryFolder()
            let file = folder.File "completion.bash"
            File.WriteAllText(file, script)
            use checking = System.Diagnostics.Process.Start("bash", [ "-n"; file ])
            checking.WaitForExit()
            Expect.equal checking.ExitCode 0 "bash reads it"

            for name in [ "zsh"; "fish" ] do
                let code, script, _ = shell [ "completion"; name ]
                Expect.equal code ExitCode.Ok name
                Expect.stringContains script "complete" name

            let code, _, error = shell [ "completion"; "tcsh" ]
            Expect.equal code ExitCode.UserError "tcsh"
            Expect.stringContains error "bash, zsh or fish" "what there is"
    ]
