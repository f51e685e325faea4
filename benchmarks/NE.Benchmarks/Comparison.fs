/// Two reports of one benchmark: has a ratio become worse? Rates differ from machine to machine and from hour to hour; a ratio is of two
/// contenders that took turns in one run, so it can be compared with that of another run.
module NE.Benchmarks.Comparison

open System
open System.IO
open System.Text.Json
open NE.Benchmarks.Report

type Options = {
    /// Reports of before and of now.
    Files: string list
    /// How much smaller a ratio may be, in per cent.
    Tolerance: int
}

let defaults = { Files = []; Tolerance = 15 }

let grammar: Arguments.Grammar<Options> = {
    Arguments.optionsOnly [
        Arguments.int "--tolerance" 0 (fun n options -> { options with Tolerance = n })
    ] with
        Words = "BEFORE.json NOW.json"
        TakeWord =
            fun file options ->
                Ok {
                    options with
                        Files = options.Files @ [ file ]
                }
}

/// A ratio in both reports. Of each, more is better.
type Compared = {
    /// Where it stands in the reports.
    Name: string
    Before: float
    Now: float
}

/// What the reports call their ratios.
let private ratioNames =
    set [
        "overPyTorch"
        "overTorch"
        "overEager"
        "shareOfPeak"
        "neOverDense"
        "pytorchOverOurs"
        "pytorchOverOursAtOnce"
        "oneOverAtOnce"
        "inTurnOverInStep"
        "ratio"
        "ratioOfProcessorTime"
    ]

/// Contenders that are not ours: where they fall behind, nothing has become worse.
let private peers = set [ "pytorch"; "eager" ]

/// What must be equal for a comparison to say anything.
let private sizes = [
    "observation"
    "action"
    "hidden"
    "batch"
    "rows"
    "widths"
    "task"
    "threads"
    "device"
]

/// Where a number stands, with elements of an array named by their task.
let rec private ratiosOf (path: string) (isRatio: bool) (element: JsonElement) : (string * float) list =
    let under name =
        if path = "" then name else $"{path}, {name}"

    match element.ValueKind with
    | JsonValueKind.Number when isRatio -> [ path, element.GetDouble() ]
    | JsonValueKind.Object when isRatio ->
        // A median with its rounds.
        match element.TryGetProperty "median" with
        | true, median -> ratiosOf path true median
        | false, _ -> []
    | JsonValueKind.Object -> [
        for field in element.EnumerateObject() do
            match field.Name with
            | "ratios" when field.Value.ValueKind = JsonValueKind.Object ->
                for ratio in field.Value.EnumerateObject() do
                    yield! ratiosOf (under ratio.Name) true ratio.Value
            | name when peers.Contains name -> ()
            | name -> yield! ratiosOf (under name) (ratioNames.Contains name) field.Value
      ]
    | JsonValueKind.Array -> [
        for item in element.EnumerateArray() do
            if item.ValueKind = JsonValueKind.Object then
                match item.TryGetProperty "task" with
                | true, task -> yield! ratiosOf (under (string task)) false item
                | false, _ -> ()
      ]
    | _ -> []

/// The ratios that both reports have, or why they cannot be compared.
let compare (before: JsonElement) (now: JsonElement) : Result<Compared list, string> =
    let size (name: string) (report: JsonElement) =
        match report.TryGetProperty name with
        | true, value -> Some(value.GetRawText() |> String.filter (Char.IsWhiteSpace >> not))
        | false, _ -> None

    let different =
        sizes
        |> List.tryPick (fun name ->
            match size name before, size name now with
            | Some a, Some b when a <> b -> Some $"They measure different things: {name} is {a} in the first and {b} in the second."
            | _ -> None)

    match different with
    | Some problem -> Error problem
    | None ->
        let ofNow = ratiosOf "" false now |> dict

        let both = [
            for name, value in ratiosOf "" false before do
                match ofNow.TryGetValue name with
                | true, current -> {
                    Name = name
                    Before = value
                    Now = current
                  }
                | false, _ -> ()
        ]

        if both.IsEmpty then
            Error "They have no ratio in common."
        else
            Ok both

/// Whether the ratio is smaller by more than the tolerance.
let isWorse (tolerancePercent: int) (compared: Compared) : bool =
    compared.Now < compared.Before * (1.0 - float tolerancePercent / 100.0)

let private read (file: string) =
    try
        use document = JsonDocument.Parse(File.ReadAllText file)
        document.RootElement.Clone()
    with :? JsonException as problem ->
        raise (BenchmarkFailed $"{file} is not JSON: {problem.Message}")

let measure (options: Options) : unit =
    match options.Files with
    | [ before; now ] ->
        match compare (read before) (read now) with
        | Error problem -> raise (BenchmarkFailed $"{before} and {now} cannot be compared. {problem}")
        | Ok found ->
            for compared in found do
                let verdict = if isWorse options.Tolerance compared then "  worse" else ""

                printfn
                    $"{compared.Name, -46} {compared.Before, 8:F3} {compared.Now, 8:F3} {100.0 * (compared.Now / compared.Before - 1.0), 7:F1} %%{verdict}"

            match found |> List.filter (isWorse options.Tolerance) with
            | [] -> printfn $"no ratio is smaller by more than {options.Tolerance} %%"
            | worse -> raise (BenchmarkFailed $"{worse.Length} of {found.Length} ratios are smaller by more than {options.Tolerance} %%")
    | _ -> raise (BenchmarkFailed "Give two reports: of before and of now.")
