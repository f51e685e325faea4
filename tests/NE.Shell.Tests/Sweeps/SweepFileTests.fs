module NE.Shell.Tests.Sweeps.SweepFileTests

open System
open System.IO
open Expecto
open NE.Shell.Host
open NE.Shell.Sweeps.Planning
open NE.Shell.Tests.Support

let private noFile = Func<string, string | null>(fun _ -> null)

let private expand (text: string) =
    List.ofSeq (SweepExpansion.Of(SweepReader.Read(text, "a.yaml", noFile)))

let private names text = [ for cell in expand text -> cell.Name ]

let private value key (cell: CellDraft) =
    cell.Entries |> Seq.filter (fun entry -> entry.Key = key) |> Seq.last |> _.Value

/// The error of `ne sweep --dry-run` with this text as its file; checks that nothing was created.
let private refused (text: string) =
    use folder = new TemporaryFolder()
    let file, runs = folder.File "a.yaml", folder.File "runs"
    File.WriteAllText(file, text)

    let code, output, errors = execute (host runs noRun) [ "sweep"; file; "--dry-run" ]

    Expect.equal (code, output) (ExitCode.UserError, "") errors
    Expect.isFalse (errors.Contains "   at ") "no stack trace"
    Expect.isFalse (Directory.Exists runs) "nothing was created"
    errors.Replace(file, "a.yaml")

let private minimal =
    "name: a\nenvironments: [Hopper-v4]\nmethods: [td3]\nseeds: 0\n"

