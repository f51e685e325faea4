module NE.Shell.Tests.Archives.PruneTests

open System
open System.IO
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Tests
open NE.Shell.Tests.Support
open NE.Shell.Tests.Archives.ArchiveFiles

/// What no checkpoint names: a blob, a segment, half a file, a video that nobody works on.
let private leftOvers (run: RunPaths) : string list =
    Directory.CreateDirectory run.Video |> ignore

    let left = [
        Path.Combine(run.Blobs, String('0', 64))
        Path.Combine(run.Replay, "seg-00000009-e0009.bin")
        run.RunInfo + ".tmp"
        Path.Combine(run.Video, "step-2.png.partial")
    ]

    for file in left do
        File.WriteAllText(file, "left")

    File.SetLastWriteTimeUtc(List.last left, DateTime.UtcNow.AddDays -2.0)
    left

let private video (run: RunPaths) : string =
    Directory.CreateDirectory run.Video |> ignore
    let file = Path.Combine(run.Video, "step-1.png")
    File.WriteAllText(file, "film")
    file

/// Both checkpoints are whole, replay memory included.
let private expectWhole (run: RunPaths) =
    for which in [ CheckpointChoice.Last; CheckpointChoice.Previous ] do
        CheckpointReader.Load(run, which) |> ignore

let private segments (run: RunPaths) =
    Directory.GetFiles(run.Replay, "seg-*").Length

