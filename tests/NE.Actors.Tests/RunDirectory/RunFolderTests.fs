module NE.Actors.Tests.RunDirectory.RunFolderTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.RunDirectory
open NE.Actors.Tests.DurableSupport

let private refusal (action: unit -> unit) =
    try
        action ()
        failtest "it was not refused"
    with :? RunFolderException as error ->
        error.Message

let private info name =
    let versions = Dictionary(dict [ "ne", "0.1.0"; ".NET", "10.0" ])
    let started = DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero)

    RunInfo(
        RunInfo.CurrentFormat,
        "a1b2",
        name,
        RunState.Interrupted,
        "SIGTERM",
        "HalfCheetah-v4",
        "ne",
        7L,
        1000L,
        1,
        "cpu",
        [ RunStretch(started, 0L, "host", 12, versions) ],
        "simd"
    )

[<Tests>]
let tests =
    testList "the run directory" [
        testCase "names that a shell or a file system would trip over are refused, and nothing is created"
        <| fun () ->
            use scratch = new Scratch()

            for name in [ ""; "a b"; "../x"; "a/b"; ".hidden"; "-rf"; "ä"; "a\n"; String('x', 101) ] do
                let message =
                    refusal (fun () -> RunFolder.Create(scratch.Sub "runs", name).Dispose())

                Expect.stringContains message "run name" name

            Expect.isFalse (Directory.Exists(scratch.Sub "runs")) "nothing was created"

        testCase "what a start left that was killed while it wrote its first files is free"
        <| fun () ->
            use scratch = new Scratch()

            let paths =
                use first = RunFolder.Create(scratch.Path, "walk")
                first.Paths

            for file in [ paths.Configuration; paths.Configuration + ".tmp"; paths.RunInfo + ".tmp" ] do
                File.WriteAllText(file, "half")

            RunFolder.Create(scratch.Path, "walk").Dispose()
            Expect.isFalse (File.Exists(paths.RunInfo + ".tmp")) "gone"

        testCase "a sweep's folder is no run's"
        <| fun () ->
            use scratch = new Scratch()

            Expect.stringContains
                (refusal (fun () -> RunFolder.Create(scratch.Path, "walk.sweep", true).Dispose()))
                "folders of sweeps"
                "why"

        testCase "a folder that is no run is not called one"
        <| fun () ->
            use scratch = new Scratch()
            Directory.CreateDirectory(scratch.Sub "thesis") |> ignore
            File.WriteAllText(scratch.Sub "thesis/chapter.tex", "x")
            let message = refusal (fun () -> RunFolder.Create(scratch.Path, "thesis").Dispose())
            Expect.stringContains message "not a run directory" "what it is not"
            Expect.isFalse (message.Contains "ne resume" || message.Contains "--overwrite") "no advice that fails"

        testCase "a file is no folder for runs"
        <| fun () ->
            use scratch = new Scratch()
            File.WriteAllText(scratch.Sub "runs", "x")
            Expect.stringContains (refusal (fun () -> RunFolder.Create(scratch.Sub "runs", "walk").Dispose())) "found a file" "why"

        testCase "an existing run is not touched, and the three choices are named"
        <| fun () ->
            use scratch = new Scratch()

            do
                use first = RunFolder.Create(scratch.Path, "walk")
                (info "walk").Write first.Paths.RunInfo

            let message = refusal (fun () -> RunFolder.Create(scratch.Path, "walk").Dispose())

            for choice in [ "ne resume walk"; "--name"; "--overwrite" ] do
                Expect.stringContains message choice "choice"

            Expect.isTrue (File.Exists(RunPaths.Of(scratch.Path, "walk").RunInfo)) "still there"

        testCase "overwrite empties a run, but never a folder that is none"
        <| fun () ->
            use scratch = new Scratch()

            do
                use first = RunFolder.Create(scratch.Path, "walk")
                (info "walk").Write first.Paths.RunInfo
                File.WriteAllText(Path.Combine(first.Paths.Blobs, "old"), "x")

            do
                use second = RunFolder.Create(scratch.Path, "walk", true)
                Expect.isFalse (File.Exists second.Paths.RunInfo) "run.json is gone"
                Expect.isEmpty (Directory.GetFiles second.Paths.Blobs) "blobs are gone"

            Directory.CreateDirectory(scratch.Sub "thesis") |> ignore
            File.WriteAllText(scratch.Sub "thesis/chapter.tex", "x")

            Expect.stringContains
                (refusal (fun () -> RunFolder.Create(scratch.Path, "thesis", true).Dispose()))
                "not a run directory"
                "reason"

            Expect.isTrue (File.Exists(scratch.Sub "thesis/chapter.tex")) "still there"

        testCase "a run that a process works on is refused, naming the process"
        <| fun () ->
            use scratch = new Scratch()
            use first = RunFolder.Create(scratch.Path, "walk")
            (info "walk").Write first.Paths.RunInfo

            for attempt in
                [
                    (fun () -> RunFolder.Open(scratch.Path, "walk").Dispose())
                    (fun () -> RunFolder.Create(scratch.Path, "walk", true).Dispose())
                ] do
                let message = refusal attempt
                Expect.stringContains message $"process {Environment.ProcessId}" "holder"
                Expect.stringContains message Environment.MachineName "host"

            Expect.equal (there (RunLock.Holder first.Paths)).ProcessId Environment.ProcessId "asked without taking"
            Expect.isTrue (File.Exists first.Paths.RunInfo) "overwrite deleted nothing"

        testCase "a run that nobody works on can be opened again"
        <| fun () ->
            use scratch = new Scratch()

            let paths =
                (use first = RunFolder.Create(scratch.Path, "walk") in
                 (info "walk").Write first.Paths.RunInfo
                 first.Paths)

            Expect.isNull (RunLock.Holder paths) "nobody"
            use again = RunFolder.Open(scratch.Path, "walk")
            Expect.equal again.Paths paths "same place"

        testCase "a run that is not there is refused with the names of those that are"
        <| fun () ->
            use scratch = new Scratch()
            Expect.stringContains (refusal (fun () -> RunFolder.Open(scratch.Path, "walk").Dispose())) "no runs yet" "none"
            (use first = RunFolder.Create(scratch.Path, "walk") in (info "walk").Write first.Paths.RunInfo)
            Expect.stringContains (refusal (fun () -> RunFolder.Open(scratch.Path, "run").Dispose())) "walk" "one"
            Expect.equal (List.ofSeq (RunFolder.List scratch.Path)) [ "walk" ] "listed"
            Expect.isFalse (Directory.Exists(scratch.Sub "run")) "nothing was created"

        testCase "run.json comes back as it was written, with readable names"
        <| fun () ->
            use scratch = new Scratch()
            let file = scratch.Sub "run.json"
            let written = info "walk"
            written.Write file
            written.Write file
            let read = RunInfo.Read file
            read.Write(scratch.Sub "again.json")
            Expect.equal (File.ReadAllText(scratch.Sub "again.json")) (File.ReadAllText file) "fields"
            Expect.equal (read.Seed, read.Status, read.StatusReason) (7L, RunState.Interrupted, "SIGTERM") "values"
            Expect.equal read.Engine "simd" "engine"
            let lines = File.ReadAllLines file
            let checksum = lines |> Array.findIndex _.Contains("\"checksum\"")
            // As it was written before there were engines and checksums.
            let old =
                String.concat "\n" [| yield! lines[.. checksum - 3]; lines[checksum - 2].TrimEnd ','; "}" |]

            Expect.isFalse (old.Contains "engine" || old.Contains "checksum") "an old file"
            File.WriteAllText(file, old)
            Expect.isNull (RunInfo.Read file).Engine "an old file says nothing"
            Expect.equal (Seq.exactlyOne read.Stretches).Versions["ne"] "0.1.0" "versions"
            Expect.stringContains (File.ReadAllText file) "\"status\": \"interrupted\"" "status by name"
            Expect.equal (Directory.GetFiles scratch.Path).Length 2 "no left-over"

        testCase "a run.json that is damaged or of a newer program is refused"
        <| fun () ->
            use scratch = new Scratch()
            let file = scratch.Sub "run.json"
            (info "walk").Write file
            let text = File.ReadAllText file

            for damaged in [ ""; "{"; "null"; "[]"; text[.. text.Length / 2] ] do
                File.WriteAllText(file, damaged)

                Expect.throwsC (fun () -> RunInfo.Read file |> ignore) (fun error ->
                    Expect.isTrue (error :? InvalidDataException) $"not the user's mistake: {error}"
                    Expect.stringContains error.Message file "names the file")

            File.WriteAllText(file, text.Replace("\"formatVersion\": 1", "\"formatVersion\": 2"))
            Expect.stringContains (refusal (fun () -> RunInfo.Read file |> ignore)) file "names the file"
    ]
