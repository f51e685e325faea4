/// What a killed process was doing, read from the log that it left.
module NE.EndToEnd.KillPhase

open System.IO
open System.Text.Json

/// Message template and committed step of every event of a log in newline JSON; a torn last line is skipped.
let private events (file: string) : (string * int64) list =
    if not (File.Exists file) then
        []
    else
        use stream =
            new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite)

        use reader = new StreamReader(stream)

        [
            for line in reader.ReadToEnd().Split('\n') do
                match
                    (try
                        Some(JsonDocument.Parse line)
                     with :? JsonException ->
                         None)
                with
                | Some document ->
                    let template =
                        match document.RootElement.TryGetProperty "@mt" with
                        | true, template -> string template
                        | _ -> ""

                    let step =
                        match document.RootElement.TryGetProperty "CommittedStep" with
                        | true, step -> step.GetInt64()
                        | _ -> -1L

                    template, step
                | None -> ()
        ]

/// Whether the log says that the commit of a step is done.
let hasCommitted (step: int64) (file: string) : bool =
    events file
    |> List.exists (fun (template, committed) -> template.StartsWith "Checkpoint of step {CommittedStep}: " && committed = step)

/// The phase at the end of the log, of the last stretch of the run.
let ofLog (file: string) : string =
    let last = events file |> List.map fst |> List.rev

    let count (text: string) =
        last
        |> List.takeWhile (fun e -> not (e.Contains "begins in process"))
        |> List.filter _.StartsWith(text)
        |> List.length

    let stretchBegan = count "The run starts" + count "The run goes on" > 0

    let evaluating =
        count "Evaluation of step {EvaluatedStep} begins" > count "Evaluation of step {EvaluatedStep}: mean"

    let committing =
        count "Checkpoint of step {CommittedStep} begins" > count "Checkpoint of step {CommittedStep}: "

    match stretchBegan, committing, evaluating with
    | false, _, _ -> "starting"
    | true, true, true -> "committing, evaluation in flight"
    | true, true, false -> "committing"
    | true, false, true -> "training, evaluation in flight"
    | true, false, false -> "training"
