module NE.EndToEnd.SweepTests

open System
open System.Diagnostics
open System.IO
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Tests.Repository
open NE.Shell.Sweeps.Cells
open NE.Shell.Sweeps.Planning
open NE.Tests.RunIdentity

let private example =
    built "clients/csharp/NE.Environment.Example" "NE.Environment.Example.dll"

let private tasks = [ "InvertedPendulum-v4"; "InvertedDoublePendulum-v4" ]

let private sweep name (environments: string list) =
    let listed = String.concat ", " environments

    $"""
name: {name}
environments: [{listed}]
methods: [ne]
seeds: 0
parallel: 2
keys:
  run.steps: 1500
  network.hidden: [32, 32]
  learner: {{batchSize: 32, startSteps: 50}}
  evaluation: {{episodes: 1, every: 500}}
  checkpoint.every: 200
  log.metricsEvery: 100
"""

let private signal (name: string) (processes: int list) =
    if not processes.IsEmpty then
        use kill = Process.Start("kill", $"-{name}" :: List.map string processes)
        kill.WaitForExit()

/// Step of a run's newest commit; 0 before the first.
let private committed (paths: RunPaths) =
    try
        use journal = JournalReader.Open paths

        match List.ofSeq (journal.Manifests()) with
        | newest :: _ -> newest.Step
        | [] -> 0L
    with
    | :? FileNotFoundException
    | :? InvalidDataException -> 0L // It is only just being made.

[<Tests>]
let tests =
    testSequenced
    <| testList "A sweep" [
        testCase "stopped and killed in turn, it ends as the sweep that never stopped; a failed cell is listed and tried again"
        <| fun _ ->
            inRuns (fun runs ->
                let file = Path.Combine(runs, "sweep.yaml")
                let program = Path.Combine(runs, "program.sh")
                let run name = RunPaths.Of(runs, name)
                let killed = [ for task in tasks -> run $"killed-{task}-ne-s0" ]
                File.WriteAllText(program, "echo out of order >&2; exit 3")
                File.WriteAllText(file, sweep "killed" (tasks @ [ $"'external:sh {program}'" ]))
                let arguments = [ "sweep"; file; "--runs"; runs ]

                /// Starts the sweep and waits until one of its runs has come further.
                let untilItWorks () =
                    let before = List.map committed killed
                    let running = new Running(arguments)

                    waitUntil "a commit" (fun () -> running.HasExited || List.map committed killed |> List.exists2 (<) before)
                    Expect.isFalse running.HasExited "the sweep works"
                    running

                let expectCommitted (message: string) =
                    for paths in killed do
                        // On a busy machine one of them may be complete before the other begins.
                        Expect.contains [ RunState.Interrupted; RunState.Completed ] (RunInfo.Read paths.RunInfo).Status message

                // SIGTERM: every run commits, exit code 3.
                use stopped = untilItWorks ()
                stopped.Terminate()
                let ended = stopped.Wait(TimeSpan.FromMinutes 1.0)
                Expect.equal ended.ExitCode 3 ended.Error
                Expect.stringContains ended.Error "killed was interrupted (SIGTERM): 3 cells: " "what happened"
                expectCommitted "after SIGTERM"

                // kill -9 of the sweep and of one run, which gets no time to notice; another run notices, commits and ends.
                use dying = untilItWorks ()
                let workers = childrenOf dying.Id
                Expect.isNonEmpty workers "runs are worked on"
                let shot, orphans = List.splitAt 1 workers
                signal "STOP" shot
                dying.Kill()
                signal "KILL" shot
                waitUntil "the orphans to end" (fun () -> not (List.exists isAlive orphans))

                let lost =
                    killed
                    |> List.filter (fun paths -> (RunInfo.Read paths.RunInfo).Status = RunState.Running)

                Expect.isLessThanOrEqual lost.Length 1 "only the run that was killed is lost for words"

                // The same command again completes what can be completed.
                let incomplete = ne arguments
                Expect.equal incomplete.ExitCode 2 incomplete.Error
                Expect.stringContains incomplete.Error "out of order" "why a cell failed"
                Expect.stringContains incomplete.Error "killed.sweep/logs/killed-external-sh-ne-s0.log" "where to look"

                for paths in killed do
                    Expect.equal (RunInfo.Read paths.RunInfo).Status RunState.Completed "complete"

                let whole = Path.Combine(runs, "whole.yaml")
                File.WriteAllText(whole, sweep "whole" tasks)
                let uninterrupted = ne [ "sweep"; whole; "--runs"; runs ]
                Expect.equal uninterrupted.ExitCode 0 uninterrupted.Error

                for task, paths in List.zip tasks killed do
                    expectSame (identity paths) (identity (run $"whole-{task}-ne-s0")) task

                File.WriteAllText(program, $"exec dotnet '{example}'")

                let retried = ne [ "sweep"; "--resume"; "killed"; "--runs"; runs; "--retry-failed" ]

                Expect.equal retried.ExitCode 0 retried.Error
                Expect.stringContains retried.Output "killed is complete: 3 cells." "every cell")

        testCase "a search goes on by its decisions after a kill, and the trial that is left is the run that was never paused"
        <| fun _ ->
            inRuns (fun runs ->
                let file = Path.Combine(runs, "search.yaml")

                File.WriteAllText(
                    file,
                    (sweep "search" [ "InvertedPendulum-v4" ])
                        .Replace("run.steps: 1500", "run.steps: 1200")
                        .Replace("every: 500", "every: 300")
                    + "search: {trials: 3, halving: {from: 300}, space: {learner.actorLearningRate: log 1e-4 .. 1e-2}}\n"
                )

                let arguments = [ "sweep"; file; "--runs"; runs ]
                let decisions = Path.Combine(runs, "search.sweep", "decisions.json")
                use dying = new Running(arguments)
                waitUntil "a decision" (fun () -> dying.HasExited || File.Exists decisions)
                let workers = childrenOf dying.Id
                dying.Kill()
                waitUntil "the orphans to end" (fun () -> not (List.exists isAlive workers))
                let decided = File.ReadAllText decisions
                let finished = ne arguments
                Expect.equal finished.ExitCode 0 finished.Error
                // One that is quick may be complete before it is dropped.
                Expect.stringContains finished.Output "search is complete: " "end"
                Expect.equal (File.ReadAllText decisions) decided "decided once"

                let best =
                    (HalvingDecisions.Read(SweepPaths.Of(runs, "search")).All |> Seq.exactlyOne).Trials
                    |> Seq.filter _.GoesOn
                    |> Seq.exactlyOne

                let left =
                    StoredSweep.Read(runs, "search").Cells
                    |> Seq.find (fun cell -> cell.Label = best.Label)

                let whole =
                    ne ([ "train"; "--runs"; runs; "--name"; "whole" ] @ List.ofSeq (left.Pairs()))

                Expect.equal whole.ExitCode 0 whole.Error
                expectSame (identity (RunPaths.Of(runs, left.Name))) (identity (RunPaths.Of(runs, "whole"))) left.Name)
    ]
