namespace NE.Model

open System
open System.Globalization

/// Where a default comes from (algorithm.md, provenance tags).
type Provenance =
    /// The paper's surviving text.
    | Paper
    /// The paper says that a value exists; the number is lost.
    | PaperUnstated
    /// A third party restates the paper.
    | ThirdParty
    /// What the official code really executes.
    | OfficialCode
    /// Default of a cited work.
    | Cited of work: string
    /// Reconstructed by reasoning.
    | Reconstructed
    /// Our choice; no source.
    | Ours

    /// The short form that docs/algorithm.md has, e.g. P or CW:TD3.
    member this.Label =
        match this with
        | Paper -> "P"
        | PaperUnstated -> "P?"
        | ThirdParty -> "3P"
        | OfficialCode -> "OC"
        | Cited work -> $"CW:{work}"
        | Reconstructed -> "R"
        | Ours -> "US"

/// One problem of a configuration, ready to be printed.
type SettingsError = {
    Key: string
    /// What was given.
    Found: string
    /// What is allowed, or what is wrong.
    Problem: string
}

/// One row of the table of keys.
type Key = {
    /// section.name
    Name: string
    Unit: string
    /// One sentence.
    Sentence: string
    /// What values are allowed, in words.
    Allowed: string
    Provenance: Provenance
    Get: Settings -> string
    Set: string -> Settings -> Result<Settings, string>
    /// Whether a resumed run, of these settings, may change the key.
    MayChange: Settings -> bool
}

