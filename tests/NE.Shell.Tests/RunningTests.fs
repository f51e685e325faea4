module NE.Shell.Tests.RunningTests

open System
open System.Collections.Generic
open System.IO
open System.Runtime.InteropServices
open System.Text.Json
open Expecto
open NE.Actors.Journal
open NE.Actors.MuJoCo
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Model.History
open NE.Shell
open NE.Shell.Host
open NE.Shell.Running
open NE.Shell.Tests.Support

let private training =
    RunStatus(Phase = RunPhase.Training, Step = 500L, Steps = 1_000L)

/// A run that ends at once as it is told to.
let private ending (outcome: RunOutcome) (_: RunRequest) : ITrainingRun =
    let run = FakeRun training
    run.End outcome
    run

let private failed = RunOutcome(RunPhase.Failed, "a parameter is NaN", 400L)
let private interrupted = RunOutcome(RunPhase.Interrupted, "SIGTERM", 500L)
let private train = [ "train"; "--steps"; "1000"; "--name"; "a" ]

let private runJson (runs: string) =
    JsonDocument.Parse(File.ReadAllText(Path.Combine(runs, "a", "run.json"))).RootElement

let private commit (id: int64) (step: int64) : JournalEntry = commitOf id step 0L []

/// A terminal that is closed when the test says so.
type private Terminal() =
    inherit TextWriter()
    member val IsClosed = false with get, set
    override _.Encoding = Text.Encoding.UTF8

    override this.Write(_: char) : unit =
        if this.IsClosed then
            raise (IOException "Input/output error")

/// A host with that terminal.
let private hostAt (terminal: Terminal) (runs: string) (start: RunRequest -> ITrainingRun) =
    ShellHost(
        Output = terminal,
        Error = terminal,
        DefaultRuns = runs,
        FleetKey = "/nonexistent/fleet.pem",
        StartRun = Func<_, _> start,
        HasCuda = (fun () -> false),
        Processors = 1,
        Prepare = fun _ _ -> readOnlyDict []
    )

/// The commit of a step has the step as its number.
let private committed (step: int64) : JournalEntry = commit step step

let private noted (commit: int64) (event: RunEvent) : JournalEntry =
    JournalEntry.EventStored(commit, true, event)

/// The commit that ends a run. Its step may be that of the one before.
let private ended (id: int64) (step: int64) : JournalEntry list = [ noted id (RunEvent.RunCompleted step); commit id step ]

/// A run of 1,000 steps with a journal.
let private stored (runs: string) (entries: JournalEntry list) : RunPaths =
    execute (host runs (ending interrupted)) train |> ignore
    let paths = RunFolder.Find(runs, "a")
    appendToJournal paths entries
    paths

let private resume (runs: string) (more: string list) =
    execute (host runs (ending interrupted)) ([ "resume"; "a" ] @ more)

