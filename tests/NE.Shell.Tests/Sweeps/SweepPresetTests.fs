module NE.Shell.Tests.Sweeps.SweepPresetTests

open System
open System.IO
open Expecto
open NE.Shell.Host
open NE.Shell.Sweeps.Planning
open NE.Shell.Tests.Support

let private folder =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../../../presets/paper"))

let private label = "a smoke test, never evidence"

[<Tests>]
let tests =
    testList "the paper's sweeps" [
        test "are the files of presets/paper" {
            Expect.equal
                (set SweepPresets.Names)
                (set [
                    for file in Directory.GetFiles(folder, "*.yaml") -> $"paper/{Path.GetFileNameWithoutExtension file}"
                ])
                "names"
        }

        for name in SweepPresets.Names do
            test $"{name} resolves and validates, and says what it takes" {
                let code, output, errors = shell [ "sweep"; name; "--dry-run" ]
                Expect.equal (code, errors) (ExitCode.Ok, "") name
                Expect.stringContains output "estimate: 2 ms per gradient step" "what the times rest on"
                Expect.isFalse (output.Contains label) "no smoke test"
            }

            test $"{name} --smoke is the same, short, and says what it is" {
                let code, output, errors = shell [ "sweep"; name; "--smoke"; "--dry-run" ]
                Expect.equal (code, errors) (ExitCode.Ok, "") name
                Expect.stringContains output label "the label of a smoke test"

                let preset =
                    File.ReadAllText(Path.Combine(folder, name.Replace("paper/", "") + ".yaml"))

                let full =
                    SweepReader.Read(preset, name, Func<string, string | null>(fun _ -> null))

                let smoke = SmokeSweep.Of full
                Expect.equal smoke.Name (full.Name + "-smoke") "name"
                Expect.equal [ for arm in smoke.Arms -> arm.Label ] [ for arm in full.Arms -> arm.Label ] "all arms"
                let cells = SweepExpansion.Of smoke
                Expect.isLessThanOrEqual cells.Count 14 "cells"

                for cell in cells do
                    let last key =
                        cell.Entries
                        |> Seq.filter (fun entry -> entry.Key = key)
                        |> Seq.tryLast
                        |> Option.map _.Value

                    Expect.equal (last "run.steps") (Some "6000") "steps"
                    Expect.isNone (last "ne.growInterval") "intervals follow from the length"
            }

        test "a sweep's own grid and lengths are shortened likewise" {
            let text =
                """
name: mine
environments: [Hopper-v4, Ant-v4]
arms:
  - {label: often, method: reset, keys: {reset.every: 50000}}
  - {method: ne, grid: {ne.omega: [0, 0.2, 0.4]}}
grid: {learner.updatesPerStep: [1, 2, 4], learner.startSteps: [1000, 25000]}
seeds: 3-9
keys: {run.steps: 300000, log.probeEvery: 1000, td3.policyDelay: 1}
"""

            let smoke =
                SmokeSweep.Of(SweepReader.Read(text, "mine", Func<string, string | null>(fun _ -> null)))

            let cells = SweepExpansion.Of smoke

            Expect.equal
                [ for cell in cells -> cell.Label ]
                [
                    "often updatesPerStep=1"
                    "often updatesPerStep=4"
                    "ne updatesPerStep=1 omega=0"
                    "ne updatesPerStep=1 omega=0.4"
                    "ne updatesPerStep=4 omega=0"
                    "ne updatesPerStep=4 omega=0.4"
                ]
                "the ends of what is no length"

            let keys = [ for entry in cells[0].Entries -> entry.Key, entry.Value ]
            Expect.contains keys ("log.probeEvery", "1000") "a cadence that does not follow from the length stays"
            Expect.contains keys ("td3.policyDelay", "1") "and what is no length"
            Expect.isFalse (List.exists (fun (key, _) -> key = "reset.every") keys) "a period follows"
            Expect.contains keys ("run.seed", "3") "the first seed"
        }

        test "the short form cannot be asked of a stored sweep, and is named where its old name is given" {
            let code, _, errors = shell [ "sweep"; "--resume"; "x"; "--smoke" ]
            Expect.equal code ExitCode.UserError "refused"
            Expect.stringContains errors "--smoke shortens a file or a preset" "why"
            let code, _, errors = shell [ "sweep"; "paper/figure-6-smoke" ]
            Expect.equal code ExitCode.UserError "no such preset"
            Expect.stringContains errors "ne sweep paper/figure-6 --smoke" "what to do"
        }

        test "are listed by a bare `ne sweep`, and found without their folder" {
            let code, output, errors = shell [ "sweep" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "list"

            for name in SweepPresets.Names do
                Expect.stringContains output name "list"

            let _, full, _ = shell [ "sweep"; "paper/figure-5"; "--dry-run" ]
            Expect.equal (shell [ "sweep"; "figure-5"; "--dry-run" ]) (ExitCode.Ok, full, "") "short name"
        }
    ]
