module NE.Shell.Tests.Compare.WarningTests

open System
open System.Collections.Generic
open System.IO
open Expecto
open NE.Actors.RunDirectory
open NE.Model.History
open NE.Shell.Host
open NE.Shell.Reports.Compare.Data
open NE.Shell.Tests.Compare.ReportFiles
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support

let private read (runs: string) (names: string list) =
    Selection.Read(runs, List<string> names)

let private arms (runs: string) (names: string list) (at: Nullable<int64>) =
    (Seq.exactlyOne (Grouping.Of(read runs names, at))).Arms

let private labels (runs: string) (names: string list) (at: Nullable<int64>) = [
    for arm in arms runs names at -> arm.Label, arm.Runs.Count
]

let private atEnd = Nullable<int64>()

let private omega (value: string) = {
    run with
        Method = "ne"
        Keys = [ "ne.omega", value ]
}

/// What `ne report` says beside its result.
let private notes (folder: TemporaryFolder) (arguments: string list) =
    snd (ok folder.Path (arguments @ [ "-o"; folder.File "out" ]))

let private text (folder: TemporaryFolder) (file: string) =
    File.ReadAllText(Path.Combine(folder.File "out", file))

[<Tests>]
let changes =
    testList "keys that a resume changed, in a report" [
        test "a run with such a key is an arm of its own, and that is said at the top" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" (omega "0.4") [ 0L; 1L; 2L ] (fun _ -> 1.0)

            happened folder.Path names[1] [
                RunResumed(300L, "ne test")
                ConfigurationChanged(300L, [| "ne.omega", "0.2", "0.4"; "checkpoint.every", "7", "8" |])
            ]

            Expect.equal
                (labels folder.Path names atEnd)
                [ "ne omega=0.4", 2; "ne omega=0.2 -> 0.4 at 300", 1 ]
                "its last value alone would be that of the others"

            Expect.stringContains
                (notes folder names)
                "Hopper-v4, a-s1: a resume changed ne.omega 0.2 -> 0.4 at 300. Runs that had one value from their start to their end are another arm."
                "said"

            Expect.stringContains (text folder "differences.md") "| ne.omega | 0.4 | 0.2 -> 0.4 at 300 |" "in the table"
        }

        test "where a key is written, and a key of a technique that the method lacks, make no arm" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" run [ 0L; 1L ] (fun _ -> 1.0)

            happened folder.Path names[1] [
                ConfigurationChanged(300L, [| "checkpoint.every", "7", "8"; "ne.omega", "0.2", "0.4" |])
            ]

            Expect.equal (labels folder.Path names atEnd) [ "td3", 2 ] "one arm"
            Expect.isFalse ((notes folder names).Contains "a resume changed") "nothing to say"
        }

        test "with --at, what was changed behind the step was not" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" (omega "0.4") [ 0L; 1L ] (fun _ -> 1.0)
            happened folder.Path names[1] [ ConfigurationChanged(600L, [| "ne.omega", "0.2", "0.4" |]) ]
            Expect.equal (labels folder.Path names (Nullable 500L)) [ "ne omega=0.4", 1; "ne omega=0.2", 1 ] "before"
            Expect.equal (labels folder.Path names (Nullable 700L)) [ "ne omega=0.4", 1; "ne omega=0.2 -> 0.4 at 600", 1 ] "behind"
        }

        test "what a run has learned with counts, not what it was told" {
            for events, expected in
                [
                    // Back again before a step was taken.
                    [
                        ConfigurationChanged(300L, [| "ne.omega", "0.4", "0.2" |])
                        ConfigurationChanged(300L, [| "ne.omega", "0.2", "0.4" |])
                    ],
                    [ "ne", 2 ]
                    // Before the first step.
                    [ ConfigurationChanged(0L, [| "ne.omega", "0.2", "0.4" |]) ], [ "ne", 2 ]
                    // Back to the checkpoint of step 200, with the value of step 500.
                    [
                        ConfigurationChanged(500L, [| "ne.omega", "0.2", "0.4" |])
                        RunResumed(200L, "ne test")
                    ],
                    [ "ne omega=0.4", 1; "ne omega=0.2 -> 0.4 at 200", 1 ]
                    [
                        ConfigurationChanged(300L, [| "ne.omega", "0.4", "0.2" |])
                        ConfigurationChanged(240_000L, [| "ne.omega", "0.2", "0.4" |])
                    ],
                    [ "ne omega=0.4", 1; "ne omega=0.4 -> 0.2 at 300 -> 0.4 at 240,000", 1 ]
                ] do
                use folder = new TemporaryFolder()
                let names = arm folder.Path "a" (omega "0.4") [ 0L; 1L ] (fun _ -> 1.0)
                happened folder.Path names[1] events
                Expect.equal (labels folder.Path names atEnd) expected $"%A{events}"
        }

        test "a cell that was not started is missing from the arm that nothing was changed in" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" (omega "0.4") [ 0L; 1L ] (fun _ -> 1.0)
            happened folder.Path names[0] [ ConfigurationChanged(300L, [| "ne.omega", "0.2", "0.4" |]) ]

            sweep folder.Path "s" "" [
                for seed, name in List.indexed (names @ [ "s-x-s2" ]) -> name, "Hopper-v4", "ne", int64 seed
            ]

            let missing = [
                for arm in arms folder.Path [ "s" ] atEnd -> arm.Label, List.ofSeq arm.Missing
            ]

            Expect.equal
                missing
                [
                    "ne omega=0.2 -> 0.4 at 300", [ "seed 1 (no run)"; "seed 2 (no run)" ]
                    "ne omega=0.4", [ "seed 0 (no run)"; "seed 2 (not started)" ]
                ]
                "missing"
        }
    ]

