module NE.Shell.Tests.Sweeps.SweepRunTests

open System
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open System.Threading.Tasks
open Expecto
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Shell
open NE.Shell.Host
open NE.Shell.Tests.Support

/// Plays `ne` in a process of its own, by the name of the cell: "bad" fails unless the file `mended` exists, "shot" is killed the first time,
/// "taken" cannot begin because somebody else does meanwhile, "late" cannot go on because somebody else has done so, a trial of a search is evaluated
/// at steps 250, 500 and 1000 with what the file `returns` says, and works on after each once it was decided there, "clears" makes room for the file
/// of failures, everything else completes. Notes its calls.
let private program =
    """verb=$1; shift
[ "$verb" = resume ] && { name=$1; shift; }
while [ $# -gt 0 ]; do
    case "$1" in --runs) runs=$2; shift ;; --name) name=$2; shift ;; esac
    shift
done
echo "$verb $name" >>"$runs/calls"
echo "$NE_SWEEP" >"$runs/sweep"
describe() {
    mkdir -p "$runs/$name"
    printf '{"formatVersion":1,"id":"x","name":"%s","status":"%s","statusReason":null,"environment":"e","method":"m","seed":0,"totalSteps":1000,"threads":1,"device":"cpu","stretches":[%s],"engine":"simd"}' "$name" "$1" "$2" >"$runs/$name/run.json.new"
    mv "$runs/$name/run.json.new" "$runs/$name/run.json" # in one step: who sees the file reads all of it
}
echo "some talk"
case "$name" in
*-bad-*) [ -e "$runs/mended" ] || { echo "ne: it is broken,"; echo "  badly" >&2; exit 2; } ;;
*-shot-*) [ -e "$runs/$name/run.json" ] || { describe running; kill -9 $$; } ;;
*-mute-*) exit 1 ;;
*-stopped-*) describe interrupted; exit 3 ;;
*-hung-*) [ -e "$runs/$name/run.json" ] || { describe running; exec env --default-signal=HUP sh -c 'kill -HUP $$'; } ;; # under nohup it would be ignored
*-crashed-*) describe running; ulimit -c 0; kill -ABRT $$ ;;
*-hostless-*) exit 131 ;;
*-taken-*)
    : >"$runs/asked"
    until [ -e "$runs/go" ]; do sleep 0.02; done
    exit 1 ;;
*-late-*)
    [ "$verb" = train ] && { describe interrupted; exit 3; }
    [ -e "$runs/again" ] || {
        : >"$runs/again"
        describe interrupted '{"started":"2026-01-02T03:04:05+00:00","fromStep":0,"host":"h","processId":1,"versions":{}}'
        exit 1
    } ;;
*-builds-*) : >"$runs/rebuilt" ;;
*-clears-*) rmdir "$runs/a.sweep/failures.json.tmp" ;;
*-plain-*) ;;
*-trial-*)
    describe running
    trial=${name##*-trial-}
    trial=${trial%%-*}
    trial=${trial#"${trial%%[1-9]*}"} # without zeros in front
    evaluations="$runs/$name/eval.csv"
    [ -e "$evaluations" ] || echo step,mean >"$evaluations"
    stop() { describe interrupted; exit 3; }
    for step in 250 500 1000; do
        value=$(sed -n "s/^$step $trial //p" "$runs/returns")
        [ "$step$value" != 250 ] || { echo "ne: it diverged" >&2; exit 2; }
        [ -n "$value" ] || { cat >/dev/null; stop; } # it was dropped, and is told so
        grep -q "^$step," "$evaluations" || echo "$step,$value" >>"$evaluations"
        until [ $step = 1000 ] || grep -qs "\"step\": $step" "$runs/a.sweep/decisions.json"; do
            timeout 0.1 cat >/dev/null && stop # the end of its input
        done
    done ;;
esac
describe completed
"""

type private Sweeps(text: string) =
    let folder = new TemporaryFolder()
    let script = folder.File "ne.sh"
    let file = folder.File "a.yaml"
    let runs = folder.File "runs"

    do
        File.WriteAllText(script, program)
        File.WriteAllText(file, text)
        Directory.CreateDirectory runs |> ignore

    member _.Runs = runs

    member _.Write(changed: string) = File.WriteAllText(file, changed)

    /// What others do between the first look at a sweep and its start.
    member val Meanwhile: unit -> unit = ignore with get, set

    member private this.Prepare() : Collections.Generic.IReadOnlyDictionary<string, string> =
        this.Meanwhile()
        readOnlyDict []

    /// "train a-Hopper-v4-td3-s0" and so on, in order; then forgotten.
    member _.Calls() =
        let calls = Path.Combine(runs, "calls")

        let made =
            if File.Exists calls then
                List.ofArray (File.ReadAllLines calls)
            else
                []

        File.Delete calls
        made

    member this.Run(more: string list) =
        let host =
            ShellHost(
                Output = new StringWriter(NewLine = "\n"),
                Error = new StringWriter(NewLine = "\n"),
                DefaultRuns = runs,
                FleetKey = "/nonexistent/fleet.pem",
                Width = 160,
                Processors = 2,
                Executable = [| "/bin/sh"; script |],
                Build = (fun () -> string (File.Exists(Path.Combine(runs, "rebuilt")))),
                HasCuda = (fun () -> false),
                Prepare = fun _ _ -> this.Prepare()
            )

        execute host more

    member this.Sweep(more: string list) = this.Run([ "sweep"; file ] @ more)

    interface IDisposable with
        member _.Dispose() = (folder :> IDisposable).Dispose()

