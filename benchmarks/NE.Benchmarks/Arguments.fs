/// The command line of a benchmark: options with a value each, and words between them.
module NE.Benchmarks.Arguments

open System
open System.Globalization
open NE.Model
open NE.Model.Tasks

/// An option with a value.
type Argument<'Options> = {
    /// With its dashes.
    Name: string
    /// What the usage line calls the value.
    Value: string
    /// The options with the value, or what is wrong with it.
    Take: string -> 'Options -> Result<'Options, string>
}

/// What a benchmark understands.
type Grammar<'Options> = {
    Arguments: Argument<'Options> list
    /// What the usage line says of the words between the options; empty if there are none.
    Words: string
    TakeWord: string -> 'Options -> Result<'Options, string>
}

let private argument name value read complaint set = {
    Name = name
    Value = value
    Take =
        fun text options ->
            match read text with
            | Some value -> Ok(set value options)
            | None -> Error $"{name} expects {complaint}, found '{text}'"
}

let private wholeAtLeast (least: int64) (most: int64) (text: string) =
    match Int64.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) with
    | true, number when number >= least && number <= most -> Some number
    | _ -> None

/// A whole number.
let int64 name (least: int64) set =
    argument name "N" (wholeAtLeast least Int64.MaxValue) $"a whole number of at least {least}" set

/// A whole number that fits 32 bits.
let int name (least: int) set =
    argument name "N" (wholeAtLeast least Int32.MaxValue >> Option.map int32) $"a whole number of at least {least}" set

/// Seconds of a round.
let seconds set =
    let read (text: string) =
        match Double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture) with
        | true, number when number > 0.0 && number <= 60.0 -> Some number
        | _ -> None

    argument "--seconds" "S" read "a number above 0 and at most 60" set

/// Widths of hidden layers, such as 256,128.
let widths name set =
    let read (text: string) =
        let found =
            text.Split ',' |> Array.map (wholeAtLeast 1L Int32.MaxValue >> Option.map int32)

        if Array.forall Option.isSome found then
            Some(found |> Array.choose id |> List.ofArray)
        else
            None

    argument name "256,128" read "widths separated by commas" set

/// A learner from numbers by its name.
let learner set =
    let known =
        LearnerKind.names |> List.filter (fun (_, learner) -> not learner.SeesPixels)

    let read text =
        known |> List.tryFind (fun (name, _) -> name = text) |> Option.map snd

    let all = known |> List.map fst
    argument "--learner" (String.concat "|" all) read (String.concat " or " all) set

/// Some of these, by name, separated by commas.
let parts name (known: (string * 'Part) list) set =
    let names = known |> List.map fst

    let read (text: string) =
        let found = [
            for word in text.Split ',' -> known |> List.tryFind (fun (name, _) -> name = word)
        ]

        if List.forall Option.isSome found then
            Some(found |> List.choose (Option.map snd))
        else
            None

    argument name (String.concat "," names) read $"""some of {String.concat ", " names}, separated by commas""" set

/// Where torch computes.
let device set =
    let read (text: string) =
        if
            text = "cpu"
            || text = "cuda"
            || (text.StartsWith "cuda:" && (wholeAtLeast 0 255 (text.Substring 5)).IsSome)
        then
            Some text
        else
            None

    argument "--device" "cpu|cuda[:N]" read "cpu, cuda or cuda:N" set

/// The Python that has PyTorch.
let python set =
    argument "--python" "FILE" Some "a file" set

/// Where the report is written.
let json set =
    argument "--json" "FILE" Some "a file" set

let private unknown word =
    Error $"'{word}' is not an option, or lacks its value"

/// Options alone.
let optionsOnly arguments = {
    Arguments = arguments
    Words = ""
    TakeWord = fun word _ -> unknown word
}

/// Tasks, or "all", among the options: those that are named take the place of the usual ones.
let namedTasks arguments (usual: string list) (get: 'Options -> string list) set : Grammar<'Options> =
    let add ids options =
        let named =
            if obj.ReferenceEquals(get options, usual) then
                []
            else
                get options

        set (named @ ids) options

    {
        Arguments = arguments
        Words = "[TASK... | all]"
        TakeWord =
            fun word options ->
                match word with
                | "all" -> Ok(add Registry.ids options)
                | id -> Registry.find id |> Result.map (fun task -> add [ task.Info.Id ] options)
    }

/// A task among the options, and key=value pairs of the configuration.
let taskAndKeys arguments setTask addChange = {
    Arguments = arguments
    Words = "[TASK] [key=value...]"
    TakeWord =
        fun (word: string) options ->
            match word.IndexOf '=' with
            | -1 -> Registry.find word |> Result.map (fun task -> setTask task.Info.Id options)
            | at -> Ok(addChange (word.Substring(0, at), word.Substring(at + 1)) options)
}

/// Reads the words after a benchmark's name.
let rec parse (grammar: Grammar<'Options>) (options: 'Options) (words: string list) : Result<'Options, string> =
    match words with
    | [] -> Ok options
    | name :: rest when name.StartsWith '-' ->
        match grammar.Arguments |> List.tryFind (fun argument -> argument.Name = name), rest with
        | Some argument, value :: rest ->
            argument.Take value options
            |> Result.bind (fun options -> parse grammar options rest)
        | _ -> unknown name
    | word :: rest ->
        grammar.TakeWord word options
        |> Result.bind (fun options -> parse grammar options rest)

/// The command line in one line.
let usage (name: string) (grammar: Grammar<'Options>) : string =
    [
        $"./ne bench {name}"
        grammar.Words
        for argument in grammar.Arguments do
            $"[{argument.Name} {argument.Value}]"
    ]
    |> List.filter (fun part -> part <> "")
    |> String.concat " "