[<Tests>]
let expansion =
    testList "a sweep file" [
        test "is multiplied out with the seeds outermost" {
            let text =
                "name: a\nenvironments: [Hopper-v4, dmc/walker-walk]\nmethods: [td3, ne]\nseeds: 0-1\n"

            Expect.equal
                (names text)
                [
                    for seed in 0..1 do
                        for environment in [ "Hopper-v4"; "dmc-walker-walk" ] do
                            for method' in [ "td3"; "ne" ] -> $"a-{environment}-{method'}-s{seed}"
                ]
                "order"
        }

        test "a search draws points, the same for every arm and seed; more trials come behind those that there are" {
            let search trials =
                "name: a\nenvironments: [Hopper-v4]\nmethods: [td3, ne]\nseeds: 0-1\nsearch:\n"
                + $"  trials: {trials}\n  seed: 3\n  space:\n"
                + "    learner.actorLearningRate: log 1e-5 .. 1e-3\n    ne.omega: 0 .. 0.5\n"
                + "    ne: {growInterval: log integer 200 .. 5000}\n    learner: {batchSize: [64, 128]}\n"

            let keys = [
                "learner.actorLearningRate"
                "ne.omega"
                "ne.growInterval"
                "learner.batchSize"
            ]

            let points trials =
                expand (search trials)
                |> List.map (fun cell -> cell.Label, List.map (fun key -> value key cell) keys)

            let twelve = points 12
            Expect.equal twelve.Length (2 * 2 * 12) "cells"
            Expect.equal (List.distinct twelve).Length (2 * 12) "seeds share their points"

            let of' (method': string) =
                twelve
                |> List.filter (fun (label, _) -> label.StartsWith method')
                |> List.map snd

            Expect.equal (of' "td3") (of' "ne") "arms share their points"
            Expect.equal (twelve |> List.map fst |> List.distinct |> List.head) "td3 trial 001" "label"
            Expect.isEmpty (points 8 |> List.except twelve) "eight of twelve are called the same"
            let drawn = of' "td3" |> List.distinct
            Expect.equal (points 4 |> List.map snd |> List.distinct) (List.take 4 drawn) "the first four are the first four"

            for point in drawn do
                Expect.isTrue (float point[0] >= 1e-5 && float point[0] <= 1e-3) "a rate"
                Expect.isTrue (float point[1] >= 0.0 && float point[1] <= 0.5) "a share"
                Expect.isTrue (int point[2] >= 200 && int point[2] <= 5000) "a whole number"
                Expect.contains [ "64"; "128" ] point[3] "a choice"

            for index in 0..2 do
                Expect.isGreaterThan (drawn |> List.distinctBy (List.item index)).Length 10 "they differ"
        }

        test "of a logarithmic range every decade is as likely, and the ends of whole numbers as their middle" {
            let draw text =
                match SearchedValues.OfRange text with
                | null -> failtest text
                | range -> [
                    for i in 1L .. 4000L -> float (range.Draw(NE.Model.Draws.At(1L, NE.Model.Purpose.Statistics, i, 0L, 0L)))
                  ]

            let share condition values =
                float (values |> List.filter condition |> List.length)
                / float (List.length values)

            let rates = draw "log 1e-6 .. 1e-2"
            Expect.isTrue (abs (share (fun rate -> rate < 1e-4) rates - 0.5) < 0.03) "half of the decades"
            let dice = draw "integer 1 .. 6"

            for face in 1.0 .. 6.0 do
                Expect.isTrue (abs (share ((=) face) dice - 1.0 / 6.0) < 0.03) $"{face}"
        }

        test "names every point of its grid, and of an arm's own" {
            let text =
                "name: a\nenvironments: [Hopper-v4]\nseeds: 0\narms:\n  - {method: td3}\n"
                + "  - {label: grown, method: ne, grid: {ne.omega: [0, 0.2]}}\n"
                + "grid:\n  network:\n    hidden: [[64, 64], [128]]\n"

            let cells = expand text

            Expect.equal
                [ for cell in cells -> cell.Label, cell.Name ]
                [
                    "td3 hidden=64,64", "a-Hopper-v4-td3-hidden-64-64-s0"
                    "td3 hidden=128", "a-Hopper-v4-td3-hidden-128-s0"
                    "grown hidden=64,64 omega=0", "a-Hopper-v4-grown-hidden-64-64-omega-0-s0"
                    "grown hidden=64,64 omega=0.2", "a-Hopper-v4-grown-hidden-64-64-omega-0.2-s0"
                    "grown hidden=128 omega=0", "a-Hopper-v4-grown-hidden-128-omega-0-s0"
                    "grown hidden=128 omega=0.2", "a-Hopper-v4-grown-hidden-128-omega-0.2-s0"
                ]
                "labels and names"

            Expect.equal (value "network.hidden" cells[3]) "64,64" "a list of the grid"
            Expect.equal (value "ne.omega" cells[3]) "0.2" "a number of the grid"
        }

        test "tells keys of the same name apart" {
            let text =
                minimal
                + "grid: {checkpoint.every: [100], evaluation.every: [200], ne.omega: [0]}\n"

            Expect.equal [ for cell in expand text -> cell.Label ] [ "td3 checkpoint.every=100 evaluation.every=200 omega=0" ] "label"
        }

        test "calls an arm after its learner, too, where a key names another than the usual one" {
            let labels keys =
                expand
                    $"name: a\nenvironments: [Hopper-v4]\nseeds: 0\nkeys: {{{keys}}}\narms:\n  - {{method: none}}\n  - {{method: redo}}\n  - {{method: ne, keys: {{run.learner: sac}}}}\n"
                |> List.map _.Label

            Expect.equal (labels "run.learner: sac") [ "sac"; "sac+redo"; "sac+ne" ] "of the sweep"
            Expect.equal (labels "run.learner: td3") [ "none"; "redo"; "sac+ne" ] "of an arm"
        }

        test "takes a variant as the lowest layer of an arm" {
            let text =
                "name: a\nenvironments: [Hopper-v4]\nseeds: 0\narms:\n  - {label: official, method: ne, variant: official, keys: {ne.omega: 0.1}}\n"

            let cell = List.exactlyOne (expand text)
            Expect.equal (value "ne.growth" cell) "uniform" "the variant"
            Expect.equal (value "ne.omega" cell) "0.1" "the arm's keys win"
        }

        test "gives every layer of keys its place: preset, keys, the arm's preset, the arm's keys" {
            let text =
                "name: a\nenvironments: [Hopper-v4]\nseeds: 3\nconfig: td3-anchor\nkeys: {learner: {batchSize: 64}, learner.startSteps: 5}\n"
                + "arms:\n  - {label: x, method: ne, config: official256, keys: {learner.startSteps: 7}}\n"

            let cell = List.exactlyOne (expand text)
            Expect.equal (value "learner.bufferSize" cell) "1000000" "the preset"
            Expect.equal (value "learner.batchSize" cell) "64" "a key in a section"
            Expect.equal (value "learner.startSteps" cell) "7" "the arm wins"
            Expect.equal (value "run.environment" cell) "Hopper-v4" "a preset does not say where"
            Expect.equal (value "run.method" cell) "ne" "nor what"
            Expect.equal (value "run.seed" cell) "3" "the seed"
        }

        test "is planned with what each arm's learner sees of the environment" {
            let arms = [
                "{label: sac, method: none, keys: {run.learner: sac}}"
                "{label: drq, method: none, keys: {run.learner: drq}}"
                "{label: small, method: none, keys: {run.learner: drq, pixels.size: 42}}"
            ]

            // Every cell's line of the dry run: name, arm, state, steps, time and disk.
            let planned (arms: string list) =
                use folder = new TemporaryFolder()
                let file = folder.File "a.yaml"
                let items = arms |> List.map (fun arm -> $"  - {arm}\n") |> String.concat ""

                File.WriteAllText(file, $"name: a\nenvironments: [Hopper-v4]\nseeds: 0\nkeys: {{run.steps: 20000}}\narms:\n{items}")

                let code, output, errors =
                    execute (host (folder.File "runs") noRun) [ "sweep"; file; "--dry-run" ]

                Expect.equal code ExitCode.Ok errors

                output.Split '\n'
                |> Array.filter (fun line -> line.StartsWith "a-Hopper-v4-")
                |> Array.map (fun line -> line.Split(' ', StringSplitOptions.RemoveEmptyEntries) |> String.concat " ")
                |> List.ofArray

            let alone = arms |> List.collect (fun arm -> planned [ arm ])
            Expect.hasLength alone 3 "cells"
            Expect.equal (planned arms) alone "together as each alone"
        }

        for text, expected in
            [
                "0-3", [ 0L; 1L; 2L; 3L ]
                "5", [ 5L ]
                "[7, 0-1, -4]", [ 7L; 0L; 1L; -4L ]
                "'1, 3-4'", [ 1L; 3L; 4L ]
            ] do
            test $"reads the seeds {text}" {
                let sweep =
                    SweepReader.Read(minimal.Replace("seeds: 0", $"seeds: {text}"), "a.yaml", noFile)

                Expect.equal (List.ofSeq sweep.Seeds) expected "seeds"
            }
    ]

