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

let private text (name: string) =
    File.ReadAllText(Path.Combine(folder, name.Replace("paper/", "") + ".yaml"))

let private isSmoke (name: string) = name.EndsWith SweepPresets.SmokeSuffix

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
                Expect.equal (output.Contains label) (isSmoke name) "the label of a smoke test"
            }

            if isSmoke name then
                test $"{name} is short, and says what it is" {
                    Expect.stringContains (text name) "A smoke test, never evidence" "in the file"

                    let sweep =
                        SweepReader.Read(text name, name, Func<string, string | null>(fun _ -> null))

                    let cells = SweepExpansion.Of sweep
                    Expect.isLessThanOrEqual cells.Count 14 "cells"

                    for cell in cells do
                        let steps =
                            cell.Entries |> Seq.filter (fun entry -> entry.Key = "run.steps") |> Seq.last

                        Expect.isLessThanOrEqual (int64 steps.Value) 6000L "steps"
                }
            else
                test $"{name} has a twin for two cores" { Expect.contains SweepPresets.Names (name + SweepPresets.SmokeSuffix) "twin" }

        test "are listed by a bare `ne sweep`, and found without their folder" {
            let code, output, errors = shell [ "sweep" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "list"

            for name in SweepPresets.Names do
                Expect.stringContains output name "list"

            let _, full, _ = shell [ "sweep"; "paper/figure-5"; "--dry-run" ]
            Expect.equal (shell [ "sweep"; "figure-5"; "--dry-run" ]) (ExitCode.Ok, full, "") "short name"
        }
    ]
