module NE.Shell.Tests.Archives.ArchiveTests

open System
open System.Collections.Generic
open System.IO
open System.Security.Cryptography
open System.Text.Json
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Sweeps.Planning
open NE.Shell.Tests
open NE.Shell.Tests.Support
open NE.Shell.Tests.Archives.ArchiveFiles

let private refused (given: Stopped) (arguments: string list) (expected: ExitCode) (message: string) =
    let file = given.File "refused.tar.gz"
    let code, output, errors = given.Ne([ "archive" ] @ arguments @ [ "-o"; file ])
    Expect.equal code expected $"{output}{errors}"
    Expect.stringContains errors message "message"
    Expect.isFalse (File.Exists file || File.Exists(file + ".tmp")) "nothing is written"

/// Flips a bit in the middle of a file.
let private damage (file: string) =
    let bytes = File.ReadAllBytes file
    bytes[bytes.Length / 2] <- bytes[bytes.Length / 2] ^^^ 1uy
    File.WriteAllBytes(file, bytes)

/// A sweep whose cells are golden runs.
let sweep (runs: string) (cells: string list) =
    let cell name =
        SweepCell(name, "Hopper-v4", "td3", "none", 0L, Dictionary<string, string>())

    let paths = SweepPaths.Of(runs, "many")
    Directory.CreateDirectory paths.Logs |> ignore
    File.WriteAllText(paths.LogOf cells.Head, "printed")
    File.WriteAllText(paths.Description, "# a sweep")
    File.WriteAllText(paths.Decisions, "[]")
    StoredSweep("many", "", false, Nullable(), List<SweepCell>(List.map cell cells)).Write paths
    paths