// Serilog's global logger is one per process.
[<Tests>]
let tests =
    testSequenced
    <| testList "running" [
        test "a new run's directory says what it is" {
            use folder = new TemporaryFolder()
            let mutable asked: RunRequest option = None

            let start request =
                asked <- Some request
                ending interrupted request

            let arguments = train @ [ "ne.omega=0.2"; "--seed"; "7" ]
            let shell = host folder.Path start
            let code, _, errors = execute shell arguments
            Expect.equal code ExitCode.Interrupted errors

            let file name =
                File.ReadAllText(Path.Combine(folder.Path, "a", name))

            Expect.stringContains (file "config.yaml") "omega: 0.2" "config.yaml"
            Expect.stringContains (file "config.diff.yaml") "omega: 0.2" "config.diff.yaml"
            Expect.stringStarts (file "command.txt") "ne" "command.txt"
            Expect.equal asked.Value.Settings.Run.Seed 7L "the run gets the settings"
            Expect.equal asked.Value.ConfigurationText (file "config.yaml") "and their text"
            Expect.sequenceEqual asked.Value.Loggers [ "NE.Actors.Cast.SerilogLogger, NE.Actors" ] "and the logger"
            Expect.equal ((runJson folder.Path).GetProperty("seed").GetInt64()) 7L "run.json"
        }

        test "an interrupted run: exit code 3, how to resume, run.json" {
            use folder = new TemporaryFolder()
            let code, output, errors = execute (host folder.Path (ending interrupted)) train
            Expect.equal code ExitCode.Interrupted "exit code"
            Expect.stringContains errors "Go on with: ne resume a" "message"
            Expect.isFalse (output.Contains '\027') "no ANSI codes when redirected"
            Expect.equal ((runJson folder.Path).GetProperty("status").GetString()) "interrupted" "run.json"
        }

        test "a failed run: exit code 2 and why" {
            use folder = new TemporaryFolder()
            let code, _, errors = execute (host folder.Path (ending failed)) train
            Expect.equal code ExitCode.Failed "exit code"
            Expect.stringContains errors "a failed: a parameter is NaN" "message"
            Expect.equal ((runJson folder.Path).GetProperty("statusReason").GetString()) "a parameter is NaN" "run.json"
        }

        for outcome, expected in [ failed, ExitCode.Failed; interrupted, ExitCode.Interrupted ] do
            test $"a run that was {outcome.Phase} is that by its exit code, though its terminal was closed" {
                use folder = new TemporaryFolder()
                use terminal = new Terminal()

                let start request =
                    terminal.IsClosed <- true
                    ending outcome request

                let code =
                    Shell.Run(List<string> train, hostAt terminal folder.Path start).GetAwaiter().GetResult()

                Expect.equal code expected "exit code"
            }

        for arguments, expected in
            [
                [ "trian" ], ExitCode.UserError
                [ "resume"; "nothing" ], ExitCode.UserError
                [ "--help" ], ExitCode.Failed
                [ "status" ], ExitCode.Failed
            ] do
            test $"{arguments} without anybody to hear it has an exit code" {
                use folder = new TemporaryFolder()
                use terminal = new Terminal(IsClosed = true)

                let code =
                    Shell.Run(List<string> arguments, hostAt terminal folder.Path noRun).GetAwaiter().GetResult()

                Expect.equal code expected "exit code"
            }

        test "a run that failed before its first step is not said to be resumable" {
            use folder = new TemporaryFolder()

            let message (outcome: RunOutcome) =
                let _, _, errors =
                    execute (host folder.Path (ending outcome)) (train @ [ "--overwrite" ])

                errors

            Expect.stringContains (message failed) "what was committed can be resumed: ne resume a" "something was"

            let nothing =
                message (RunOutcome(RunPhase.Failed, "environment 0 failed 10 times in a row", 0L))

            Expect.isFalse (nothing.Contains "what was committed") nothing
            Expect.stringContains nothing "it learned nothing yet" "what there is"
        }

        test "a taken name: exit code 1, three choices, nothing changed" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore
            let before = File.ReadAllText(Path.Combine(folder.Path, "a", "run.json"))
            let code, _, errors = execute (host folder.Path noRun) train
            Expect.equal code ExitCode.UserError "exit code"

            for choice in [ "ne resume a"; "--name"; "--overwrite" ] do
                Expect.stringContains errors choice "choice"

            Expect.equal (File.ReadAllText(Path.Combine(folder.Path, "a", "run.json"))) before "untouched"
        }

        test "a key that the method has no use for is named" {
            use folder = new TemporaryFolder()

            let notes arguments =
                let _, output, _ =
                    execute (host folder.Path (ending interrupted)) (arguments @ [ "--overwrite" ])

                [
                    for line in output.Split '\n' do
                        if line.StartsWith "note:" then
                            line
                ]

            Expect.isEmpty (notes (train @ [ "ne.omega=0.1" ])) "ne has it"

            Expect.equal
                (notes (train @ [ "--method"; "td3"; "ne.omega=0.1"; "redo.threshold=0.1" ]))
                [ "note: ne.omega, redo.threshold have no effect: the agent is td3" ]
                "td3 has not"

            Expect.equal
                (notes (train @ [ "ne.eventBatch=training"; "ne.growCarry=off" ]))
                [
                    "note: ne.eventBatch, ne.growCarry are part of ne.rules now: ne.rules=ours+growCarry=off+eventBatch=training says the same"
                ]
                "names of an older version"

            Expect.equal
                (notes (train @ [ "td3.discount=0.9"; "td3.criticLearningRate=1e-3" ]))
                [
                    "note: td3.criticLearningRate, td3.discount are called learner.criticLearningRate, learner.discount now"
                ]
                "names that moved"

            Expect.equal
                (notes (
                    train
                    @ [
                        "--learner"
                        "sac"
                        "--method"
                        "none"
                        "td3.policyDelay=3"
                        "sac.temperature=0.2"
                    ]
                ))
                [ "note: td3.policyDelay has no effect: the agent is sac" ]
                "keys of another learner"
        }

        test "--overwrite begins anew" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore
            let first = (runJson folder.Path).GetProperty("id").GetString()

            let code, _, _ =
                execute (host folder.Path (ending interrupted)) (train @ [ "--overwrite" ])

            Expect.equal code ExitCode.Interrupted "ran"
            Expect.notEqual ((runJson folder.Path).GetProperty("id").GetString()) first "another run"
        }

        test "bad input creates nothing" {
            use folder = new TemporaryFolder()
            let runs = folder.File "runs"

            for arguments in
                [
                    [ "train"; "Hoper-v4" ]
                    [ "train"; "ne.omega=2" ]
                    [ "train"; "--name"; "../b" ]
                    [ "train"; "--seq"; "127.0.0.1:5341" ]
                    [ "train"; "--seq"; "localhost:5341" ]
                    [ "resume"; "x" ]
                    [ "digest"; "x" ]
                ] do
                let code, output, errors = execute (host runs noRun) arguments
                Expect.equal (code, output) (ExitCode.UserError, "") errors
                Expect.isFalse (errors.Contains "   at ") "no stack trace"

            Expect.isFalse (Directory.Exists runs) "no folder"
        }

        test "a missing library: exit code 2, its message, nothing created" {
            use folder = new TemporaryFolder()
            let runs = folder.File "runs"

            let missing _ _ =
                raise (MuJoCoUnavailableException("libmujoco 2.2.2 is not here; install it", null))

            let code, _, errors = execute (hostPreparing missing runs noRun) train
            Expect.equal (code, errors) (ExitCode.Failed, "ne: libmujoco 2.2.2 is not here; install it\n") "message"
            Expect.isFalse (Directory.Exists runs) "no folder"
        }

        test "resume hands the run its changes, keeps what is derived, and adds a stretch" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore
            let mutable asked: RunRequest option = None

            let start request =
                asked <- Some request
                ending interrupted request

            let code, output, _ =
                execute (host folder.Path start) [ "resume"; "a"; "--steps"; "2000"; "checkpoint.every=77" ]

            Expect.equal code ExitCode.Interrupted "ran"
            let changes = [ for struct (key, before, after) in asked.Value.Changes -> key, before, after ]
            Expect.equal changes [ "run.steps", "1000", "2000"; "checkpoint.every", "25000", "77" ] "changes"
            Expect.stringContains output "checkpoint.every: 25000 -> 77" "shown"
            Expect.stringContains output "stay as they were" "says so"

            Expect.equal
                (asked.Value.Settings.Ne.EndStep.ToString())
                ((NE.Model.Derived<int64>.Is 800L).ToString())
                "derived from the first length"

            Expect.equal ((runJson folder.Path).GetProperty("stretches").GetArrayLength()) 2 "stretches"
            Expect.stringContains (File.ReadAllText(Path.Combine(folder.Path, "a", "config.yaml"))) "every: 77" "config.yaml"
        }

        test "resume says which versions are other than before, but not of the width of the vectors" {
            use folder = new TemporaryFolder()

            let under (ne: string) (engine: string) arguments =
                let versions _ _ = [ "ne", ne; "engine", engine ]
                let host = hostPreparing versions folder.Path (ending interrupted)
                let _, output, _ = execute host arguments
                output

            let resume = [ "resume"; "a" ]
            under "1.0" "simd 512 bits" train |> ignore
            Expect.isFalse ((under "1.0" "simd 256 bits" resume).Contains "other than before") "the same bits"
            Expect.stringContains (under "1.1" "simd 256 bits" resume) "other than before: ne 1.0 -> 1.1. From" "the program"
            Expect.isFalse ((under "1.1" "simd 256 bits" resume).Contains "other than before") "as the resume before"

            Expect.stringContains
                (under "1.1" "torch cpu" resume)
                "other than before: engine simd 256 bits -> torch cpu. From"
                "what computes"
        }

        test "resume on another MuJoCo is refused unless it is asked for, and that is remembered" {
            use folder = new TemporaryFolder()
            let mutable given: bool option = None

            let under (mujoco: string) arguments =
                let start (request: RunRequest) =
                    given <- Some request.OnOtherMuJoCo
                    ending interrupted request

                given <- None
                execute (hostPreparing (fun _ _ -> [ "ne", "1.0"; "MuJoCo", mujoco ]) folder.Path start) arguments

            let resume = [ "resume"; "a" ]
            under "2.2.2" train |> ignore
            under "2.2.2" resume |> ignore
            Expect.equal given (Some false) "the same"
            let before = File.ReadAllText(Path.Combine(folder.Path, "a", "run.json"))
            let code, _, errors = under "3.3.7" resume
            Expect.equal (code, given) (ExitCode.UserError, None) "refused"
            Expect.stringContains errors "the run 'a' is on MuJoCo 2.2.2, and the library here is 3.3.7" "both"
            Expect.stringContains errors "MUJOCO_PATH" "how to have the old one"
            Expect.stringContains errors "ne resume a --other-mujoco" "how to go on"
            Expect.equal (File.ReadAllText(Path.Combine(folder.Path, "a", "run.json"))) before "untouched"
            let _, output, _ = under "3.3.7" [ "resume"; "a"; "--other-mujoco" ]
            Expect.equal given (Some true) "asked for"
            Expect.stringContains output "other than before: MuJoCo 2.2.2 -> 3.3.7" "said"
            under "3.3.7" resume |> ignore
            Expect.equal given (Some true) "the stretch before may have ended without a commit"
            let code, _, _ = under "2.2.2" resume
            Expect.equal (code, given) (ExitCode.UserError, None) "nor back"
        }

        test "a change that the resume before did not come to record is recorded by the next" {
            use folder = new TemporaryFolder()
            let paths = stored folder.Path []
            let begun = File.ReadAllText paths.Configuration

            appendToJournal paths [
                noted 1L (RunEvent.RunStarted(begun, "ne test"))
                committed 500L
                noted 2L (RunEvent.ConfigurationChanged(500L, [| "log.metricsEvery", "1000", "50" |]))
            ]

            // Ended as soon as it began, like one that meets a damaged checkpoint.
            resume folder.Path [ "log.metricsEvery=50"; "checkpoint.every=77" ] |> ignore
            let mutable asked: RunRequest option = None

            let start request =
                asked <- Some request
                ending interrupted request

            execute (host folder.Path start) [ "resume"; "a" ] |> ignore

            Expect.equal
                [ for struct (key, before, after) in asked.Value.Changes -> key, before, after ]
                [ "checkpoint.every", "25000", "77" ]
                "what the journal lacks"
        }

        test "run.json and status say the engine, and only what the run needs is prepared" {
            for option, engine in [ [], "simd"; [ "--engine"; "torch" ], "torch" ] do
                use folder = new TemporaryFolder()
                let mutable prepared = ""

                let prepare compute _ =
                    prepared <- NE.Model.Networks.Engines.describe (nonNull compute)
                    [ "ne", "test"; "engine", prepared ]

                let shell = hostPreparing prepare folder.Path
                execute (shell (ending interrupted)) (train @ option) |> ignore
                Expect.stringStarts prepared engine "prepared"
                Expect.equal ((runJson folder.Path).GetProperty("engine").GetString()) engine "run.json"
                let _, output, _ = execute (shell noRun) [ "status"; "a" ]
                Expect.stringContains output $"{prepared}, 1 thread" "status"
        }

        test "an agent that sees pictures needs what draws them, and without that nothing is created" {
            use folder = new TemporaryFolder()

            let prepare _ draws =
                if draws then
                    raise (InvalidDataException "No picture can be drawn.")

                [ "ne", "test" ]

            let shell = hostPreparing prepare folder.Path

            let begun pixels =
                execute (shell (ending interrupted)) ([ "train"; "dmc/cartpole-swingup"; "--name"; "a"; "--steps"; "2000" ] @ pixels)

            let code, _, errors = begun [ "--pixels" ]
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors "No picture can be drawn" "why"
            Expect.isEmpty (Directory.GetFileSystemEntries folder.Path) "nothing is created"
            let code, _, errors = begun []
            Expect.equal code ExitCode.Interrupted errors
        }

        test "an engine that does not exist is a user error that names the choices" {
            let code, _, errors = shell [ "train"; "--engine"; "simt" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "compute.engine = simt: did you mean 'simd'?; allowed: auto, or torch, simd" "message"
        }

        test "resume refuses a run that another process works on" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore
            use _ = RunFolder.Open(folder.Path, "a")
            let code, _, errors = execute (host folder.Path noRun) [ "resume"; "a" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors $"process {Environment.ProcessId}" "names the holder"
        }

        test "resume refuses a length below what is committed, and changes nothing" {
            use folder = new TemporaryFolder()
            let paths = stored folder.Path [ committed 500L ]

            let files () = [ for file in [ paths.RunInfo; paths.Configuration ] -> File.ReadAllText file ]
            let before = files ()

            for shorter in [ [ "--steps"; "400" ]; [ "run.steps=400" ] ] do
                let code, _, errors = resume folder.Path shorter
                Expect.equal code ExitCode.UserError "exit code"
                Expect.stringContains errors "run.steps = 400 is less than the 500 steps" "both numbers"
                Expect.stringContains errors "its length is 1,000" "what to do"

            Expect.equal (files ()) before "untouched"
            let code, _, _ = resume folder.Path [ "--steps"; "500" ]
            Expect.equal code ExitCode.Interrupted "what is committed may be all of it"
        }

        test "resume takes a run whose last round ended past its length" {
            use folder = new TemporaryFolder()
            stored folder.Path [ committed 500L; committed 1_002L ] |> ignore
            let code, _, errors = resume folder.Path []
            Expect.equal code ExitCode.Interrupted errors
        }

        for before, step in [ "at an earlier step", 500L; "at the same step", 1_000L ] do
            test $"a complete run goes on from the checkpoint before, {before}, and on from there" {
                use folder = new TemporaryFolder()
                let paths = stored folder.Path (commit 1L step :: ended 2L 1_000L)
                let refused, _, errors = resume folder.Path []
                Expect.equal refused ExitCode.UserError "from its end"
                Expect.stringContains errors "has done all its 1,000 steps" "message"
                let code, output, errors = resume folder.Path [ "--checkpoint"; "previous" ]
                Expect.equal code ExitCode.Interrupted errors
                Expect.stringContains output $"a goes on from step {step:N0} of 1,000" "where"
                // As the run itself would have noted it.
                appendToJournal paths [ JournalEntry.Rewound(3L, 1L) ]
                let code, _, errors = resume folder.Path []
                Expect.equal code ExitCode.Interrupted errors
                appendToJournal paths [ noted 4L (RunEvent.RunResumed(step, "ne test")); commit 5L 1_000L ]
                let code, _, errors = resume folder.Path []
                Expect.equal code ExitCode.Interrupted $"its last evaluation is to come again: {errors}"
                appendToJournal paths (ended 6L 1_000L)
                let refused, _, _ = resume folder.Path []
                Expect.equal refused ExitCode.UserError "complete again"
            }

        test "the previous checkpoint of a run with one alone is refused, and changes nothing" {
            use folder = new TemporaryFolder()
            let paths = stored folder.Path [ committed 500L ]
            let files () = [ for file in [ paths.RunInfo; paths.Configuration ] -> File.ReadAllText file ]
            let before = files ()

            let code, _, errors =
                resume folder.Path [ "--checkpoint"; "previous"; "--steps"; "400" ]

            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "one checkpoint alone, of step 500" "why"
            Expect.equal (files ()) before "untouched"
        }

        test "status knows a killed run from an interrupted one" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore

            let state () =
                let _, output, _ = execute (host folder.Path noRun) [ "status"; "a"; "--json" ]
                JsonDocument.Parse(output).RootElement.GetProperty("state").GetString()

            Expect.equal (state ()) "interrupted" "as run.json says"
            let paths = RunFolder.Find(folder.Path, "a")
            // As if it was killed.
            rewriteInfo paths (RunInfo.Read paths.RunInfo).Id RunState.Running null
            Expect.equal (state ()) "killed" "nobody holds the lock"
            use _ = RunFolder.Open(folder.Path, "a")
            Expect.equal (state ()) "running" "somebody does"
        }

        test "a run that was killed after its last commit is complete, whatever its last word was" {
            use folder = new TemporaryFolder()
            let paths = stored folder.Path (ended 1L 1_000L)
            let written = File.ReadAllText paths.RunInfo
            let asIfKilled = written.Replace("\"interrupted\"", "\"running\"")
            Expect.notEqual asIfKilled written "changed"
            File.WriteAllText(paths.RunInfo, asIfKilled)
            let _, output, _ = execute (host folder.Path noRun) [ "status"; "a"; "--json" ]
            Expect.equal (JsonDocument.Parse(output).RootElement.GetProperty("state").GetString()) "completed" "status"
            let code, _, errors = resume folder.Path []
            Expect.equal code ExitCode.UserError "as resume says"
            Expect.stringContains errors "has done all its 1,000 steps" "message"
        }

        test "status knows the newest evaluation, also of no checkpoint, and what is left of a running run" {
            use folder = new TemporaryFolder()

            let evaluation step mean : EvaluationEnded = {
                Step = step
                Returns = [| mean |]
                Lengths = [| 1 |]
                IsBest = true
            }

            let paths =
                stored folder.Path [
                    noted 300L (RunEvent.EvaluationEnded(0L, evaluation 300L 1.5))
                    committed 300L
                ]

            let status () =
                let _, output, _ = execute (host folder.Path noRun) [ "status"; "a"; "--json" ]
                JsonDocument.Parse(output).RootElement

            let evaluated () =
                let found = (status ()).GetProperty "lastEvaluation"
                found.GetProperty("step").GetInt64(), found.GetProperty("mean").GetDouble(), found.GetProperty("episodes").GetInt32()

            File.WriteAllText(paths.Evaluations, "step,mean,deviation,best,meanLength,return0,return1\n300,1.5,0,1,1,1.5,\n")
            Expect.equal (evaluated ()) (300L, 1.5, 1) "the checkpoint's"
            File.AppendAllText(paths.Evaluations, "400,2.5,0,1,1,2.5,2.5\n")
            Expect.equal (evaluated ()) (400L, 2.5, 2) "a newer one"

            // Learning begins at the last random step.
            let settings =
                NE.Actors.Configuration.ConfigurationLayers.Read(File.ReadAllText paths.Configuration, paths.Configuration)

            let start = settings.Learner.StartSteps.Value

            let timing (rows: (int64 * int) list) =
                File.WriteAllLines(
                    paths.Timing,
                    "step,time,elapsedSeconds"
                    :: [ for step, seconds in rows -> $"{step},,{seconds}" ]
                )

            use _ = RunLock.Take paths
            timing [ start - 10L, 1 ]
            Expect.equal ((status ()).GetProperty("warmUpSteps").GetInt64()) 10L "warming up"
            timing [ start - 10L, 1; start + 10L, 2; start + 20L, 12; start + 40L, 32 ]
            Expect.equal ((status ()).GetProperty("warmUpSteps").GetInt64()) 0L "over"
            Expect.equal ((status ()).GetProperty("secondsLeft").GetDouble()) (float (1_000L - start - 40L)) "a step in a second"
        }

        test "status of all runs is a table" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore
            let code, output, _ = execute (host folder.Path noRun) [ "status" ]
            Expect.equal code ExitCode.Ok "exit code"
            Expect.stringContains output "interrupted" "state"
        }

        test "a damaged run is said and does not hide the others from status" {
            use folder = new TemporaryFolder()

            for name in [ "a"; "b"; "c" ] do
                execute (host folder.Path (ending interrupted)) [ "train"; "--steps"; "1000"; "--name"; name ]
                |> ignore

            File.WriteAllText(RunPaths.Of(folder.Path, "a").RunInfo, "{")
            File.WriteAllText(RunPaths.Of(folder.Path, "b").Journal, String('x', 5_000))
            let code, output, errors = execute (host folder.Path noRun) [ "status" ]
            Expect.equal code ExitCode.Failed "exit code"

            let states = [
                for line in output.Split '\n' do
                    match line.Split(' ', StringSplitOptions.RemoveEmptyEntries) with
                    | [||] -> ()
                    | words -> words[0], words[1]
            ]

            Expect.equal states.Tail [ "a", "damaged"; "b", "damaged"; "c", "interrupted" ] "all are shown"
            Expect.stringContains errors "ne: a is damaged: " "which"
            Expect.stringContains errors "run.json is damaged" "what"
            Expect.stringContains errors "ne: b is damaged: Expected a journal at" "the other"
            let code, output, _ = execute (host folder.Path noRun) [ "status"; "--json" ]
            Expect.equal code ExitCode.Failed "exit code"

            let runs = [ for run in JsonDocument.Parse(output).RootElement.EnumerateArray() -> run ]
            Expect.equal [ for run in runs -> run.GetProperty("state").GetString() ] [ "damaged"; "damaged"; "interrupted" ] "states"
            Expect.stringContains (nonNull (runs[0].GetProperty("reason").GetString())) "run.json" "why"
            let one, _, _ = execute (host folder.Path noRun) [ "status"; "a" ]
            Expect.equal one ExitCode.Failed "asked for by its name, too"
            File.Delete(RunPaths.Of(folder.Path, "b").RunInfo)
            let _, _, errors = execute (host folder.Path noRun) [ "status" ]
            Expect.stringContains errors "b is damaged: " "a journal without run.json is a run"
            Expect.stringContains errors "run.json is missing" "that is what it lacks"
        }

        test "status without runs says how to begin" {
            let _, output, _ = shell [ "status" ]
            Expect.stringContains output "ne train" "hint"
        }

        test "an unknown run lists those that there are" {
            use folder = new TemporaryFolder()
            execute (host folder.Path (ending interrupted)) train |> ignore
            let code, _, errors = execute (host folder.Path noRun) [ "status"; "b" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "There is: a." "list"
        }
    ]

