module NE.Shell.Tests.Compare.GroupingTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.RunDirectory
open NE.Model.Statistics
open NE.Shell.Host
open NE.Shell.Reports.Compare.Data
open NE.Shell.RunFiles
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

        test "columns that were not asked for take no memory, and asking for them later is a mistake" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.csv"
            File.WriteAllText(file, "step,network,loss,mean\n0,actor,7,1\n5,critic,8\n")

            let table =
                CsvTable.Read(file, (fun name -> name = "step" || name = "mean"), [| "network" |])

            Expect.sequenceEqual table.Columns [ "step"; "network"; "loss"; "mean" ] "the file's"

            Expect.equal
                [ for row in 0..1 -> table.Number(row, "step"), table.Text(row, "network") ]
                [ 0.0, "actor"; 5.0, "critic" ]
                "fields"

            Expect.equal (table.Number(0, "mean")) 1.0 "a number"
            Expect.isTrue (Double.IsNaN(table.Number(1, "mean"))) "a field that is missing"
            Expect.isTrue (Double.IsNaN(table.Number(0, "other"))) "a column that the file lacks"
            Expect.equal (table.Text(0, "other")) "" "the same as text"
            Expect.throwsT<InvalidOperationException> (fun () -> table.Number(0, "loss") |> ignore) "not asked for"
            Expect.throwsT<InvalidOperationException> (fun () -> table.Text(0, "mean") |> ignore) "not asked for as text"
        }

        test "a table that is longer than what is read at a time is whole" {
            use folder = new TemporaryFolder()
            let file = folder.File "a.csv"

            File.WriteAllLines(
                file,
                seq {
                    ""
                    "step,mean"
                    yield! seq { for i in 1..20_000 -> $"{i},{2 * i}" }
                    // What a repaired table has in its middle.
                    "step,mean"
                    "20001,40002"
                }
            )

            let table = CsvTable.Read(file, (fun _ -> true), [||])
            let curve = table.Curve("step", "mean")
            Expect.equal (table.Rows, curve.Steps.Length) (20_001, 20_001) "rows"

            Expect.isTrue
                (Array.forall2 (fun step mean -> mean = 2.0 * step) curve.Steps curve.Values)
                "no row is cut at the end of a block"

            Expect.equal (table.Rows, curve.End) ((CsvTable.Read(file)).Rows, 20_001.0) "the same as text"
        }

        test "a seed without a point at a step has there what lies between its points, and nothing behind its last" {
            let often = Curve([| 0.0; 50.0; 100.0; 150.0 |], [| 0.0; 10.0; 20.0; 30.0 |])
            let seldom = Curve([| 0.0; 100.0 |], [| 40.0; 80.0 |])
            let points = Spread.Of([| often; seldom |], 1)

            Expect.equal
                [ for point in points -> point.Step, point.Mean, point.Seeds ]
                [ 0.0, 20.0, 2; 50.0, 35.0, 2; 100.0, 50.0, 2; 150.0, 30.0, 1 ]
                "50 is halfway from 40 to 80, and at 150 the second seed has no value"
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
                    Keys = [
                        "ne.omega", "0.4"
                        "checkpoint.every", "7"
                        "log.probeEvery", "5000"
                        "schedule.workers", "2"
                    ]
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
                "labels; where a checkpoint is written, what is measured and who holds the environments make no arm"

            Expect.sequenceEqual panel.Arms[2].Missing [ "seed 1 (no run)" ] "a seed that the others have"
        }

        test "what is written, and keys of techniques that the method lacks, make no arm" {
            use folder = new TemporaryFolder()

            let name seed keys =
                write folder.Path {
                    run with
                        Name = $"r{seed}"
                        Seed = seed
                        Keys = keys
                }

            let names = [
                name 0L [ "log.tensorboard", "on"; "ne.omega", "0.2"; "cycle.warmUp", "1" ]
                name 1L [ "log.tensorboard", "off"; "ne.omega", "0.4"; "cycle.warmUp", "2" ]
            ]

            let arms = (Seq.exactlyOne (panels folder.Path names atEnd)).Arms
            Expect.sequenceEqual [ for arm in arms -> arm.Label, arm.Runs.Count ] [ "td3", 2 ] "one arm"
        }

        test "keys that make no difference to these runs make no arm" {
            let labels environment shared first second =
                use folder = new TemporaryFolder()

                let names = [
                    for seed, keys in [ 0L, first; 1L, second ] ->
                        write folder.Path {
                            run with
                                Name = $"r{seed}"
                                Environment = environment
                                Seed = seed
                                Keys = shared @ keys
                        }
                ]

                [
                    for arm in (Seq.exactlyOne (panels folder.Path names atEnd)).Arms -> arm.Label, arm.Runs.Count
                ]

            let winograd = [ "compute.convolutions", "winograd" ]

            for shared, expected in
                [
                    [ "compute.engine", "simd" ], [ "td3", 2 ]
                    [ "run.learner", "drq"; "compute.engine", "torch" ], [ "td3", 2 ]
                    [ "run.learner", "drq"; "compute.engine", "simd" ], [ "td3 convolutions=direct", 1; "td3 convolutions=winograd", 1 ]
                ] do
                Expect.equal (labels "Hopper-v4" shared [] winograd) expected $"convolutions of %A{shared}"

            let limited text = [ "evaluation.maxSteps", text ]

            for environment, first, second, expected in
                [
                    "Hopper-v4", [], limited "auto", [ "td3", 2 ]
                    "dmc/walker-walk", limited "auto", limited "0", [ "td3", 2 ]
                    "Hopper-v4", [], limited "500", [ "td3 maxSteps=auto", 1; "td3 maxSteps=500", 1 ]
                    "plugin:own.dll", [], limited "auto", [ "td3 maxSteps=0", 1; "td3 maxSteps=auto", 1 ]
                ] do
                Expect.equal (labels environment [] first second) expected $"%A{first} and %A{second} on {environment}"
        }

        test "an old run that lacks a key has the value that all runs had then" {
            use folder = new TemporaryFolder()
            let old = write folder.Path { run with Name = "old" }

            let other name seed polyak =
                write folder.Path {
                    run with
                        Name = name
                        Seed = seed
                        Keys = [ "learner.polyak", polyak ]
                }

            let names = [ old; other "same" 1L "0.005"; other "other" 2L "0.01" ]
            let arms = (Seq.exactlyOne (panels folder.Path names atEnd)).Arms
            Expect.sequenceEqual [ for arm in arms -> arm.Label, arm.Runs.Count ] [ "td3 polyak=0.005", 2; "td3 polyak=0.01", 1 ] "arms"
        }

        test "a run of a version that had a key per rule is compared by what the rules are called now" {
            use folder = new TemporaryFolder()

            let name seed keys =
                write folder.Path {
                    run with
                        Name = $"r{seed}"
                        Method = "ne"
                        Seed = seed
                        Keys = keys
                }

            let names = [
                name 0L [ "ne.growCarry", "on"; "ne.eventBatch", "fresh" ]
                name 1L [ "ne.rules", "ours" ]
                name 2L [ "ne.growCarry", "on"; "ne.eventBatch", "training" ]
                name 3L [ "ne.rules", "ours+eventBatch=training" ]
            ]

            let arms = (Seq.exactlyOne (panels folder.Path names atEnd)).Arms

            Expect.sequenceEqual
                [ for arm in arms -> arm.Label, arm.Runs.Count ]
                [ "ne rules=ours", 2; "ne rules=ours+eventBatch=training", 2 ]
                "arms"
        }

        test "two keys with the same last word keep their whole names" {
            use folder = new TemporaryFolder()

            let name keys seed =
                write folder.Path {
                    run with
                        Name = $"r{seed}"
                        Method = "redo"
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

            Expect.equal labels[0] "redo checkpoint.a.every=1 redo.every=1" "label"
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

        test "a run without an evaluation in the last tenth has no score, and is named" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run

            let seldom =
                write folder.Path {
                    run with
                        Name = "b"
                        Seed = 3L
                        Returns = [ 0L, 0.0; 350L, 1.0; 700L, 2.0 ]
                }

            let found = (Seq.exactlyOne (panels folder.Path [ name; seldom ] atEnd)).Arms[0]
            Expect.sequenceEqual found.Finals [ 950.0 ] "the other's score"
            Expect.hasLength found.Runs 2 "both are drawn"
            Expect.sequenceEqual found.Missing [ "seed 3 (no evaluation from 900 to 1,000)" ] "named"
        }

        test "a step before which no run was evaluated is refused with the nearest one that works" {
            use folder = new TemporaryFolder()

            let rare = {
                run with
                    Returns = [ for step in 0L..200L..1000L -> step, 1.0 ]
            }

            let names = arm folder.Path "a" rare [ 0L; 1L ] (fun _ -> 1.0)
            let message = refused folder.Path names (Nullable 690L)
            Expect.stringContains message "no run on Hopper-v4 has an evaluation in the last 10 % up to step 690" "what"
            Expect.stringContains message "--at 600" "what to do"
            Expect.hasLength (Seq.exactlyOne (panels folder.Path names (Nullable 600L))).Arms[0].Scores 2 "which works"
        }

        test "runs of two lengths are two arms with --at where another value follows from the length" {
            use folder = new TemporaryFolder()

            let runs name steps interval seeds =
                let settings = {
                    run with
                        Method = "ne"
                        Steps = steps
                        Keys = [ "ne.growInterval", interval ]
                }

                arm folder.Path name settings seeds (fun _ -> 1.0)

            let arms names = [
                for arm in (Seq.exactlyOne (panels folder.Path names (Nullable 500L))).Arms -> arm.Label, arm.Runs.Count
            ]

            let short = runs "short" 1_000L "3" [ 0L; 1L ]
            Expect.equal (arms (short @ runs "long" 2_000L "6" [ 0L ])) [ "ne steps=1000", 2; "ne steps=2000", 1 ] "the schedule differs"
            Expect.equal (arms (short @ runs "same" 2_000L "3" [ 2L ])) [ "ne", 3 ] "nothing differs"
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

            sweep folder.Path "s" "" [
                names[0], "Hopper-v4", "td3", 0L
                "s-y-s0", "Ant-v4", "td3", 0L
                "s-y-s1", "Ant-v4", "td3", 1L
                "s-z-s0", "Ant-v4", "ne", 0L
            ]

            let code, _, errors = execute (host folder.Path noRun) [ "report"; "s" ]
            Expect.equal code ExitCode.Ok errors

            Expect.stringContains
                errors
                "Ant-v4 is not shown: no run on it has an evaluation yet (not started: td3, seeds 0, 1; ne, seed 0)"
                "note"
        }

        test "a smoke test says so" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L ] (fun _ -> 1.0)
            sweepOf true folder.Path "s" "name: s" [ names[0], "Hopper-v4", "td3", 0L ]
            Expect.sequenceEqual (Selection.Read(folder.Path, [| "s" |])).Smoke [ "s" ] "smoke"
        }

        test "a list of cells that is damaged is the error that other commands give" {
            use folder = new TemporaryFolder()
            let folderOf = Directory.CreateDirectory(folder.File "s.sweep")

            let cell =
                """{"environment":"e","label":"l","method":"td3","seed":0,"settings":{},"name":"""

            for text, expected, part in
                [
                    "{", ExitCode.Failed, "cannot be read as the cells of a sweep"
                    "{}", ExitCode.Failed, "cannot be read as the cells of a sweep"
                    """{"cells":[{}]}""", ExitCode.Failed, "cannot be read as the cells of a sweep"
                    $"""{{"cells":[{cell}"../x"}}]}}""", ExitCode.UserError, "Expected a run name"
                ] do
                File.WriteAllText(Path.Combine(folderOf.FullName, "cells.json"), text)

                for arguments in [ [ "report"; "s"; "-o"; folder.File "out" ]; [ "status"; "s" ] ] do
                    let code, _, errors = execute (host folder.Path noRun) arguments
                    Expect.equal code expected errors
                    Expect.stringContains errors part "message"

                Expect.isFalse (Directory.Exists(folder.File "out")) "nothing written"
        }
    ]

