module NE.Shell.Tests.Compare.GroupingTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.Runs
open NE.Model.Statistics
open NE.Shell.Commands
open NE.Shell.Reports.Compare.Data
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support

let private panels (runs: string) (names: string list) at =
    Grouping.Of(Selection.Read(runs, List<string> names), at)

let private atEnd = Nullable<int64>()

let private refused (runs: string) names at =
    try
        panels runs names at |> ignore
        failtest "expected a refusal"
    with :? UserError as error ->
        error.Message

[<Tests>]
let tables =
    testList "CSV tables of a run" [
        test "half a row is left out, and a curve rises" {
            let table = CsvTable.Parse "step,mean\n0,1\n5,2\n5,3\n4,9\n6,\n7,4\n8,"
            let curve = table.Curve("step", "mean")
            Expect.sequenceEqual curve.Steps [ 0.0; 5.0; 7.0 ] "steps"
            Expect.sequenceEqual curve.Values [ 1.0; 3.0; 4.0 ] "of two rows at a step the later counts"
        }

        test "a file that is not there, is empty or has half a heading is an empty table" {
            use folder = new TemporaryFolder()
            Expect.equal (CsvTable.Read(folder.File "a.csv")).Rows 0 "none"

            for text in [ ""; "step,me" ] do
                File.WriteAllText(folder.File "a.csv", text)
                let table = CsvTable.Read(folder.File "a.csv")
                Expect.equal (table.Rows, Seq.length table.Columns) (0, 0) "empty"
                Expect.isTrue (table.Curve("step", "mean").IsEmpty) "no curve"
        }

        test "seeds that have got to different steps are taken together as far as enough of them are" {
            let curve last =
                Curve([| 0.0 .. 10.0 .. last |], [| for step in 0.0 .. 10.0 .. last -> last + step |])

            let all = [| curve 20.0; curve 40.0 |]
            let both = Spread.Of(all, 2)
            Expect.sequenceEqual [ for point in both -> point.Step ] [ 0.0; 10.0; 20.0 ] "steps of both"
            Expect.equal both[0].Mean 30.0 "mean of 20 and 40"
            Expect.floatClose Accuracy.high both[0].Deviation (sqrt 200.0) "deviation (n - 1)"
            Expect.hasLength (Spread.Of(all, 1)) 5 "steps of any"
        }
    ]

