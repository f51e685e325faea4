module NE.Shell.Tests.Sweeps.SweepViewTests

open System
open System.IO
open Expecto
open NE.Shell
open NE.Shell.Host
open NE.Shell.Sweeps.Cells
open NE.Shell.Sweeps.Planning
open NE.Shell.Tests.Support
open NE.Shell.Views
open Spectre.Console.Rendering

let private cell name state step (rate: float Nullable) (evaluation: float Nullable) =
    CellStatus(
        name,
        state,
        300_000L,
        CellProgress(step, rate, evaluation),
        (if state = CellState.Complete then 0.0 else 930.0),
        false,
        null,
        "/runs/a.log"
    )

let private status =
    SweepStatus(
        Name = "figure-6",
        Parallel = 2,
        ElapsedSeconds = 4_000.0,
        LeftSeconds = 9_300.0,
        Cells = [|
            cell "figure-6-Hopper-v4-td3-s0" CellState.Complete 300_000L (Nullable 400.0) (Nullable 2345.6)
            cell "figure-6-Hopper-v4-ne-s0" CellState.Running 120_000L (Nullable 312.3) (Nullable 1000.0)
            CellStatus("figure-6-Ant-v4-td3-s0", CellState.Running, 300_000L, CellProgress.None, nan, true, null, "/runs/b.log")
            CellStatus(
                "figure-6-Ant-v4-ne-s0",
                CellState.Failed,
                300_000L,
                CellProgress.None,
                nan,
                false,
                "the disk is full",
                "/runs/c.log"
            )
            cell "figure-6-Hopper-v4-td3-s1" CellState.Interrupted 50_000L (Nullable()) (Nullable())
            cell "figure-6-Hopper-v4-ne-s1" CellState.Waiting 0L (Nullable()) (Nullable())
        |]
    )

let private text (view: IRenderable) =
    let output = new StringWriter(NewLine = "\n")
    Tables.Write(ShellHost(Output = output, Error = output, DefaultRuns = "runs", FleetKey = "/nonexistent/fleet.pem", Width = 120), view)
    string output

[<Tests>]
let tests =
    testList "views of a sweep" [
        test "the live view" { golden "sweep-live" (text (SweepView.Live status)) }

        test "a smoke test that is stopping" {
            let stopping =
                SweepStatus(Name = "small", Smoke = true, Parallel = 1, Stopping = "Ctrl-C", Cells = status.Cells)

            let shown = text (SweepView.Live stopping)
            Expect.stringStarts shown "small (a smoke test, never evidence)" "label"
            Expect.stringContains shown "stopping (Ctrl-C)" "why"
        }

        test "a sweep whose program was rebuilt says why it starts nothing more" {
            let rebuilt =
                SweepStatus(Name = "small", Parallel = 1, Rebuilt = true, Cells = status.Cells)

            Expect.stringContains (text (SweepView.Live rebuilt)) "the program was rebuilt: no further cell is started" "why"
        }

        test "the plain line" { golden "sweep-plain" (SweepView.Plain status + "\n") }

        test "a dry run" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.yaml"

            File.WriteAllText(
                file,
                "name: a\ndescription: two arms\nenvironments: [Hopper-v4, 'external:/opt/program']\nmethods: [td3, ne]\nseeds: 0-1\nkeys: {run.steps: 100000}\n"
            )

            let code, output, errors =
                execute (host (folder.File "runs") noRun) [ "sweep"; file; "--dry-run"; "--parallel"; "3" ]

            Expect.equal (code, errors) (ExitCode.Ok, "") "exit code"
            Expect.isFalse (Directory.Exists(folder.File "runs")) "nothing was created"
            golden "sweep-dry-run" output
        }

        test "help" {
            let code, output, _ = shell [ "sweep"; "--help" ]
            Expect.equal code ExitCode.Ok "exit code"
            Expect.stringContains output "Examples:" "examples"
            Expect.stringContains output "paper/figure-6" "presets"
        }

        for cores, threads, expected in
            [
                2, 1, "1 at a time: 2 cores"
                1, 1, "1 at a time: 1 cores"
                16, 1, "8 at a time"
                16, 3, "4 at a time"
            ] do
            test $"{cores} cores carry runs of {threads} learner threads" {
                use folder = new TemporaryFolder()
                let file = folder.File "a.yaml"

                File.WriteAllText(
                    file,
                    $"name: a\nenvironments: [Hopper-v4]\nmethods: [td3]\nseeds: 0\nkeys: {{compute.threads: {threads}}}\n"
                )

                let shell =
                    ShellHost(
                        Output = new StringWriter(),
                        Error = new StringWriter(),
                        DefaultRuns = folder.File "runs",
                        FleetKey = "/nonexistent/fleet.pem",
                        Width = 160,
                        Processors = cores,
                        HasCuda = (fun () -> false)
                    )

                let _, output, errors = execute shell [ "sweep"; file; "--dry-run" ]
                Expect.stringContains output expected errors
            }
    ]

