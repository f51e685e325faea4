module NE.Benchmarks.Tests.ComparisonTests

open System.IO
open System.Text.Json
open Expecto
open NE.Benchmarks
open NE.Benchmarks.Report

let private report (json: string) =
    use document = JsonDocument.Parse json
    document.RootElement.Clone()

let private learner (over: float) (rate: float) =
    report
        $"""{{ "hidden": [256, 128], "updatesPerSecond": {{ "simd": {{ "median": {rate}, "overPyTorch": {over}, "rounds": [1, 2] }} }} }}"""

let private found before now =
    match Comparison.compare before now with
    | Ok found -> found
    | Error problem -> failtest problem

let private problem before now =
    match Comparison.compare before now with
    | Ok found -> failtest $"expected an error, found {found}"
    | Error problem -> problem

[<Tests>]
let tests =
    testList "comparison of reports" [
        test "ratios alone are compared, whatever the rates are" {
            let compared = found (learner 2.0 400.0) (learner 1.8 10.0)

            Expect.equal
                compared
                [
                    {
                        Name = "updatesPerSecond, simd, overPyTorch"
                        Before = 2.0
                        Now = 1.8
                    }
                ]
                "the ratio"

            Expect.isFalse (Comparison.isWorse 15 compared.Head) "10 % smaller, 15 % tolerated"
            Expect.isTrue (Comparison.isWorse 5 compared.Head) "10 % smaller, 5 % tolerated"
        }

        test "medians of rounds, and tasks in a list" {
            let task (median: float) (ratio: float) =
                report
                    $"""{{ "ratios": {{ "a / b": {{ "median": {median}, "rounds": [1] }} }}, "tasks": [ {{ "task": "Ant-v4", "ratio": {ratio}, "scaling": 1 }} ] }}"""

            let names =
                found (task 1.0 0.9) (task 2.0 0.8)
                |> List.map (fun compared -> compared.Name, compared.Now)

            Expect.equal names [ "a / b", 2.0; "tasks, Ant-v4, ratio", 0.8 ] "names and values of now"
        }

        test "that a peer falls behind is no news" {
            let both (peer: float) =
                report $"""{{ "neOverDense": 1, "updatesPerSecond": {{ "pytorch": {{ "overTorch": {peer} }} }} }}"""

            Expect.equal (found (both 0.6) (both 0.1) |> List.map _.Name) [ "neOverDense" ] "ours alone"
        }

        test "what measures something else is not compared" {
            let other = report """{ "hidden": [256,256], "neOverDense": 1 }"""
            Expect.stringContains (problem (learner 2.0 1.0) other) "hidden is [256,128] in the first" "sizes"
            Expect.stringContains (problem (learner 2.0 1.0) (report "{}")) "no ratio in common" "nothing"
        }

        test "a worse ratio, a missing file and a wrong one are failures with a reason" {
            let folder = Directory.CreateTempSubdirectory("ne-compare-").FullName

            try
                let file name (text: string) =
                    let path = Path.Combine(folder, name)
                    File.WriteAllText(path, text)
                    path

                let before = file "before.json" """{ "neOverDense": 1.0 }"""
                let worse = file "worse.json" """{ "neOverDense": 0.5 }"""
                let broken = file "broken.json" "{"

                let failure files =
                    try
                        Comparison.measure {
                            Comparison.defaults with
                                Files = files
                        }

                        failtest "expected a failure"
                    with BenchmarkFailed problem ->
                        problem

                Expect.stringContains (failure [ before; worse ]) "1 of 1 ratios" "worse"
                Expect.stringContains (failure [ before; broken ]) "is not JSON" "broken"
                Expect.stringContains (failure [ before ]) "two reports" "one file"

                Expect.throwsT<FileNotFoundException>
                    (fun () ->
                        Comparison.measure {
                            Comparison.defaults with
                                Files = [ before; Path.Combine(folder, "none.json") ]
                        })
                    "missing"
            finally
                Directory.Delete(folder, true)
        }
    ]
