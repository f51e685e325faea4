module NE.Benchmarks.Main

open System

let private usage =
    "usage: NE.Benchmarks learner [--threads N] [--observation N] [--action N] [--hidden 256,128] [--batch N] [--replay ROWS] [--rounds N] [--seconds S] [--output FILE]
       NE.Benchmarks run [--environment ID] [--stored TRANSITIONS] [--steps N] [--output FILE]"

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
            | [ "sparse" ] -> Ok(fun () -> SparseBenchmark.run SparseBenchmark.defaults)
            | _ -> Error "name a benchmark: learner or run"
        with :? FormatException ->
            Error "a number was expected"

    match chosen with
    | Ok measure ->
        measure ()
        0
    | Error problem ->
        eprintfn $"{problem}\n{usage}"
        1
