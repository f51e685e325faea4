module NE.Shell.Tests.Compare.ReportTests

open System
open System.IO
open System.Text.RegularExpressions
open System.Xml.Linq
open Expecto
open NE.Actors.RunDirectory
open NE.Model.Statistics
open NE.Shell
open NE.Shell.Host
open NE.Shell.Reports.Compare.Figures
open NE.Shell.RunFiles
open NE.Shell.Tests.Compare.ReportFiles
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support

/// Two arms of eight seeds on two environments, the second one growing; and a third of two seeds.
let private study (runs: string) = [
    for environment, scale in [ "Hopper-v4", 1.0; "HalfCheetah-v4", 3.0 ] do
        let on = { run with Environment = environment }
        yield! arm runs $"{environment}-td3" on [ 0L .. 7L ] (fun seed -> scale * (1.0 + 0.1 * float seed))

        let growing = {
            on with
                Method = "ne"
                Keys = [ "ne.review", "slope" ]
                Resumes = [ 300L ]
        }

        yield! arm runs $"{environment}-ne" growing [ 0L .. 7L ] (fun seed -> scale * (1.25 + 0.1 * float seed))
        yield! arm runs $"{environment}-reset" { on with Method = "reset" } [ 0L; 1L ] (fun _ -> 2.0 * scale)
]

