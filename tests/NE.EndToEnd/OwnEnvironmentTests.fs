module NE.EndToEnd.OwnEnvironmentTests

open System
open System.Diagnostics
open System.IO
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Tests.Repository
open NE.Tests.RunIdentity

let private small = [
    "network.hidden=32,32"
    "learner.batchSize=32"
    "learner.startSteps=100"
    "evaluation.episodes=1"
    "evaluation.every=500"
    "checkpoint.every=500"
    "compute.threads=1"
]

let private train runs name environment steps =
    [
        "train"
        environment
        "--runs"
        runs
        "--name"
        name
        "--steps"
        string steps
    ]
    @ small

/// A copy of the example that a test may edit.
let private example (folder: string) =
    for file in Directory.GetFiles(Path.Combine(repository, "examples/reaching-arm")) do
        File.Copy(file, Path.Combine(folder, Path.GetFileName file |> string))

    Path.Combine(folder, "reaching-arm.yaml")

[<Tests>]
let tests =
    testList "An environment of one's own" [
        testCase "a task file: killed and resumed, the run ends as the one that never stopped; an edited one is refused"
        <| fun _ ->
            inRuns (fun runs ->
                let folder = Directory.CreateDirectory(Path.Combine(runs, "task")).FullName
                let file = example folder
                let relative = Path.GetRelativePath(Directory.GetCurrentDirectory(), file)
                let whole = ne (train runs "whole" relative 2000)
                Expect.equal whole.ExitCode 0 whole.Error
                let paths name = RunPaths.Of(runs, name)
                Expect.stringContains (File.ReadAllText (paths "whole").Configuration) $"environment: {file}" "an absolute path"

                use running = new Running(train runs "killed" relative 2000)
                let killed = paths "killed"
                waitUntil "a commit" (fun () -> File.Exists killed.Log && KillPhase.hasCommitted 1000L killed.Log)
                running.Kill()
                let resumed = ne [ "resume"; "killed"; "--runs"; runs ]
                Expect.equal resumed.ExitCode 0 resumed.Error
                expectSame (identity killed) (identity (paths "whole")) "the run"

                let played = ne [ "eval"; "whole"; "--runs"; runs; "--episodes"; "1" ]
                Expect.equal played.ExitCode 0 played.Error
                Expect.equal played.Error "" "nothing to warn of"
                File.WriteAllText(file, File.ReadAllText(file).Replace("weight: 0.01", "weight: 0.02"))
                let warned = ne [ "eval"; "whole"; "--runs"; runs; "--episodes"; "1" ]
                Expect.equal warned.ExitCode 0 warned.Error
                Expect.stringContains warned.Error "the task file (was sha256" "a word about it"
                let refused = ne [ "resume"; "whole"; "--runs"; runs; "--steps"; "2500" ]
                Expect.equal refused.ExitCode 2 refused.Output
                Expect.stringContains refused.Error "the task file (was sha256" "what changed"
                Expect.stringContains refused.Error "start a new run" "what to do"
                File.Delete file
                let gone = ne [ "resume"; "whole"; "--runs"; runs; "--steps"; "2500" ]
                Expect.equal gone.ExitCode 1 gone.Output
                Expect.stringContains gone.Error file "the file that is missing")

        testCase "an external program whose processes are killed: the run goes on to its end"
        <| fun _ ->
            inRuns (fun runs ->
                let program =
                    built "clients/csharp/NE.Environment.Example" "NE.Environment.Example.dll"

                let paths = RunPaths.Of(runs, "hit")
                use running = new Running(train runs "hit" $"external:dotnet {program}" 3000)
                waitUntil "the run to learn" (fun () -> File.Exists paths.Log && KillPhase.hasCommitted 500L paths.Log)

                for child in childrenOf running.Id do
                    (Process.GetProcessById child).Kill()

                let ended = running.Wait(TimeSpan.FromMinutes 2.0)
                Expect.equal ended.ExitCode 0 ended.Error
                use journal = JournalReader.Open paths

                let restarts =
                    journal.Events() |> Seq.filter _.Event.IsEnvironmentRestarted |> Seq.length

                Expect.equal restarts 1 "restarts of the environment"
                Expect.equal (Seq.head (journal.Manifests())).Step 3000L "steps")

        testCase "a plug-in that cannot save its state: the user is told, and a resume goes on with a new episode"
        <| fun _ ->
            inRuns (fun runs ->
                let plugin = built "tests/NE.TestPlugin" "NE.TestPlugin.dll"

                let started =
                    ne (train runs "plugin" $"plugin:{plugin}#NE.TestPlugin.Forgetful" 300)

                Expect.equal started.ExitCode 0 started.Error
                Expect.stringContains started.Output "cannot save its state" "the note"
                let resumed = ne [ "resume"; "plugin"; "--runs"; runs; "--steps"; "400" ]
                Expect.equal resumed.ExitCode 0 resumed.Error
                Expect.stringContains resumed.Output "cannot save its state" "the note again"
                let rescaled = ne (train runs "slide" $"plugin:{plugin}#NE.TestPlugin.Slide" 300)
                Expect.equal rescaled.ExitCode 0 rescaled.Error
                Expect.stringContains rescaled.Output "[-1, 3]" "its own bounds")

        testCase "what cannot be used is one message, exit code 1, and creates nothing"
        <| fun _ ->
            inRuns (fun runs ->
                for environment, fragment in
                    [
                        "nowhere.yaml", "there is no task file"
                        "plugin:nowhere.dll", "there is no plug-in"
                        "plugin:nowhere", "plugin:PATH.dll"
                        "external:", "found no command"
                        "external:no-such-program-7 --a=b", "no-such-program-7"
                        "external:sh -c 'echo out of order >&2; exit 3'", "out of order"
                    ] do
                    let execution = ne [ "train"; environment; "--runs"; runs ]
                    Expect.equal execution.ExitCode 1 $"{environment}: {execution.Error}"
                    Expect.stringContains execution.Error fragment environment
                    Expect.isFalse (execution.Error.Contains "   at ") "no stack trace"

                Expect.isEmpty (Directory.GetFileSystemEntries runs) "nothing was created")
    ]