let private arms (labels: string list) (seeds: string) =
    let listed =
        labels
        |> List.map (fun label -> $"  - {{label: {label}, method: td3}}\n")
        |> String.concat ""

    $"name: a\nenvironments: [Hopper-v4]\nseeds: {seeds}\narms:\n{listed}keys: {{run.steps: 1000}}\n"

let private name label seed = $"a-Hopper-v4-{label}-s{seed}"

let private bad0 = name "bad" 0
let private builds0 = name "builds" 0
let private clears0 = name "clears" 0
let private crashed0 = name "crashed" 0
let private hostless0 = name "hostless" 0
let private late0 = name "late" 0
let private mute0 = name "mute" 0
let private shot0 = name "shot" 0
let private taken0 = name "taken" 0
let private x0 = name "x" 0
let private x1 = name "x" 1
let private y0 = name "y" 0
let private z0 = name "z" 0
let private z1 = name "z" 1

/// A random search whose trials complete at once.
let private drawn (trials: int) =
    arms [ "plain" ] "0"
    + $"search: {{trials: {trials}, space: {{ne.omega: [0, 0.1, 0.2]}}}}\n"

let private plain (number: string) = name $"plain-trial-{number}" 0

/// Sweeps x and y while another process works on x, which then leaves the run.json that it makes of the complete y's.
let private besideAnother (sweeps: Sweeps) (leave: string -> string) =
    let paths = RunPaths.Of(sweeps.Runs, name "x" 0)
    Directory.CreateDirectory paths.Root |> ignore
    let held = RunLock.Take paths
    let working = Task.Run(fun () -> sweeps.Sweep [])
    let other = RunPaths.Of(sweeps.Runs, name "y" 0)
    eventually "the other cell's run" (fun () -> File.Exists other.RunInfo)
    File.WriteAllText(paths.RunInfo, leave (File.ReadAllText other.RunInfo))
    held.Dispose()
    working.GetAwaiter().GetResult()