/// A sweep's runs under one label, with the keys.
let private swept (runs: string) name label keys seeds =
    let settings = { run with Method = "ne"; Keys = keys }

    let names = arm runs $"{name}-x" settings seeds (fun _ -> 1.0)
    sweep runs name "" [ for seed, cell in Seq.zip seeds names -> cell, "Hopper-v4", label, seed ]
    names

let private labels (runs: string) names = [
    for arm in (Seq.exactlyOne (panels runs names atEnd)).Arms -> arm.Label, [ for run in arm.Runs -> run.Seed ]
]

[<Tests>]
let severalSources =
    testList "one label for runs of several sources in a report" [
        test "runs of two sweeps that differ are two arms, called after their sweeps" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "ne" [ "ne.omega", "0.2" ] [ 0L; 1L ] |> ignore
            swept folder.Path "B" "ne" [ "ne.omega", "0.4" ] [ 2L; 3L ] |> ignore
            Expect.equal (labels folder.Path [ "A"; "B" ]) [ "A ne", [ 0L; 1L ]; "B ne", [ 2L; 3L ] ] "arms"
        }

        test "runs of two sweeps that differ in their seeds alone are one arm" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "ne" [ "ne.omega", "0.2" ] [ 0L; 1L ] |> ignore

            swept folder.Path "B" "ne" [ "ne.omega", "0.2"; "checkpoint.every", "7" ] [ 2L ]
            |> ignore

            Expect.equal (labels folder.Path [ "A"; "B" ]) [ "ne", [ 0L; 1L; 2L ] ] "one arm"
        }

        test "runs of two sweeps that differ on two environments are two arms" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "ne" [ "ne.omega", "0.2" ] [ 0L ] |> ignore

            let ant name omega =
                let settings = {
                    run with
                        Environment = "Ant-v4"
                        Method = "ne"
                        Keys = [ "ne.omega", omega ]
                }

                let names = arm folder.Path $"{name}-x" settings [ 0L ] (fun _ -> 1.0)
                sweep folder.Path name "" [ names[0], "Ant-v4", "ne", 0L ]

                [
                    for panel in panels folder.Path [ "A"; name ] atEnd do
                        for arm in panel.Arms -> arm.Label
                ]

            Expect.equal (ant "B" "0.4") [ "A ne"; "B ne" ] "all environments taken together would mix them"
            Expect.equal (ant "C" "0.2") [ "ne"; "ne" ] "one arm on two environments"
        }

        test "what differs between the environments of each of two sweeps is no difference between the sweeps" {
            use folder = new TemporaryFolder()

            for name, seed in [ "A", 0L; "B", 1L ] do
                sweep folder.Path name "" [
                    for environment, density in [ "Hopper-v4", "0.25"; "Ant-v4", "0.15" ] do
                        let settings = {
                            run with
                                Environment = environment
                                Method = "ne"
                                Keys = [ "ne.startDensity", density ]
                        }

                        let names = arm folder.Path $"{name}-{environment}" settings [ seed ] (fun _ -> 1.0)
                        names[0], environment, "ne", seed
                ]

            let arms = [
                for panel in panels folder.Path [ "A"; "B" ] atEnd do
                    for arm in panel.Arms -> arm.Label, arm.Runs.Count
            ]

            Expect.equal arms [ "ne", 2; "ne", 2 ] "one arm of two seeds on each"
        }

        test "two sweeps that share a seed are two arms" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "ne" [] [ 0L; 1L ] |> ignore
            swept folder.Path "B" "ne" [] [ 1L ] |> ignore
            Expect.equal (labels folder.Path [ "A"; "B" ]) [ "A ne", [ 0L; 1L ]; "B ne", [ 1L ] ] "arms"
        }

        test "a label that stands for two methods is two arms" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "x" [] [ 0L ] |> ignore
            let dense = arm folder.Path "B-x" run [ 1L ] (fun _ -> 1.0)
            sweep folder.Path "B" "" [ dense[0], "Hopper-v4", "x", 1L ]
            Expect.equal (labels folder.Path [ "A"; "B" ]) [ "A x", [ 0L ]; "B x", [ 1L ] ] "arms"
        }

        test "a plain run of the method that a label names is another arm where a key differs" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "ne" [ "ne.omega", "0.2" ] [ 0L; 1L ] |> ignore

            let plain keys =
                write folder.Path {
                    run with
                        Name = "plain"
                        Method = "ne"
                        Seed = 2L
                        Keys = keys
                }

            let other = [ "A"; plain [ "ne.omega", "0.4" ] ]
            Expect.equal (labels folder.Path other) [ "ne omega=0.2", [ 0L; 1L ]; "ne omega=0.4", [ 2L ] ] "another configuration"
            let same = [ "A"; plain [ "ne.omega", "0.2" ] ]
            Expect.equal (labels folder.Path same) [ "ne", [ 0L; 1L; 2L ] ] "another seed"
        }

        test "runs of one label that a resume made different are two arms" {
            use folder = new TemporaryFolder()
            let names = swept folder.Path "A" "ne" [ "ne.omega", "0.2" ] [ 0L; 1L ]

            write folder.Path {
                run with
                    Name = names[1]
                    Method = "ne"
                    Seed = 1L
                    Keys = [ "ne.omega", "0.4" ]
            }
            |> ignore

            Expect.equal (labels folder.Path [ "A" ]) [ "ne omega=0.2", [ 0L ]; "ne omega=0.4", [ 1L ] ] "arms"
        }

        test "a longer name that another sweep has given already does not pool with it" {
            use folder = new TemporaryFolder()

            swept folder.Path "A" "ne omega=0.2" [ "ne.omega", "0.2"; "ne.growth", "linear" ] [ 0L ]
            |> ignore

            let plain seed omega =
                write folder.Path {
                    run with
                        Name = $"plain{seed}"
                        Method = "ne"
                        Seed = seed
                        Keys = [ "ne.omega", omega; "ne.growth", "cosine" ]
                }

            Expect.equal
                (labels folder.Path [ "A"; plain 1L "0.2"; plain 2L "0.4" ])
                [
                    "ne omega=0.2 growth=linear", [ 0L ]
                    "ne omega=0.2 growth=cosine", [ 1L ]
                    "ne omega=0.4", [ 2L ]
                ]
                "arms"
        }

        test "a cell that is named beside its sweep has the sweep's label" {
            use folder = new TemporaryFolder()
            let names = swept folder.Path "A" "grown" [] [ 0L; 1L ]
            Expect.equal (labels folder.Path [ names[0]; "A" ]) [ "grown", [ 0L; 1L ] ] "one arm"
        }

        test "a cell without a run is no missing seed of another sweep's arm" {
            use folder = new TemporaryFolder()
            swept folder.Path "A" "ne" [] [ 0L ] |> ignore
            sweep folder.Path "B" "" [ "B-x-s7", "Hopper-v4", "ne", 7L ]
            let arms = (Seq.exactlyOne (panels folder.Path [ "A"; "B" ] atEnd)).Arms
            Expect.sequenceEqual [ for arm in arms -> arm.Label ] [ "ne"; "B ne" ] "arms"
            Expect.sequenceEqual arms[1].Missing [ "seed 0 (no run)"; "seed 7 (not started)" ] "missing"
        }
    ]

