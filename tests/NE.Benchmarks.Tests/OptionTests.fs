module NE.Benchmarks.Tests.OptionTests

open Expecto
open NE.Benchmarks
open NE.Benchmarks.Report

let private task words =
    Arguments.parse TaskBenchmark.grammar TaskBenchmark.defaults words

let private memory words =
    Arguments.parse MemoryBenchmark.grammar MemoryBenchmark.defaults words

let private inference words =
    Arguments.parse InferenceBenchmark.grammar InferenceBenchmark.defaults words

let private failure result =
    match result with
    | Ok options -> failtest $"expected an error, found {options}"
    | Error problem -> problem

[<Tests>]
let tests =
    testList "options" [
        test "a task, its options and configuration keys in any order" {
            match
                task [
                    "--rounds"
                    "3"
                    "Hopper-v4"
                    "learner.batchSize=64"
                    "--envs"
                    "4"
                    "--json"
                    "x.json"
                    "ne.omega=0.2"
                ]
            with
            | Ok options ->
                Expect.equal options.Task "Hopper-v4" "task"
                Expect.equal (options.Rounds, options.Environments, options.Output) (3, 4, Some "x.json") "options"
                Expect.equal options.Changes [ "learner.batchSize", "64"; "ne.omega", "0.2" ] "keys"
            | Error problem -> failtest problem
        }

        for words, expected in
            [
                [ "--rounds"; "0" ], "--rounds expects a whole number of at least 1, found '0'"
                [ "--rounds"; "x" ], "--rounds expects a whole number of at least 1, found 'x'"
                [ "--steps-per-round"; "5" ], "--steps-per-round expects a whole number of at least 100, found '5'"
                [ "--envs"; "-1" ], "--envs expects a whole number of at least 1, found '-1'"
                [ "--rounds" ], "'--rounds' is not an option, or lacks its value"
                [ "--fast" ], "'--fast' is not an option, or lacks its value"
            ] do
            test $"task {words}" { Expect.equal (failure (task words)) expected "message" }

        test "an unknown task names the nearest" {
            Expect.stringContains (failure (task [ "Hoper-v4" ])) "Hopper-v4" "message"
            Expect.stringContains (failure (memory [ "Hoper-v4" ])) "Hopper-v4" "message"
        }

        for words, expected in
            [
                [ "--hidden"; "256,x" ], "--hidden expects widths separated by commas, found '256,x'"
                [ "--hidden"; "0" ], "--hidden expects widths separated by commas, found '0'"
                [ "--seconds"; "0" ], "--seconds expects a number above 0 and at most 60, found '0'"
                [ "--seconds"; "NaN" ], "--seconds expects a number above 0 and at most 60, found 'NaN'"
                [ "--rows"; "1" ], "--rows expects a whole number of at least 2, found '1'"
            ] do
            test $"inference {words}" { Expect.equal (failure (inference words)) expected "message" }

        test "parts by their names" {
            let parts words =
                Arguments.parse PixelBenchmark.grammar PixelBenchmark.defaults words
                |> Result.map _.Parts

            Expect.equal
                (parts [ "--parts"; "encoder,updates" ])
                (Ok [ PixelBenchmark.Part.Encoder; PixelBenchmark.Part.Updates ])
                "two of three"

            Expect.equal
                (parts [ "--parts"; "updates,frames" ])
                (Error "--parts expects some of updates, rendering, encoder, separated by commas, found 'updates,frames'")
                "an unknown one"
        }

        test "memory of less than a segment says little" {
            Expect.equal (failure (memory [ "--rows"; "10" ])) "--rows expects a whole number of at least 10000, found '10'" "message"
        }

        test "environments that are named take the place of the usual ones" {
            let tasks words =
                match Arguments.parse EnvironmentBenchmark.grammar EnvironmentBenchmark.defaults words with
                | Ok options -> options.Tasks
                | Error problem -> failtest problem

            Expect.equal (tasks [ "Ant-v4"; "--rounds"; "2"; "Hopper-v4" ]) [ "Ant-v4"; "Hopper-v4" ] "named"
            Expect.equal (tasks [ "--rounds"; "2" ]) EnvironmentBenchmark.defaults.Tasks "none"
            Expect.isGreaterThan (tasks [ "all" ]).Length 20 "all"
        }

        test "the usage line names everything that is understood" {
            Expect.equal
                (Arguments.usage "task" TaskBenchmark.grammar)
                "./ne bench task [TASK] [key=value...] [--steps-per-round N] [--rounds N] [--envs N] [--threads N] [--json FILE]"
                "task"
        }

        test "a wrong configuration key or value is one message" {
            let problem changes =
                try
                    BenchmarkRun.settings changes |> ignore
                    failtest "expected a failure"
                with BenchmarkFailed problem ->
                    problem

            Expect.stringContains (problem [ "td3.batchSise", "3" ]) "td3.batchSise" "unknown key"
            Expect.stringContains (problem [ "learner.batchSize", "many" ]) "'many'" "no number"
            Expect.stringContains (problem [ "learner.bufferSize", "10" ]) "smaller than one batch" "contradiction"
        }

        test "what is no pair is no change of a contender" {
            Expect.equal (RunServer.changes [ "a.b=c=d" ]) [ "a.b", "c=d" ] "the first = counts"
            Expect.throws (fun () -> RunServer.changes [ "a.b" ] |> ignore) "no ="
        }
    ]