[<Tests>]
let tests =
    testList "ne sweep" [
        test "starts every cell once, seeds outermost, and is complete" {
            use sweeps = new Sweeps(arms [ "x"; "y" ] "0-1")
            let code, output, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") output
            Expect.equal (File.ReadAllText(Path.Combine(sweeps.Runs, "sweep")).Trim()) "a" "each knows its sweep"

            Expect.equal
                (sweeps.Calls())
                [
                    for seed in 0..1 do
                        for label in [ "x"; "y" ] -> $"train {name label seed}"
                ]
                "calls"

            Expect.stringContains output "a is complete: 4 cells." "end"
            Expect.isFalse (output.Contains '\027') "no ANSI codes when redirected"
            let again, _, _ = sweeps.Sweep []
            Expect.equal again ExitCode.Ok "again"
            Expect.isEmpty (sweeps.Calls()) "complete cells are skipped"
        }

        test "a failing cell stops no other, is listed with its error and log, and is tried again on request" {
            use sweeps = new Sweeps(arms [ "bad"; "y"; "mute" ] "0")
            let code, _, errors = sweeps.Sweep [ "--parallel"; "3" ]
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors $"{bad0} failed: it is broken, badly" "error"
            Expect.stringContains errors (Path.Combine(sweeps.Runs, "a.sweep", "logs", $"{bad0}.log")) "log"
            Expect.stringContains errors $"{mute0} failed: some talk" "without a message, the last line"
            Expect.stringContains errors "ne sweep --resume a --retry-failed" "what to do"
            Expect.hasLength (sweeps.Calls()) 3 "all were tried"

            let again, _, _ = sweeps.Sweep []
            Expect.equal again ExitCode.Failed "still failed"
            Expect.isEmpty (sweeps.Calls()) "not tried again unasked"

            File.WriteAllText(Path.Combine(sweeps.Runs, "mended"), "")
            let retried, _, _ = sweeps.Run [ "sweep"; "--resume"; "a"; "--retry-failed" ]
            Expect.equal retried ExitCode.Failed "one still fails"
            Expect.equal (set (sweeps.Calls())) (set [ $"train {bad0}"; $"train {mute0}" ]) "only the failed ones"
            let status, _, _ = sweeps.Run [ "status"; "a"; "--json" ]
            Expect.equal status ExitCode.Ok "status"
        }

        test "a cell that is killed is no failure: the next call resumes it" {
            use sweeps = new Sweeps(arms [ "shot"; "y" ] "0")
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.Interrupted errors
            Expect.stringContains errors "killed by signal 9" "what happened"
            sweeps.Calls() |> ignore
            let again, _, errors = sweeps.Sweep []
            Expect.equal (again, errors) (ExitCode.Ok, "") "complete"
            Expect.equal (sweeps.Calls()) [ $"resume {shot0}" ] "resumed"
        }

        test "a closed terminal is no failure of a cell" {
            use sweeps = new Sweeps(arms [ "hung" ] "0")
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.Interrupted errors
            Expect.stringContains errors "killed by signal 1" "what happened"
        }

        test "a cell that crashes by itself has failed, and is not tried again unasked" {
            use sweeps = new Sweeps(arms [ "crashed"; "hostless"; "y" ] "0")
            let code, _, errors = sweeps.Sweep [ "--parallel"; "1" ]
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors $"{crashed0} failed: ended by signal 6; its last words: some talk" "a crash"
            Expect.stringContains errors $"{hostless0} failed: ended with exit code 131; its last words: some talk" "dotnet's own error"
            Expect.hasLength (sweeps.Calls()) 3 "all were tried"
            let again, _, _ = sweeps.Sweep []
            Expect.equal again ExitCode.Failed "a script that tries again while it is told 3 ends"
            Expect.isEmpty (sweeps.Calls()) "not tried again"
        }

        test "a failure that cannot be stored now does not end the sweep, and is stored when there is room" {
            use sweeps = new Sweeps(arms [ "bad"; "clears" ] "0")
            let inTheWay = Path.Combine(sweeps.Runs, "a.sweep", "failures.json.tmp")
            Directory.CreateDirectory inTheWay |> ignore
            let code, output, errors = sweeps.Sweep [ "--parallel"; "1" ]
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains output "which cells failed could not be stored, and is tried again: " "said"
            Expect.equal (sweeps.Calls()) [ $"train {bad0}"; $"train {clears0}" ] "the others go on"
            let again, _, errors = sweeps.Sweep []
            Expect.equal again ExitCode.Failed errors
            Expect.isEmpty (sweeps.Calls()) "it is known that it failed"
        }

        test "a program that is rebuilt: no further cell is started, and the next call goes on" {
            use sweeps = new Sweeps(arms [ "x"; "builds"; "y" ] "0")
            let code, output, errors = sweeps.Sweep [ "--parallel"; "1" ]
            Expect.equal code ExitCode.Interrupted errors
            Expect.stringContains output "the program was rebuilt: no further cell is started" "said at once"

            Expect.stringContains
                errors
                "started no further cell, because the program was rebuilt while it worked: 3 cells: 2 complete, 1 waiting. Start the sweep again"
                "what happened"

            Expect.stringContains errors "ne sweep --resume a" "what to do"
            Expect.equal (sweeps.Calls()) [ $"train {x0}"; $"train {builds0}" ] "the one that worked went on to its end"
            let again, _, errors = sweeps.Sweep []
            Expect.equal (again, errors) (ExitCode.Ok, "") "the new build"
            Expect.equal (sweeps.Calls()) [ $"train {y0}" ] "the rest"
        }

        test "a cell that somebody stops is left alone until the next call" {
            use sweeps = new Sweeps(arms [ "stopped"; "y" ] "0")
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.Interrupted errors
            Expect.stringContains errors "did not end: stopped from outside" "what happened"
            Expect.hasLength (sweeps.Calls()) 2 "once each"
        }

        test "a cell that another process works on is waited for and not started" {
            use sweeps = new Sweeps(arms [ "x"; "y" ] "0")
            let code, _, errors = besideAnother sweeps id
            Expect.equal (code, errors) (ExitCode.Ok, "") "complete"
            Expect.equal (sweeps.Calls()) [ $"train {y0}" ] "calls"
        }

        test "a cell that fails in another process is listed with its reason" {
            use sweeps = new Sweeps(arms [ "x"; "y" ] "0")

            let code, _, errors =
                besideAnother sweeps _.Replace("completed", "failed").Replace("\"statusReason\":null", "\"statusReason\":\"it broke\"")

            Expect.equal code ExitCode.Failed "a cell failed"
            Expect.stringContains errors "it broke" "why"
        }

        test "a run that somebody else begins first is waited for, whatever its own process says" {
            use sweeps = new Sweeps(arms [ "taken"; "y" ] "0")
            let paths = RunPaths.Of(sweeps.Runs, taken0)
            Directory.CreateDirectory paths.Root |> ignore
            let working = Task.Run(fun () -> sweeps.Sweep [ "--parallel"; "1" ])
            eventually "its process" (fun () -> File.Exists(Path.Combine(sweeps.Runs, "asked")))
            let held = RunLock.Take paths
            File.WriteAllText(Path.Combine(sweeps.Runs, "go"), "")
            let other = RunPaths.Of(sweeps.Runs, y0)
            // One at a time: the sweep knows how the first one ended.
            eventually "the other cell's run" (fun () -> File.Exists other.RunInfo)
            File.Copy(other.RunInfo, paths.RunInfo)
            held.Dispose()
            let code, _, errors = working.GetAwaiter().GetResult()
            Expect.equal (code, errors) (ExitCode.Ok, "") "complete"
            Expect.equal (sweeps.Calls()) [ $"train {taken0}"; $"train {y0}" ] "calls"
        }

        test "a run that somebody else has worked on meanwhile is gone on with" {
            use sweeps = new Sweeps(arms [ "late" ] "0")
            sweeps.Sweep [] |> ignore
            let code, _, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "complete"
            Expect.equal (sweeps.Calls()) [ $"train {late0}"; $"resume {late0}"; $"resume {late0}" ] "calls"
        }

        test "two processes do not work on one sweep" {
            use sweeps = new Sweeps(arms [ "x" ] "0")
            sweeps.Sweep [] |> ignore

            use _ =
                RunLock.Take(Path.Combine(sweeps.Runs, "a.sweep", "sweep.lock"), "The sweep 'a'")

            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors $"The sweep 'a' is in use by process {Environment.ProcessId}" "message"
        }

        test "what another process made of a sweep while this one began is not overwritten" {
            use sweeps = new Sweeps(arms [ "x" ] "0")

            sweeps.Meanwhile <-
                fun () ->
                    sweeps.Meanwhile <- ignore
                    sweeps.Write((arms [ "x" ] "0").Replace("1000", "2000"))
                    sweeps.Sweep [] |> ignore

            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors $"{x0}: run.steps was 2000, is now 1000" "message"
            let cells = File.ReadAllText(Path.Combine(sweeps.Runs, "a.sweep", "cells.json"))
            Expect.stringContains cells "\"run.steps\": \"2000\"" "what the other one has stored"
            Expect.equal (sweeps.Calls()) [ $"train {x0}" ] "begun once"
        }
    ]

