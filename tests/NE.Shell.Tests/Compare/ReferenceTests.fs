module NE.Shell.Tests.Compare.ReferenceTests

open System.IO
open Expecto
open NE.Shell.Host
open NE.Shell.Reports.Compare.Data
open NE.Shell.RunFiles
open NE.Shell.Tests.Compare.ReportFiles
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support

let private header = "algorithm,environment,seed,step,return"

/// A file with rows below the usual header.
let private file (folder: TemporaryFolder) (name: string) (rows: string list) =
    let path = folder.File name
    File.WriteAllText(path, String.concat "\n" (header :: rows) + "\n")
    path

/// Seeds of an algorithm: seed i has `height i` at every step.
let private rows algorithm environment (steps: int list) (heights: float list) = [
    for seed, height in List.indexed heights do
        for step in steps -> $"{algorithm},{environment},{seed},{step},{height}"
]

/// Rows of learning-curves.csv of one reference: step, mean, deviation, seeds. The label is quoted, since it has a comma.
let private drawn (out: string) (environment: string) (label: string) = [
    for record in CsvRecords(File.ReadAllText(Path.Combine(out, "learning-curves.csv"))).Read() do
        if record.Fields[0] = environment && record.Fields[1] = label then
            record.Fields[2], record.Fields[3], record.Fields[4], record.Fields[5]
]

let private lineOf (out: string) (name: string) (beginning: string) =
    File.ReadAllLines(Path.Combine(out, name))
    |> Array.filter _.StartsWith(beginning)
    |> Array.exactlyOne

[<Tests>]
let records =
    testList "CSV of any origin" [
        test "quotes hold commas, quotes and line ends, and the lines are counted" {
            let found = [
                for record in CsvRecords("a,b\r\n\"x, y\",\"say \"\"hi\"\"\"\n\n\"two\nlines\",\nlast,\"\"").Read() ->
                    record.Line, List.ofSeq record.Fields
            ]

            Expect.equal
                found
                [
                    1, [ "a"; "b" ]
                    2, [ "x, y"; "say \"hi\"" ]
                    4, [ "two\nlines"; "" ]
                    6, [ "last"; "" ]
                ]
                "records"
        }

        test "what a table writes is read back" {
            let table =
                NE.Shell.Reports.Compare.Data.DataTable("t", "t", "plain", "a,b", "say \"hi\"")

            table.Add("", "line\r\nend", "<i>|,&")
            table.Add(0.1, null, -7L)

            Expect.equal
                [ for record in CsvRecords(table.Csv()).Read() -> List.ofSeq record.Fields ]
                [
                    [ "plain"; "a,b"; "say \"hi\"" ]
                    [ ""; "line\r\nend"; "<i>|,&" ]
                    [ "0.1"; ""; "-7" ]
                ]
                "fields"
        }
    ]

[<Tests>]
let curves =
    testList "curves of a reference" [
        test "columns in any order, others beside them, rows in any order and fields in quotes are read" {
            let text =
                "return, step ,note,seed,environment,algorithm\r\n"
                + "3,20,\"a, b\",1,Hopper-v4,\"TD3, ours\"\r\n"
                + "2,1e1,,1.0,Hopper-v4,\"TD3, ours\"\r\n"
                + "-5.5,10,,0,Hopper-v4,\"TD3, ours\""

            let found = Seq.exactlyOne (ReferenceFile.Parse(text, "f.csv")).Curves
            Expect.equal (found.Algorithm, found.Environment) ("TD3, ours", "Hopper-v4") "names"

            Expect.equal
                [ for curve in found.Seeds -> List.ofSeq curve.Steps, List.ofSeq curve.Values ]
                [ [ 10.0; 20.0 ], [ 2.0; 3.0 ]; [ 10.0 ], [ -5.5 ] ]
                "seeds, their steps rising"
        }

        test "between the points of a seed lies a line, outside of them nothing" {
            let curve = Curve([| 10.0; 20.0; 40.0 |], [| 1.0; 3.0; -1.0 |])

            Expect.equal [ for step in [ 10.0; 15.0; 20.0; 30.0; 40.0 ] -> curve.Between step ] [ 1.0; 2.0; 3.0; 1.0; -1.0 ] "within"

            for step in [ 9.0; 41.0 ] do
                Expect.isTrue (System.Double.IsNaN(curve.Between step)) $"step {step}"

            Expect.isTrue (System.Double.IsNaN(Curve([||], [||]).Between 0.0)) "an empty curve"
        }
    ]