[<Tests>]
let problems =
    testList "what is wrong with a sweep file" [
        for text, expected in
            [
                minimal + "sedes: 3\n", "a.yaml:5: unknown field 'sedes'; did you mean 'seeds'?"
                minimal + "colour: red\n", "a.yaml:5: unknown field 'colour'; known: name,"
                minimal.Replace("td3", "tdd3"), "a.yaml:3: run.method = tdd3"
                minimal.Replace("Hopper-v4", "Hoper-v4"),
                "a.yaml:2: run.environment = Hoper-v4: There is no task 'Hoper-v4'; did you mean Hopper-v4"
                minimal.Replace("seeds: 0", "seeds: 3-1"), "a.yaml:4: seeds expects whole numbers or ranges such as 0-7, found '3-1'"
                minimal.Replace("seeds: 0", "seeds: [1, 0-2]"), "a.yaml:4: seeds names 1 twice"
                minimal.Replace("seeds: 0\n", ""), "seeds is missing"
                minimal.Replace("name: a\n", ""), "name is missing"
                minimal.Replace("name: a", "name: ../a"), "a.yaml:1: name: Expected a run name"
                minimal.Replace("methods: [td3]\n", ""), "methods is missing, and so is arms"
                minimal + "arms: [{method: ne}]\n", "expected methods or arms, found both"
                minimal.Replace("methods: [td3]", "arms: [{label: x}]"), "an arm expects a method"
                minimal.Replace("methods: [td3]", "arms: [{method: ne, kyes: {}}]"), "unknown field 'kyes'; did you mean 'keys'?"
                minimal.Replace("methods: [td3]", "arms: [ne]"), "arms expects items such as"
                minimal + "keys:\n  ne.omga: 0.2\n", "a.yaml:6: ne.omga = 0.2: unknown key; did you mean 'ne.omega'?"
                minimal + "keys:\n  ne: {omega: 2}\n", "a.yaml:6: ne.omega = 2: out of range"
                minimal + "keys: {run.seed: 3}\n", "a.yaml:5: run.seed is not a key of a sweep; use the field seeds"
                minimal + "grid: {run.method: [ne]}\n", "grid: run.method is not a key of a sweep; use the field methods or arms"
                minimal + "grid: {ne.omega: 0.2}\n", "a.yaml:5: grid, ne.omega: expected a list of values to try"
                minimal + "grid: {ne.omega: [0.2, 3]}\n",
                "ne.omega = 3: out of range; allowed: a number in [0, 1] (cell a-Hopper-v4-td3-omega-3-s0)"
                minimal + "keys: {ne.omega: 0.1, ne: {omega: 0.2}}\n", "ne.omega was already given"
                minimal + "variant: oficial\n", "a.yaml:5: variant oficial: no such variant; there are"
                minimal + "config: td3-anhor\n", "a.yaml:5: config td3-anhor: no such file, and no preset of that name"
                minimal + "parallel: 0\n", "a.yaml:5: parallel expects a whole number >= 1, found '0'"
                minimal + "smoke: perhaps\n", "a.yaml:5: smoke expects true or false, found 'perhaps'"
                minimal.Replace("[td3]", "[td3, td3]"), "give the arms different labels"
                minimal.Replace("[Hopper-v4]", "[\"external:x/robot --fast\", \"external:y/robot --fast\"]"), "another name"
                minimal.Replace("methods: [td3]", "arms: [{method: ne, grid: {ne.omega: [0, 1]}}]")
                + "grid: {ne.omega: [0.1, 0.2]}\n",
                "ne.omega is in the grid of all arms already"
                minimal + "name: b\n", "not valid YAML"
                minimal + "grid: [1\n", "not valid YAML"
                "", "expected the fields of a sweep"
                "- 1\n", "expected the fields of a sweep"
                minimal + "---\nname: b\n", "expected one document"
                minimal + "keys: {run.steps: 100, learner.startSteps: 100}\n", "not below run.steps = 100"
                minimal.Replace("[Hopper-v4]", "[nowhere.yaml]"), "there is no task file"
                minimal.Replace("name: a", $"name: {String('a', 95)}"), "at most 100 characters"
                minimal.Replace("td3", "ne")
                + "keys: {ne.startDensity: 0.001, ne.denseEnds: forced}\n",
                "'ne' on Hopper-v4: The"
                minimal + "search: {space: {ne.omega: 0 .. 1}}\n", "a.yaml:5: trials is missing: how many points are to be drawn"
                minimal + "search: {trials: 0, space: {ne.omega: 0 .. 1}}\n", "trials expects a whole number >= 1, found '0'"
                minimal + "search: {trials: 2}\n", "a.yaml:5: space is missing: the keys that are to be varied"
                minimal + "search: {trials: 2, space: {ne.omega: 1 .. 0}}\n", "space, ne.omega: expected a list of values, or a range"
                minimal + "search: {trials: 2, space: {ne.omega: log 0 .. 1}}\n", "space, ne.omega: expected a list of values, or a range"
                minimal + "search: {trials: 2, space: {run.seed: 0 .. 9}}\n", "space: run.seed is not a key of a sweep; use the field seeds"
                minimal + "search: {trials: 2, tirals: 3, space: {ne.omega: 0 .. 1}}\n", "unknown field 'tirals'; did you mean 'trials'?"
                minimal + "search: random\n", "search expects fields of its own"
                minimal
                + "grid: {ne.omega: [0, 1]}\nsearch: {trials: 2, space: {ne.omega: 0 .. 1}}\n",
                "ne.omega is in a grid already"
                minimal + "search: {trials: 2, space: {ne.omga: 0 .. 1}}\n", "did you mean 'ne.omega'?"
                minimal.Replace("Hopper-v4", "\"external:true\"").Replace("td3", "none")
                + "keys: {run.learner: drq}\n",
                "Pictures can be observed of our own tasks and of task files; external:true is neither."
            ] do
            test (expected + " <- " + text.Replace("\n", "; ")) { Expect.stringContains (refused text) expected "message" }

        test "is said all at once" {
            let errors = refused (minimal + "keys: {ne.omga: 0.2, ne.startDensity: 7}\n")

            Expect.stringContains errors "the sweep has 2 problems" "count"
            Expect.stringContains errors "ne.omga" "one"
            Expect.stringContains errors "ne.startDensity" "the other"
        }

        test "a file that is not there names the nearest preset" {
            let code, _, errors = shell [ "sweep"; "paper/figure-66" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "did you mean 'paper/figure-6'?" "message"
        }

        test "a file and a stored sweep are not both taken" {
            let code, _, errors = shell [ "sweep"; "a.yaml"; "--resume"; "b" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "expected a file or --resume NAME" "message"
        }

        test "a sweep that was never started lists those that there are" {
            let code, _, errors = shell [ "sweep"; "--resume"; "b" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "there is no sweep 'b' in /nonexistent/runs; there are no sweeps yet" "message"
        }

        test "runs at a time are a number" {
            let code, _, errors = shell [ "sweep"; "a.yaml"; "--parallel"; "many" ]
            Expect.equal code ExitCode.UserError "exit code"
            Expect.stringContains errors "--parallel expects a whole number in [1, 1000000], found 'many'" "message"
        }
    ]