[<Tests>]
let edits =
    testList "an edited sweep" [
        test "starts the cells that were added" {
            use sweeps = new Sweeps(arms [ "x" ] "0")
            sweeps.Sweep [] |> ignore
            sweeps.Calls() |> ignore
            sweeps.Write(arms [ "x"; "z" ] "0-1")
            let code, _, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "complete"
            Expect.equal (sweeps.Calls()) [ $"train {z0}"; $"train {x1}"; $"train {z1}" ] "calls"
        }

        test "may not change what a cell means, and names it with both values" {
            use sweeps = new Sweeps(arms [ "x" ] "0")
            sweeps.Sweep [] |> ignore
            let cells = Path.Combine(sweeps.Runs, "a.sweep", "cells.json")
            let before = File.ReadAllText cells

            for changed, expected in
                [
                    (arms [ "x" ] "0").Replace("1000", "2000"), $"{x0}: run.steps was 1000, is now 2000"
                    (arms [ "x" ] "0").Replace("run.steps: 1000", "run.steps: 1000, ne.omega: 0.1"), "ne.omega was (not given), is now 0.1"
                    (arms [ "x" ] "0").Replace("method: td3", "method: ne"), "run.method was td3, is now ne"
                    arms [ "y" ] "0", $"{x0} has a run but is no longer in the file"
                ] do
                sweeps.Write changed
                let code, _, errors = sweeps.Sweep []
                Expect.equal code ExitCode.UserError expected
                Expect.stringContains errors expected "message"

            Expect.equal (File.ReadAllText cells) before "nothing changed"
        }

        test "may write a value in another way" {
            use sweeps = new Sweeps(arms [ "x" ] "0")
            sweeps.Sweep [] |> ignore
            sweeps.Write((arms [ "x" ] "0").Replace("run.steps: 1000", "run: {steps: 1_000}"))
            let code, _, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "the same"
        }

        test "may give as a key what the run has already, the way on when a version has other defaults" {
            use sweeps = new Sweeps(arms [ "shot" ] "0")
            sweeps.Sweep [] |> ignore
            let configuration = Path.Combine(sweeps.Runs, shot0, "config.yaml")

            File.WriteAllText(
                configuration,
                "run: {environment: Hopper-v4, method: td3, seed: 0, steps: 1000}\nnetwork: {weightClip: 2.5}\ntd3: {bufferSize: 2560, startSteps: 25}\n"
            )

            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.UserError "the run has another value"
            Expect.stringContains errors $"{shot0}: network.weightClip is 2.5 in the run, 0 in the sweep" "which"

            let given value =
                (arms [ "shot" ] "0")
                    .Replace(
                        "run.steps: 1000",
                        $"run.steps: 1000, network.weightClip: {value}, network.clipOutput: on, learner.bufferSize: 2560, learner.startSteps: 25"
                    )

            sweeps.Write(given "2.25")
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.UserError "nor is this its value"
            Expect.stringContains errors "network.weightClip was (not given), is now 2.25" "the change"
            sweeps.Write(given "2.50")
            let code, _, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "its value, written out"
        }

        test "names of an older version's keys mean what they did, in the file and in cells.json" {
            let withKeys (keys: string) =
                (arms [ "x" ] "0").Replace("method: td3", "method: ne, keys: {" + keys + "}")

            use sweeps = new Sweeps(withKeys "ne.eventBatch: training, ne.growCarry: off")
            sweeps.Sweep [] |> ignore
            let file = Path.Combine(sweeps.Runs, "a.sweep", "cells.json")
            let cells = File.ReadAllText file
            let now = "\"ne.rules\": \"ours+growCarry=off+eventBatch=training\""
            Expect.stringContains cells now "as this version says it"
            File.WriteAllText(file, cells.Replace(now, "\"ne.eventBatch\": \"training\", \"ne.growCarry\": \"off\""))
            sweeps.Write(withKeys "ne.rules: ours+growCarry=off+eventBatch=training")
            let code, _, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "the same cells"
            sweeps.Write(withKeys "ne.rules: ours+eventBatch=training")
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.UserError "other ones"
            Expect.stringContains errors "ne.rules was ours+growCarry=off+eventBatch=training, is now ours+eventBatch=training" "message"
        }

        test "may change a cell that never began" {
            use sweeps = new Sweeps(arms [ "x"; "mute" ] "0")
            sweeps.Sweep [] |> ignore
            let only = "- {label: mute, method: td3"
            sweeps.Write((arms [ "x"; "mute" ] "0").Replace(only, only + ", keys: {learner.discount: 0.9}"))
            let _, _, errors = sweeps.Sweep [ "--retry-failed" ]
            Expect.isFalse (errors.Contains "changes cells") errors
            let cells = File.ReadAllText(Path.Combine(sweeps.Runs, "a.sweep", "cells.json"))
            Expect.stringContains cells "\"learner.discount\": \"0.9\"" "the new value"
        }

        test "takes more trials behind those that there are" {
            use sweeps = new Sweeps(drawn 8)
            sweeps.Sweep [] |> ignore
            Expect.equal (sweeps.Calls()) [ for number in 1..8 -> "train " + plain $"00{number}" ] "the first"
            sweeps.Write(drawn 12)
            let code, output, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") output
            Expect.equal (sweeps.Calls()) [ for number in [ "009"; "010"; "011"; "012" ] -> "train " + plain number ] "the others"
        }

        test "keeps the numbers that an older version gave its trials" {
            use sweeps = new Sweeps(drawn 2)
            sweeps.Sweep [] |> ignore
            sweeps.Calls() |> ignore
            let cells = Path.Combine(sweeps.Runs, "a.sweep", "cells.json")

            for number in 1..2 do
                Directory.Move(Path.Combine(sweeps.Runs, plain $"00{number}"), Path.Combine(sweeps.Runs, plain $"{number}"))

            File.WriteAllText(cells, File.ReadAllText(cells).Replace("trial 00", "trial ").Replace("trial-00", "trial-"))
            sweeps.Write(drawn 12)
            let code, output, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") output
            Expect.equal (sweeps.Calls()) [ for number in 3..12 -> "train " + plain $"{number}" ] "those that came behind them"
            Expect.stringContains (File.ReadAllText cells) "\"label\": \"plain trial 1\"" "its label"
        }

        test "may drop a cell that never began" {
            use sweeps = new Sweeps(arms [ "x"; "mute" ] "0")
            sweeps.Sweep [] |> ignore
            sweeps.Write(arms [ "x" ] "0")
            let code, output, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "complete"
            Expect.stringContains output $"{mute0} is no longer in the file" "says so"
        }

        test "does not take a run for its cell that was begun with other keys" {
            use sweeps = new Sweeps(arms [ "x" ] "0")

            let training =
                host sweeps.Runs (fun _ ->
                    let run = FakeRun(RunStatus(Phase = RunPhase.Training))
                    run.End(RunOutcome(RunPhase.Interrupted, "SIGTERM", 5L))
                    run)

            let code, _, errors =
                execute training [
                    "train"
                    "Hopper-v4"
                    "--name"
                    name "x" 0
                    "--method"
                    "td3"
                    "--steps"
                    "1000"
                    "learner.batchSize=33"
                    // Says nothing of a run of td3.
                    "ne.omega=0.5"
                ]

            Expect.equal code ExitCode.Interrupted errors
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors $"{x0}: learner.batchSize is 33 in the run, 256 in the sweep" "message"
            Expect.isFalse (errors.Contains "ne.omega") "a key of a technique that the method lacks"
            sweeps.Write((arms [ "x" ] "0").Replace("run.steps: 1000", "run.steps: 1000, learner.batchSize: 33"))
            let code, _, errors = sweeps.Sweep []
            Expect.equal (code, errors) (ExitCode.Ok, "") "the same keys"
            Expect.equal (sweeps.Calls()) [ $"resume {x0}" ] "goes on with it"
        }
    ]