[<Tests>]
let damage =
    testList "runs that cannot be read, in a report" [
        test "a damaged journal costs its own marks and nothing else" {
            use folder = new TemporaryFolder()

            let names =
                arm folder.Path "a" { run with Resumes = [ 300L ] } [ 0L; 1L ] (fun _ -> 1.0)

            File.WriteAllText((RunPaths.Of(folder.Path, names[1])).Journal, String('x', 4096))
            let said = notes folder names

            Expect.stringContains
                said
                "a-s1 is shown without the restarts and changed keys of its journal, which cannot be read: "
                "said, with the reason"

            Expect.isFalse (said.Contains "a-s0 is shown") "of this one alone"
            Expect.hasLength (csv (Path.Combine(folder.File "out", "scores.csv"))) 2 "both are scored"
        }

        test "a run whose state only its damaged journal knows is called damaged" {
            use folder = new TemporaryFolder()
            let name = write folder.Path { run with State = RunState.Running }
            File.WriteAllText((RunPaths.Of(folder.Path, name)).Journal, String('x', 4096))
            Expect.equal (Seq.exactlyOne (read folder.Path [ name ]).Runs).State "damaged" "state"
        }

        test "a damaged run.json without a journal leaves its run out; alone it is the error that it was" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "a" run [ 0L; 1L ] (fun _ -> 1.0)
            File.WriteAllText((RunPaths.Of(folder.Path, names[1])).RunInfo, "{")
            Expect.stringContains (notes folder names) "a-s1 cannot be read and is not shown: " "said"
            Expect.hasLength (csv (Path.Combine(folder.File "out", "scores.csv"))) 1 "the other is there"
            let code, _, errors = report folder.Path [ names[1] ]
            Expect.equal code ExitCode.Failed errors
            Expect.stringContains errors "run.json is damaged" "message"

            sweep folder.Path "s" "" [ for seed, name in List.indexed names -> name, "Hopper-v4", "td3", int64 seed ]

            let found = Seq.exactlyOne (arms folder.Path [ "s" ] atEnd)
            Expect.sequenceEqual found.Missing [ "seed 1 (cannot be read)" ] "a cell of a sweep"
        }

        test "a cell that lost its run.json is a run as its journal knows it" {
            use folder = new TemporaryFolder()

            let names =
                arm
                    folder.Path
                    "s-x"
                    {
                        run with
                            Keys = [ "run.steps", "1000" ]
                    }
                    [ 0L; 1L ]
                    (fun _ -> 1.0)

            let lost = RunPaths.Of(folder.Path, names[1])

            happened folder.Path names[1] [
                RunStarted(File.ReadAllText lost.Configuration, "ne test")
                RunCompleted 1000L
            ]

            File.Delete lost.RunInfo

            sweep folder.Path "s" "" [ for seed, name in List.indexed names -> name, "Hopper-v4", "td3", int64 seed ]

            let found = Seq.exactlyOne (arms folder.Path [ "s" ] atEnd)
            Expect.sequenceEqual [ for run in found.Runs -> run.Name, run.State ] [ for name in names -> name, "completed" ] "both"
            Expect.isEmpty found.Missing "started"
            Expect.stringContains (notes folder [ "s" ]) "s-x-s1 is described as its journal knows it: " "said"
        }

        test "a config.yaml that was edited by hand counts for nothing where the journal has another one" {
            use folder = new TemporaryFolder()
            let name = write folder.Path (omega "0.4")
            let paths = RunPaths.Of(folder.Path, name)
            let stored = File.ReadAllText paths.Configuration
            happened folder.Path name [ RunStarted(stored, "ne test") ]
            File.WriteAllText(paths.Configuration, stored.Replace("0.4", "0.9") + "# sha256 of all lines above: 00\n")
            let found = Seq.exactlyOne (read folder.Path [ name ]).Runs
            Expect.equal (found.Keys["ne.omega"]) "0.4" "the journal's"

            Expect.stringContains
                (notes folder [ name ])
                $"{name} has the configuration that its journal knows, since its config.yaml is not what was written"
                "said"
        }

        test "keys that this version does not know are compared, and that they were not checked is said" {
            use folder = new TemporaryFolder()

            let names = [
                for seed, value in [ 0L, "1"; 1L, "2" ] ->
                    write folder.Path {
                        run with
                            Name = $"r{seed}"
                            Seed = seed
                            Keys = [ "learner.ofTomorrow", value ]
                    }
            ]

            Expect.equal (labels folder.Path names atEnd) [ "td3 ofTomorrow=1", 1; "td3 ofTomorrow=2", 1 ] "arms"
            Expect.stringContains (notes folder names) "r0 is compared by a config.yaml that could not be checked: " "said"
        }
    ]