[<Tests>]
let wholeReport =
    testList "a report" [
        test "its files: figures with data, tables, one HTML file" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let output, errors = ok folder.Path (study folder.Path @ [ "-o"; out ])
            Expect.stringContains output "LAST 10 %" "the headline table"
            Expect.stringContains output (Path.Combine(out, "report.html")) "where it is"
            Expect.stringContains errors "reset (2 complete) has fewer than 8 seeds" "few seeds are said"

            for figure in
                [
                    "learning-curves"
                    "iqm"
                    "probability-of-improvement"
                    "performance-profiles"
                    "bars"
                    "topology"
                    "review"
                    "falls"
                ] do
                Expect.isTrue (File.Exists(Path.Combine(out, figure + ".svg"))) $"{figure}.svg"
                Expect.isNonEmpty (csv (Path.Combine(out, figure + ".csv"))) $"{figure}.csv"

            Expect.isFalse (File.Exists(Path.Combine(out, "cycles.svg"))) "no panel without data"

            for table in
                [
                    "headline"
                    "comparisons"
                    "stages"
                    "events"
                    "runs"
                    "differences"
                    "marks"
                ] do
                Expect.stringStarts (File.ReadAllText(Path.Combine(out, table + ".md"))) "| " $"{table}.md"
        }

        test "every SVG is valid XML whose text is text, and whose ids are its own" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            ok folder.Path (study folder.Path @ [ "-o"; out ]) |> ignore

            for file in Directory.GetFiles(out, "*.svg") do
                let svg = loadXml file
                let svgElements = svg.Descendants() |> List.ofSeq

                let texts = [
                    for element in svgElements do
                        if element.Name.LocalName = "text" then
                            element.Value
                ]

                Expect.isGreaterThan texts.Length 5 $"{file}: axes have labels"

                let ids = [
                    for element in svgElements do
                        match element.Attribute(XName.Get "id") with
                        | null -> ()
                        | id -> id.Value
                ]

                Expect.hasLength (List.distinct ids) ids.Length $"{file}: no id twice"

                for element in svgElements do
                    match element.Attribute(XName.Get "clip-path") with
                    | null -> ()
                    | clip -> Expect.contains ids (clip.Value.Replace("url(#", "").TrimEnd ')') $"{file}: what is clipped to exists"

            let curves = File.ReadAllText(Path.Combine(out, "learning-curves.svg"))

            for text in
                [
                    "Hopper-v4"
                    "HalfCheetah-v4"
                    ">td3<"
                    ">ne<"
                    ">reset<"
                    "environment steps"
                    "return"
                ] do
                Expect.stringContains curves text "learning curves name what they show"
        }

        test "the HTML file needs nothing else: no address, no script, no other file" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            ok folder.Path (study folder.Path @ [ "-o"; out ]) |> ignore
            let html = File.ReadAllText(Path.Combine(out, "report.html"))
            Expect.isFalse (html.Contains "http") "no address"
            Expect.isFalse (html.Contains "<script" || html.Contains "<link" || html.Contains "@import") "nothing to load"
            let references = Regex.Matches(html, "(?:href|src)=\"([^\"]*)\"")

            for reference in references do
                Expect.stringStarts reference.Groups[1].Value "data:" "pictures are inside"

            for part in
                [
                    "@media print"
                    "prefers-color-scheme: dark"
                    "Provenance"
                    "ne report"
                    "<svg"
                ] do
                Expect.stringContains html part part

            // Ids of several figures in one page must not meet.
            let ids = [
                for found in Regex.Matches(html, " id=\"([^\"]*)\"") -> found.Groups[1].Value
            ]

            Expect.hasLength (List.distinct ids) ids.Length "no id twice"

            let body =
                html.Substring(html.IndexOf "<body>", html.IndexOf "</body>" + 7 - html.IndexOf "<body>")

            XDocument.Parse(body) |> ignore
        }

        test "the numbers in the CSV files are those of the statistics functions" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            ok folder.Path (study folder.Path @ [ "-o"; out ]) |> ignore
            let scores = csv (Path.Combine(out, "scores.csv"))

            let finals environment arm = [|
                for row in scores do
                    if row["environment"] = environment && row["arm"] = arm then
                        number row["final"]
            |]

            let ne, td3 = finals "Hopper-v4" "ne", finals "Hopper-v4" "td3"
            Expect.hasLength ne 8 "seeds"
            // The last tenth of 0, 100 ... 1000 times the seed's factor: 950 * (1.25 + 0.1 * seed).
            Expect.floatClose Accuracy.high ne[3] (950.0 * 1.55) "a score"

            let row (file: string) (conditions: (string * string) list) =
                csv (Path.Combine(out, file))
                |> List.find (fun row -> conditions |> List.forall (fun (column, value) -> row[column] = value))

            let hopper arm = [ "environment", "Hopper-v4"; "arm", arm ]
            let iqm = row "iqm.csv" (hopper "ne")

            let onIqm =
                Func<Strata, float>(fun strata -> Descriptive.interquartileMean strata[0])

            let interval = Bootstrap.percentile 0L Bootstrap.Resamples 0.95 onIqm [| ne |]

            Expect.equal
                (number iqm["iqm"], number iqm["low"], number iqm["high"])
                (Descriptive.interquartileMean ne, interval.Low, interval.High)
                "IQM"

            let few = row "iqm.csv" (hopper "reset")
            Expect.equal (few["iqm"], few["low"], few["high"]) ("", "", "") "neither it nor an interval for two seeds"

            let better =
                row "probability-of-improvement.csv" [ "environment", "Hopper-v4"; "first", "ne" ]

            Expect.equal (number better["probability"]) (Comparison.probabilityOfImprovement [| ne |] [| td3 |]) "improvement"

            let at = row "learning-curves.csv" (hopper "ne" @ [ "step", "500" ])
            let values = [| for seed in 0.0 .. 7.0 -> 500.0 * (1.25 + 0.1 * seed) |]
            Expect.floatClose Accuracy.high (number at["mean"]) (Descriptive.mean values) "mean"
            Expect.floatClose Accuracy.high (number at["deviation"]) (Descriptive.standardDeviation values) "deviation"

            let bar = row "bars.csv" (hopper "ne")
            Expect.equal (number bar["mean"]) (Descriptive.mean ne) "bar"

            // One of the two episodes ends upside down for 100 steps where the return is above 500, the other never.
            let fall = row "falls.csv" (hopper "td3" @ [ "step", "1000" ])
            Expect.equal (number fall["mean"]) 0.5 "falls"
            let upright = row "falls.csv" (hopper "td3" @ [ "step", "200" ])
            Expect.equal (number upright["mean"]) 0.0 "99 steps are no fall"

            let density =
                row "topology.csv" (hopper "ne" @ [ "layer", "2"; "gradientStep", "500" ])

            Expect.equal (density["density"], density["grown"], density["seeds"]) ("0.5", "4", "8") "topology"
            let profile = csv (Path.Combine(out, "performance-profiles.csv"))

            let hopperProfile = [
                for row in profile do
                    if row["environment"] = "Hopper-v4" && row["arm"] = "ne" then
                        number row["share"]
            ]

            Expect.equal (List.head hopperProfile, List.last hopperProfile) (1.0, 0.0) "a profile falls from all to none"
        }

        test "an arm of few seeds is its seeds: no interval, no rank, in any file" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "a" run [ 0L .. 6L ] (fun seed -> 1.0 + float seed)
            ok folder.Path (names @ [ "-o"; out ]) |> ignore
            let text = File.ReadAllText(Path.Combine(out, "headline.md"))
            let last = text.TrimEnd().Split('\n') |> Array.last
            Expect.stringContains last "7 (points)" "says points"
            Expect.stringContains last "950, 1900, 2850" "the values"
            Expect.isFalse (last.Contains "+-" || last.Contains "[") "nothing else"
            Expect.stringContains last "1 more complete seed needed" "what is missing"
            Expect.isFalse (File.Exists(Path.Combine(out, "probability-of-improvement.csv"))) "no comparison"
            Expect.isFalse (File.Exists(Path.Combine(out, "performance-profiles.csv"))) "no profile"
            let page = File.ReadAllText(Path.Combine(out, "report.md")).ToLowerInvariant()

            for word in [ "best"; "outperform"; "winner"; "significant" ] do
                Expect.isFalse (page.Contains word) word
        }

        test "resumes are marks in the curves and rows of a table" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            ok folder.Path [ write folder.Path { run with Resumes = [ 300L ] }; "-o"; out ]
            |> ignore

            let marks = csv (Path.Combine(out, "table-marks.csv"))
            Expect.equal [ for row in marks -> row["step"], row["what"] ] [ "300", "resume" ] "table"

            let dashed (file: string) =
                Regex.Matches(File.ReadAllText file, "stroke-dasharray").Count

            let with' = dashed (Path.Combine(out, "learning-curves.svg"))
            ok folder.Path [ write folder.Path run; "-o"; out ] |> ignore
            Expect.equal (with' - dashed (Path.Combine(out, "learning-curves.svg"))) 1 "one dashed line"
        }

        test "a short spike is drawn, however many points there are" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let spiked = {
                run with
                    Steps = 20_000L
                    Returns = [ for i in 0L .. 2_000L -> 10L * i, (if i = 1_001L then 900.0 else 0.0) ]
            }

            ok folder.Path [ write folder.Path spiked; "-o"; out ] |> ignore

            let heights = [
                for line in (loadXml (Path.Combine(out, "learning-curves.svg"))).Descendants() do
                    match line.Name.LocalName, line.Attribute(XName.Get "points") with
                    | "polyline", points when not (isNull points) ->
                        let ys = [
                            for point in (nonNull points).Value.Split(' ', StringSplitOptions.RemoveEmptyEntries) ->
                                number (point.Split(',')[1])
                        ]

                        List.max ys - List.min ys
                    | _ -> ()
            ]

            Expect.isGreaterThan (List.max heights) 100.0 "of 280 pixels"
        }

        test "the evaluation of a last round that ended behind the run's length counts" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let names =
                arm
                    folder.Path
                    "a"
                    {
                        run with
                            Returns = [ 0L, 0.0; 500L, 10.0; 900L, 100.0; 1_032L, 300.0 ]
                    }
                    [ 0L .. 7L ]
                    (fun _ -> 1.0)

            ok folder.Path (names @ [ "-o"; out ]) |> ignore
            let headline = Array.last (File.ReadAllLines(Path.Combine(out, "headline.md")))
            Expect.stringContains headline "| 200 +- 0.00" "the mean of the last two"
            let stages = Array.last (File.ReadAllLines(Path.Combine(out, "stages.md")))
            Expect.stringContains stages "| 300 +- 0.00 (8) |" "the end"
            // At an earlier step it does not.
            ok folder.Path (names @ [ "-o"; out; "--at"; "950" ]) |> ignore
            let headline = Array.last (File.ReadAllLines(Path.Combine(out, "headline.md")))
            Expect.stringContains headline "| 100 +- 0.00" "the last one before it"
        }

        test "what never grows, prunes or reviews has no figure of it" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let redo = write folder.Path { run with Name = "r"; Method = "redo" }

            File.WriteAllText(
                Path.Combine(folder.Path, redo, "topology.csv"),
                "gradientStep,network,stack,layer,density,grown,pruned,dormant\n10,critic,0,0,1,0,0,3\n"
            )

            let naive =
                write folder.Path {
                    run with
                        Name = "n"
                        Method = "naive-growth"
                        Keys = [ "ne.review", "slope" ]
                }

            for name, figure, other in [ redo, "topology", "learning-curves"; naive, "review", "topology" ] do
                ok folder.Path [ name; "-o"; out ] |> ignore
                Expect.equal (File.Exists(Path.Combine(out, "events.md"))) (name = naive) $"{name}: events"
                Expect.isFalse (File.Exists(Path.Combine(out, figure + ".svg"))) $"{name}: {figure}"
                Expect.isTrue (File.Exists(Path.Combine(out, other + ".svg"))) $"{name}: {other}"
        }

        test "where pruning took place is counted, per seed" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "a" { run with Method = "ne" } [ 0L; 1L ] (fun _ -> 1.0)

            let topology = Path.Combine(folder.Path, names[1], "topology.csv")

            File.WriteAllText(
                topology,
                "gradientStep,network,stack,layer,pruned\n"
                + "10,critic,0,0,0\n10,critic,1,1,2\n20,critic,0,0,0\n20,critic,1,1,0\n10,actor,0,0,0\n"
            )

            ok folder.Path (names @ [ "-o"; out ]) |> ignore
            let last = File.ReadAllLines(Path.Combine(out, "events.md"))
            Expect.stringContains last[2] "| actor | 2 | 11, 1 | 11, 0 |" "the actors"
            Expect.stringContains last[3] "| critic | 2 | 0, 2 | 0, 1 |" "the critics: one of the second run's two events"
        }

        test "a run's machine is in the table of runs" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            ok folder.Path [ write folder.Path { run with Resumes = [ 300L ] }; "-o"; out ]
            |> ignore

            Expect.stringContains (File.ReadAllText(Path.Combine(out, "runs.md"))) "host (a processor, 2 cores)" "once, for both stretches"
        }

        test "a sweep that is a smoke test has a banner on top of everything" {
            use folder = new TemporaryFolder()
            let names = arm folder.Path "s-x" run [ 0L ] (fun _ -> 1.0)
            sweepOf true folder.Path "s" "smoke: true" [ names[0], "Hopper-v4", "td3", 0L ]
            let _, errors = ok folder.Path [ "s" ]
            Expect.stringContains errors "Smoke test, never evidence: s" "console"

            let html =
                File.ReadAllText(Path.Combine(folder.Path, "s.sweep", "report", "report.html"))

            Expect.stringContains html "<p class=\"banner\">Smoke test, never evidence: s</p>" "page"
            Expect.isTrue (html.IndexOf "banner\">" < html.IndexOf "<table>") "before any number"
        }

        test "a cycle has a panel with its switches" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let name =
                write folder.Path {
                    run with
                        Environment = "cycle:Hopper-v4,Ant-v4"
                        Phases = [ 0L, "Hopper-v4"; 500L, "Ant-v4" ]
                }

            ok folder.Path [ name; "-o"; out ] |> ignore

            let texts = [
                for text in (loadXml (Path.Combine(out, "cycles.svg"))).Descendants() do
                    if text.Name.LocalName = "text" then
                        text.Value
            ]

            Expect.containsAll texts [ "Hopper-v4"; "Ant-v4" ] "tasks"

            Expect.containsAll
                texts
                [
                    "actor, activated ratio of the paper's figures (fau)"
                    "critics, Eq. 1: activated neuron ratio (anr, tau 0)"
                ]
                "ratios"

            Expect.hasLength (csv (Path.Combine(out, "cycles.csv"))) 2 "phases"
        }

        test "a cycle's returns on the way are not mixed: no area, no stages, and scores that name their task" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let on method = {
                run with
                    Environment = "cycle:Hopper-v4,Ant-v4"
                    Method = method
                    Steps = 5_000L
                    Keys = [ "cycle.episodes", "5" ]
                    Phases = [ 0L, "Hopper-v4"; 500L, "Ant-v4" ]
            }

            let names =
                arm folder.Path "a" (on "td3") [ 0L .. 7L ] (fun seed -> 1.0 + float seed)
                @ arm folder.Path "b" (on "ne") [ 0L .. 7L ] (fun seed -> 2.0 + float seed)

            ok folder.Path (names @ [ "-o"; out ]) |> ignore
            Expect.isFalse (File.Exists(Path.Combine(out, "stages.md"))) "no stages"
            let headline = File.ReadAllLines(Path.Combine(out, "headline.md"))
            Expect.stringContains headline[2] "| - | at most 0.002 |" "no area, and a length that is a bound"
            Expect.stringContains (File.ReadAllText(Path.Combine(out, "comparisons.md"))) "| - | - |" "no difference of it"
            let scores = File.ReadAllLines(Path.Combine(out, "scores.csv"))
            Expect.all (Seq.skip 1 scores) _.EndsWith(",") "nor a number"
            Expect.stringContains (File.ReadAllText(Path.Combine(out, "iqm.svg"))) "of the last phase (Ant-v4)" "the task is said"

            Expect.stringContains
                (File.ReadAllText(Path.Combine(out, "report.md")))
                "the score is of the last phase (Ant-v4) alone"
                "and why"
        }

        test "arms of eight seeds that were evaluated too seldom are a report without scores" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let seldom method = {
                run with
                    Method = method
                    Returns = [ 0L, 0.0; 350L, 1.0; 700L, 2.0 ]
            }

            let names =
                arm folder.Path "a" (seldom "td3") [ 0L .. 7L ] (fun seed -> 1.0 + float seed)
                @ arm folder.Path "b" (seldom "ne") [ 0L .. 7L ] (fun seed -> 2.0 + float seed)

            let output, errors = ok folder.Path (names @ [ "-o"; out ])
            Expect.stringContains output "seed 7 (no evaluation from 900 to 1,000)" "said"
            Expect.stringContains errors "td3 (0 complete)" "not evidence"
            Expect.isFalse (File.Exists(Path.Combine(out, "comparisons.md"))) "no comparison"
        }

        test "topology is drawn as far as all seeds have got, and its data are of all steps and layers" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "a" run [ 0L; 1L ] (fun _ -> 1.0)

            let row step layer density =
                $"{step},actor,0,{layer},50,100,{density},4,1,0,3,,,0\n"

            for name, last in List.zip names [ 1000; 500 ] do
                File.WriteAllText(
                    Path.Combine(folder.Path, name, "topology.csv"),
                    "gradientStep,network,stack,layer,active,size,density,grown,pruned,touched,dormant,minScore,maxScore,outputShift\n"
                    + String.concat "" [
                        for step in 100..100..last do
                            $"{step},actor,0,0,100,100,1,0,0,0,0,,,0\n"
                            row step 1 (if last = 1000 then "0.5" else "0.25")
                            row step 9 "0.5"
                    ]
                )

            ok folder.Path (names @ [ "-o"; out ]) |> ignore

            let at layer step =
                csv (Path.Combine(out, "topology.csv"))
                |> List.find (fun row -> row["layer"] = layer && row["gradientStep"] = step)
                |> fun row -> row["density"], row["seeds"]

            Expect.equal (at "2" "500", at "2" "600") (("0.375", "2"), ("0.5", "1")) "one seed goes on in the data"
            Expect.equal (at "1" "500") ("1", "2") "a dense layer is there"
            let svg = (loadXml (Path.Combine(out, "topology.svg"))).Descendants() |> List.ofSeq

            let lengths = [
                for element in svg do
                    match element.Attribute(XName.Get "points") with
                    | null -> ()
                    | points when element.Name.LocalName = "polyline" -> points.Value.Trim().Split(' ').Length
                    | _ -> ()
            ]

            Expect.equal
                (lengths |> List.filter (fun points -> points > 2))
                (List.replicate 6 5)
                "three lines of five points for either layer"

            let legend = [
                for element in svg do
                    if element.Name.LocalName = "text" && element.Value.StartsWith "actor layer" then
                        element.Value
            ]

            Expect.equal legend [ "actor layer 2"; "actor layer 10" ] "in the order of the layers"
        }

        test "text that means something in HTML, Markdown or CSV means nothing there" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "s-x" run [ 0L ] (fun _ -> 1.0)
            sweep folder.Path "s" "a: <b> & \\\"c\\\"" [ names[0], "Hopper-v4", "<i>|,&", 0L ]
            ok folder.Path [ "s"; "-o"; out ] |> ignore
            let html = File.ReadAllText(Path.Combine(out, "report.html"))
            Expect.isFalse (html.Contains "<i>") "HTML"
            Expect.stringContains html "&lt;i&gt;|,&amp;" "HTML"
            Expect.stringContains (File.ReadAllText(Path.Combine(out, "headline.md"))) "<i>\\|,&" "Markdown"
            Expect.stringContains (File.ReadAllText(Path.Combine(out, "iqm.csv"))) "\"<i>|,&\"" "CSV"
            loadXml (Path.Combine(out, "iqm.svg")) |> ignore
        }

        test "the same runs give the same bytes, but for the time" {
            use folder = new TemporaryFolder()
            let names = study folder.Path
            let first, second = folder.File "one", folder.File "two"
            ok folder.Path (names @ [ "-o"; first ]) |> ignore
            ok folder.Path (names @ [ "-o"; second ]) |> ignore

            for file in Directory.GetFiles first do
                let name = nonNull (Path.GetFileName file)

                if name <> "report.html" && name <> "report.md" then
                    Expect.equal (File.ReadAllText file) (File.ReadAllText(Path.Combine(second, name))) name
        }
    ]

