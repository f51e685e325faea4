module NE.Shell.Tests.Archives.RestoreTests

open System.Formats.Tar
open System.IO
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Tests
open NE.Shell.Tests.Support
open NE.Shell.Tests.Archives.ArchiveFiles

/// The archive is refused, and whatever lies beside the runs is as it was.
let private refused (given: Stopped) (file: string) (why: string) =
    let elsewhere = given.File "elsewhere"
    let code, output, errors = given.Ne [ "restore"; file; "--runs"; elsewhere ]
    Expect.equal (code, output) (ExitCode.Failed, "") $"{why}: {errors}"
    Expect.stringContains errors "othing was restored" why
    Expect.isFalse (Directory.Exists elsewhere) $"{why}: nothing is left"

// The log of a run is the process's only one.
[<Tests>]
let tests =
    testSequenced
    <| testList "ne restore" [
        for name in [ stopped.Name; "cycle" ] do
            test $"{name}, restored elsewhere, is resumed to the end that it has where it was stopped" {
                use folder = new TemporaryFolder()
                let run = stored name

                let runs, elsewhere, file =
                    folder.File "runs", folder.File "elsewhere", folder.File "a.tar.gz"

                Directory.CreateDirectory runs |> ignore
                GoldenRunTests.unpack run runs
                GoldenRunTests.really runs [ "archive"; name; "-o"; file ]
                GoldenRunTests.really elsewhere [ "restore"; file; "--name"; "again" ]
                GoldenRunTests.really elsewhere [ "resume"; "again" ]
                GoldenRunTests.expectEnd { run with Name = "again" } elsewhere elsewhere
            }

        test "an archive without replay memory restores a run that can be evaluated, and not be resumed" {
            use given = new Stopped()
            let file = given.Archived [ "--without-replay" ]
            let elsewhere = given.File "elsewhere"
            let said = given.Done [ "restore"; file; "--runs"; elsewhere ]
            Expect.stringContains said "not be resumed" "restore"
            let run = RunPaths.Of(elsewhere, stopped.Name)
            Expect.isEmpty (Directory.GetFiles run.Replay) "no replay memory"

            let at verb more =
                given.Ne([ verb; stopped.Name; "--runs"; elsewhere ] @ more)

            let code, _, errors = at "resume" []
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "cannot be resumed: its replay memory was left out of the archive that it was restored from" "why"
            Expect.hasLength (errors.Trim().Split '\n') 1 "one sentence"
            let code, _, errors = at "probe" []
            Expect.equal (code, errors.Contains "cannot be probed") (ExitCode.UserError, true) errors
            let code, output, errors = at "digest" []
            Expect.equal code ExitCode.Ok errors
            Expect.stringContains output (CheckpointReader.Digest(given.Run, CheckpointChoice.Last).State) "the same digest"
            Expect.stringContains errors "its replay memory was left out" "a note"
            let _, output, _ = at "status" []
            Expect.stringContains output "cannot be resumed" "status"
            Expect.isFalse (output.Contains "go on with") "status offers no resume"
            GoldenRunTests.really elsewhere [ "eval"; stopped.Name; "--episodes"; "1" ]
            GoldenRunTests.really elsewhere [ "report"; stopped.Name ]
            // What has none is archived once more as what it is.
            let again = given.File "again.tar.gz"

            let output =
                given.Done [ "archive"; stopped.Name; "-o"; again; "--runs"; elsewhere ]

            Expect.stringContains output "without its replay memory" "archive"
        }

        test "a name that is taken is refused and left as it is" {
            use given = new Stopped()
            let file = given.Archived []
            let before = files given.Runs
            let code, _, errors = given.Ne [ "restore"; file ]
            Expect.equal (code, errors.Contains "is there already") (ExitCode.UserError, true) errors
            Expect.equal (files given.Runs) before "untouched"
            given.Done [ "restore"; file; "--name"; "again" ] |> ignore
            Expect.equal (RunFolder.List given.Runs |> List.ofSeq) [ "again"; stopped.Name ] "beside it"
        }

        test "what is no name, no file or no folder is refused" {
            use given = new Stopped()
            let file = given.Archived []

            for arguments, message in
                [
                    [ file; "--name"; "../out" ], "--name"
                    [ file; "--name"; "" ], "--name"
                    [ file; "--name"; "a.sweep" ], "folders of sweeps"
                    [ file; "--runs"; file ], "found a file"
                    [ given.File "absent.tar.gz" ], "there is no file"
                    [ given.Runs ], "is a folder"
                ] do
                let code, _, errors = given.Ne([ "restore" ] @ arguments)
                Expect.equal (code, errors.Contains message) (ExitCode.UserError, true) $"{arguments}: {errors}"
        }

        test "an archive that ends too early is refused and leaves nothing" {
            use given = new Stopped()
            let whole = File.ReadAllBytes(given.Archived [])
            let file = given.File "cut.tar.gz"

            for length in
                [
                    0
                    1
                    9
                    10
                    100
                    whole.Length / 4
                    whole.Length / 2
                    whole.Length - 100
                    whole.Length - 9
                    whole.Length - 8
                    whole.Length - 1
                ] do
                File.WriteAllBytes(file, whole[.. length - 1])
                refused given file $"cut at {length} of {whole.Length}"
        }

        test "an archive with a flipped bit anywhere is refused and leaves nothing" {
            use given = new Stopped()
            let whole = File.ReadAllBytes(given.Archived [])
            let file = given.File "flipped.tar.gz"

            // The first ten bytes are gzip's own: a time and a system that nobody reads are among them.
            for at in [ 0; 1; 2 ] @ [ for part in 0..30 -> 10 + part * (whole.Length - 11) / 30 ] do
                let flipped = Array.copy whole
                flipped[at] <- flipped[at] ^^^ (1uy <<< at % 8)
                File.WriteAllBytes(file, flipped)
                refused given file $"flipped at {at} of {whole.Length}"
        }

        test "an archive that is other than its index says is refused and leaves nothing" {
            use given = new Stopped()
            let archive = given.Archived []
            let file = given.File "forged.tar.gz"
            let all = changed archive id
            let name = stopped.Name

            let forged (why: string) (content: TarEntry list) =
                forge file content
                refused given file why

            let replaced (was: string) (now: TarEntry) =
                changed archive id
                |> List.map (fun entry -> if entry.Name = was then now else entry)

            forged "nothing" []
            forged "no index" (changed archive id |> List.tail)
            forged "an index that is none" (entry "index.json" "{}"B :: List.tail (changed archive id))
            forged "a file is missing" (changed archive id |> List.take (all.Length - 1))
            forged "one more file" (changed archive id @ [ entry $"{name}/more.txt" "more"B ])

            forged
                "other bytes"
                (changed archive (fun (at, bytes) ->
                    at,
                    (if at.EndsWith "command.txt" then
                         Array.map (fun _ -> 0uy) bytes
                     else
                         bytes)))

            forged "a longer file" (replaced $"{name}/command.txt" (entry $"{name}/command.txt" (Array.zeroCreate 100_000)))
            forged "another order" (List.head (changed archive id) :: List.rev (List.tail (changed archive id)))

            for kind in [ TarEntryType.SymbolicLink; TarEntryType.HardLink ] do
                forged $"{kind}" (replaced $"{name}/command.txt" (PaxTarEntry(kind, $"{name}/command.txt", LinkName = "/etc/passwd")))

            forged "a folder" (replaced $"{name}/command.txt" (PaxTarEntry(TarEntryType.Directory, $"{name}/command.txt")))

            for path in
                [
                    $"../{name}/command.txt"
                    "/tmp/command.txt"
                    $"{name}/../../command.txt"
                    $"{name}/./command.txt"
                    $"{name}//command.txt"
                    "other/command.txt"
                    "command.txt"
                ] do
                let content =
                    changed archive (fun found ->
                        let at, bytes = indexWith $"{name}/command.txt" path found
                        (if at = $"{name}/command.txt" then path else at), bytes)

                forged path content

            Expect.isFalse (File.Exists(given.File "command.txt")) "nothing left the folder"
            let index was now = changed archive (indexWith was now)
            forged "a file twice" (index $"{name}/command.txt" $"{name}/config.yaml")
            forged "a newer format" (index "\"formatVersion\": 1" "\"formatVersion\": 2")
            forged "a name that no run can have" (index $"\"name\": \"{name}\"" "\"name\": \"..\"")
            let digest = CheckpointReader.Digest(given.Run, CheckpointChoice.Last).State
            forged "another digest" (index digest (System.String('0', 64)))
        }

        test "what a restore that was killed has left is cleared away by the next one" {
            use given = new Stopped()
            let file = given.Archived []
            let elsewhere = given.File "elsewhere"

            let left =
                Path.Combine(elsewhere, $".restoring-{stopped.Name}", stopped.Name, "blobs")

            Directory.CreateDirectory left |> ignore
            File.WriteAllText(Path.Combine(left, "half"), "half")
            Expect.isEmpty (RunFolder.List elsewhere) "it is no run"
            given.Done [ "restore"; file; "--runs"; elsewhere ] |> ignore

            Expect.equal
                [
                    for found in Directory.GetFileSystemEntries elsewhere -> string (Path.GetFileName found)
                ]
                [ stopped.Name ]
                "the run alone"

            Expect.isFalse (File.Exists(Path.Combine(elsewhere, stopped.Name, "blobs", "half"))) "nothing of it"
        }

        test "two restores of one name do not meet" {
            use given = new Stopped()
            let file = given.Archived []
            let elsewhere = given.File "elsewhere"
            let hidden = Path.Combine(elsewhere, $".restoring-{stopped.Name}")
            Directory.CreateDirectory hidden |> ignore
            use _ = RunLock.Take(Path.Combine(hidden, "restore.lock"), "The other")
            let code, _, errors = given.Ne [ "restore"; file; "--runs"; elsewhere ]
            Expect.equal (code, errors.Contains "is in use") (ExitCode.UserError, true) errors
            Expect.isTrue (Directory.Exists hidden) "the other one goes on"
        }
    ]