[<Tests>]
let signals =
    testList "signals" [
        test "the first asks the run to stop, the second Ctrl-C ends at once" {
            let asked, ended = List<string>(), List<string>()

            use signals =
                new StopSignals(Action<string>(fun reason -> asked.Add reason), Action(fun () -> ended.Add "ended"))

            signals.On PosixSignal.SIGINT
            Expect.sequenceEqual asked [ "Ctrl-C" ] "asked once"
            Expect.isEmpty ended "still working"
            signals.On PosixSignal.SIGINT
            Expect.hasLength asked 1 "not asked again"
            Expect.hasLength ended 1 "ended"
        }

        test "a second SIGTERM changes nothing" {
            let asked, ended = List<string>(), List<string>()

            use signals =
                new StopSignals(Action<string>(fun reason -> asked.Add reason), Action(fun () -> ended.Add "ended"))

            signals.On PosixSignal.SIGTERM
            signals.On PosixSignal.SIGTERM
            Expect.sequenceEqual asked [ "SIGTERM" ] "asked once"
            Expect.isEmpty ended "still working"
        }
    ]

[<Tests>]
let commandText =
    testList "command.txt" [
        test "words that a shell would take apart are quoted" {
            Expect.equal
                (NE.Actors.Hosting.CommandText.Of [ "train"; "ne.omega=0.2"; "--name"; "a b"; "it's" ])
                "ne train ne.omega=0.2 --name 'a b' 'it'\\''s'"
                "quoted"
        }
    ]

[<Tests>]
let build =
    testList "what the program is" [
        test "changes when an assembly does, and not when it is copied once more" {
            use folder = new TemporaryFolder()
            let copied = folder.File "ne.dll"

            let copy (assembly: Type) =
                File.Copy(assembly.Assembly.Location, copied, true)

            copy typeof<ShellHost>
            File.WriteAllText(folder.File "ne.deps.json", "{}")
            let first = OwnBuild.Of folder.Path
            copy typeof<ShellHost>
            File.SetLastWriteTimeUtc(copied, DateTime.UtcNow.AddHours 1.0)
            Expect.equal (OwnBuild.Of folder.Path) first "the same build"
            copy typeof<RunPaths>
            Expect.notEqual (OwnBuild.Of folder.Path) first "another assembly"
            copy typeof<ShellHost>
            File.WriteAllText(folder.File "libtorch.so", "x")
            let second = OwnBuild.Of folder.Path
            Expect.notEqual second first "another library"
            File.WriteAllBytes(copied, (File.ReadAllBytes copied)[..999])
            Expect.notEqual (OwnBuild.Of folder.Path) second "half an assembly"
        }
    ]
