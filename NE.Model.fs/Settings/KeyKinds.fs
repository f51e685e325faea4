namespace NE.Model

open System
open System.Globalization

/// A value that is derived from others unless it is given.
type Derived<'T> =
    /// To be computed by `Settings.resolve`.
    | Auto
    /// Given, or already computed.
    | Is of 'T

    /// The value; a resolved configuration has no `Auto` left.
    member this.Value =
        match this with
        | Is value -> value
        | Auto -> invalidOp "the settings were not resolved before use"

/// How a value is read, written and described.
type internal Kind<'T> = {
    /// The error says what is wrong with the text; what is allowed stands in `Words`.
    Parse: string -> Result<'T, string>
    Show: 'T -> string
    /// What values are allowed, in words.
    Words: string
}

/// The kinds of values that keys have.
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
    /// 100,000, as people read it.
    let showCount (value: int64) = value.ToString("N0", invariant)

    let showInteger (value: int64) = value.ToString invariant
    let showDecimal (value: decimal) = value.ToString("0.###", invariant)

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

    /// A value that somebody else decides where none is given: `resolve` leaves it.
    let optional (word: string) (kind: Kind<'T>) = {
        Words = $"{word}, or {kind.Words}"
        Show =
            function
            | None -> word
            | Some value -> kind.Show value
        Parse =
            fun text ->
                if text.Trim() = word then
                    Ok None
                else
                    kind.Parse text |> Result.map Some
    }

    let widths = {
        Words = "one or more widths, separated by commas, each in [1, 65536]"
        Show = List.map string >> String.concat ","
        Parse =
            fun (text: string) ->
                // 256,128 and 256-128, with blanks or without; "-5" has an empty part.
                let parts =
                    text.Trim('[', ']', ' ').Split([| ','; '-' |])
                    |> Array.collect (fun part ->
                        match part.Split(' ', StringSplitOptions.RemoveEmptyEntries) with
                        | [||] -> [| part |]
                        | words -> words)

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
