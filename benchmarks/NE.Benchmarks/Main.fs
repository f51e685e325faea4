module NE.Benchmarks.Main

open System

let private usage =
    "usage: NE.Benchmarks learner [--threads N] [--observation N] [--action N] [--hidden 256,128] [--batch N] [--replay ROWS] [--rounds N] [--seconds S] [--output FILE]"

let rec private parse (options: LearnerBenchmark.Options) arguments =
    match arguments with
    | [] -> Ok options
    | "--threads" :: n :: rest -> parse { options with Threads = int n } rest
    | "--observation" :: n :: rest -> parse { options with Observation = int n } rest
    | "--action" :: n :: rest -> parse { options with Action = int n } rest
    | "--hidden" :: (widths: string) :: rest ->
        parse
            {
                options with
                    Hidden = widths.Split ',' |> Seq.map int |> List.ofSeq
            }
            rest
    | "--batch" :: n :: rest -> parse { options with Batch = int n } rest
    | "--replay" :: n :: rest -> parse { options with ReplayRows = int n } rest
    | "--rounds" :: n :: rest -> parse { options with Rounds = int n } rest
    | "--seconds" :: s :: rest ->
        parse
            {
                options with
                    SecondsPerRound = float s
            }
            rest
    | "--output" :: file :: rest -> parse { options with Output = file } rest
    | other :: _ -> Error $"'{other}' is not an option, or lacks its value"

[<EntryPoint>]
let main arguments =
    let parsed =
        match List.ofArray arguments with
        | "learner" :: rest ->
            try
                parse LearnerBenchmark.defaults rest
            with :? FormatException ->
                Error "a number was expected"
        | _ -> Error "name a benchmark: learner"

    match parsed with
    | Ok options ->
        LearnerBenchmark.run options
        0
    | Error problem ->
        eprintfn $"{problem}\n{usage}"
        1
