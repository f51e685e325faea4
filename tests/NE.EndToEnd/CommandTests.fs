module NE.EndToEnd.CommandTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Tests

let private small = [
    "network.hidden=32,32"
    "learner.batchSize=32"
    "learner.startSteps=100"
    "evaluation.episodes=1"
    "evaluation.every=500"
    "compute.threads=1"
]

let private train runs name more =
    [ "train"; "HalfCheetah-v4"; "--name"; name; "--runs"; runs ] @ small @ more

let private source (path: string) =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../..", path))

/// The Python reader and its notebook read the runs of a folder; skipped where there is no Python.
let private readByPython (runs: string) =
    let python (arguments: string list) =
        let info =
            ProcessStartInfo(Python.interpreter, arguments, RedirectStandardOutput = true, RedirectStandardError = true)

        info.Environment["NE_RUNS"] <- runs
        info.Environment["NE_CLIENTS"] <- source "clients/python"

        match Process.Start info with
        | null -> failtest "python3 did not start"
        | started ->
            let error = started.StandardError.ReadToEndAsync()
            let output = started.StandardOutput.ReadToEnd()
            started.WaitForExit()
            Expect.equal started.ExitCode 0 error.Result
            output

    if File.Exists Python.interpreter then
        let curves = python [ source "clients/python/ne_runs.py"; runs ]
        Expect.stringStarts curves "algorithm,environment,seed,step,return\nne,HalfCheetah-v4,0,0," "the curves"

        let cells =
            "import json, sys; scope = {}\n"
            + "for cell in json.load(open(sys.argv[1]))['cells']:\n"
            + "    if cell['cell_type'] == 'code': exec(''.join(cell['source']), scope)\n"
            + "run = scope['ne_runs'].load(sys.argv[2])[0]\n"
            + "print(run.configuration['learner.batchSize'], run.configuration['network.hidden'], run.state, len(run.history()), run.log()[0]['Run'])"

        let told = python [ "-c"; cells; source "examples/notebooks/runs.ipynb"; runs ]
        Expect.stringContains told "32 [32, 32] completed " "what the notebook has read"
        Expect.stringContains told " archive" "the log"

let private json (execution: Execution) =
    JsonDocument.Parse(execution.Output).RootElement