[<Tests>]
let references =
    testList "references of a report" [
        test "a reference is drawn with its band, named, and in the figure's data and a table of its own" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run

            let path =
                file
                    folder
                    "public.csv"
                    (rows "TD3" "Hopper-v4" [ 0; 500; 1000 ] [ 10.0; 20.0; 60.0 ]
                     @ [ "SAC,Hopper-v4,7,500,5" ])

            ok folder.Path [ name; "-o"; out; "--reference"; path ] |> ignore

            let points = drawn out "Hopper-v4" "TD3 (reference, 3 seeds)"

            Expect.equal
                [ for step, mean, _, seeds in points -> step, mean, seeds ]
                [ "0", "30", "3"; "500", "30", "3"; "1000", "30", "3" ]
                "means"

            for _, _, deviation, _ in points do
                Expect.floatClose Accuracy.high (number deviation) (sqrt 700.0) "standard deviation of 10, 20 and 60"

            Expect.equal (drawn out "Hopper-v4" "SAC (reference, 1 seed)") [ "500", "5", "", "1" ] "one seed has no deviation"
            let texts = textsOf (Path.Combine(out, "learning-curves.svg"))
            Expect.containsAll texts [ "td3"; "TD3 (reference, 3 seeds)"; "SAC (reference, 1 seed)" ] "legend"
            let table = lineOf out "references.md"
            Expect.equal (table "| TD3") $"| TD3 | Hopper-v4 | 3 | 30.0 +- 26.5 | 1,000 | {path} |" "table"
            Expect.equal (table "| SAC") $"| SAC | Hopper-v4 | 1 | 5.00 | 500 | {path} |" "of one seed"

            Expect.stringContains
                (File.ReadAllText(Path.Combine(out, "report.html")))
                "Grey dashed lines are public curves"
                "the caption says what they are"
        }

        test "references are dashed and distinct, and look the same on every environment" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let names = [
                write folder.Path run
                write folder.Path {
                    run with
                        Name = "b"
                        Environment = "Ant-v4"
                }
            ]

            let path =
                file folder "public.csv" [
                    yield! rows "TD3" "Hopper-v4" [ 0; 1000 ] [ 1.0; 2.0 ]
                    yield! rows "SAC" "Hopper-v4" [ 0; 1000 ] [ 3.0; 4.0 ]
                    yield! rows "SAC" "Ant-v4" [ 0; 1000 ] [ 3.0; 4.0; 5.0 ]
                ]

            ok folder.Path (names @ [ "-o"; out; "--reference"; path ]) |> ignore

            let styles = List.map fst (linesOf (Path.Combine(out, "learning-curves.svg")))
            let isThick (style: string) = style.Contains "stroke-width:2"
            let isReference (style: string) = style.Contains "stroke-width:1.5"
            let own, others = List.filter isThick styles, List.filter isReference styles
            Expect.equal [ for _, lines in List.countBy id others -> lines ] [ 1; 2 ] "one line of TD3, two of SAC, which look the same"
            Expect.all others _.Contains("stroke-dasharray") "dashed"
            Expect.isTrue (others |> List.forall (fun style -> not (List.contains style own))) "unlike the arms"

            Expect.isTrue (List.findIndex isReference styles < List.findIndex isThick styles) "behind the arms"

            Expect.containsAll
                (textsOf (Path.Combine(out, "learning-curves.svg")))
                [ "SAC (reference, 2 to 3 seeds)" ]
                "one name for both environments"
        }

        test "seeds with other steps are interpolated, up to the horizon and within a seed's own range" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run

            let path =
                file folder "public.csv" [
                    "X,Hopper-v4,0,0,0"
                    "X,Hopper-v4,0,800,80"
                    "X,Hopper-v4,0,1200,120"
                    "X,Hopper-v4,1,200,40"
                    "X,Hopper-v4,1,600,80"
                    "X,Hopper-v4,1,1000,100"
                    "X,Hopper-v4,2,1500,7"
                ]

            ok folder.Path [ name; "-o"; out; "--reference"; path ] |> ignore

            // The third seed begins behind the horizon, the first goes on behind it; at step 0 only the first has begun.
            Expect.equal
                [
                    for step, mean, _, seeds in drawn out "Hopper-v4" "X (reference, 2 seeds)" -> step, mean, seeds
                ]
                [ "200", "30", "2"; "600", "70", "2"; "800", "85", "2"; "1000", "100", "2" ]
                "means of both"

            Expect.stringContains
                (lineOf out "references.md" "| X")
                "| 2 | 90.0 +- 14.1 | 800 to 1,000 |"
                "last values at or before the horizon"

            ok folder.Path [ name; "-o"; out; "--reference"; path; "--at"; "700" ] |> ignore

            Expect.equal
                [ for step, _, _, _ in drawn out "Hopper-v4" "X (reference, 2 seeds)" -> step ]
                [ "200"; "600" ]
                "up to an earlier step"
        }

        test "environments that the report does not have are left out, in one line" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run

            let path =
                file folder "public.csv" [
                    for environment in [ "Ant-v4"; "Hopper-v4"; "Walker2d-v4" ] do
                        yield! rows "TD3" environment [ 0; 1000 ] [ 1.0; 2.0 ]
                ]

            let _, errors = ok folder.Path [ name; "-o"; out; "--reference"; path ]
            Expect.stringContains errors $"ne: note: {path}: Ant-v4, Walker2d-v4 are not in this report and left out." "said"
            Expect.isFalse (File.ReadAllText(Path.Combine(out, "learning-curves.csv")).Contains "Ant-v4") "not drawn"
            Expect.hasLength (File.ReadAllLines(Path.Combine(out, "references.md"))) 3 "nor in the table"
        }

        test "an algorithm that begins behind the horizon is left out, and said" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run
            let path = file folder "public.csv" (rows "TD3" "Hopper-v4" [ 5000 ] [ 1.0; 2.0 ])
            let _, errors = ok folder.Path [ name; "-o"; out; "--reference"; path ]
            Expect.stringContains errors "TD3 on Hopper-v4 begins behind step 1,000 and is left out" "said"
            Expect.isFalse (File.Exists(Path.Combine(out, "references.md"))) "no table of nothing"
        }

        test "several files: an algorithm that two of them have is told apart by the file" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run
            let first = file folder "a.csv" (rows "TD3" "Hopper-v4" [ 0; 1000 ] [ 1.0; 2.0 ])

            let second =
                file
                    folder
                    "b.csv"
                    (rows "TD3" "Hopper-v4" [ 0; 1000 ] [ 3.0 ]
                     @ rows "SAC" "Hopper-v4" [ 0 ] [ 1.0 ])

            // A file that is named twice counts once.
            ok folder.Path [
                name
                "-o"
                out
                "--reference"
                first
                "--reference"
                second
                "--reference"
                folder.File "./a.csv"
            ]
            |> ignore

            let texts = textsOf (Path.Combine(out, "learning-curves.svg"))

            Expect.equal
                (texts |> List.filter _.Contains("(reference"))
                [
                    $"TD3, {first} (reference, 2 seeds)"
                    $"TD3, {second} (reference, 1 seed)"
                    "SAC (reference, 1 seed)"
                ]
                "legend"
        }

        test "a report's own curves are another report's reference" {
            use folder = new TemporaryFolder()

            let names =
                arm folder.Path "s-x" run [ 0L .. 7L ] (fun seed -> 1.0 + 0.1 * float seed)
            // A label that needs quotes.
            sweep folder.Path "s" "" [
                for seed, name in List.indexed names -> name, "Hopper-v4", "ours, \"new\"", int64 seed
            ]

            let first, second = folder.File "one", folder.File "two"
            ok folder.Path [ "s"; "-o"; first ] |> ignore
            let written = Path.Combine(first, "curves.csv")
            Expect.equal (Seq.head (File.ReadLines written)) header "its columns"
            let other = write folder.Path { run with Method = "ne" }
            ok folder.Path [ other; "-o"; second; "--reference"; written ] |> ignore
            let there = drawn second "Hopper-v4" "ours, \"new\" (reference, 8 seeds)"
            Expect.equal there (drawn first "Hopper-v4" "ours, \"new\"") "means, deviations and seeds are those of the first report"
            Expect.hasLength there 11 "at every step"

            Expect.isFalse
                (File.ReadAllText(Path.Combine(second, "curves.csv")).Contains "new")
                "a report's own curves are of its own runs alone"
        }

        test "references take no part in scores, ranks and comparisons" {
            use folder = new TemporaryFolder()
            let without, beside = folder.File "one", folder.File "two"

            let names =
                arm folder.Path "a" run [ 0L .. 7L ] (fun seed -> 1.0 + float seed)
                @ arm folder.Path "b" { run with Method = "ne" } [ 0L .. 7L ] (fun seed -> 2.0 + float seed)

            let path =
                file folder "public.csv" (rows "TD3" "Hopper-v4" [ 0..100..1000 ] [ for seed in 0.0 .. 9.0 -> 1000.0 * seed ])

            ok folder.Path (names @ [ "-o"; without ]) |> ignore
            ok folder.Path (names @ [ "-o"; beside; "--reference"; path ]) |> ignore

            let others =
                set [
                    "report.html"
                    "report.md"
                    "report.json"
                    "learning-curves.svg"
                    "learning-curves.csv"
                ]

            for file in Directory.GetFiles without do
                let name = nonNull (Path.GetFileName file)

                if not (others.Contains name) then
                    Expect.equal (File.ReadAllText(Path.Combine(beside, name))) (File.ReadAllText file) name
        }
    ]