// The log of a run is the process's only one.
[<Tests>]
let tests =
    testSequenced
    <| testList "ne prune" [
        test "without --yes it only says what would be deleted" {
            use given = new Stopped()
            leftOvers given.Run |> ignore
            video given.Run |> ignore

            // Looking into the journal leaves an empty log beside it, as ne status does.
            let present () =
                files given.Runs |> Map.filter (fun name _ -> not (name.Contains ".db-"))

            let before = present ()
            let output = given.Done [ "prune"; "--videos"; "--replay" ]
            Expect.equal (present ()) before "nothing is deleted"
            Expect.stringContains output "to be deleted: 20 B of 1 run" "bytes: four times 'left', and 'film'"
            Expect.stringContains output "--yes" "what to do"
            Expect.stringContains output "replay memory stays" "the run is not complete"
        }

        test "with --yes left-overs go, and everything that a checkpoint names stays" {
            use given = new Stopped()
            let left = leftOvers given.Run
            let film = video given.Run
            let recording = film + ".partial"
            File.WriteAllText(recording, "at work")
            let output = given.Done [ "prune"; "--yes" ]
            Expect.stringContains output "deleted: 16 B of 1 run" "bytes"
            Expect.isEmpty (List.filter File.Exists left) "left-overs"
            Expect.isTrue (File.Exists film && File.Exists recording) "videos, and one that is being written"
            expectWhole given.Run
            Expect.stringContains (given.Done [ "prune"; "--yes" ]) "nothing to delete" "once more"
        }

        test "--videos deletes the videos" {
            use given = new Stopped()
            let film = video given.Run
            given.Done [ "prune"; stopped.Name; "--videos"; "--yes" ] |> ignore
            Expect.isFalse (File.Exists film) "the film"
        }

        test "--replay keeps the replay memory of a run that is not complete" {
            use given = new Stopped()
            let before = segments given.Run
            let output = given.Done [ "prune"; "--replay"; "--yes" ]
            Expect.stringContains output "nothing to delete" "output"
            Expect.equal (segments given.Run) before "segments"
            expectWhole given.Run
        }

        test "--replay makes a complete run one that is evaluated and never resumed" {
            use given = new Stopped()
            GoldenRunTests.really given.Runs [ "resume"; stopped.Name ]
            // It ran in this process, whose pool keeps its database open.
            Microsoft.Data.Sqlite.SqliteConnection.ClearAllPools()
            let state = CheckpointReader.Digest(given.Run, CheckpointChoice.Last).State
            Expect.isGreaterThan (segments given.Run) 0 "segments"
            let said = given.Done [ "prune"; "--replay" ]
            Expect.stringContains said "never be resumed or extended" "what is lost is said before"
            Expect.isGreaterThan (segments given.Run) 0 "not yet"
            given.Done [ "prune"; "--replay"; "--state"; "completed"; "--yes" ] |> ignore
            Expect.equal (segments given.Run) 0 "segments"
            let code, _, errors = given.Ne [ "resume"; stopped.Name; "--steps"; "10000" ]
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "cannot be resumed: its replay memory was deleted by `ne prune --replay`" "why"
            Expect.hasLength (errors.Trim().Split '\n') 1 "one sentence"
            Expect.stringContains (given.Done [ "digest"; stopped.Name ]) state "the digest stays"
            GoldenRunTests.really given.Runs [ "eval"; stopped.Name; "--episodes"; "1"; "--checkpoint"; "last" ]
            // A kill may have come between the note and the last file.
            File.WriteAllText(Path.Combine(given.Run.Replay, "seg-00000000-e0000.bin"), "rest")
            Expect.stringContains (given.Done [ "prune"; "--yes" ]) "deleted: 4 B" "the rest"
        }

        test "a run at work is left alone" {
            use given = new Stopped()
            let left = leftOvers given.Run
            use _ = RunFolder.Open(given.Runs, stopped.Name)
            let output = given.Done [ "prune"; "--yes" ]
            Expect.stringContains output "at work, and left alone: 1 run" "output"
            Expect.isTrue (List.forall File.Exists left) "nothing is deleted"
        }

        test "--state and --older-than choose the runs" {
            use given = new Stopped()
            let left = leftOvers given.Run

            let later (days: float) =
                ShellHost(
                    Output = new StringWriter(),
                    Error = new StringWriter(),
                    DefaultRuns = given.Runs,
                    FleetKey = "/nonexistent/fleet.pem",
                    Clock = {
                        new TimeProvider() with
                            member _.GetUtcNow() = DateTimeOffset.UtcNow.AddDays days
                    }
                )

            let at days arguments =
                execute (later days) ([ "prune"; "--yes" ] @ arguments) |> ignore
                List.forall File.Exists left

            Expect.isTrue (at 0.0 [ "--state"; "completed"; "--state"; "failed" ]) "another state"
            // The golden run was stopped in November 2026.
            Expect.isTrue (at 0.0 [ "--older-than"; "100000" ]) "too young"
            Expect.isTrue (at 0.0 [ "--older-than"; "30"; "--state"; "killed" ]) "both must hold"
            Expect.isFalse (at 40000.0 [ "--older-than"; "30000"; "--state"; "interrupted" ]) "old enough"
        }

        test "the runs of a sweep are meant by its name" {
            use given = new Stopped()
            let other = stored "ne-official"
            GoldenRunTests.unpack other given.Runs

            let mine, others =
                leftOvers given.Run, leftOvers (RunPaths.Of(given.Runs, other.Name))

            ArchiveTests.sweep given.Runs [ other.Name; "many-waits" ] |> ignore
            given.Done [ "prune"; "many"; "--yes" ] |> ignore
            Expect.equal (List.forall File.Exists mine, List.exists File.Exists others) (true, false) "its cell alone"
        }

        test "a run whose journal cannot be read is named and left alone, and the others are not" {
            use given = new Stopped()
            let other = stored "ne-official"
            GoldenRunTests.unpack other given.Runs

            let damaged, whole =
                leftOvers given.Run, leftOvers (RunPaths.Of(given.Runs, other.Name))

            File.WriteAllText(given.Run.Journal, "this is no database")
            let code, _, errors = given.Ne [ "prune"; "--yes" ]
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors $"{stopped.Name} was left alone" "named"
            Expect.equal (List.forall File.Exists damaged, List.exists File.Exists whole) (true, false) "files"
        }

        test "a journal that lost everything makes no file one that nobody names" {
            use given = new Stopped()
            let before = (files given.Run.Blobs, files given.Run.Replay)
            File.WriteAllText(given.Run.Journal, "")
            given.Ne [ "prune"; "--yes" ] |> ignore
            Expect.equal (files given.Run.Blobs, files given.Run.Replay) before "blobs and segments"
        }

        test "an unknown name, state or number of days is refused before anything is deleted" {
            use given = new Stopped()
            let left = leftOvers given.Run

            for arguments, message in
                [
                    [ "other" ], "There is no run 'other'"
                    [ stopped.Name; "other" ], "There is no run 'other'"
                    [ "--state"; "running" ], "--state expects completed, failed, interrupted or killed, found 'running'"
                    [ "--older-than"; "0" ], "--older-than expects a whole number in [1, 1000000]"
                    [ "--older-than"; "99999999999" ], "--older-than expects a whole number in [1, 1000000]"
                    [ "--older-than"; "a week" ], "--older-than expects a whole number in [1, 1000000]"
                ] do
                let code, _, errors = given.Ne([ "prune"; "--yes" ] @ arguments)
                Expect.equal (code, errors.Contains message) (ExitCode.UserError, true) $"{arguments}: {errors}"

            Expect.isTrue (List.forall File.Exists left) "nothing is deleted"
        }
    ]