[<Tests>]
let tests =
    testList "The executable" [
        testCase "a user's error is one message, exit code 1, and creates nothing"
        <| fun _ ->
            inRuns (fun runs ->
                for arguments, expected in
                    [
                        [ "train"; "HalfCheeta-v4"; "--runs"; runs ], "HalfCheetah-v4"
                        [ "train"; "--runs"; runs; "ne.omga=0.2"; "learner.batchSize=-1" ], "ne.omega"
                        [ "resume"; "nobody"; "--runs"; runs ], "nobody"
                        [ "trian"; "--runs"; runs ], "train"
                    ] do
                    let execution = ne arguments
                    Expect.equal execution.ExitCode 1 $"{arguments}: {execution.Error}"
                    Expect.stringContains execution.Error expected "what to do instead"
                    Expect.isFalse (execution.Error.Contains "   at ") "no stack trace"

                Expect.isEmpty (Directory.GetFileSystemEntries runs) "nothing was created")

        testCase "a run that has ended can be looked at where nothing can be written"
        <| fun _ ->
            inRuns (fun runs ->
                let trained = ne (train runs "archive" [ "--steps"; "300" ])
                Expect.equal trained.ExitCode 0 trained.Error
                let folder = RunPaths.Of(runs, "archive").Root
                let before = File.GetUnixFileMode folder
                let readable = UnixFileMode.UserRead ||| UnixFileMode.UserExecute
                File.SetUnixFileMode(folder, readable)

                try
                    let arguments = [ "archive"; "--runs"; runs; "--json" ]
                    let status = neWithoutOverride ("status" :: arguments)
                    Expect.equal status.ExitCode 0 status.Error
                    Expect.equal ((json status).GetProperty("state").GetString()) "completed" "status"
                    readByPython runs
                    let digest = neWithoutOverride ("digest" :: arguments)
                    Expect.equal (digest.ExitCode, digest.Output) (0, (ne ("digest" :: arguments)).Output) digest.Error
                finally
                    File.SetUnixFileMode(folder, before))

        testCase "probe: fresh networks have the ratio 1, which learning moves; a checkpoint without transitions is refused"
        <| fun _ ->
            inRuns (fun runs ->
                let probe name more =
                    ne ([ "probe"; name; "--runs"; runs; "--json" ] @ more)

                let ratios (execution: Execution) = [
                    Expect.equal execution.ExitCode 0 execution.Error

                    for network in (json execution).GetProperty("networks").EnumerateArray() do
                        network.GetProperty("network").GetString(),
                        network.GetProperty("ratio").GetDouble(),
                        network.GetProperty("error").GetDouble()
                ]

                // A single gradient step, at the end.
                let fresh =
                    train runs "fresh" [ "--method"; "td3"; "--steps"; "400"; "--schedule"; "serial" ]
                    |> List.map (fun word ->
                        if word = "learner.startSteps=100" then
                            "learner.startSteps=399"
                        else
                            word)
                    |> ne

                Expect.equal fresh.ExitCode 0 fresh.Error

                let digest () =
                    (ne [ "digest"; "fresh"; "--runs"; runs ]).Output

                let before = digest ()

                for network, ratio, error in ratios (probe "fresh" []) do
                    Expect.isLessThan (abs (ratio - 1.0)) (3.0 * error) $"{network}: {ratio} +- {error}"

                Expect.equal (digest ()) before "nothing was changed"
                let empty = probe "fresh" [ "--checkpoint"; "previous" ]
                Expect.equal empty.ExitCode 2 "step 0 has no transitions"
                Expect.stringContains empty.Error "holds no transitions" "which is said"
                Expect.equal (probe "fresh" [ "--checkpoint"; "best" ]).ExitCode 1 "no such choice"

                let worn = [
                    "--method"
                    "td3"
                    "--steps"
                    "1500"
                    "learner.criticLearningRate=0.01"
                    "learner.actorLearningRate=0.01"
                ]

                let worn = ne (train runs "worn" worn)
                Expect.equal worn.ExitCode 0 worn.Error

                let lowest =
                    ratios (probe "worn" []) |> List.map (fun (_, ratio, _) -> ratio) |> List.min

                Expect.isLessThan lowest 0.8 "far too large steps wear a network out")

        testCase "SIGTERM commits, exits with 3, and the run can be resumed"
        <| fun _ ->
            inRuns (fun runs ->
                use running = new Running(train runs "stopped" [ "--steps"; "200000" ])
                let paths = RunPaths.Of(runs, "stopped")

                waitUntil "the run to train" (fun () ->
                    File.Exists paths.Log
                    && File.ReadAllText(paths.Log).Contains "Evaluation of step")

                // The engine is simd: half a gigabyte of libraries is none of its business.
                let files = running.MappedFiles
                Expect.stringContains files "libmujoco" "the simulator is loaded"
                Expect.isFalse (files.Contains "libtorch" || files.Contains "libLibTorchSharp") "libtorch is not"
                let second = ne (train runs "stopped" [ "--steps"; "200000" ])
                Expect.equal second.ExitCode 1 "a second run of the name"
                Expect.stringContains second.Error "--overwrite" "the choices"
                let busy = ne [ "resume"; "stopped"; "--runs"; runs ]
                Expect.equal busy.ExitCode 1 "a run that is still running"
                Expect.stringContains busy.Error "in use by process" "who has it"
                running.Terminate()
                let stopped = running.Wait(TimeSpan.FromSeconds 60.0)
                Expect.equal stopped.ExitCode 3 stopped.Error
                Expect.stringContains stopped.Error "ne resume stopped" "how to go on"

                let step =
                    (json (ne [ "digest"; "stopped"; "--runs"; runs; "--json" ])).GetProperty("step").GetInt64()

                Expect.isGreaterThan step 0L "committed steps"

                let extended =
                    ne [ "resume"; "stopped"; "--runs"; runs; "--steps"; string (step + 300L) ]

                Expect.equal extended.ExitCode 0 extended.Error
                let status = json (ne [ "status"; "stopped"; "--runs"; runs; "--json" ])
                Expect.equal (status.GetProperty("step").GetInt64()) (step + 300L) "the extended run is complete")

        testCase "a loss that diverges ends the run before anything of it is committed"
        <| fun _ ->
            inRuns (fun runs ->
                let execution =
                    ne (
                        train runs "nan" [
                            "--steps"
                            "3000"
                            "--method"
                            "td3"
                            "network.weightClip=0"
                            "learner.criticLearningRate=1e30"
                        ]
                    )

                Expect.equal execution.ExitCode 2 execution.Output
                Expect.stringContains execution.Error "not a finite number" "what happened"
                let digest = json (ne [ "digest"; "nan"; "--runs"; runs; "--json" ])
                Expect.equal (digest.GetProperty("step").GetInt64()) 0L "the commit at step 0 is the last"
                let status = json (ne [ "status"; "nan"; "--runs"; runs; "--json" ])
                Expect.equal (status.GetProperty("state").GetString()) "failed" "state")

        testCase "a damaged blob is named, and the checkpoint before can be resumed"
        <| fun _ ->
            inRuns (fun runs ->
                let first = ne (train runs "damaged" [ "--steps"; "900"; "checkpoint.every=300" ])
                Expect.equal first.ExitCode 0 first.Error
                let paths = RunPaths.Of(runs, "damaged")

                let targets =
                    use journal = JournalReader.Open paths
                    (Seq.head (journal.Manifests())).Components["targets"].Sha256

                let blob = Path.Combine(paths.Blobs, targets)
                let bytes = File.ReadAllBytes blob
                bytes[bytes.Length / 2] <- bytes[bytes.Length / 2] ^^^ 1uy
                File.WriteAllBytes(blob, bytes)
                let refused = ne [ "resume"; "damaged"; "--runs"; runs; "--steps"; "1000" ]
                Expect.equal refused.ExitCode 2 refused.Output
                Expect.stringContains refused.Error targets "the file"
                Expect.stringContains refused.Error "--checkpoint previous" "the way out")

        testCase "async: two failing environments and a kill -9, and no transition is lost or doubled"
        <| fun _ ->
            inRuns (fun runs ->
                let paths = RunPaths.Of(runs, "async")

                use running =
                    new Running(
                        train runs "async" [
                            "--schedule"
                            "async"
                            "--envs"
                            "4"
                            "--steps"
                            "4000"
                            "checkpoint.every=500"
                            "--drill"
                            "1@700"
                            "--drill"
                            "2@900"
                        ]
                    )

                waitUntil "a commit after both failures" (fun () ->
                    File.Exists paths.Log
                    && File.ReadAllText(paths.Log).Contains "\"CommittedStep\":15")

                running.Kill()
                let resumed = ne [ "resume"; "async"; "--runs"; runs ]
                Expect.equal resumed.ExitCode 0 resumed.Error
                use journal = JournalReader.Open paths
                let manifest = Seq.head (journal.Manifests())
                Expect.equal manifest.Step 4000L "steps"
                Expect.equal manifest.GradientStep 3900L "a gradient step for every step after the random ones"

                let head =
                    match manifest.Replay with
                    | null -> -1L
                    | replay -> replay.Head

                Expect.equal head 4000L "a row for every step"

                let restarts =
                    journal.Events() |> Seq.filter _.Event.IsEnvironmentRestarted |> Seq.length

                Expect.equal restarts 2 "restarts")

        testCase "a missing libmujoco is one message that says what to do"
        <| fun _ ->
            inRuns (fun runs ->
                let execution = neWith [ "MUJOCO_PATH", "/nonexistent" ] (train runs "none" [])
                Expect.equal execution.ExitCode 2 execution.Output
                Expect.stringContains execution.Error "/nonexistent" "where it looked"
                Expect.stringContains execution.Error "libmujoco2.2.2" "what to install"
                Expect.isEmpty (Directory.GetFileSystemEntries runs) "nothing was created")
    ]