[<Tests>]
let arms =
    testList "arms of a report" [
        test "runs that differ in the seed alone are an arm; keys that differ name the others" {
            use folder = new TemporaryFolder()
            let dense = arm folder.Path "dense" run [ 0L; 1L ] (fun _ -> 1.0)

            let keys = {
                run with
                    Method = "ne"
                    Keys = [ "ne.omega", "0.4"; "checkpoint.every", "7" ]
            }

            let strong = arm folder.Path "strong" keys [ 0L; 1L ] (fun _ -> 1.0)

            let weak =
                arm
                    folder.Path
                    "weak"
                    {
                        keys with
                            Keys = [ "ne.omega", "0.2"; "checkpoint.every", "8" ]
                    }
                    [ 0L ]
                    (fun _ -> 1.0)

            let panel = Seq.exactlyOne (panels folder.Path (dense @ strong @ weak) atEnd)

            Expect.sequenceEqual
                [ for arm in panel.Arms -> arm.Label, arm.Runs.Count ]
                [ "td3", 2; "ne omega=0.4", 2; "ne omega=0.2", 1 ]
                "labels; where a checkpoint is written makes no arm"

            Expect.sequenceEqual panel.Arms[2].Missing [ "seed 1 (no run)" ] "a seed that the others have"
        }

        test "two keys with the same last word keep their whole names" {
            use folder = new TemporaryFolder()

            let name keys seed =
                write folder.Path {
                    run with
                        Name = $"r{seed}"
                        Seed = seed
                        Keys = keys
                }

            let names = [
                name [ "checkpoint.a.every", "1"; "redo.every", "1" ] 0L
                name [ "checkpoint.a.every", "2"; "redo.every", "2" ] 1L
            ]

            let labels = [
                for arm in (Seq.exactlyOne (panels folder.Path names atEnd)).Arms -> arm.Label
            ]

            Expect.equal labels[0] "td3 checkpoint.a.every=1 redo.every=1" "label"
        }

        test "several environments are several panels" {
            use folder = new TemporaryFolder()
            let hopper = arm folder.Path "h" run [ 0L ] (fun _ -> 1.0)

            let ant =
                arm folder.Path "a" { run with Environment = "Ant-v4" } [ 0L ] (fun _ -> 1.0)

            Expect.sequenceEqual
                [ for panel in panels folder.Path (hopper @ ant) atEnd -> panel.Environment ]
                [ "Hopper-v4"; "Ant-v4" ]
                "panels"
        }

        test "scores are those of the statistics: the last tenth and the area" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" run [ 0L; 1L ] (fun seed -> float (seed + 1L))
            let found = (Seq.exactlyOne (panels folder.Path names atEnd)).Arms[0]
            // Of 0, 100 ... 1000 the last tenth are 900 and 1000; the area under a straight line is its middle.
            Expect.sequenceEqual found.Finals [ 950.0; 1900.0 ] "final"
            Expect.sequenceEqual found.Areas [ 500.0; 1000.0 ] "area"
        }

        test "a run that is not there yet counts with --at, and is named without" {
            use folder = new TemporaryFolder()
            let whole = arm folder.Path "a" run [ 0L ] (fun _ -> 1.0)

            let half =
                write folder.Path {
                    run with
                        Name = "b"
                        Seed = 1L
                        State = RunState.Interrupted
                        Returns = run.Returns |> List.take 6
                }

            let names = half :: whole
            let found = (Seq.exactlyOne (panels folder.Path names atEnd)).Arms[0]
            Expect.hasLength found.Scores 1 "one complete"
            Expect.hasLength found.Runs 2 "both are drawn"
            Expect.sequenceEqual found.Missing [ "seed 1 (interrupted, evaluated up to 500 of 1,000 steps)" ] "named"
            let early = (Seq.exactlyOne (panels folder.Path names (Nullable 500L))).Arms[0]
            Expect.sequenceEqual early.Finals [ 500.0; 500.0 ] "both at 500: the evaluations at 450 and later"
            Expect.isEmpty early.Missing "none"
        }

        test "a completed run whose length is no multiple of the evaluations is complete" {
            use folder = new TemporaryFolder()
            let name = write folder.Path { run with Steps = 1_050L }
            Expect.hasLength (Seq.exactlyOne (panels folder.Path [ name ] atEnd)).Arms[0].Scores 1 "complete"

            let other =
                write folder.Path {
                    run with
                        Name = "b"
                        Steps = 1_050L
                        State = RunState.Interrupted
                }

            Expect.isEmpty (Seq.exactlyOne (panels folder.Path [ other ] atEnd)).Arms[0].Scores "one that was stopped there is not"
        }

        test "runs of several lengths are refused without --at" {
            use folder = new TemporaryFolder()
            let short = write folder.Path run
            let long = write folder.Path { run with Name = "b"; Steps = 2_000L }
            let message = refused folder.Path [ short; long ] atEnd
            Expect.stringContains message "1,000 and 2,000 steps" "which"
            Expect.stringContains message "--at 1000" "what to do"
            Expect.stringContains (refused folder.Path [ short ] (Nullable 5_000L)) "behind the end" "a step behind the end"
        }

        test "the same seed of the same arm twice is refused" {
            use folder = new TemporaryFolder()
            let names = [ write folder.Path run; write folder.Path { run with Name = "b" } ]
            Expect.stringContains (refused folder.Path names atEnd) "a and b are the same arm (td3) and seed 0" "names both"
        }

        test "a run that is named twice is one run" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            Expect.hasLength (Seq.exactlyOne (panels folder.Path [ name; name ] atEnd)).Arms[0].Runs 1 "one"
        }

        test "nothing evaluated yet is an error that says when there will be something" {
            use folder = new TemporaryFolder()
            let name = write folder.Path { run with Returns = [] }
            Expect.stringContains (refused folder.Path [ name ] atEnd) "after its first checkpoint" "message"
        }
    ]

