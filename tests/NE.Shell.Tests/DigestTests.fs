/// Whether two runs are the same run, as `ne digest --compare` says it.
module NE.Shell.Tests.DigestTests

open System
open System.IO
open System.Text.Json
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Tests.Support
open NE.Shell.Tests.Archives.ArchiveFiles

/// The stopped run twice: under its own name, and restored as "again".
let private twice () =
    let given = new Stopped()
    let file = given.Archived []
    given.Done [ "restore"; file; "--name"; "again" ] |> ignore
    given

let private compare (given: Stopped) =
    given.Ne [ "digest"; stopped.Name; "--compare"; "again" ]

let private differs (given: Stopped) (first: string) =
    let code, output, errors = compare given
    Expect.equal code ExitCode.Failed (output + errors)
    Expect.stringContains output $"'{stopped.Name}' and 'again' are not the same run. First difference: {first}" "what differs first"

let private again (given: Stopped) = RunPaths.Of(given.Runs, "again")

// The log of a run is the process's only one.
[<Tests>]
let tests =
    testSequenced
    <| testList "ne digest --compare" [
        test "a run and its copy are the same run" {
            use given = twice ()
            let code, output, errors = compare given
            Expect.equal code ExitCode.Ok (output + errors)
            let state = (CheckpointReader.Digest(given.Run, CheckpointChoice.Last)).State

            Expect.stringContains output $"'{stopped.Name}' and 'again' are the same run: step " "it says so"

            Expect.stringContains output state "with the state"
            let json = given.Done [ "digest"; stopped.Name; "--compare"; "again"; "--json" ]
            let said = JsonDocument.Parse(json).RootElement
            Expect.isTrue (said.GetProperty("same").GetBoolean()) "as JSON"
            Expect.equal (said.GetProperty("difference").ValueKind) JsonValueKind.Null "and no difference"
        }

        test "a number of a table that differs is named with its line" {
            use given = twice ()
            let table = (again given).Evaluations
            let lines = File.ReadAllLines table
            lines[2] <- lines[2].Replace(',', ';')
            File.WriteAllText(table, String.Join('\n', lines) + "\n")
            differs given $"eval.csv, line 3: "
        }

        test "a table without its last row, one that is gone, and other ends of lines are differences" {
            use given = twice ()
            let table = (again given).Metrics
            let whole = File.ReadAllText table
            File.WriteAllText(table, whole.TrimEnd('\n').Substring(0, whole.TrimEnd('\n').LastIndexOf '\n' + 1))
            let rows = whole.TrimEnd('\n').Split('\n').Length
            differs given $"metrics.csv, line {rows}: "
            File.Delete table
            differs given "metrics.csv, line 1: "
            File.WriteAllText(table, whole.Replace("\n", "\n\n"))
            differs given "metrics.csv: other ends of lines"
        }

        test "a run that went on is another one, from its step on" {
            use given = twice ()
            NE.Shell.Tests.GoldenRunTests.really given.Runs [ "resume"; "again" ]
            differs given "step: "
        }

        test "one of another seed differs in its history" {
            use given = new Stopped()
            let step = (CheckpointReader.Digest(given.Run, CheckpointChoice.Last)).Step

            NE.Shell.Tests.GoldenRunTests.really given.Runs [
                "train"
                "HalfCheetah-v4"
                "--method"
                "td3"
                "--name"
                "again"
                "--steps"
                string step
                "network.hidden=8"
                "learner.startSteps=50"
                "learner.batchSize=8"
                "evaluation.episodes=1"
                "evaluation.every=100"
            ]

            differs given "history event 0: "
        }

        test "what cannot be compared is refused with the reason" {
            use given = twice ()
            let code, _, errors = given.Ne [ "digest"; stopped.Name; "--compare"; "missing" ]
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "missing" "which one"

            let code, _, errors =
                given.Ne [ "digest"; stopped.Name; "--compare"; "again"; "--checkpoint"; "previous" ]

            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "leave --checkpoint out" "what to do"
            use _ = RunLock.Take(again given)
            let code, _, errors = compare given
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "works on 'again'" "a run at work"
        }
    ]