[<Tests>]
let status =
    testList "ne status and sweeps" [
        test "lists runs and sweeps, and shows one sweep" {
            use sweeps = new Sweeps(arms [ "bad"; "y" ] "0")
            sweeps.Sweep [] |> ignore
            let code, output, errors = sweeps.Run [ "status" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "status"
            Expect.stringContains output (name "y" 0) "the run"
            Expect.stringContains output "SWEEP" "the sweeps"
            let _, one, _ = sweeps.Run [ "status"; "a" ]
            Expect.stringContains one $"{bad0} failed: it is broken, badly" "its failure"
            Expect.stringContains one "no process works on it" "its process"
            let _, json, _ = sweeps.Run [ "status"; "a"; "--json" ]
            let cells = JsonDocument.Parse(json).RootElement.GetProperty("cells")
            Expect.equal [ for cell in cells.EnumerateArray() -> cell.GetProperty("state").GetString() ] [ "failed"; "complete" ] "states"
            let _, runs, _ = sweeps.Run [ "status"; "--json" ]
            Expect.equal (JsonDocument.Parse(runs).RootElement.GetArrayLength()) 1 "the list of runs has runs only"
        }

        test "a damaged cells.json is one message" {
            use sweeps = new Sweeps(arms [ "y" ] "0")
            sweeps.Sweep [] |> ignore
            File.WriteAllText(Path.Combine(sweeps.Runs, "a.sweep", "cells.json"), "{\"cells\": [{}]}")

            for arguments in [ [ "status"; "a" ]; [ "sweep"; "--resume"; "a" ] ] do
                let code, _, errors = sweeps.Run arguments
                Expect.equal code ExitCode.Failed "exit code"
                Expect.stringContains errors "cells.json cannot be read as the cells of a sweep" "message"
        }

        test "a damaged failures.json is one message, and says what to do" {
            use sweeps = new Sweeps(arms [ "y" ] "0")
            sweeps.Sweep [] |> ignore

            for content in [ "{"; "null"; """{"y-0": null}"""; """{"y-0": {"exitCode": 1}}""" ] do
                File.WriteAllText(Path.Combine(sweeps.Runs, "a.sweep", "failures.json"), content)

                for arguments in [ [ "status"; "a" ]; [ "sweep"; "--resume"; "a" ] ] do
                    let code, _, errors = sweeps.Run arguments
                    Expect.equal code ExitCode.Failed $"{content}: {errors}"
                    Expect.stringContains errors "failures.json cannot be read as the failures of a sweep" content
                    Expect.stringContains errors "Delete it to try every failed cell again." content
        }

        test "a damaged sweep is said and does not hide the others" {
            use sweeps = new Sweeps(arms [ "x"; "y" ] "0")
            sweeps.Sweep [] |> ignore
            let broken = Path.Combine(sweeps.Runs, "broken.sweep")
            Directory.CreateDirectory broken |> ignore
            File.WriteAllText(Path.Combine(broken, "cells.json"), "{")
            let code, output, errors = sweeps.Run [ "status" ]
            Expect.equal code ExitCode.Failed "exit code"
            Expect.isTrue (Regex.IsMatch(output, "^a +2 +2 ", RegexOptions.Multiline)) output
            Expect.isTrue (Regex.IsMatch(output, "^broken .* damaged$", RegexOptions.Multiline)) output
            Expect.stringContains errors "ne: broken is damaged: " "which"

            File.WriteAllText(RunPaths.Of(sweeps.Runs, x0).RunInfo, "{")
            let code, output, errors = sweeps.Run [ "status"; "a" ]
            Expect.equal code ExitCode.Failed "a damaged cell"
            Expect.isTrue (Regex.IsMatch(output, $"^{x0} +damaged", RegexOptions.Multiline)) output
            Expect.isTrue (Regex.IsMatch(output, $"^{y0} +complete", RegexOptions.Multiline)) output
            Expect.stringContains errors $"ne: {x0} is damaged: " "which"
            let _, json, _ = sweeps.Run [ "status"; "a"; "--json" ]
            let cells = JsonDocument.Parse(json).RootElement.GetProperty("cells")
            Expect.stringContains (nonNull (cells[0].GetProperty("damage").GetString())) "run.json" "JSON"
        }

        test "a sweep's folder is not overwritten by a run of that name" {
            use sweeps = new Sweeps(arms [ "y" ] "0")
            sweeps.Sweep [] |> ignore

            let code, _, errors =
                execute (host sweeps.Runs noRun) [ "train"; "--name"; "a.sweep"; "--overwrite" ]

            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "those are the folders of sweeps" "message"
        }
    ]

[<Tests>]
let boundRuns =
    testList "a run that another program binds to itself" [
        test "commits and stops when its input ends" {
            use folder = new TemporaryFolder()

            let shell =
                ShellHost(
                    Output = new StringWriter(),
                    Error = new StringWriter(),
                    DefaultRuns = folder.Path,
                    FleetKey = "/nonexistent/fleet.pem",
                    HasCuda = (fun () -> false),
                    Prepare = (fun _ _ -> readOnlyDict []),
                    Input = (fun () -> Stream.Null),
                    StartRun = fun _ -> FakeRun(RunStatus(Phase = RunPhase.Training, Steps = 1_000L))
                )

            let code, _, errors =
                execute shell [ "train"; "--name"; "a"; "--steps"; "1000"; "--stop-at-eof" ]

            Expect.equal code ExitCode.Interrupted errors
            Expect.stringContains errors "its sweep stopped" "why"
        }
    ]

/// Four trials of one arm, of which two go on at step 250 and one at step 500.
let private search =
    arms [ "x" ] "0"
    + "search: {trials: 4, halving: {from: 250, factor: 2}, space: {ne.omega: [0, 0.1, 0.2]}}\n"

let private evaluated =
    search.Replace("run.steps: 1000", "run.steps: 1000, evaluation.every: 250")

let private trial number = name $"x-trial-00{number}" 0

let private returns (sweeps: Sweeps) (values: string list) =
    File.WriteAllLines(Path.Combine(sweeps.Runs, "returns"), values)

let private trials1And3 = [
    "250 1 30"
    "250 2 10"
    "250 3 20"
    "250 4 5"
    "500 1 30"
    "500 3 40"
    "1000 3 50"
]

[<Tests>]
let searches =
    testList "a search by successive halving" [
        test "lets the best trials go on, stops the others, and is complete when the last one is" {
            use sweeps = new Sweeps(evaluated)
            returns sweeps trials1And3
            let code, output, errors = sweeps.Sweep [ "--parallel"; "2" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") output

            let begun, resumed = sweeps.Calls() |> List.partition _.StartsWith("train")
            // Each process notes its own beginning, so two that work side by side are in either order.
            Expect.equal (List.sort begun) [ for number in 1..4 -> $"train {trial number}" ] "each begins once"
            // Two worked at a time, so the first two had to wait for the others; whoever still works when it is decided need not be resumed.
            Expect.contains resumed $"resume {trial 1}" "it goes on"
            Expect.isEmpty (List.except [ $"resume {trial 1}"; $"resume {trial 3}" ] resumed) "only those that deserve it"

            for number, steps in [ 1, [ "250"; "500" ]; 2, [ "250" ]; 3, [ "250"; "500"; "1000" ]; 4, [ "250" ] ] do
                let rows = File.ReadAllLines (RunPaths.Of(sweeps.Runs, trial number)).Evaluations
                Expect.equal [ for row in rows[1..] -> row.Split(',')[0] ] steps $"trial {number}"

            Expect.stringContains output "x at step 250: trial 001, trial 003 go on, the best first; 2 trials dropped" "the first decision"
            Expect.stringContains output "x at step 500: trial 003 goes on, the best first; 1 trial dropped" "the second"
            Expect.stringContains output "a is complete: 1 cell, and 3 cells of trials that the search dropped (ne status a)." "end"

            let _, status, _ = sweeps.Run [ "status"; "a" ]
            Expect.stringContains status "x at step 500: trial 003 goes on" "decisions"
            Expect.equal (Regex.Matches(status, "dropped +").Count) 3 status

            // Decisions hold, whatever becomes of the files that they were made from.
            File.WriteAllText(RunPaths.Of(sweeps.Runs, trial 4).Evaluations, "step,mean\n250,1000\n")
            let again, output, errors = sweeps.Sweep []
            Expect.equal (again, errors) (ExitCode.Ok, "") output
            Expect.isEmpty (sweeps.Calls()) "nothing is left to do"
        }

        test "counts a trial that fails as the worst" {
            use sweeps = new Sweeps(evaluated)
            returns sweeps [ "250 1 -30"; "250 2 -10"; "250 3 -20"; "500 2 -7"; "500 3 -8"; "1000 2 -5" ]
            let code, output, errors = sweeps.Sweep []
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors $"{trial 4} failed: it diverged" "listed"
            Expect.stringContains output "x at step 250: trial 002, trial 003 go on" "without it"
            Expect.equal (RunInfo.Read(RunPaths.Of(sweeps.Runs, trial 2).RunInfo).Status) RunState.Completed "the best is complete"
        }

        test "decides nothing while fewer trials can be compared than are to go on" {
            use sweeps = new Sweeps(evaluated)
            let decisions = Path.Combine(sweeps.Runs, "a.sweep", "decisions.json")
            returns sweeps [ "250 1 30" ]
            let code, output, errors = sweeps.Sweep []
            Expect.equal code ExitCode.Failed errors

            Expect.stringContains
                output
                "x at step 250: nothing is decided, since 1 of 4 trials can be compared and 2 would go on"
                "the others have failed"

            Expect.isFalse (File.Exists decisions) "a decision is never taken back"
            returns sweeps trials1And3
            let code, output, errors = sweeps.Run [ "sweep"; "--resume"; "a"; "--retry-failed" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") output
            Expect.stringContains output "x at step 250: trial 001, trial 003 go on" "among all of them"
        }

        test "follows no decision before it is stored, and waits until it can be" {
            use sweeps = new Sweeps(evaluated)
            returns sweeps trials1And3
            let decisions = Path.Combine(sweeps.Runs, "a.sweep", "decisions.json")
            let inTheWay = decisions + ".tmp"
            Directory.CreateDirectory inTheWay |> ignore
            let working = Task.Run(fun () -> sweeps.Sweep [])

            let waits number =
                let file = RunPaths.Of(sweeps.Runs, trial number).RunInfo
                File.Exists file && File.ReadAllText(file).Contains "interrupted"

            // The last one is told to wait after the first attempt to store what was decided.
            eventually "every trial to wait" (fun () -> List.forall waits [ 1..4 ])
            Expect.isFalse (File.Exists decisions) "nothing is stored"
            Directory.Delete inTheWay
            let code, output, errors = working.GetAwaiter().GetResult()
            Expect.equal (code, errors) (ExitCode.Ok, "") output
            Expect.stringContains output "it cannot be decided now which trials go on, and is tried again: " "said"
        }

        test "takes no further cells, and no other rules, once trials were dropped" {
            use sweeps = new Sweeps(evaluated)
            returns sweeps trials1And3
            sweeps.Sweep [] |> ignore

            for change in [ "trials: 4", "trials: 5"; "factor: 2", "factor: 4"; "seeds: 0", "seeds: 0-1" ] do
                sweeps.Write(evaluated.Replace(fst change, snd change))
                let code, _, errors = sweeps.Sweep []
                Expect.equal code ExitCode.UserError (snd change)
                Expect.stringContains errors "the search of the sweep 'a' has dropped trials already" (snd change)
        }

        test "refuses damaged decisions, and says what to do" {
            use sweeps = new Sweeps(evaluated)
            returns sweeps trials1And3
            sweeps.Sweep [] |> ignore
            File.WriteAllText(Path.Combine(sweeps.Runs, "a.sweep", "decisions.json"), """[{"contest": "x"}]""")
            let code, _, errors = sweeps.Sweep []
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors "decisions.json cannot be read as the decisions of a search: a field is missing" "message"
        }

        for what, text, expected in
            [
                "a first step that is missing", evaluated.Replace("from: 250, ", ""), "from is missing"
                "a factor of one",
                evaluated.Replace("factor: 2", "factor: 1"),
                "factor expects a number from 2 to the number of trials, 4, found 1"
                "more at a time than there are", evaluated.Replace("factor: 2", "factor: 5"), "found 5"
                "an unknown field", evaluated.Replace("factor: 2", "eta: 2"), "eta"
                "a decision at the end",
                evaluated.Replace("from: 250", "from: 1000"),
                "from is 1,000, and the run has 1,000 steps: nothing would be decided before its end"
                "a decision before the first evaluation",
                evaluated.Replace("from: 250", "from: 200"),
                "the first evaluation comes at step 250 (evaluation.every)"
                "runs of several lengths",
                evaluated.Replace("ne.omega: [0, 0.1, 0.2]", "run.steps: [1000, 2000]"),
                "the trials of 'x' differ in run.steps"
            ] do
            test $"refuses {what}" {
                use sweeps = new Sweeps(text)
                let code, _, errors = sweeps.Sweep []
                Expect.equal code ExitCode.UserError errors
                Expect.stringContains errors expected "message"
                Expect.isEmpty (sweeps.Calls()) "nothing was started"
            }

        test "--dry-run says how many go on where, and counts the time that is likely" {
            use sweeps = new Sweeps(evaluated)
            let code, output, errors = sweeps.Sweep [ "--dry-run" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") output
            Expect.stringContains output "of the trials of an arm go on: 2 at step 250, 1 at step 500" "decisions"
        }
    ]