[<Tests>]
let evidence =
    testList "what must be read before the numbers of a report" [
        test "seeds that failed are counted at the top and in the comparisons of their arm" {
            use folder = new TemporaryFolder()
            let survivors = arm folder.Path "a" run [ 0L .. 7L ] (fun seed -> 1.0 + float seed)

            let failed = {
                run with
                    State = RunState.Failed
                    Returns = List.take 6 run.Returns
            }

            let lost = [
                write folder.Path { failed with Name = "a-s8"; Seed = 8L }
                // Before its first evaluation.
                write folder.Path {
                    failed with
                        Name = "a-s9"
                        Seed = 9L
                        Returns = []
                }
            ]

            let other =
                arm folder.Path "b" { run with Method = "ne" } [ 0L .. 7L ] (fun seed -> 2.0 + float seed)

            let sentence = "2 of 10 seeds failed; its scores are those of survivors"
            let found = arms folder.Path (survivors @ lost @ other) atEnd
            Expect.equal [ for arm in found -> Option.ofObj arm.Survival ] [ Some sentence; None ] "arms"
            Expect.stringContains (notes folder (survivors @ lost @ other)) $"Hopper-v4, td3: {sentence}." "at the top"
            Expect.stringContains (text folder "comparisons.md") $"| ne - td3 (td3: {sentence}) |" "in the comparison"
            Expect.stringContains (text folder "report.md") $" Hopper-v4, td3: {sentence}. Data: " "under its figure"

            let early = arms folder.Path (survivors @ [ lost[0] ] @ other) (Nullable 500L)
            Expect.equal [ for arm in early -> Option.ofObj arm.Survival ] [ None; None ] "it had got to an earlier step"
        }

        test "a seed whose newest evaluation is no number has diverged, and one that got over it has not" {
            use folder = new TemporaryFolder()

            let names = [
                for seed, worst in [ 0L, [ 1000L ]; 1L, [ 200L ]; 2L, [] ] ->
                    write folder.Path {
                        run with
                            Name = $"r{seed}"
                            Seed = seed
                            Returns = [
                                for step, value in run.Returns -> step, (if List.contains step worst then nan else value)
                            ]
                    }
            ]

            let found = Seq.exactlyOne (arms folder.Path names atEnd)
            Expect.sequenceEqual [ for lost in found.Lost -> lost.Name ] [ "r0" ] "lost"

            Expect.equal (Option.ofObj found.Survival) (Some "1 of 3 seeds failed or diverged; its scores are those of survivors") "said"
        }

        test "seeds that several versions of MuJoCo simulated are named by them" {
            use folder = new TemporaryFolder()

            let names version = [
                for seed, mujoco in [ 0L, "2.2.2"; 1L, version ] ->
                    write folder.Path {
                        run with
                            Name = $"a-s{seed}"
                            Seed = seed
                            Versions = [ "ne", "test"; "MuJoCo", mujoco ]
                    }
            ]

            Expect.isFalse ((notes folder (names "2.2.2")).Contains "MuJoCo") "one version"

            Expect.stringContains
                (notes folder (names "3.3.0"))
                "Hopper-v4, td3: its runs were simulated by several versions of MuJoCo, whose results differ: 2.2.2 (a-s0); 3.3.0 (a-s1)."
                "two"
        }

        test "arms whose steps are not as many control steps are named" {
            use folder = new TemporaryFolder()
            let numbers = arm folder.Path "a" run [ 0L ] (fun _ -> 1.0)

            let pictures (repeat: string) =
                arm
                    folder.Path
                    $"p{repeat}"
                    {
                        run with
                            Keys = [ "run.learner", "drq"; "pixels.actionRepeat", repeat ]
                    }
                    [ 0L ]
                    (fun _ -> 1.0)

            let once, twice, often = pictures "1", pictures "2", pictures "8"

            Expect.stringContains
                (notes folder (numbers @ twice))
                "Hopper-v4: a step of td3 learner=td3 is 1 control step, a step of td3 learner=drq is 2 control steps. So at one step"
                "numbers and pictures"

            Expect.stringContains
                (notes folder (twice @ often))
                "Hopper-v4: a step of td3 actionRepeat=2 is 2 control steps, a step of td3 actionRepeat=8 is 8 control steps."
                "two repeats"

            for alike in [ numbers; often; numbers @ once ] do
                Expect.isFalse ((notes folder alike).Contains "control step") $"%A{alike}"
        }

        test "the length is that of each arm's own runs, and with --at the part of it that counts" {
            use folder = new TemporaryFolder()

            let name method steps =
                write folder.Path {
                    run with
                        Name = method
                        Method = method
                        Steps = steps
                        Returns = [ for step in 0L .. 1_500L .. steps -> step, 1.0 ]
                }

            let names = [ name "td3" 30_000L; name "ne" 60_000L ]
            notes folder (names @ [ "--at"; "15000" ]) |> ignore
            let headline = File.ReadAllLines(Path.Combine(folder.File "out", "headline.md"))
            Expect.stringContains headline[2] "| 0.005 of 0.01 |" "the shorter one"
            Expect.stringContains headline[3] "| 0.005 of 0.02 |" "the longer one"

            Expect.stringContains
                (text folder "report.md")
                "30,000 and 60,000 steps, 0.01 and 0.02 of the paper's 3M; compared at step 15,000, 0.005 of the 3M;"
                "provenance"

            notes folder [ names[0] ] |> ignore
            Expect.stringContains (text folder "headline.md") "| 0.01 |" "without --at"
        }
    ]