[<Tests>]
let sweeps =
    testList "sweeps in a report" [
        test "a sweep's labels are its arms, and cells without a run are missing seeds" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L; 1L ] (fun _ -> 1.0)

            sweep folder.Path "s" "name: s" [
                for seed, name in List.indexed (names @ [ "s-x-s2" ]) -> name, "Hopper-v4", "plain TD3", int64 seed
            ]

            let found =
                (Seq.exactlyOne (panels folder.Path [ "s" ] atEnd)).Arms |> Seq.exactlyOne

            Expect.equal found.Label "plain TD3" "label"
            Expect.sequenceEqual found.Missing [ "seed 2 (not started)" ] "missing"
            Expect.isEmpty (Selection.Read(folder.Path, [| "s" |])).Smoke "evidence"
        }

        test "an arm of which nothing was started is named too" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L ] (fun _ -> 1.0)

            sweep folder.Path "s" "" [ names[0], "Hopper-v4", "td3", 0L; "s-y-s0", "Hopper-v4", "reset", 0L ]

            let arms = (Seq.exactlyOne (panels folder.Path [ "s" ] atEnd)).Arms
            Expect.sequenceEqual [ for arm in arms -> arm.Label, arm.Runs.Count ] [ "td3", 1; "reset", 0 ] "arms"
        }

        test "an environment of which nothing was evaluated is said to be missing" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L ] (fun _ -> 1.0)

            sweep folder.Path "s" "" [ names[0], "Hopper-v4", "td3", 0L; "s-y-s0", "Ant-v4", "td3", 0L ]

            let code, _, errors = execute (host folder.Path noRun) [ "report"; "s" ]
            Expect.equal code ExitCode.Ok errors
            Expect.stringContains errors "Ant-v4 is not shown: no run on it has an evaluation yet (1 cells not started)" "note"
        }

        test "a smoke test says so" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L ] (fun _ -> 1.0)
            sweep folder.Path "s" "name: s\nsmoke: true # short\n" [ names[0], "Hopper-v4", "td3", 0L ]
            Expect.sequenceEqual (Selection.Read(folder.Path, [| "s" |])).Smoke [ "s" ] "smoke"

            for text, expected in
                [
                    "smoke: true", true
                    "smoke: false", false
                    "# smoke: true", false
                    "description: no smoke: true", false
                ] do
                Expect.equal (Selection.IsSmoke text) expected text
        }

        test "a list of cells that is damaged is an error that says what to do" {
            use folder = new TemporaryFolder()
            let folderOf = Directory.CreateDirectory(folder.File "s.sweep")

            for text in
                [
                    "{"
                    "{}"
                    """{"cells":[{}]}"""
                    """{"cells":[{"name":"../x","environment":"e","label":"l","seed":0}]}"""
                ] do
                File.WriteAllText(Path.Combine(folderOf.FullName, "cells.json"), text)

                let code, _, errors =
                    execute (host folder.Path noRun) [ "report"; "s"; "-o"; folder.File "out" ]

                Expect.equal code ExitCode.UserError errors
                Expect.isFalse (Directory.Exists(folder.File "out")) "nothing written"
        }
    ]