[<Tests>]
let tests =
    testList "ne archive" [
        test "an archive has everything that a resume reads, as its index says, and nothing that nobody names" {
            use given = new Stopped()
            let run = given.Run
            let segment = Directory.GetFiles(run.Replay)[0]

            for file in
                [
                    Path.Combine(run.Blobs, String('0', 64))
                    Path.Combine(run.Replay, "seg-00000009-e0009.bin")
                    run.RunInfo + ".tmp"
                    run.Lock
                ] do
                File.WriteAllText(file, "nobody names it")

            for folder, name in [ run.Logs, "run.clef"; run.Logs, "seq-buffer-1.json"; run.Video, "step-1.png" ] do
                Directory.CreateDirectory folder |> ignore
                File.WriteAllText(Path.Combine(folder, name), name)

            // What a segment has behind its rows was reserved and means nothing.
            use reserved = File.OpenWrite segment
            reserved.SetLength(reserved.Length + 100_000L)
            reserved.Close()
            let found = entries (given.Archived [])
            Expect.equal (fst found.Head) "index.json" "the index comes first"
            let index = JsonDocument.Parse(snd found.Head).RootElement
            let digest = CheckpointReader.Digest(run, CheckpointChoice.Last)
            let named = index.GetProperty("runs")[0]
            Expect.equal (string (named.GetProperty("name").GetString())) stopped.Name "name"
            Expect.equal (string (named.GetProperty("id").GetString())) (RunInfo.Read run.RunInfo).Id "id"
            Expect.equal (named.GetProperty("step").GetInt64()) digest.Step "step"
            Expect.equal (string (named.GetProperty("digest").GetString())) digest.State "digest"

            Expect.equal
                [
                    for file in index.GetProperty("files").EnumerateArray() do
                        string (file.GetProperty("path").GetString()),
                        file.GetProperty("length").GetInt64(),
                        string (file.GetProperty("sha256").GetString())
                ]
                [
                    for name, content in found.Tail do
                        name, content.LongLength, Convert.ToHexStringLower(SHA256.HashData content)
                ]
                "every entry"

            let names = [ for name, _ in found.Tail -> name.Substring(stopped.Name.Length + 1) ]

            for expected in
                [
                    "run.json"
                    "config.yaml"
                    "command.txt"
                    "journal.db"
                    "snapshots.db"
                    "metrics.csv"
                    "eval.csv"
                    "logs/run.clef"
                    "tensorboard/" + string (Path.GetFileName run.Events)
                    "replay/" + string (Path.GetFileName segment)
                ] do
                Expect.contains names expected "a file"

            for unexpected in
                [
                    "blobs/" + String('0', 64)
                    "replay/seg-00000009-e0009.bin"
                    "run.json.tmp"
                    "run.lock"
                    "journal.db-wal"
                    "journal.db-shm"
                    "logs/seq-buffer-1.json"
                    "video/step-1.png"
                ] do
                Expect.isFalse (List.contains unexpected names) unexpected

            let rows =
                found
                |> List.find (fun (name, _) -> name.EndsWith(string (Path.GetFileName segment)))

            Expect.isLessThan (snd rows).LongLength (FileInfo(segment).Length - 99_999L) "rows alone"
            Expect.contains (entries (given.Archived [ "--videos" ]) |> List.map fst) $"{stopped.Name}/video/step-1.png" "--videos"
        }

        test "without a name for the file it is named after the run, in the current folder" {
            use given = new Stopped()
            let output = given.Done [ "archive"; stopped.Name ]
            let file = Path.GetFullPath $"{stopped.Name}.tar.gz"

            try
                Expect.isTrue (File.Exists file) "the file"
                Expect.stringContains output $"ne restore {stopped.Name}.tar.gz" "how to unpack it"
            finally
                File.Delete file
        }

        test "a run at work is refused with what to do" {
            use given = new Stopped()
            use _ = RunFolder.Open(given.Runs, stopped.Name)
            refused given [ stopped.Name ] ExitCode.UserError "stop it first"
        }

        test "a run whose database another program writes to is refused" {
            use given = new Stopped()

            use other =
                new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={given.Run.Journal};Pooling=False")

            other.Open()

            for sql in [ "PRAGMA journal_mode=WAL"; "CREATE TABLE other (x)"; "BEGIN IMMEDIATE" ] do
                use command = other.CreateCommand()
                command.CommandText <- sql
                command.ExecuteScalar() |> ignore

            refused given [ stopped.Name ] ExitCode.Failed "open in another program"
        }

        test "a run that is not there, and one without a checkpoint, is refused" {
            use given = new Stopped()
            refused given [ "other" ] ExitCode.UserError "There is no run 'other'"
            File.Delete given.Run.Journal
            refused given [ stopped.Name ] ExitCode.UserError "no checkpoint yet"
        }

        test "a damaged run is refused with what is damaged" {
            let damaging (path: Stopped -> string) (harm: string -> unit) =
                use given = new Stopped()
                let file = path given
                harm file
                refused given [ stopped.Name ] ExitCode.Failed $"The run '{stopped.Name}' is damaged, so nothing was archived."

            let blob (given: Stopped) =
                Path.Combine(given.Run.Blobs, CheckpointReader.Digest(given.Run, CheckpointChoice.Last).Components["parameters"])

            damaging blob damage
            damaging blob File.Delete
            damaging (fun given -> Directory.GetFiles(given.Run.Replay)[0]) damage
            damaging _.Run.Metrics (fun file -> File.WriteAllText(file, ""))
            damaging _.Run.Journal (fun file -> File.WriteAllText(file, "this is no database"))
        }

        test "damage that concerns the checkpoint before alone is said, and the newest is archived" {
            use given = new Stopped()
            let last = CheckpointReader.Digest(given.Run, CheckpointChoice.Last)
            let previous = CheckpointReader.Digest(given.Run, CheckpointChoice.Previous)
            Expect.notEqual last.Components["moments"] previous.Components["moments"] "two checkpoints"
            File.Delete(Path.Combine(given.Run.Blobs, previous.Components["moments"]))
            let file = given.File "a.tar.gz"
            let code, _, errors = given.Ne [ "archive"; stopped.Name; "-o"; file ]
            Expect.equal code ExitCode.Ok errors
            Expect.stringContains errors "the checkpoint before the last one" "note"
            let elsewhere = given.File "elsewhere"
            given.Done [ "restore"; file; "--runs"; elsewhere ] |> ignore
            Expect.equal (CheckpointReader.Load(RunPaths.Of(elsewhere, stopped.Name), CheckpointChoice.Last).Manifest.Step) last.Step "step"
        }

        test "a damaged run.json or config.yaml, which the journal makes good, is said" {
            use given = new Stopped()
            File.WriteAllText(given.Run.RunInfo, "{")

            let code, _, errors =
                given.Ne [ "archive"; stopped.Name; "-o"; given.File "a.tar.gz" ]

            Expect.equal code ExitCode.Ok errors
            Expect.stringContains errors "run.json is damaged" "note"
        }

        test "a file that is there is replaced only when asked for, and a place must be there" {
            use given = new Stopped()
            let file = given.File "taken.tar.gz"
            File.WriteAllText(file, "other")
            let code, _, errors = given.Ne [ "archive"; stopped.Name; "-o"; file ]
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "--overwrite" "what to do"
            Expect.equal (File.ReadAllText file) "other" "untouched"

            given.Done [ "archive"; stopped.Name; "-o"; file; "--overwrite" ] |> ignore

            Expect.equal (fst (entries file).Head) "index.json" "replaced"
            let code, _, errors = given.Ne [ "archive"; stopped.Name; "-o"; given.Runs ]
            Expect.equal (code, errors.Contains "is a folder") (ExitCode.UserError, true) errors

            let code, _, errors =
                given.Ne [ "archive"; stopped.Name; "-o"; given.File "no/a.tar.gz" ]

            Expect.equal (code, errors.Contains "there is no folder") (ExitCode.UserError, true) errors
        }

        test "a sweep is one file with all its runs and its own folder" {
            use given = new Stopped()
            let other = stored "ne-official"
            GoldenRunTests.unpack other given.Runs
            // The third never began.
            let paths = sweep given.Runs [ stopped.Name; other.Name; "many-waits" ]
            let file = given.File "many.tar.gz"
            given.Done [ "archive"; "many"; "-o"; file ] |> ignore
            let elsewhere = given.File "elsewhere"
            let output = given.Done [ "restore"; file; "--runs"; elsewhere ]
            Expect.stringContains output "ne sweep --resume many" "how to go on"
            let restored = SweepPaths.Of(elsewhere, "many")
            Expect.equal (files restored.Root) (files paths.Root |> Map.remove "sweep.lock") "the sweep's folder"

            for run in [ stopped; other ] do
                let digest folder =
                    CheckpointReader.Load(RunPaths.Of(folder, run.Name), CheckpointChoice.Last).Manifest
                    |> NE.Actors.Checkpoints.StateDigest.Of

                Expect.equal (digest elsewhere).State (digest given.Runs).State run.Name

            let code, _, errors =
                given.Ne [ "restore"; file; "--runs"; given.File "third"; "--name"; "b" ]

            Expect.equal (code, errors.Contains "leave out --name") (ExitCode.UserError, true) errors
            Expect.isFalse (Directory.Exists(given.File "third")) "nothing was created"
        }

        test "a sweep is refused while it, or one of its runs, is at work" {
            use given = new Stopped()
            let paths = sweep given.Runs [ stopped.Name ]

            do
                use _ = RunLock.Take(paths.Lock, "The sweep")
                refused given [ "many" ] ExitCode.UserError "The sweep 'many' is in use"

            use _ = RunFolder.Open(given.Runs, stopped.Name)
            refused given [ "many" ] ExitCode.UserError $"The run '{stopped.Name}' is in use"
        }

        test "a cell without a checkpoint is left out, and a sweep of nothing else is refused" {
            use given = new Stopped()
            sweep given.Runs [ stopped.Name ] |> ignore
            File.Delete given.Run.Journal
            refused given [ "many" ] ExitCode.UserError "no run of the sweep 'many' has a checkpoint yet"
        }
    ]
