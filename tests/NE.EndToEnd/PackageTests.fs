/// The packages, as other programs use them: the sample is built from them, the tool is installed from its file.
module NE.EndToEnd.PackageTests

open System
open System.Diagnostics
open System.IO
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Tests.Repository

/// A version that no cache has.
let private version = $"0.1.0-test.{Environment.ProcessId}"

/// Output of a command in a folder, which must succeed.
let private run (folder: string) (environment: (string * string) list) (program: string) (arguments: string list) : string =
    let info =
        ProcessStartInfo(program, arguments, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = folder)

    for name, value in ("DOTNET_NOLOGO", "1") :: ("DOTNET_CLI_TELEMETRY_OPTOUT", "1") :: environment do
        info.Environment[name] <- value

    use started = nonNull (Process.Start info)
    let error = started.StandardError.ReadToEndAsync()
    let output = started.StandardOutput.ReadToEnd()
    started.WaitForExit()
    Expect.equal started.ExitCode 0 $"{program} {arguments}:\n{output}{error.Result}"
    output

/// Packs a project of what the build of the tests has made.
let private pack (feed: string) (project: string) =
    run repository [] "dotnet" [
        "pack"
        project
        "-c"
        "Release"
        "--no-build"
        "-v"
        "q"
        "--disable-build-servers"
        "-o"
        feed
        $"-p:PackageVersion={version}"
    ]
    |> ignore

/// A feed of our packages alone; all others are those that the build of the tests has brought.
let private nugetConfig (feed: string) =
    let cache =
        match Environment.GetEnvironmentVariable "NUGET_PACKAGES" with
        | null
        | "" -> Path.Combine(Environment.GetFolderPath Environment.SpecialFolder.UserProfile, ".nuget", "packages")
        | folder -> folder

    $"""<?xml version="1.0" encoding="utf-8"?>
<configuration>
  <packageSources><clear /><add key="feed" value="{feed}" /></packageSources>
  <fallbackPackageFolders><clear /><add key="restored" value="{cache}" /></fallbackPackageFolders>
</configuration>
"""

// Both pack what the build has made.
[<Tests>]
let tests =
    testSequencedGroup "packages"
    <| testList "Packages" [
        test "the sample, built from the packages, trains, stops, resumes and evaluates; its run is a run of ne" {
            inRuns (fun folder ->
                let at (name: string) = Path.Combine(folder, name)
                pack (at "feed") "NE.Model.fs"
                pack (at "feed") "NE.Actors"
                Directory.CreateDirectory(at "sample") |> ignore

                for file in Directory.GetFiles(Path.Combine(repository, "examples/library")) do
                    File.Copy(file, Path.Combine(at "sample", nonNull (Path.GetFileName file)))

                File.WriteAllText(at "sample/nuget.config", nugetConfig (at "feed"))

                run (at "sample") [ "NUGET_PACKAGES", at "packages" ] "dotnet" [
                    "build"
                    "-c"
                    "Release"
                    "-v"
                    "q"
                    "--disable-build-servers"
                    $"-p:NeVersion={version}"
                ]
                |> ignore

                let built = at "sample/bin/Release/net10.0/linux-x64"

                let brought = [
                    for package in Directory.GetDirectories(at "packages") -> string (Path.GetFileName package)
                ]

                Expect.equal (List.sort brought) [ "ne.actors"; "ne.model" ] "packages that the build of the tests did not have"

                Expect.isEmpty (Directory.GetFiles(built, "libtorch*")) "libtorch is not dragged in"

                let output =
                    run folder [] "dotnet" [ Path.Combine(built, "library.dll"); at "runs"; "4000" ]

                for expected in
                    [
                        "Interrupted (half-way), committed up to step "
                        "Completed at step 4000"
                        "mean return "
                    ] do
                    Expect.stringContains output expected "what it says"

                let digest name =
                    CheckpointReader.Digest(RunPaths.Of(at "runs", name), CheckpointChoice.Last).State

                // command.txt has the command that begins the same run.
                let command =
                    File.ReadAllText(RunPaths.Of(at "runs", "pendulum").Command).Trim().Split ' '

                let words = [ for word in command[1..] -> if word = "pendulum" then "again" else word ]

                for arguments in [ words; [ "verify"; "--deep" ]; [ "status"; "pendulum" ] ] do
                    let execution = ne (arguments @ [ "--runs"; at "runs" ])
                    Expect.equal execution.ExitCode 0 $"{arguments}: {execution.Error}"

                Expect.equal (digest "pendulum") (digest "again") "bit for bit")
        }

        test "the tool is installed from its package, without libtorch, and trains" {
            inRuns (fun folder ->
                let at (name: string) = Path.Combine(folder, name)
                pack (at "feed") "NE.Shell"
                let package = FileInfo(Path.Combine(at "feed", $"ne.{version}.nupkg"))
                Expect.isLessThan package.Length (60L * 1024L * 1024L) "bytes of the package"

                run folder [] "dotnet" [
                    "tool"
                    "install"
                    "ne"
                    "--tool-path"
                    at "tool"
                    "--source"
                    at "feed"
                    "--version"
                    version
                ]
                |> ignore

                let tool = at "tool/ne"
                Expect.stringStarts (run folder [] tool [ "--version" ]) "0.1.0" "version"

                let output =
                    run folder [] tool [
                        "train"
                        "InvertedPendulum-v4"
                        "--steps"
                        "300"
                        "--name"
                        "a"
                        "network.hidden=16,16"
                        "learner.batchSize=16"
                        "learner.startSteps=100"
                        "evaluation.episodes=1"
                    ]

                Expect.stringContains output "a is complete: 300 steps" "trained"

                run folder [] tool [ "export"; "a"; "--to"; "onnx"; "-o"; at "a.onnx" ]
                |> ignore

                run folder [] tool [ "verify"; "--deep" ] |> ignore

                run folder [] tool [ "env"; "show"; "InvertedPendulum-v4"; "--image"; at "a.png" ]
                |> ignore

                Expect.isTrue (File.Exists(at "a.png")) "SkiaSharp wrote a picture")
        }
    ]