[<Tests>]
let folders =
    testList "the folder of a report" [
        test "a new report takes the place of an old one, and of nothing else" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = study folder.Path
            ok folder.Path (names @ [ "-o"; out ]) |> ignore
            File.WriteAllText(Path.Combine(out, "mine.txt"), "mine")
            ok folder.Path [ List.head names; "-o"; out ] |> ignore
            Expect.isFalse (File.Exists(Path.Combine(out, "comparisons.md"))) "what the new one does not have is gone"
            Expect.equal (File.ReadAllText(Path.Combine(out, "mine.txt"))) "mine" "what is not its own stays"
        }

        test "a folder with files of others is refused, and nothing is written" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            let out = Directory.CreateDirectory(folder.File "out").FullName
            File.WriteAllText(Path.Combine(out, "mine.txt"), "mine")
            let code, _, errors = report folder.Path [ name; "-o"; out ]
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "files of others" "message"
            Expect.hasLength (Directory.GetFileSystemEntries out) 1 "nothing written"
        }

        test "a file of someone else with the name of one of ours is refused" {
            use folder = new TemporaryFolder()
            let names = study folder.Path
            let out = folder.File "out"
            ok folder.Path [ List.head names; "-o"; out ] |> ignore
            File.WriteAllText(Path.Combine(out, "comparisons.md"), "mine")
            let code, _, errors = report folder.Path (names @ [ "-o"; out ])
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "comparisons.md exists and was not written by a report" "message"
            Expect.equal (File.ReadAllText(Path.Combine(out, "comparisons.md"))) "mine" "untouched"
        }

        test "a list of files that names others deletes none of them" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            let out = Directory.CreateDirectory(folder.File "out").FullName
            let victim = folder.File "victim.txt"
            File.WriteAllText(victim, "mine")
            File.WriteAllText(Path.Combine(out, "report.json"), """{"Format":1,"Files":["../victim.txt",".."]}""")
            ok folder.Path [ name; "-o"; out ] |> ignore
            Expect.isTrue (File.Exists victim) "outside of the folder nothing is deleted"
            File.WriteAllText(Path.Combine(out, "report.json"), "no list")
            let code, _, errors = report folder.Path [ name; "-o"; out ]
            Expect.equal code ExitCode.UserError errors
        }

        test "a file instead of a folder is refused" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            File.WriteAllText(folder.File "out", "")
            let code, _, errors = report folder.Path [ name; "-o"; folder.File "out" ]
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "expected a folder, found a file" "message"
        }

        test "one run has a folder of its own, that of several is called after them and is said" {
            use folder = new TemporaryFolder()
            let name = write folder.Path run
            let other = write folder.Path { run with Name = "other"; Seed = 1L }
            ok folder.Path [ name ] |> ignore
            Expect.isTrue (File.Exists(Path.Combine(folder.Path, name, "report", "report.html"))) "in the run's folder"
            let output, _ = ok folder.Path [ name; other ]

            let both =
                Path.Combine(folder.Path, "reports", $"{name}-and-{other}", "report.html")

            Expect.isTrue (File.Exists both) "beside the runs"
            Expect.stringContains output both "where"
        }

        test "a run that there is not is named, with those that there are and the nearest" {
            use folder = new TemporaryFolder()
            write folder.Path { run with Name = "walker-ne-s0" } |> ignore
            let code, _, errors = report folder.Path [ "walkr-ne-s0"; "-o"; folder.File "out" ]
            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "There is no run 'walkr-ne-s0'" "message"
            Expect.stringContains errors "did you mean 'walker-ne-s0'?" "the nearest"
            Expect.stringContains errors "There is: walker-ne-s0." "all"
            Expect.isFalse (Directory.Exists(folder.File "out")) "nothing written"
        }

        test "bad options are refused" {
            for arguments, part in
                [
                    [ "report" ], "NAME"
                    [ "report"; "a"; "--at"; "soon" ], "--at expects a whole number"
                    [ "report"; "../a" ], "NAME"
                    [ "report"; "a"; "--heatmap"; "../a" ], "--heatmap"
                ] do
                let code, _, errors = shell arguments
                Expect.equal code ExitCode.UserError errors
                Expect.stringContains errors part "message"
        }

        test "a heat map of runs of several environments is refused" {
            use folder = new TemporaryFolder()

            let names = [
                write folder.Path run
                write folder.Path {
                    run with
                        Name = "b"
                        Environment = "Ant-v4"
                }
            ]

            let code, _, errors =
                report folder.Path [
                    names[0]
                    "-o"
                    folder.File "out"
                    "--heatmap"
                    names[0]
                    "--heatmap"
                    names[1]
                ]

            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "of one environment" "message"
        }

        test "a heat map of runs whose rows have different forms is refused" {
            let pictures size = [ "run.learner", "drq"; "pixels.size", size ]

            for first, second, expected in
                [
                    [], pictures "84", "found a with numbers and b with pictures of 84 x 84"
                    pictures "64", pictures "84", "found a with pictures of 64 x 64 and b with pictures of 84 x 84"
                ] do
                use folder = new TemporaryFolder()
                let a = write folder.Path { run with Keys = first }
                let b = write folder.Path { run with Name = "b"; Keys = second }

                let code, _, errors =
                    report folder.Path [ a; "-o"; folder.File "out"; "--heatmap"; a; "--heatmap"; b ]

                Expect.equal code ExitCode.UserError errors
                Expect.stringContains errors expected "which runs"
        }
    ]

