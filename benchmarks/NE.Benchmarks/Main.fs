module NE.Benchmarks.Main

open System
open System.IO
open NE.Actors.MuJoCo
open NE.Model.Tasks

let private usage =
    "usage: ./ne bench [all]   (each benchmark in turn, with reports in results/benchmarks)
       ./ne bench learner [--threads N] [--observation N] [--action N] [--hidden 256,128] [--batch N] [--replay ROWS] [--rounds N] [--seconds S] [--output FILE]
       ./ne bench run [--environment ID] [--stored TRANSITIONS] [--steps N] [--output FILE]
       ./ne bench environments [TASK...] [--seconds S] [--rounds R] [--json FILE]   (TASK: an id, or all)
       ./ne bench task [TASK] [--steps-per-round S] [--rounds N] [--envs N] [--threads N] [--json FILE] [key=value...]
       ./ne bench inference [--observation N] [--action N] [--hidden 256,128] [--rounds N] [--seconds S] [--json FILE]
       ./ne bench memory [TASK] [--rows N] [--updates N] [--json FILE] [key=value...]
       ./ne bench sparse   (one matrix product with weights left out; not part of all)"

let rec private parseLearner (options: LearnerBenchmark.Options) arguments =
    match arguments with
    | [] -> Ok options
    | "--threads" :: n :: rest -> parseLearner { options with Threads = int n } rest
    | "--observation" :: n :: rest -> parseLearner { options with Observation = int n } rest
    | "--action" :: n :: rest -> parseLearner { options with Action = int n } rest
    | "--hidden" :: (widths: string) :: rest ->
        let hidden = widths.Split ',' |> Seq.map int |> List.ofSeq
        parseLearner { options with Hidden = hidden } rest
    | "--batch" :: n :: rest -> parseLearner { options with Batch = int n } rest
    | "--replay" :: n :: rest -> parseLearner { options with ReplayRows = int n } rest
    | "--rounds" :: n :: rest -> parseLearner { options with Rounds = int n } rest
    | "--seconds" :: s :: rest ->
        let seconds = float s

        parseLearner
            {
                options with
                    SecondsPerRound = seconds
            }
            rest
    | "--output" :: file :: rest -> parseLearner { options with Output = file } rest
    | other :: _ -> Error $"'{other}' is not an option, or lacks its value"

let rec private parseRun (options: RunBenchmark.Options) arguments =
    match arguments with
    | [] -> Ok options
    | "--environment" :: id :: rest -> parseRun { options with Environment = id } rest
    | "--stored" :: n :: rest -> parseRun { options with Stored = int64 n } rest
    | "--steps" :: n :: rest -> parseRun { options with Steps = int64 n } rest
    | "--output" :: file :: rest -> parseRun { options with Output = file } rest
    | other :: _ -> Error $"'{other}' is not an option, or lacks its value"

let rec private parseEnvironments (options: EnvironmentBenchmark.Options) (tasks: string list) arguments =
    match arguments with
    | [] when tasks.IsEmpty -> Ok options
    | [] -> Ok { options with Tasks = List.rev tasks }
    | "--seconds" :: s :: rest ->
        let seconds = float s

        if seconds > 0.0 && seconds <= 60.0 then
            let changed = {
                options with
                    SecondsPerRound = seconds
            }

            parseEnvironments changed tasks rest
        else
            Error $"--seconds is {s}; a round lasts more than 0 and at most 60 seconds"
    | "--rounds" :: n :: rest ->
        let rounds = int n

        if rounds > 0 then
            parseEnvironments { options with Rounds = rounds } tasks rest
        else
            Error $"--rounds is {n}; at least one round is needed"
    | "--json" :: file :: rest -> parseEnvironments { options with Output = Some file } tasks rest
    | "all" :: rest -> parseEnvironments options (List.rev Registry.ids @ tasks) rest
    | option :: _ when option.StartsWith "-" -> Error $"'{option}' is not an option, or lacks its value"
    | id :: rest ->
        Registry.find id
        |> Result.bind (fun _ -> parseEnvironments options (id :: tasks) rest)

[<EntryPoint>]
let main arguments =
    let chosen =
        try
            match List.ofArray arguments with
            | "learner" :: rest ->
                parseLearner LearnerBenchmark.defaults rest
                |> Result.map (fun options () -> LearnerBenchmark.run options)
            | "run" :: rest ->
                parseRun RunBenchmark.defaults rest
                |> Result.map (fun options () -> RunBenchmark.measure options)
            | "environments" :: rest ->
                parseEnvironments EnvironmentBenchmark.defaults [] rest
                |> Result.map (fun options () -> EnvironmentBenchmark.measure options)
            | "task" :: rest ->
                TaskBenchmark.parse TaskBenchmark.defaults rest
                |> Result.map (fun options () -> TaskBenchmark.measure options)
            | "inference" :: rest ->
                InferenceBenchmark.parse InferenceBenchmark.defaults rest
                |> Result.map (fun options () -> InferenceBenchmark.measure options)
            | "memory" :: rest ->
                MemoryBenchmark.parse MemoryBenchmark.defaults rest
                |> Result.map (fun options () -> MemoryBenchmark.measure options)
            | [ "sparse" ] -> Ok(fun () -> SparseBenchmark.run SparseBenchmark.defaults)
            // A child of the task benchmark.
            | "contender" :: folder :: pairs ->
                Ok(fun () -> RunServer.serve RunServer.WarmUp Console.In Console.Out folder (RunServer.changes pairs))
            | _ -> Error "name a benchmark: learner, run, environments, task, inference, memory or sparse"
        with
        | :? FormatException
        | :? OverflowException -> Error "a number was expected"

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
        eprintfn $"{problem}\n{usage}"
        1
