module NE.EndToEnd.RecordTests

open System
open System.IO
open System.Text.Json
open Expecto
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable

let private json (execution: Execution) =
    Expect.equal execution.ExitCode 0 execution.Error
    JsonDocument.Parse(execution.Output).RootElement

let private numbers (name: string) (element: JsonElement) = [ for value in element.GetProperty(name).EnumerateArray() -> value.GetDouble() ]

[<Tests>]
let tests =
    testList "ne record" [
        testCase "films the episodes of ne eval, and says what went wrong when it cannot"
        <| fun _ ->
            inRuns (fun runs ->
                let trained =
                    ne [
                        yield! [
                            "train"
                            "Hopper-v4"
                            "--name"
                            "hop"
                            "--runs"
                            runs
                            "--steps"
                            "400"
                            "--video-every"
                            "400"
                        ]
                        yield! [
                            "network.hidden=32,32"
                            "learner.batchSize=32"
                            "learner.startSteps=100"
                            "evaluation.episodes=1"
                        ]
                    ]

                Expect.equal trained.ExitCode 0 trained.Error
                let folder = Path.Combine(runs, "hop", "video")
                Expect.hasLength (Directory.GetFiles(folder, "step-400.*")) 1 "the video of the last step"
                let small = [ "--runs"; runs; "--size"; "64x48" ]

                let played =
                    json (ne [ "eval"; "hop"; "--runs"; runs; "--episodes"; "2"; "--json" ])

                // What the run wrote of the same policy: `ne eval` plays as the trainer does.
                let rows =
                    File.ReadAllLines(RunPaths.Of(runs, "hop").Evaluations)
                    |> Array.map (_.Split(','))

                let row =
                    rows
                    |> Array.find (fun row -> row[0] = string (played.GetProperty("step").GetInt64()))

                let first = row[rows[0] |> Array.findIndex (fun name -> name = "return0")]
                Expect.equal (numbers "returns" played |> Seq.head) (float first) "the return in eval.csv"

                let filmed = json (ne ([ "record"; "hop"; "--episodes"; "2"; "--json" ] @ small))
                Expect.equal (numbers "returns" filmed) (numbers "returns" played) "returns"
                Expect.equal (numbers "lengths" filmed) (numbers "lengths" played) "lengths"
                let file = string (filmed.GetProperty("file").GetString())
                let step = filmed.GetProperty("step").GetInt64()

                Expect.equal
                    (Path.GetFileNameWithoutExtension file, Path.GetDirectoryName file)
                    ($"step-{step}", folder)
                    "the default file"

                Expect.isTrue (File.Exists file) "it is there"

                let named = Path.Combine(runs, "named.png")
                let text = ne ([ "record"; "hop"; "--checkpoint"; "last"; "-o"; named ] @ small)
                Expect.equal text.ExitCode 0 text.Error
                Expect.stringContains text.Output "mean return" "the last line"
                Expect.stringContains text.Error "recording 1" "progress"
                let before = File.ReadAllBytes named

                for arguments, exit, expected in
                    [
                        [ "record"; "hop"; "-o"; named ], 1, "--overwrite"
                        [ "record"; "nobody" ], 1, "There is: hop"
                        [ "record"; "hop"; "--checkpoint"; "7" ], 1, "no such checkpoint"
                        [ "record"; "hop"; "-o"; Path.Combine(named, "a.png") ], 2, "cannot be written"
                    ] do
                    let execution = ne (arguments @ small)
                    Expect.equal execution.ExitCode exit $"{arguments}: {execution.Error}"
                    Expect.stringContains execution.Error expected "what to do"
                    Expect.isFalse (execution.Error.Contains "   at ") "no stack trace"

                Expect.equal (File.ReadAllBytes named) before "the file that was there"

                // Libraries that cannot be loaded stand for a machine without OpenGL.
                let broken = Directory.CreateDirectory(Path.Combine(runs, "lib")).FullName

                for library in [ "libEGL.so.1"; "libOSMesa.so.8"; "libOSMesa.so.6" ] do
                    File.WriteAllText(Path.Combine(broken, library), "no library")

                let blind =
                    neWith [ "LD_LIBRARY_PATH", broken ] ([ "record"; "hop"; "-o"; Path.Combine(runs, "blind.png") ] @ small)

                Expect.equal blind.ExitCode 2 blind.Error
                Expect.stringContains blind.Error "apt-get install" "what to install"
                Expect.isEmpty (Directory.GetFiles(runs, "blind*")) "no part of a video is left")
    ]