[<Tests>]
let statistics =
    testList "statistics of an arm" [
        test "eight seeds have intervals, which are those of the statistics functions" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" run [ 0L .. 7L ] (fun seed -> 1.0 + float seed)
            let found = (Seq.exactlyOne (panels folder.Path names atEnd)).Arms[0]
            let of' = ArmStatistics.Of found
            let finals = [| for seed in 0.0 .. 7.0 -> 950.0 * (1.0 + seed) |]
            Expect.equal of'.Mean (Descriptive.mean finals) "mean"
            Expect.equal of'.Iqm (Descriptive.interquartileMean finals) "iqm"

            let mean = Func<Strata, float>(fun strata -> Array.average strata[0])
            let bca = Bootstrap.bca 0L Bootstrap.Resamples 0.95 mean [| finals |]
            Expect.equal of'.MeanInterval (Nullable bca) "BCa of the mean"

            let iqm = Func<Strata, float>(fun strata -> Descriptive.interquartileMean strata[0])
            let percentile = Bootstrap.percentile 0L Bootstrap.Resamples 0.95 iqm [| finals |]
            Expect.equal of'.IqmInterval (Nullable percentile) "percentile of the IQM"
        }

        test "seven seeds have none, and nothing to be compared with" {
            use folder = new TemporaryFolder()
            let many = arm folder.Path "a" run [ 0L .. 7L ] (fun seed -> 1.0 + float seed)

            let few =
                arm folder.Path "b" { run with Method = "ne" } [ 0L .. 6L ] (fun seed -> 2.0 + float seed)

            let panel = Seq.exactlyOne (panels folder.Path (many @ few) atEnd)
            let of' = ArmStatistics.Of panel.Arms[1]

            Expect.isFalse
                (of'.MeanInterval.HasValue
                 || of'.IqmInterval.HasValue
                 || of'.AreaInterval.HasValue)
                "no interval"

            Expect.isEmpty (ArmComparison.Of panel) "no comparison"
            Expect.isEmpty (AcrossEnvironments.Of [| panel |] |> Option.ofObj |> Option.toList) "nothing across environments"
        }

        test "a comparison is the later arm against the earlier one" {
            use folder = new TemporaryFolder()
            let first = arm folder.Path "a" run [ 0L .. 7L ] (fun seed -> 1.0 + float seed)

            let second =
                arm folder.Path "b" { run with Method = "ne" } [ 0L .. 7L ] (fun seed -> 3.0 + float seed)

            let panel = Seq.exactlyOne (panels folder.Path (first @ second) atEnd)
            let pair = Seq.exactlyOne (ArmComparison.Of panel)
            Expect.equal (pair.First.Label, pair.Second.Label) ("ne", "td3") "order"
            Expect.floatClose Accuracy.high pair.Final.Difference 1900.0 "two times 950"
            // Of 64 pairs of 3..10 against 1..8, 49 - 6 ... counted: wins for b > a.
            let wins =
                Seq.sum [
                    for a in 1..8 do
                        for b in 3..10 ->
                            if b > a then 1.0
                            elif b = a then 0.5
                            else 0.0
                ]

            Expect.floatClose Accuracy.high pair.Improvement (wins / 64.0) "pairs"
        }

        test "scores of several environments are brought to one scale" {
            use folder = new TemporaryFolder()

            let on environment name scale = [
                yield!
                    arm folder.Path $"{name}-a" { run with Environment = environment } [ 0L .. 7L ] (fun seed -> scale * (1.0 + float seed))
                yield!
                    arm
                        folder.Path
                        $"{name}-b"
                        {
                            run with
                                Environment = environment
                                Method = "ne"
                        }
                        [ 0L .. 7L ]
                        (fun seed -> scale * (2.0 + float seed))
            ]

            let found = panels folder.Path (on "Hopper-v4" "h" 1.0 @ on "Ant-v4" "x" 50.0) atEnd
            let all = nonNull (AcrossEnvironments.Of found)
            Expect.sequenceEqual all.Labels [ "td3"; "ne" ] "arms"

            for stratum in 0..1 do
                Expect.floatClose Accuracy.high (all.Scores[0][stratum] |> Array.min) 0.0 "the lowest"
                Expect.floatClose Accuracy.high (all.Scores[1][stratum] |> Array.max) 1.0 "the highest"
        }
    ]
