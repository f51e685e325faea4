/// `ne export` of runs that programs of the past stored, and what `ne train --actor` and `ne import` refuse.
module NE.Shell.Tests.ExportTests

open System
open System.IO
open System.Text.Json
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Exports
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Tests.Support

let private stored name =
    GoldenRunTests.newest |> List.find (fun run -> run.Name = name)

/// Runs in a folder, and a command line over them without any native library.
type private Stored(names: string list) =
    let folder = new TemporaryFolder()

    do
        for name in names do
            GoldenRunTests.unpack (stored name) folder.Path

    member _.File name = folder.File name

    member _.Files =
        Directory.GetFiles folder.Path |> Array.map Path.GetFileName |> Array.sort

    member _.Paths name = RunPaths.Of(folder.Path, name)

    member _.Run(arguments: string list) =
        execute (host folder.Path noRun) arguments

    member this.Ok(arguments: string list) =
        let code, output, errors = this.Run arguments
        Expect.equal (code, errors) (ExitCode.Ok, "") $"{arguments}"
        output

    member this.Refused(arguments: string list, fragment: string) =
        let before = this.Files
        let code, output, errors = this.Run arguments
        Expect.equal (code, output) (ExitCode.UserError, "") errors
        Expect.stringContains errors fragment "why"
        Expect.equal this.Files before "nothing was written"

    interface IDisposable with
        member _.Dispose() = (folder :> IDisposable).Dispose()

let private shapes (file: SafetensorsFile) =
    Map.ofSeq (
        seq {
            for tensor in file.Tensors do
                if tensor.Key.EndsWith ".weight" then
                    tensor.Key, List.ofArray tensor.Value.Shape
        }
    )

