/// What the pages say about keys, methods and verbs is what the program has. NE_UPDATE_GOLDEN=1 writes the parts between markers.
module NE.Shell.Tests.DocumentationTests

open System
open System.IO
open Expecto
open NE.Model
open NE.Shell.SeqServer
open NE.Shell.Tests.Support

let private page (name: string) =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../..", name))

/// The part of a page between the lines `<!-- NAME: generated ... -->` and `<!-- NAME: end -->` is the text.
let private generated (file: string) (name: string) (text: string) =
    let content = File.ReadAllText(page file)
    let first = $"<!-- {name}: generated, NE_UPDATE_GOLDEN=1 ./ne test -->\n"
    let last = $"<!-- {name}: end -->\n"
    let from, until = content.IndexOf first, content.IndexOf last
    Expect.isTrue (from >= 0 && until > from) $"{file} has the markers of '{name}'"
    let from = from + first.Length

    if Environment.GetEnvironmentVariable "NE_UPDATE_GOLDEN" = "1" then
        File.WriteAllText(page file, content.Substring(0, from) + text + content.Substring until)
    else
        Expect.equal (content.Substring(from, until - from)) text $"{file}, '{name}'; NE_UPDATE_GOLDEN=1 rewrites it"

let private table (heading: string list) (rows: string list list) =
    let line cells =
        "| " + String.concat " | " cells + " |\n"

    line heading
    + "|"
    + String.replicate heading.Length "---|"
    + "\n"
    + (rows |> List.map line |> String.concat "")

[<Tests>]
let tests =
    // Several of them may write one page.
    testSequenced
    <| testList "the pages" [
        test "docs/seq.md has every question with the query that answers it, and every signal" {
            let of' kind =
                SeqEntity.All() |> Seq.filter (fun entity -> entity.Kind = kind)

            let text (name: string) (entity: SeqEntity) = string entity.Content[name]
            let bare (entity: SeqEntity) = entity.Title.Substring "NE: ".Length

            String.concat "\n" [
                for query in of' SeqKind.Query do
                    "**" + bare query + ".** " + text "Description" query + "\n"

                    for line in (text "Sql" query).Split '\n' do
                        "    " + line

                    ""
            ]
            |> generated "docs/seq.md" "questions"

            table [ "signal"; "what it shows"; "filter" ] [
                for signal in of' SeqKind.Signal do
                    let filter = nonNull ((nonNull signal.Content["Filters"]).AsArray()[0])

                    [ bare signal; text "Description" signal; "`" + string filter["Filter"] + "`" ]
            ]
            |> generated "docs/seq.md" "signals"
        }

        test "docs/algorithm.md has every key with its default, unit and origin" {
            table [ "key"; "default"; "unit"; "tag"; "resume may change" ] [
                for key in Settings.keys do
                    [
                        $"`{key.Name}`"
                        key.Get Settings.defaults
                        key.Unit
                        key.Provenance.Label
                        (if key.MayChange Settings.defaults then "yes" else "no")
                    ]
            ]
            |> generated "docs/algorithm.md" "keys"
        }

        test "docs/algorithm.md has every rule with what it is by name" {
            let names = NeRules.named |> List.map fst

            let row (rule: NeRule) =
                [ $"`{rule.Name}`" ]
                @ (NeRules.named |> List.map (snd >> rule.Get))
                @ [ rule.Sentence ]

            table ([ "rule" ] @ names @ [ "what" ]) (List.map row NeRules.rules)
            |> generated "docs/algorithm.md" "rules"
        }

        test "docs/methods.md has every pair that does not compose, with the reason" {
            let named technique = $"`{Method.nameOf technique}`"

            table [ "pairs"; "reason" ] [
                for why, pairs in Method.contradictions |> List.groupBy (fun (_, _, why) -> why) do
                    let together = [
                        for second, same in List.groupBy (fun (_, second, _) -> second) pairs do
                            let firsts = [ for first, _, _ in same -> named first ] |> String.concat ", "
                            $"{firsts} with {named second}"
                    ]

                    [ String.concat ", " together; why ]
            ]
            |> generated "docs/methods.md" "contradictions"
        }

        test "docs/adr/005-golden-runs.md has every golden run and its digest" {
            table [ "program"; "run"; "state" ] [
                for run in GoldenRunTests.runs do
                    let state = Map.ofList run.End |> Map.find "state"
                    [ run.Format; $"`{run.Name}`"; $"`{state}`" ]
            ]
            |> generated "docs/adr/005-golden-runs.md" "golden runs"

            let adr = File.ReadAllText(page "docs/adr/005-golden-runs.md")

            for name in GoldenRunTests.runs |> List.map _.Name |> List.distinct do
                Expect.isTrue (adr.Contains $"| `{name}` | ") $"what {name} has"
        }

        test "README.md has every verb, and docs/methods.md every technique" {
            let _, help, _ = shell [ "--help" ]

            let verbs =
                help.Split('\n')
                |> Array.skipWhile (fun line -> not (line.StartsWith "Commands:"))
                |> Array.skip 1
                |> Array.takeWhile (fun line -> line.StartsWith "  ")
                |> Array.filter (fun line -> line.StartsWith "  " && Char.IsLetter line[2])
                |> Array.map (fun line -> line.Trim().Split(' ')[0])

            Expect.isGreaterThan verbs.Length 10 "verbs"

            let readme, methods =
                File.ReadAllText(page "README.md"), File.ReadAllText(page "docs/methods.md")

            for verb in verbs do
                Expect.isTrue (readme.Contains $"ne {verb}") $"README.md: ne {verb}"

            for name, _ in Method.names do
                Expect.isTrue (methods.Contains $"| `{name}` |" && methods.Contains $"**{name}**") $"docs/methods.md: {name}"
        }
    ]