[<Tests>]
let realRun =
    testSequenced
    <| testList "report of a real run" [
        test "figures of a run that was just trained, its falls and its gradients" {
            use folder = new TemporaryFolder()

            let shell =
                ShellHost(
                    Output = new StringWriter(),
                    Error = new StringWriter(),
                    DefaultRuns = folder.Path,
                    FleetKey = "/nonexistent/fleet.pem",
                    Width = 160
                )

            let code, _, errors =
                execute shell [
                    "train"
                    "HalfCheetah-v4"
                    "--steps"
                    "1200"
                    "--name"
                    "tiny"
                    "--plain"
                    "network.hidden=16,16"
                    "learner.batchSize=16"
                    "evaluation.every=400"
                    "evaluation.episodes=2"
                    "log.metricsEvery=200"
                    "ne.pruneBatch=256"
                ]

            Expect.equal code ExitCode.Ok errors
            let out = folder.File "out"

            let code, _, errors =
                execute shell [ "report"; "tiny"; "-o"; out; "--heatmap"; "tiny" ]

            Expect.equal code ExitCode.Ok errors

            for figure in [ "learning-curves"; "topology"; "falls"; "gradients" ] do
                loadXml (Path.Combine(out, figure + ".svg")) |> ignore

            Expect.equal [ for row in csv (Path.Combine(out, "learning-curves.csv")) -> row["step"] ] [ "0"; "400"; "800"; "1200" ] "steps"
            let gradients = csv (Path.Combine(out, "gradients.csv"))

            Expect.equal
                [ for row in gradients -> row["network"], row["outputs"], row["inputs"] ]
                [
                    "actor", "16", "17"
                    "actor", "16", "16"
                    "actor", "6", "16"
                    for _ in 1..2 do
                        "critic", "16", "23"
                        "critic", "16", "16"
                        "critic", "1", "16"
                ]
                "layers"

            for row in gradients do
                Expect.isGreaterThan (number row["largest"]) 0.0 "there is a gradient"

            Expect.stringContains
                (File.ReadAllText(Path.Combine(out, "report.md")))
                "for the actor the first critic's negative value"
                "the loss is the learner's"

            let evaluations = CsvTable.Read(Path.Combine(folder.Path, "tiny", "eval.csv"))
            Expect.isTrue (evaluations.Has "inverted1") "every episode says how it ended"
            Expect.hasLength (Falls.Fallen evaluations).Steps 4 "evaluations"
            // The report is in the run's folder of its own accord only when nobody says where; the run is as it was.
            Expect.equal (RunInfo.Read(Path.Combine(folder.Path, "tiny", "run.json"))).Status RunState.Completed "untouched"
        }
    ]