[<Tests>]
let letters =
    testList "text of others in a report" [
        test "what XML cannot hold is replaced, and a letter is never cut in two" {
            let face = Char.ConvertFromUtf32 0x1F600
            let half = face.Substring(0, 1)
            Expect.equal (ReportText.Valid $"a\tb {face}\n") $"a\tb {face}\n" "what XML can hold stays"
            Expect.equal (ReportText.Valid $"a\u0001b{half}c\uFFFE") "a\uFFFDb\uFFFDc\uFFFD" "the rest"
            Expect.equal (ReportText.Shortened($"ab{face}cd", 3)) $"ab{face}..." "a pair is one letter"
            Expect.equal (ReportText.Shortened("e\u0301e\u0301", 1)) "e\u0301..." "so is one with its accent"
            Expect.equal (ReportText.Shortened($"ab{face}", 3)) $"ab{face}" "nothing is cut"
        }

        test "a label with a control character is drawn without it" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L .. 7L ] (fun seed -> 1.0 + float seed)

            let others =
                arm folder.Path "s-y" { run with Method = "ne" } [ 0L .. 7L ] (fun seed -> 2.0 + float seed)

            sweep folder.Path "s" "" [
                for label, cells in [ "a\u0001b", names; "plain", others ] do
                    for seed, name in List.indexed cells -> name, "Hopper-v4", label, int64 seed
            ]

            notes folder [ "s" ] |> ignore

            for file in Directory.GetFiles(folder.File "out", "*.svg") do
                loadXml file |> ignore

            Expect.contains (textsOf (Path.Combine(folder.File "out", "iqm.svg"))) "a\uFFFDb" "an axis"
            Expect.contains (textsOf (Path.Combine(folder.File "out", "learning-curves.svg"))) "a\uFFFDb" "a legend"
            Expect.isFalse ((text folder "report.html").Contains '\u0001') "page"
        }
    ]