/// How a value of each kind is read, written and described, and how a row of the table is made of it.
module internal KeyKinds =

    let invariant = CultureInfo.InvariantCulture

    let parseInteger (text: string) =
        // 25_000 and 3e5 are how people write steps.
        let plain = text.Replace("_", "")

        match Int64.TryParse(plain, NumberStyles.AllowLeadingSign, invariant) with
        | true, value -> Ok value
        | _ ->
            match Double.TryParse(plain, NumberStyles.Float, invariant) with
            | true, value when Math.Floor value = value && abs value < 9e15 -> Ok(int64 value)
            | _ -> Error "not a whole number"

    let parseReal (text: string) =
        match Double.TryParse(text, NumberStyles.Float, invariant) with
        | true, value when Double.IsFinite value -> Ok value
        | _ -> Error "not a number"

    let showReal (value: float) = value.ToString("R", invariant)
    let showInteger (value: int64) = value.ToString invariant
    let showDecimal (value: decimal) = value.ToString("0.###", invariant)

    type Kind<'T> = {
        Parse: string -> Result<'T, string>
        Show: 'T -> string
        Words: string
    }

    /// More than any run can count to; products with it do not overflow.
    let endless = 1_000_000_000_000_000L

    let wholeNumber low high = {
        Words =
            if high >= endless then
                $"a whole number >= {low}"
            else
                $"a whole number in [{low}, {high}]"
        Show = showInteger
        Parse =
            fun text ->
                parseInteger text
                |> Result.bind (fun v ->
                    if v >= low && v <= high then
                        Ok v
                    elif v > endless then
                        Error "more than 10^15, beyond any run"
                    else
                        Error "out of range")
    }

    let int32Of (kind: Kind<int64>) = {
        Words = kind.Words
        Show = fun (v: int) -> kind.Show(int64 v)
        Parse = kind.Parse >> Result.map int
    }

    let count low =
        int32Of (wholeNumber low 1_000_000_000L)

    let steps low = wholeNumber low endless

    /// Counts that may be derived from steps by a replay ratio.
    let gradientSteps low = wholeNumber low Int64.MaxValue

    let real words allowed = {
        Words = words
        Show = showReal
        Parse =
            fun text ->
                parseReal text
                |> Result.bind (fun v -> if allowed v then Ok v else Error "out of range")
    }

    let fraction = real "a number in [0, 1]" (fun v -> v >= 0.0 && v <= 1.0)

    let positiveFraction = real "a number in (0, 1]" (fun v -> v > 0.0 && v <= 1.0)

    /// Computed with in single precision, in which 0.99999999 is 1.
    let openFraction = {
        real "a number in [0, 1)" (fun v -> v >= 0.0 && v < 1.0) with
            Parse =
                fun text ->
                    parseReal text
                    |> Result.bind (fun v ->
                        if v < 0.0 || v >= 1.0 then
                            Error "out of range"
                        elif float32 v < 1.0f then
                            Ok v
                        else
                            Error "rounds to 1 in single precision, the largest value is 0.99999997")
    }

    let positive = real "a number > 0" (fun v -> v > 0.0)

    /// Of so few decimals that 0.5 and 0.125 are there and counts of steps stay exact.
    let ratio = {
        Words = "a number in [0.001, 1000], of three decimals at most"
        Show = showDecimal
        Parse =
            fun text ->
                match Decimal.TryParse(text.Replace("_", ""), NumberStyles.Float, invariant) with
                | false, _ -> Error "not a number"
                | true, value when value < 0.001m || value > 1000.0m -> Error "out of range"
                | true, value when Math.Round(value, 3) <> value -> Error "too many decimals"
                | true, value -> Ok value
    }

    let patience = real "a number in (0, 86400]" (fun v -> v > 0.0 && v <= 86400.0)

    let notNegative = real "a number >= 0" (fun v -> v >= 0.0)

    let choice (cases: (string * 'T) list) = {
        Words = cases |> List.map fst |> String.concat ", "
        Show = fun value -> cases |> List.find (fun (_, v) -> v = value) |> fst
        Parse =
            fun text ->
                match cases |> List.tryFind (fun (name, _) -> name = text.Trim().ToLowerInvariant()) with
                | Some(_, value) -> Ok value
                | None ->
                    match Nearest.suggest text (List.map fst cases) with
                    | None -> Error "not one of these"
                    | Some near -> Error $"did you mean '{near}'?"
    }

    let switch = choice [ "on", true; "off", false ]

    let derived (kind: Kind<'T>) = {
        Words = $"auto, or {kind.Words}"
        Show =
            function
            | Auto -> "auto"
            | Is value -> kind.Show value
        Parse =
            fun text ->
                if text.Trim() = "auto" then
                    Ok Auto
                else
                    kind.Parse text |> Result.map Is
    }

    let widths = {
        Words = "one or more widths, separated by commas, each in [1, 65536]"
        Show = List.map string >> String.concat ","
        Parse =
            fun (text: string) ->
                let parts =
                    text.Trim('[', ']', ' ').Split([| ','; ' '; '-' |], StringSplitOptions.RemoveEmptyEntries)

                let numbers =
                    parts
                    |> Array.choose (fun part ->
                        match Int32.TryParse(part, NumberStyles.None, invariant) with
                        | true, v when v >= 1 && v <= 65536 -> Some v
                        | _ -> None)

                if numbers.Length = parts.Length && numbers.Length > 0 then
                    Ok(List.ofArray numbers)
                else
                    Error "not a list of widths"
    }

    let device = {
        Words = "auto, cpu, cuda or cuda:N"
        Show = id
        Parse =
            fun (text: string) ->
                match text.Trim().ToLowerInvariant() with
                | "auto"
                | "cpu"
                | "cuda" as known -> Ok known
                | other when other.StartsWith "cuda:" && fst (Int32.TryParse(other.Substring 5)) -> Ok other
                | _ -> Error "not a device"
    }

    let methods = {
        Words = Method.words
        Show = Method.show
        Parse = Method.parse
    }

    let text = {
        Words = "an id of `ne env list`, cycle:ID,ID,..., PATH.yaml, plugin:PATH.dll[#Type] or external:COMMAND"
        Show = id
        Parse =
            fun (value: string) ->
                if String.IsNullOrWhiteSpace value then
                    Error "empty"
                else
                    Ok(value.Trim())
    }

    /// There is one way to treat the buffer at a switch; the other one that people ask for gets an answer.
    let clearedBuffer = {
        Words = "clear"
        Show = fun () -> "clear"
        Parse =
            fun (text: string) ->
                match text.Trim().ToLowerInvariant() with
                | "clear" -> Ok()
                | "keep" -> Error "one buffer per task, kept across the cycles, is not offered"
                | _ -> Error "not one of these"
    }

    let key name unit' provenance (kind: Kind<'T>) get set sentence = {
        Name = name
        Unit = unit'
        Sentence = sentence
        Allowed = kind.Words
        Provenance = provenance
        Get = get >> kind.Show
        Set =
            fun value settings ->
                kind.Parse value
                |> Result.map (fun v -> set v settings)
                |> Result.mapError (fun problem -> $"{problem}; allowed: {kind.Words}")
        MayChange = fun _ -> true
    }

    /// A key that is part of what the run is: a resumed run must keep it.
    let fixedKey name unit' provenance kind get set sentence = {
        key name unit' provenance kind get set sentence with
            MayChange = fun _ -> false
    }