/// A cycle whose last phase is behind step 950.
let private cycle = {
    run with
        Environment = "cycle:Hopper-v4,Ant-v4"
        Phases = [ 0L, "Hopper-v4"; 950L, "Ant-v4" ]
}

let private byEpisodes = {
    cycle with
        Steps = 5_000L
        Keys = [ "cycle.episodes", "5" ]
}

[<Tests>]
let cycles =
    testList "cycles in a report" [
        test "a score is of the last phase alone, and there is no area" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" cycle [ 0L .. 7L ] (fun seed -> 1.0 + float seed)
            let panel = Seq.exactlyOne (panels folder.Path names atEnd)
            Expect.sequenceEqual panel.Arms[0].Finals [ for seed in 1.0 .. 8.0 -> 1000.0 * seed ] "the evaluation at 900 is of another task"
            Expect.isEmpty panel.Arms[0].Areas "no area"
            Expect.isFalse (ArmStatistics.Of panel.Arms[0]).AreaInterval.HasValue "nor its interval"
            Expect.stringContains panel.ScoreTitle "the last phase (Ant-v4)" "title"
        }

        test "a cycle by episodes is complete where it ends" {
            use folder = new TemporaryFolder()
            let name = write folder.Path byEpisodes
            let panel = Seq.exactlyOne (panels folder.Path [ name ] atEnd)
            Expect.sequenceEqual panel.Arms[0].Finals [ 1000.0 ] "score"
            Expect.isEmpty panel.Arms[0].Missing "nothing is missing"
            Expect.equal panel.Horizon 1000.0 "its own end"

            let other =
                write folder.Path {
                    byEpisodes with
                        State = RunState.Interrupted
                }

            let found = (Seq.exactlyOne (panels folder.Path [ other ] atEnd)).Arms[0]
            Expect.isEmpty found.Scores "one that was stopped there is not"
            Expect.sequenceEqual found.Missing [ "seed 0 (interrupted, evaluated up to 1,000 of at most 5,000 steps)" ] "named"
        }

        test "a last phase without an evaluation is no score" {
            use folder = new TemporaryFolder()

            let name =
                write folder.Path {
                    byEpisodes with
                        Phases = [ 0L, "Hopper-v4"; 1_050L, "Ant-v4" ]
                }

            let found = (Seq.exactlyOne (panels folder.Path [ name ] atEnd)).Arms[0]
            Expect.sequenceEqual found.Missing [ "seed 0 (no evaluation of the last phase, from 1,050 on)" ] "named"
        }

        test "a step at which runs are on several tasks is refused" {
            use folder = new TemporaryFolder()
            let counted = write folder.Path byEpisodes
            Expect.stringContains (refused folder.Path [ counted ] (Nullable 500L)) "report them without --at" "by episodes"
            let first = write folder.Path { cycle with Name = "b" }

            let other =
                write folder.Path {
                    cycle with
                        Name = "c"
                        Seed = 1L
                        Phases = [ 0L, "Hopper-v4" ]
                }

            Expect.stringContains (refused folder.Path [ first; other ] atEnd) "several tasks (Ant-v4 and Hopper-v4)" "tasks"
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

        test "an environment counts as much as another, however many seeds it has" {
            // Half of the weight is on either side: the middle half is a quarter of either, where the middle half of the 32 runs would be zeros.
            let strata = [| Array.create 24 0.0; Array.create 8 12.0 |]
            Expect.floatClose Accuracy.high (ArmStatistics.IqmOf strata) 6.0 "interquartile mean"
            let interval = ArmStatistics.IqmIntervalOf strata
            Expect.floatClose Accuracy.high interval.Low 6.0 "a resample has as many runs of either"
            Expect.floatClose Accuracy.high interval.High 6.0 "a resample has as many runs of either"

            let equal = [| [| 1.0; 5.0; 2.0 |]; [| 9.0; 4.0; 7.0 |] |]
            Expect.equal (ArmStatistics.IqmOf equal) (Descriptive.interquartileMean (Array.concat equal)) "equally many: of all runs"
        }
    ]