[<Tests>]
let tests =
    testList "policies that leave" [
        for run in GoldenRunTests.newest do
            test $"{run.Name}: in every format, with what it is and where it comes from" {
                use stored = new Stored([ run.Name ])

                for format, file in [ "onnx", "p.onnx"; "torch", "p.pt"; "safetensors", "p.safetensors" ] do
                    for checkpoint in [ "best"; "last" ] do
                        stored.Ok [
                            "export"
                            run.Name
                            "--to"
                            format
                            "--checkpoint"
                            checkpoint
                            "-o"
                            stored.File file
                            "--overwrite"
                        ]
                        |> ignore

                let read = SafetensorsFile.Read(stored.File "p.safetensors")

                let checkpoint =
                    CheckpointReader.LoadWithoutReplay(stored.Paths run.Name, CheckpointChoice.Last)

                Expect.equal read.Metadata["run"] run.Name "run"
                Expect.equal read.Metadata["step"] (string checkpoint.Manifest.Step) "step"
                Expect.equal read.Metadata["state_digest"] (StateDigest.Of(checkpoint.Manifest)).State "digest"
                let shapes = shapes read
                let observations = shapes["actor.0.weight"][1]
                Expect.equal read.Metadata["observation"] $"float32 [{observations}]" "observation"
                Expect.equal (shapes.ContainsKey "kept.0.weight") (run.Name = "plasticity-injection") "three bodies after an injection"
                Expect.equal (shapes.ContainsKey "log_deviation.weight") (read.Metadata["learner"] = "sac") "a distribution of SAC's"
                Expect.equal stored.Files [| "p.onnx"; "p.pt"; "p.safetensors" |] "no other file"
            }

        test "a cycle: the policy of the task that was learned, or with another task's head, in that task's sizes" {
            use stored = new Stored([ "cycle" ])
            let file = stored.File "p.safetensors"

            let export more =
                stored.Ok([ "export"; "cycle"; "--to"; "safetensors"; "--overwrite"; "-o"; file ] @ more)
                |> ignore

                let read = SafetensorsFile.Read file
                let shapes = shapes read
                let last = shapes |> Map.filter (fun name _ -> name.StartsWith "actor.") |> Seq.last
                read.Metadata["task"], shapes["actor.0.weight"][1], last.Value[0], read.Tensors[last.Key].Values

            let task, observations, actions, head = export [ "--checkpoint"; "last" ]
            Expect.equal (task, observations, actions) ("HalfCheetah-v4", 17, 6) "the second task, in which it was stopped"

            let task, observations, actions, other =
                export [ "--checkpoint"; "last"; "--task"; "Hopper-v4" ]

            Expect.equal (task, observations, actions) ("Hopper-v4", 11, 3) "the first one"
            Expect.notEqual other head[.. other.Length - 1] "which has a head of its own"
            let task, _, _, same = export [ "--checkpoint"; "last"; "--task"; "HalfCheetah-v4" ]
            Expect.equal (task, same) ("HalfCheetah-v4", head) "by its name"
            let best, _, _, _ = export []
            let another = if best = "Walker2d-v4" then "Hopper-v4" else "Walker2d-v4"
            stored.Refused([ "export"; "cycle"; "--task"; another; "-o"; stored.File "q" ], $"--checkpoint last --task {another}")
            stored.Refused([ "export"; "cycle"; "--task"; "Ant-v4"; "-o"; stored.File "q" ], "found 'Ant-v4'")
        }

        test "what cannot be done is said, and nothing is written" {
            use stored = new Stored([ "td3-serial" ])
            stored.Refused([ "export"; "nobody" ], "nobody")
            stored.Refused([ "export"; "td3-serial"; "--task"; "Hopper-v4"; "-o"; stored.File "a" ], "--task chooses a task of a cycle")
            stored.Refused([ "export"; "td3-serial"; "--checkpoint"; "7"; "-o"; stored.File "a" ], "has no such checkpoint")
            stored.Refused([ "export"; "td3-serial"; "-o"; stored.File "td3-serial" ], "is a folder")
            stored.Refused([ "export"; "td3-serial"; "-o"; stored.File "no/file" ], "there is no folder")
            File.WriteAllText(stored.File "mine.onnx", "mine")
            stored.Refused([ "export"; "td3-serial"; "-o"; stored.File "mine.onnx" ], "--overwrite")
            Expect.equal (File.ReadAllText(stored.File "mine.onnx")) "mine" "untouched"
        }

        test "JSON names the file and the metadata" {
            use stored = new Stored([ "td3-serial" ])
            let file = stored.File "p.onnx"

            let shown =
                JsonDocument.Parse(stored.Ok [ "export"; "td3-serial"; "--json"; "-o"; file ]).RootElement

            Expect.equal (string (shown.GetProperty "file")) file "file"
            Expect.equal (shown.GetProperty("bytes").GetInt64()) (FileInfo(file).Length) "bytes"
            Expect.equal (string (shown.GetProperty("metadata").GetProperty "learner")) "td3" "metadata"
        }

        test "an actor that does not fit, or is none, is refused before there is a run" {
            use stored = new Stored([ "td3-serial"; "sac-ne" ])
            let file name = stored.File $"{name}.safetensors"

            for name in [ "td3-serial"; "sac-ne" ] do
                stored.Ok [ "export"; name; "--to"; "safetensors"; "-o"; file name ] |> ignore

            let configuration = (stored.Paths "td3-serial").Configuration

            let train actor more =
                [ "train"; "--config"; configuration; "--name"; "new"; "--actor"; actor ] @ more

            stored.Refused(train (file "sac-ne") [], "has no log_deviation.bias")
            stored.Refused(train (file "td3-serial") [ "network.hidden=8,8" ], "the actor of this run has [8 x 11]")
            stored.Refused(train (file "td3-serial") [ "run.method=ne" ], "so it cannot begin with those of a file")
            stored.Refused(train (stored.File "nowhere") [], "nowhere")
            File.WriteAllText(stored.File "text", "no tensors at all")
            stored.Refused(train (stored.File "text") [], "is no safetensors file that can be read")
            stored.Refused([ "import"; file "sac-ne"; "--config"; configuration; "--name"; "new" ], "has no log_deviation.bias")
            Expect.isFalse (Directory.Exists (stored.Paths "new").Root) "no run"
            let output = stored.Ok(train (file "td3-serial") [ "--dry-run" ])
            Expect.stringContains output "parameters" "one that fits"
        }
    ]