let private planned environment label steps (plan: float) =
    let settings: NE.Model.Settings = {
        fst (NE.Model.Settings.resolve NE.Model.Settings.defaults) with
            Run.Steps = steps
    }

    PlannedCell(
        SweepCell($"{environment}-{label}", environment, label, "ne", 0L, readOnlyDict []),
        settings,
        Configuration.RunPlan(
            NE.Model.Agents.LearnerSize.create settings (NE.Model.Replay.ObservationForm.Vector 3) 1,
            1L,
            1L,
            1L,
            1L,
            1L,
            1L,
            plan,
            1.0
        )
    )

[<Tests>]
let estimate =
    testList "the time of a cell" [
        test "is the plan's while nothing is complete" {
            Expect.equal (SweepEstimate([]).Seconds(planned "a" "x" 1_000L 20.0)) 20.0 "seconds"
        }

        test "is measured where its like is complete, and scaled by the plan elsewhere" {
            let estimate =
                SweepEstimate(
                    [
                        struct (planned "a" "x" 1_000L 20.0, 0.1)
                        struct (planned "a" "x" 1_000L 20.0, 0.3)
                    ]
                )

            Expect.floatClose Accuracy.high (estimate.Seconds(planned "a" "x" 2_000L 40.0)) 400.0 "the mean of both seeds"
            Expect.floatClose Accuracy.high (estimate.Seconds(planned "b" "x" 1_000L 50.0)) 500.0 "ten times the plan"
            Expect.stringContains estimate.Basis "the 2 cells" "basis"
        }

        test "takes the speed of a running cell where none of its arm is complete" {
            let running = [
                struct (planned "a" "x" 1_000L 20.0, 9.0)
                struct (planned "a" "y" 1_000L 20.0, 0.4)
            ]

            let estimate =
                SweepEstimate([ struct (planned "a" "x" 1_000L 20.0, 0.2) ]).With running

            Expect.floatClose Accuracy.high (estimate.Seconds(planned "a" "x" 1_000L 20.0)) 200.0 "a whole cell tells more"
            Expect.floatClose Accuracy.high (estimate.Seconds(planned "a" "y" 1_000L 20.0)) 400.0 "the running cell's"
            Expect.floatClose Accuracy.high (estimate.Seconds(planned "b" "x" 1_000L 10.0)) 150.0 "by size, from both arms"
        }

        test "of several at a time is that of the one that is busy longest" {
            Expect.equal (SweepEstimate.Together([ 3.0; 1.0; 1.0; 4.0 ], 2)) 6.0 "in order"
            Expect.equal (SweepEstimate.Together([], 2)) 0.0 "nothing"
            Expect.equal (SweepEstimate.Together([ 3.0; 1.0 ], Int32.MaxValue)) 3.0 "no room for more than there are"
        }

        test "shows a running cell's speed over the last ten minutes that its process learned" {
            use folder = new TemporaryFolder()
            let paths = NE.Actors.RunDirectory.RunPaths.Of(folder.Path, "a")
            Directory.CreateDirectory paths.Root |> ignore

            let rate (rows: string) =
                File.WriteAllText(paths.Timing, "step,time,elapsedSeconds,stepsPerSecond\n" + rows)
                let progress = CellProgress.Read(paths, CellProgress(7L, 5.0, Nullable()), 1_000L)
                progress.Step, progress.StepsPerSecond

            Expect.equal (rate "") (7L, Nullable 5.0) "nothing yet: what was known"
            Expect.equal (rate "0,x,2,0\n") (0L, Nullable 5.0) "one row"

            Expect.equal
                (rate "0,x,2,0\n1000,x,12,100\n1010,x,22,1\n1990,x,32,98\n")
                (1990L, Nullable 98.0)
                "without the random steps, and the priming behind them"

            Expect.equal (rate "1000,x,2,0\n1900,x,12,90\n1900,x,1,0\n2100,x,11,20\n") (2100L, Nullable 20.0) "a resume"

            let rows = [ for i in 0L .. 199L -> $"{1_000L + i * i},x,{10L * i},1\n" ]
            // From 139 x 139 to 199 x 199 in ten minutes, before which it was slower.
            Expect.equal (rate (String.concat "" rows)) (40_601L, Nullable 33.8) "the last ten minutes"
        }

        test "counts every process of a run that was resumed" {
            use folder = new TemporaryFolder()
            let paths = NE.Actors.RunDirectory.RunPaths.Of(folder.Path, "a")
            Directory.CreateDirectory paths.Root |> ignore
            File.WriteAllText(paths.Timing, "step,time,elapsedSeconds\n0,x,2\n100,x,12\n100,x,3\n200,x,10\n")
            Expect.equal (CellProgress.SecondsPerStep(paths)) (Nullable 0.11) "12 and 10 seconds for 200 steps"
        }
    ]
