/// Runs the Expecto tests of the calling assembly and closes with a line that other programs can read.
module NE.Tests.Runner

open System
open System.IO
open System.Reflection
open System.Threading
open Expecto
open Expecto.Impl

/// The failed tests in full, for `./ne test`, which shows nothing else of what a suite prints: into the file named by NE_TEST_FAILURES.
let private reportFailures (summary: TestRunSummary) =
    match Environment.GetEnvironmentVariable "NE_TEST_FAILURES" with
    | null
    | "" -> ()
    | file ->
        for test, outcome in summary.failed @ summary.errored do
            let why =
                match outcome.result with
                | TestResult.Failed message -> message
                | TestResult.Error error -> string error
                | other -> string other

            let name = String.concat "." test.name
            File.AppendAllText(file, $"FAILED {name}\n{why}\n\n")

/// How long every test took, the longest first, in seconds: into the file named by NE_TEST_TIMES.
let private reportTimes (summary: TestRunSummary) =
    match Environment.GetEnvironmentVariable "NE_TEST_TIMES" with
    | null
    | "" -> ()
    | file ->
        let lines =
            summary.results
            |> List.sortByDescending (fun (_, outcome) -> outcome.duration)
            |> List.map (fun (test, outcome) ->
                let name = String.concat "." test.name
                $"%8.1f{outcome.duration.TotalSeconds}  {name}")

        File.WriteAllLines(file, lines)

/// Written to standard output alone on a line, and appended to the file named by NE_TEST_SUMMARY for `./ne test` to add up.
let private report (summary: TestRunSummary) =
    let passed, failed, skipped =
        List.length summary.passed, List.length summary.failed + List.length summary.errored, List.length summary.ignored

    let line = $"{passed} passed, {failed} failed, {skipped} skipped"
    use out = Console.OpenStandardOutput()
    out.Write(Text.Encoding.UTF8.GetBytes("\n" + line + "\n"))

    match Environment.GetEnvironmentVariable "NE_TEST_SUMMARY" with
    | null
    | "" -> ()
    | file -> File.AppendAllText(file, line + "\n")

    passed + failed

/// Tests with "CUDA" in their names run one after another: threads that share a device wait for each other at every operation.
let rec private oneByOneOnCuda (test: Test) : Test =
    match test with
    | TestLabel(name, _, _) when name.Contains "CUDA" -> testSequencedGroup "CUDA" test
    | TestLabel(name, inner, state) -> TestLabel(name, oneByOneOnCuda inner, state)
    | TestList(tests, state) -> TestList(List.map oneByOneOnCuda tests, state)
    | Test.Sequenced(how, inner) -> Test.Sequenced(how, oneByOneOnCuda inner)
    | TestCase _ -> test

let run (arguments: string[]) =
    // The blocking TestKit calls need threads at once; the pool would add them one every half second.
    ThreadPool.SetMinThreads(32, 32) |> ignore
    let mutable ran = 0

    let printer = {
        TestPrinters.defaultPrinter with
            summary =
                fun config summary ->
                    async {
                        do! TestPrinters.defaultPrinter.summary config summary
                        reportFailures summary
                        reportTimes summary
                        ran <- report summary
                    }
    }

    match testFromAssembly (Assembly.GetCallingAssembly()) with
    | None ->
        eprintfn "no test found in this assembly"
        2
    | Some tests ->
        let exitCode =
            runTestsWithCLIArgs [ CLIArguments.Printer printer; CLIArguments.No_Spinner ] arguments (oneByOneOnCuda tests)

        if exitCode = 0 && ran = 0 && not (Array.contains "--list-tests" arguments) then
            eprintfn "no test was run"
            2
        else
            exitCode
