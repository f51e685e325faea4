module NE.Shell.Tests.CommandLineTests

open System
open System.Collections.Generic
open System.IO
open System.Text.RegularExpressions
open Expecto
open NE.Actors.Exports
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Video
open NE.Model
open NE.Shell.Commands
open NE.Shell.Configuration
open NE.Shell.Host
open NE.Shell.Tests.Support

let private parse (arguments: string list) =
    CommandLine.Parse(List<string> arguments, "runs")

let private command (arguments: string list) =
    match parse arguments with
    | :? CommandLineResult.Execute as execute -> execute.Command
    | :? CommandLineResult.Wrong as wrong -> failtest (String.concat "; " wrong.Problems)
    | _ -> failtest "expected a command"

let private problems (arguments: string list) =
    match parse arguments with
    | :? CommandLineResult.Wrong as wrong -> List.ofSeq wrong.Problems
    | other -> failtest $"expected problems, found {other}"

let private reads name (arguments: string list) (expected: Command -> bool) =
    test name { Expect.isTrue (expected (command arguments)) $"{arguments} gave {command arguments}" }

[<Tests>]
let tests =
    testList "the command line" [
        testList "becomes a command" [
            reads "train has defaults" [ "train" ] (function
                | :? TrainCommand as train ->
                    isNull train.Name
                    && not train.DryRun
                    && not train.Overwrite
                    && train.Runs = "runs"
                | _ -> false)
            reads
                "train takes an environment, options and keys in any order"
                [
                    "train"
                    "ne.omega=0.2"
                    "--seed"
                    "3"
                    "Hopper-v4"
                    "--dry-run"
                    "learner.batchSize=64"
                    "--runs"
                    "elsewhere"
                ]
                (function
                 | :? TrainCommand as train ->
                     let options = [ for struct (key, value, _) in train.Configuration.Options -> key, value ]

                     options = [ "run.seed", "3"; "run.environment", "Hopper-v4" ]
                     && List.ofSeq train.Configuration.Pairs = [ "ne.omega=0.2"; "learner.batchSize=64" ]
                     && train.DryRun
                     && train.Runs = "elsewhere"
                 | _ -> false)
            reads
                "an environment's command may have an equals sign in it"
                [ "train"; "external:python3 env.py --size=3"; "run.seed=4" ]
                (function
                 | :? TrainCommand as train ->
                     [ for struct (key, value, _) in train.Configuration.Options -> key, value ] = [
                         "run.environment", "external:python3 env.py --size=3"
                     ]
                     && List.ofSeq train.Configuration.Pairs = [ "run.seed=4" ]
                 | _ -> false)
            reads
                "resume takes changed keys and where to go on from"
                [
                    "resume"
                    "a"
                    "checkpoint.every=5"
                    "--steps"
                    "9"
                    "--checkpoint"
                    "previous"
                ]
                (function
                 | :? ResumeCommand as resume ->
                     resume.Name = "a"
                     && resume.From = ResumeFrom.Previous
                     && resume.Changes.Pairs.Count = 1
                     && resume.Changes.Options.Count = 1
                 | _ -> false)
            reads "status needs no name" [ "status"; "--json" ] (function
                | :? StatusCommand as status -> isNull status.Name && status.Json
                | _ -> false)
            reads "eval takes the best of ten episodes" [ "eval"; "a" ] (function
                | :? EvalCommand as eval -> eval.Episodes = 10 && isNull eval.Checkpoint
                | _ -> false)
            reads "eval takes a step" [ "eval"; "a"; "--checkpoint"; "5000"; "--episodes"; "2" ] (function
                | :? EvalCommand as eval -> eval.Episodes = 2 && eval.Checkpoint = CheckpointChoice.At 5000L
                | _ -> false)
            reads "export takes the best policy as ONNX" [ "export"; "a" ] (function
                | :? ExportCommand as export ->
                    export.Format = PolicyFormat.Onnx
                    && isNull export.Checkpoint
                    && isNull export.File
                    && not export.Overwrite
                | _ -> false)
            reads
                "export takes a format, a checkpoint, a task and a file"
                [
                    "export"
                    "a"
                    "--to"
                    "torch"
                    "--checkpoint"
                    "previous"
                    "--task"
                    "Hopper-v4"
                    "-o"
                    "x.pt"
                    "--overwrite"
                ]
                (function
                 | :? ExportCommand as export ->
                     export.Format = PolicyFormat.Torch
                     && export.Checkpoint = CheckpointChoice.Previous
                     && export.Task = "Hopper-v4"
                     && export.File = "x.pt"
                     && export.Overwrite
                 | _ -> false)
            reads "import is train with an actor" [ "import"; "x.safetensors"; "Hopper-v4"; "--seed"; "3"; "ne.omega=0.2" ] (function
                | :? TrainCommand as train ->
                    train.Actor = "x.safetensors"
                    && train.Configuration.Pairs.Count = 1
                    && train.Configuration.Options.Count = 2
                | _ -> false)
            reads "train takes an actor" [ "train"; "--actor"; "x.safetensors" ] (function
                | :? TrainCommand as train -> train.Actor = "x.safetensors"
                | _ -> false)
            reads "topology takes a step" [ "topology"; "a"; "--at"; "100_000" ] (function
                | :? TopologyCommand as topology -> topology.At.Value = 100_000L
                | _ -> false)
            reads "digest" [ "digest"; "a"; "--json" ] (function
                | :? DigestCommand as digest -> digest.Json
                | _ -> false)
            reads "digest compares" [ "digest"; "a"; "--compare"; "b"; "--json" ] (function
                | :? CompareDigestCommand as compare -> compare.Name = "a" && compare.Other = "b" && compare.Json
                | _ -> false)
            reads "probe takes the last commit" [ "probe"; "a" ] (function
                | :? ProbeCommand as probe -> probe.Name = "a" && probe.Checkpoint = CheckpointChoice.Last && not probe.Json
                | _ -> false)
            reads "probe takes another commit" [ "probe"; "a"; "--checkpoint"; "previous"; "--json" ] (function
                | :? ProbeCommand as probe -> probe.Checkpoint = CheckpointChoice.Previous && probe.Json
                | _ -> false)
            reads "archive takes a run with its replay memory" [ "archive"; "a" ] (function
                | :? ArchiveCommand as archive ->
                    archive.Name = "a"
                    && isNull archive.File
                    && not (archive.WithoutReplay || archive.Videos || archive.Overwrite)
                | _ -> false)
            reads
                "archive takes a file and what it holds"
                [ "archive"; "a"; "-o"; "x"; "--without-replay"; "--videos"; "--overwrite" ]
                (function
                 | :? ArchiveCommand as archive ->
                     archive.File = "x"
                     && archive.WithoutReplay
                     && archive.Videos
                     && archive.Overwrite
                 | _ -> false)
            reads "restore takes a file and a name" [ "restore"; "x"; "--name"; "b"; "--runs"; "y" ] (function
                | :? RestoreCommand as restore -> restore.File = "x" && restore.Name = "b" && restore.Runs = "y"
                | _ -> false)
            reads "serve shows all runs to this machine alone" [ "serve" ] (function
                | :? ServeCommand as serve ->
                    serve.Names.Count = 0
                    && serve.Port = PagePort(7305, false)
                    && isNull serve.Address
                    && not serve.Control
                | _ -> false)
            reads "serve takes runs, an address and control" [ "serve"; "a"; "b"; "--port"; "0"; "--host"; "0.0.0.0"; "--control" ] (function
                | :? ServeCommand as serve ->
                    List.ofSeq serve.Names = [ "a"; "b" ]
                    && serve.Port = PagePort(0, true)
                    && serve.Address = "0.0.0.0"
                    && serve.Control
                | _ -> false)
            reads "train has a page beside it" [ "train"; "--serve"; "--port"; "80" ] (function
                | :? TrainCommand as train -> train.Presentation.Page = Nullable(PagePort(80, true))
                | _ -> false)
            reads "prune deletes nothing unless asked to" [ "prune" ] (function
                | :? PruneCommand as prune ->
                    prune.Names.Count = 0
                    && not (prune.Replay || prune.Videos || prune.Yes || prune.OlderThan.HasValue)
                    && prune.States.Count = 0
                | _ -> false)
            reads
                "prune takes names and rules"
                [
                    yield! [ "prune"; "a"; "b"; "--replay"; "--videos"; "--older-than"; "7" ]
                    yield! [ "--state"; "completed"; "--state"; "killed"; "--yes" ]
                ]
                (function
                 | :? PruneCommand as prune ->
                     List.ofSeq prune.Names = [ "a"; "b" ]
                     && prune.Replay
                     && prune.Videos
                     && prune.OlderThan = System.Nullable 7
                     && List.ofSeq prune.States = [ "completed"; "killed" ]
                     && prune.Yes
                 | _ -> false)
            reads "env list" [ "env"; "list" ] (fun command -> command :? EnvironmentListCommand)
            reads "env replay" [ "env"; "replay"; "a.json" ] (function
                | :? EnvironmentReplayCommand as replay -> replay.File = "a.json"
                | _ -> false)
            reads "doctor" [ "doctor"; "--runs"; "x" ] (fun command -> command :? DoctorCommand && command.Runs = "x")
            reads "config show as YAML" [ "config"; "show"; "--yaml" ] (function
                | :? ConfigShowCommand as show -> show.Format = ConfigurationFormat.Yaml
                | _ -> false)
            reads "record has defaults" [ "record"; "a" ] (function
                | :? RecordCommand as record ->
                    record.Name = "a"
                    && record.Episodes = 1
                    && record.Size = VideoSize.Default
                    && isNull record.File
                    && not record.Overwrite
                    && isNull record.Checkpoint
                | _ -> false)
            reads
                "record takes policy, episodes, size and file"
                [
                    yield! [ "record"; "a"; "--checkpoint"; "700"; "--episodes"; "3" ]
                    yield! [ "--size"; "640x480"; "-o"; "x.mp4"; "--overwrite" ]
                ]
                (function
                 | :? RecordCommand as record ->
                     record.Checkpoint = CheckpointChoice.At 700L
                     && record.Episodes = 3
                     && record.Size = VideoSize(640, 480)
                     && record.File = "x.mp4"
                     && record.Overwrite
                 | _ -> false)
            reads "train films every so many steps" [ "train"; "--video-every"; "5000" ] (function
                | :? TrainCommand as train ->
                    [ for struct (key, value, _) in train.Configuration.Options -> key, value ] = [ "video.every", "5000" ]
                | _ -> false)
            reads "a resume may have another MuJoCo" [ "resume"; "a"; "--other-mujoco" ] (function
                | :? ResumeCommand as resume -> resume.OnOtherMuJoCo
                | _ -> false)

            reads "a resume may film" [ "resume"; "a"; "--video-every"; "5000" ] (function
                | :? ResumeCommand as resume ->
                    [ for struct (key, value, _) in resume.Changes.Options -> key, value ] = [ "video.every", "5000" ]
                | _ -> false)
            reads
                "env run"
                [
                    "env"
                    "run"
                    "Ant-v4"
                    "--steps"
                    "2_000"
                    "--seed"
                    "-3"
                    "--pixels"
                    "--video"
                    "x.png"
                ]
                (function
                 | :? EnvironmentRunCommand as run ->
                     run.Id = "Ant-v4"
                     && run.Steps = 2000L
                     && run.Seed = -3L
                     && run.Pixels
                     && run.Video = "x.png"
                 | _ -> false)
            reads "env show" [ "env"; "show"; "Ant-v4"; "--pixels"; "--json" ] (fun command ->
                command = EnvironmentShowCommand("Ant-v4", true, null, VideoSize.Default, false, true, Runs = "runs"))
            reads "config schema" [ "config"; "schema" ] (fun command -> command :? ConfigSchemaCommand)
        ]

        testList "says what is wrong" [
            for arguments, expected in
                [
                    [ "trian" ], "unknown verb 'trian'; did you mean 'train'?"
                    [ "config"; "shwo" ], "unknown verb 'config shwo'; did you mean 'config show'?"
                    [ "config" ], "`ne config` expects a verb: show, schema"
                    [ "train"; "--sed"; "3" ], "unknown option '--sed'; did you mean '--seed'?"
                    [ "train"; "--sed=3" ], "unknown option '--sed'; did you mean '--seed'?"
                    [ "train"; "--seed" ], "--seed expects a value: --seed N"
                    [ "train"; "--seed"; "1"; "--seed"; "2" ], "--seed was given 2 times; it takes one value"
                    [ "resume" ], "`ne resume` expects NAME"
                    [ "resume"; "a"; "b" ], "expected key=value, found 'b'"
                    [ "resume"; "a"; "--checkpoint"; "best" ], "--checkpoint expects last or previous, found 'best'"
                    [ "eval"; "a"; "--episodes"; "0" ], "--episodes expects a whole number in [1, 1000000], found '0'"
                    [ "eval"; "a"; "--checkpoint"; "worst" ],
                    "--checkpoint expects best, last, previous or an environment step, found 'worst'"
                    [ "export"; "a"; "--to"; "pdf" ], "--to expects onnx, safetensors or torch, found 'pdf'"
                    [ "export"; "a"; "-o"; "" ], "--output expects a value: --output FILE"
                    [ "train"; "--actor"; "" ], "--actor expects a value: --actor FILE"
                    [ "import" ], "`ne import` expects FILE"
                    [ "record"; "a"; "--size"; "640" ], "--size expects WIDTHxHEIGHT, each from 32 to 4096, such as 640x480, found '640'"
                    [ "record"; "a"; "--episodes"; "none" ], "--episodes expects a whole number in [1, 1000000], found 'none'"
                    // Their lowest 32 bits would be 1 and 10.
                    [ "sweep"; "a"; "--parallel"; "4294967297" ], "--parallel expects a whole number in [1, 1000000], found '4294967297'"
                    [ "eval"; "a"; "--episodes"; "4294967306" ], "--episodes expects a whole number in [1, 1000000], found '4294967306'"
                    [ "record"; "a"; "--episodes"; "4294967297" ], "--episodes expects a whole number in [1, 1000000], found '4294967297'"
                    [ "torture"; "--attack"; "99999999999" ], "--attack expects a whole number in [0, 1000000], found '99999999999'"
                    [ "torture"; "--attacks"; "4294967297" ], "--attacks expects a whole number in [1, 1000000], found '4294967297'"
                    [ "torture"; "--minutes"; "0" ], "--minutes expects a whole number in [1, 1000000], found '0'"
                    [ "train"; "--drill"; "-1@5" ], "--drill: expected INDEX@STEP, such as 1@20000, found '-1@5'"
                    [ "config"; "show"; "--json"; "--yaml" ], "expected --json or --yaml, found both"
                    [ "topology"; "a"; "--at"; "9223372036854775808" ], "--at expects a whole number >= 0, found '9223372036854775808'"
                    [ "status"; "--runs"; "" ], "--runs expects a value: --runs DIR"
                    [ "status"; "--runs=" ], "--runs expects a value: --runs DIR"
                    [ "train"; "--config"; "" ], "--config expects a value: --config FILE|PRESET"
                    [ "train"; "--variant"; "" ], "--variant expects a value: --variant paper|official"
                    [ "train"; "--seq"; "" ], "--seq expects a value: --seq URL"
                    [ "record"; "a"; "-o"; "" ], "--output expects a value: --output FILE"
                    [ "env"; "run"; "Ant-v4"; "--video"; "" ], "--video expects a value: --video FILE"
                    [ "env"; "show"; "Ant-v4"; "--image"; "" ], "--image expects a value: --image FILE"
                    [ "report"; "a"; "-o"; "" ], "--output expects a value: --output DIR"
                    [ "record"; "a"; "--overwite" ], "unknown option '--overwite'; did you mean '--overwrite'?"
                    [ "record" ], "`ne record` expects NAME"
                    [ "env"; "run" ], "`ne env run` expects ID"
                    [ "env"; "show" ], "`ne env show` expects ID"
                    [ "env"; "run"; "a"; "--steps"; "0" ], "--steps expects a whole number >= 1, found '0'"
                    [ "env"; "run"; "a"; "--seed"; "x" ], "--seed expects a whole number, found 'x'"
                    [ "train"; "--port"; "80" ], "--port is that of the page: give --serve too"
                    [ "serve"; "--port"; "65536" ], "--port expects a whole number in [0, 65535], found '65536'"
                    [ "serve"; "--host"; "" ], "--host expects a value: --host ADDRESS"
                    [ "topology"; "a"; "--at"; "-1" ], "--at expects a whole number >= 0, found '-1'"
                ] do
                test (String.concat " " arguments) { Expect.equal (problems arguments) [ expected ] "problems" }

            test "two environments" {
                Expect.stringContains (List.head (problems [ "train"; "Hopper-v4"; "Ant-v4" ])) "'Hopper-v4' and 'Ant-v4'" "names both"
            }

            test "a name that is no folder name" {
                for name in [ "../x"; ".hidden"; "a/b"; ""; "a b" ] do
                    Expect.stringContains (List.head (problems [ "train"; "--name"; name ])) "run name" name
            }

            test "what is not for people is not named" {
                Expect.isFalse ((List.head (problems [ "train"; "--lea" ])).Contains "--lease") "an option"
                Expect.isFalse ((List.head (problems [ "frobnicate" ])).Contains "complete,") "a verb"
            }

            test "several problems at once" { Expect.hasLength (problems [ "eval"; "a"; "--episodes"; "x"; "--checkpoint"; "y" ]) 2 "both" }
        ]

        testList "help" [
            for name, arguments in
                [
                    "help", [ "--help" ]
                    "help-train", [ "train"; "--help" ]
                    "help-resume", [ "resume"; "-h" ]
                    "help-eval", [ "eval"; "--help" ]
                    "help-record", [ "record"; "--help" ]
                    "help-export", [ "export"; "--help" ]
                    "help-import", [ "import"; "--help" ]
                    "help-archive", [ "archive"; "--help" ]
                    "help-restore", [ "restore"; "--help" ]
                    "help-prune", [ "prune"; "--help" ]
                    "help-serve", [ "serve"; "--help" ]
                    "help-node", [ "node"; "--help" ]
                    "help-fleet", [ "fleet"; "--help" ]
                    "help-completion", [ "completion"; "--help" ]
                    "help-seq-setup", [ "seq"; "setup"; "--help" ]
                    "help-env", [ "env"; "--help" ]
                    "help-env-run", [ "env"; "run"; "--help" ]
                    "help-config-show", [ "config"; "show"; "--help" ]
                ] do
                test name {
                    let code, output, errors = shell arguments
                    Expect.equal (code, errors) (ExitCode.Ok, "") "exit code"
                    golden name output
                }

            test "no argument at all prints the help" {
                let _, expected, _ = shell [ "--help" ]
                Expect.equal (shell []) (ExitCode.Ok, expected, "") "help"
            }

            test "every verb has a help text with an example" {
                for verb in
                    [
                        "train"
                        "resume"
                        "status"
                        "eval"
                        "record"
                        "export"
                        "import"
                        "node"
                        "fleet"
                        "fleet key"
                        "probe"
                        "digest"
                        "topology"
                        "archive"
                        "restore"
                        "prune"
                        "env"
                        "env list"
                        "env show"
                        "env run"
                        "env replay"
                        "doctor"
                        "config show"
                        "config schema"
                        "test"
                        "bench"
                    ] do
                    let _, output, _ = shell [ yield! verb.Split ' '; "--help" ]
                    Expect.stringContains output "Examples:" verb
            }
        ]

        test "the help of bench names every benchmark that there is" {
            let source =
                Path.Combine(__SOURCE_DIRECTORY__, "../../benchmarks/NE.Benchmarks/Main.fs")

            let names = [
                for found in Regex.Matches(File.ReadAllText source, "^    benchmark \"([a-z]+)\"", RegexOptions.Multiline) ->
                    found.Groups[1].Value
            ]

            Expect.contains names "compare" "the source was read"
            let _, output, _ = shell [ "bench"; "--help" ]

            for name in names do
                Expect.isTrue (Regex.IsMatch(output, $"^  {name} ", RegexOptions.Multiline)) name
        }

        test "an empty or huge value is one problem and no mistake of the program" {
            for arguments in
                [
                    [ "env"; "replay"; "" ]
                    [ "env"; "show"; "" ]
                    [ "sweep"; "" ]
                    [ "train"; "" ]
                    for option in [ "--seed"; "--steps"; "--cycles"; "--envs"; "--threads"; "--video-every" ] do
                        [ "train"; "--dry-run"; option; "" ]
                        [ "train"; "--dry-run"; option; "99999999999999999999" ]
                ] do
                let code, _, errors = shell arguments
                Expect.equal code ExitCode.UserError $"{arguments}: {errors}"
                Expect.hasLength (errors.Trim().Split '\n') 1 $"{arguments}: {errors}"
        }

        test "a user error is one message on standard error, exit code 1" {
            let code, output, errors = shell [ "trian" ]
            Expect.equal (code, output) (ExitCode.UserError, "") "nothing on standard output"
            Expect.equal errors "ne: unknown verb 'trian'; did you mean 'train'?\nSee `ne --help`.\n" "message"
        }

        test "the tests are the launcher's" {
            Expect.equal
                (shell [ "test" ])
                (ExitCode.UserError, "", "ne: the tests are built and run by the launcher: ./ne test\n")
                "message"
        }

        test "the benchmarks are the launcher's" {
            Expect.equal
                (shell [ "bench"; "task" ])
                (ExitCode.UserError, "", "ne: the benchmarks are built and run by the launcher: ./ne bench\n")
                "message"
        }

        test "packages are the launcher's" {
            Expect.equal (shell [ "pack" ]) (ExitCode.UserError, "", "ne: packages are made by the launcher: ./ne pack\n") "message"
        }

        test "a run without a name is called after its environment, whatever that is" {
            let named environment =
                match Settings.apply [ struct ("run.environment", environment) ] Settings.defaults with
                | Ok settings -> RunName.Validate(RunNames.Default settings)
                | Error errors -> failtest $"{errors}"

            Expect.equal (named "Hopper-v4") "Hopper-v4-ne-s0" "ours"

            for method, expected in
                [
                    "none", "Hopper-v4-sac-s0"
                    "ne", "Hopper-v4-sac-ne-s0"
                    "redo+layer-norm", "Hopper-v4-sac-redo-layer-norm-s0"
                ] do
                let settings =
                    Settings.apply
                        [
                            struct ("run.environment", "Hopper-v4")
                            struct ("run.learner", "sac")
                            struct ("run.method", method)
                        ]
                        Settings.defaults

                Expect.equal (settings |> Result.map RunNames.Default) (Ok expected) $"sac, {method}"

            Expect.equal (named "dmc/walker-walk") "dmc-walker-walk-ne-s0" "a domain"
            Expect.equal (named "/home/me/my arms/Arm one.yaml") "Arm-one-ne-s0" "a task file"
            Expect.equal (named "plugin:/a/Robots.dll#My.Arm") "Arm-ne-s0" "a plug-in"

            let long ending =
                named $"/home/me/{System.String('x', 70)}-{ending}.yaml"

            Expect.notEqual (long "left") (long "right") "two long names that begin alike stay two"
            Expect.equal (long "left") (long "left") "the same one the same"
            Expect.stringStarts (long "left") (System.String('x', 50)) "and begin as they are written"
            Expect.equal (named "external:python3 env.py") "external-python3-ne-s0" "a program"
            Expect.equal (named "/tasks/_.yaml") "run-ne-s0" "nothing that a name may begin with"
            Expect.isLessThan (named $"/tasks/{System.String('x', 300)}.yaml").Length 101 "a long one"
        }
    ]
