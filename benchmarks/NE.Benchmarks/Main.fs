module NE.Benchmarks.Main

open System
open System.IO
open NE.Actors.MuJoCo

/// A benchmark by the name it has on the command line.
type private Benchmark = {
    Name: string
    /// Its command line in one line.
    Usage: string
    /// What is to be done, or what is wrong with the words.
    Prepare: string list -> Result<unit -> unit, string>
}

let private benchmark name grammar defaults measure = {
    Name = name
    Usage = Arguments.usage name grammar
    Prepare =
        Arguments.parse grammar defaults
        >> Result.map (fun options () -> measure options)
}

let private benchmarks = [
    benchmark "learner" LearnerBenchmark.grammar LearnerBenchmark.defaults LearnerBenchmark.measure
    benchmark "pixels" PixelBenchmark.grammar PixelBenchmark.defaults PixelBenchmark.measure
    benchmark "run" RunBenchmark.grammar RunBenchmark.defaults RunBenchmark.measure
    benchmark "environments" EnvironmentBenchmark.grammar EnvironmentBenchmark.defaults EnvironmentBenchmark.measure
    benchmark "task" TaskBenchmark.grammar TaskBenchmark.defaults TaskBenchmark.measure
    benchmark "inference" InferenceBenchmark.grammar InferenceBenchmark.defaults InferenceBenchmark.measure
    benchmark "memory" MemoryBenchmark.grammar MemoryBenchmark.defaults MemoryBenchmark.measure
    benchmark "page" PageBenchmark.grammar PageBenchmark.defaults PageBenchmark.measure
    benchmark "fleet" FleetBenchmark.grammar FleetBenchmark.defaults FleetBenchmark.measure
    benchmark "compare" Comparison.grammar Comparison.defaults Comparison.measure
    benchmark "sparse" SparseBenchmark.grammar SparseBenchmark.defaults SparseBenchmark.measure
]

let private usage =
    "usage: ./ne bench [all]   (each benchmark in turn but the last two, with reports in results/benchmarks)"
    :: [ for benchmark in benchmarks -> $"       {benchmark.Usage}" ]
    |> String.concat "\n"

[<EntryPoint>]
let main arguments =
    let chosen =
        match List.ofArray arguments with
        // A child of the task benchmark.
        | "contender" :: folder :: pairs ->
            Ok(fun () -> RunServer.serve RunServer.WarmUp Console.In Console.Out folder (RunServer.changes pairs))
        | name :: words ->
            match benchmarks |> List.tryFind (fun benchmark -> benchmark.Name = name) with
            | Some benchmark ->
                benchmark.Prepare words
                |> Result.mapError (fun problem -> $"{problem}\nusage: {benchmark.Usage}")
            | None -> Error $"there is no benchmark '{name}'\n{usage}"
        | [] -> Error $"name a benchmark\n{usage}"

    match chosen with
    | Ok measure ->
        try
            measure ()
            0
        with
        | Report.BenchmarkFailed _
        | :? MuJoCoUnavailableException
        | :? IOException
        | :? UnauthorizedAccessException as problem ->
            eprintfn $"{problem.Message}"
            2
    | Error problem ->
        eprintfn $"{problem}"
        1
