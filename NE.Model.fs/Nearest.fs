/// The nearest known name to a misspelt one, for error messages.
[<RequireQualifiedAccess>]
module NE.Model.Nearest

open System

/// The number of single-character insertions, deletions, replacements and swaps of neighbours that turn one text into the other,
/// ignoring case (optimal string alignment distance).
let distance (left: string) (right: string) : int =
    let a, b = left.ToLowerInvariant(), right.ToLowerInvariant()
    let table = Array2D.zeroCreate<int> (a.Length + 1) (b.Length + 1)

    for i in 0 .. a.Length do
        table[i, 0] <- i

    for j in 0 .. b.Length do
        table[0, j] <- j

    for i in 1 .. a.Length do
        for j in 1 .. b.Length do
            let replaced = table[i - 1, j - 1] + (if a[i - 1] = b[j - 1] then 0 else 1)
            let best = min replaced (1 + min table[i - 1, j] table[i, j - 1])

            table[i, j] <-
                if i > 1 && j > 1 && a[i - 1] = b[j - 2] && a[i - 2] = b[j - 1] then
                    min best (table[i - 2, j - 2] + 1)
                else
                    best

    table[a.Length, b.Length]

/// Up to `count` known names that could have been meant, nearest first. A name counts when it contains the text, or is at most a
/// third of the text's length (and at least 2 edits) away.
let ranked (count: int) (text: string) (known: string seq) : string list =
    let allowed = max 2 (text.Length / 3)

    let contains (name: string) =
        text.Length >= 3 && name.Contains(text, StringComparison.OrdinalIgnoreCase)

    known
    |> Seq.distinct
    |> Seq.map (fun name -> name, distance text name)
    |> Seq.filter (fun (name, edits) -> (edits <= allowed && edits < max text.Length name.Length) || contains name)
    |> Seq.sortBy (fun (name, edits) -> edits, name)
    |> Seq.truncate count
    |> Seq.map fst
    |> List.ofSeq

/// The nearest known name, if any is near enough to have been meant.
let suggest (text: string) (known: string seq) : string option = ranked 1 text known |> List.tryHead