[<Tests>]
let refusals =
    testList "references that a report refuses" [
        test "a bad file is one message with file and line, and nothing is created" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            let path = folder.File "bad.csv"
            let good = "TD3,Hopper-v4,0,0,1"

            for text, parts in
                [
                    "", [ "found an empty file" ]
                    "\n\n", [ "found an empty file" ]
                    header, [ "expected a row below the header" ]
                    "algorithm,env,seed,step,reward\nTD3,Hopper-v4,0,0,1\n",
                    [
                        ", line 1: "
                        "found algorithm, env, seed, step, reward"
                        "missing: environment, return"
                    ]
                    $"{header},step\n{good},3\n", [ ", line 1: "; "the column step once, found it 2 times" ]
                    $"{header}\n{good}\nTD3,Hopper-v4,0,ten,1\n", [ ", line 3: "; "in the column step, found 'ten'" ]
                    $"{header}\n{good}\n\nTD3,Hopper-v4,0,-1,1\n", [ ", line 4: "; "in the column step, found '-1'" ]
                    $"{header}\nTD3,Hopper-v4,0.5,0,1\n", [ ", line 2: "; "a whole number in the column seed, found '0.5'" ]
                    $"{header}\nTD3,Hopper-v4,0,0,\n", [ ", line 2: "; "in the column return, found nothing" ]
                    $"{header}\nTD3,Hopper-v4,0,0,NaN\n", [ ", line 2: "; "in the column return, found 'NaN'" ]
                    $"{header}\n ,Hopper-v4,0,0,1\n", [ ", line 2: "; "a name in the column algorithm, found nothing" ]
                    $"{header}\n{good}\n\"TD\n3\",Hopper-v4,1,0,1\n",
                    [
                        ", line 3: "
                        "a name without control characters in the column algorithm, found 'TD?3'"
                    ]
                    $"{header}\nTD3,Hopper\u0007-v4,0,0,1\n",
                    [
                        ", line 2: "
                        "a name without control characters in the column environment, found 'Hopper?-v4'"
                    ]
                    $"{header}\nTD3,cycle:Hopper-v4,Ant-v4,0,0,1\n", [ ", line 2: "; "expected 5 fields as in the header, found 6" ]
                    $"{header}\n{good}\nTD3,Hopper-v4,1,0,1\nTD3,Hopper-v4,0,0.0,2\n",
                    [ ", line 4: "; "seed 0, step 0, found a second one (the first is on line 2)" ]
                    $"{header}\n\"TD3,Hopper-v4,0,0,1\n", [ ", line 2: "; "expected a closing quote" ]
                    $"{header}\n\"TD3\"x,Hopper-v4,0,0,1\n", [ ", line 2: "; "behind a closing quote, found 'x'" ]
                    "\u0001NUMPY\u0000v", [ ", line 1: "; "found ?NUMPY?v" ]
                ] do
                File.WriteAllText(path, text)

                let code, output, errors =
                    report folder.Path [ name; "-o"; folder.File "out"; "--reference"; path ]

                Expect.equal code ExitCode.UserError errors
                Expect.equal (output, errors.TrimEnd().Split('\n').Length) ("", 1) $"one message: {errors}"

                for part in $"--reference {path}" :: parts do
                    Expect.stringContains errors part "what, where"

                Expect.isFalse (Directory.Exists(folder.File "out")) "nothing is created"
        }

        test "a file that is not there, a folder and no name at all are refused" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run

            for path, part in
                [
                    folder.File "none.csv", "expected a CSV file, found nothing there"
                    folder.Path, "expected a CSV file, found a folder"
                    "", "--reference expects a value"
                ] do
                let code, _, errors =
                    report folder.Path [ name; "-o"; folder.File "out"; "--reference"; path ]

                Expect.equal code ExitCode.UserError errors
                Expect.stringContains errors part "message"
                Expect.isFalse (Directory.Exists(folder.File "out")) "nothing is created"
        }

        test "a file that may not be read is refused" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            let path = file folder "locked.csv" [ "TD3,Hopper-v4,0,0,1" ]
            use _ = File.Open(path, FileMode.Open, FileAccess.ReadWrite, FileShare.None)

            let code, _, errors =
                report folder.Path [ name; "-o"; folder.File "out"; "--reference"; path ]

            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors $"--reference {path} cannot be read: " "message"
        }

        test "a file without any environment of the report is refused with the names of both" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            let good = file folder "good.csv" (rows "TD3" "Hopper-v4" [ 0 ] [ 1.0 ])

            let path =
                file folder "other.csv" (rows "TD3" "Hopper-v2" [ 0 ] [ 1.0 ] @ rows "TD3" "Ant-v2" [ 0 ] [ 1.0 ])

            let code, _, errors =
                report folder.Path [ name; "-o"; folder.File "out"; "--reference"; good; "--reference"; path ]

            Expect.equal code ExitCode.UserError errors

            Expect.stringContains
                errors
                $"--reference {path}: expected an environment of the report (Hopper-v4), found Hopper-v2, Ant-v2"
                "message"

            Expect.isFalse (Directory.Exists(folder.File "out")) "nothing is created"
        }
    ]
