module NE.Shell.Tests.Compare.PlasticityFigureTests

open System.IO
open Expecto
open NE.Shell.Tests.Compare.ReportFiles
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support

/// Replaces a run's metrics.
let private metrics (runs: string) (name: string) (columns: string) (rows: string list) =
    File.WriteAllText(Path.Combine(runs, name, "metrics.csv"), String.concat "\n" (columns :: rows) + "\n")

let private probed =
    "step,gradientStep,actor_probe,critic_probe,actor_probe_error,critic_probe_error"

/// A probe at every second row; seed i is worse by i tenths.
let private probe (runs: string) (names: string list) =
    for seed, name in List.indexed names do
        metrics runs name probed [
            for step in 0..100..1000 ->
                if step % 200 = 0 then
                    let worse = 0.1 * float seed
                    $"{step},{step},{1.0 - worse},{1.3 - worse},0.05,0.06"
                elif step % 300 = 0 then
                    $"{step},{step},NaN,NaN,NaN,NaN"
                else
                    $"{step},{step},,,,"
        ]

[<Tests>]
let ratios =
    testList "ratios of a report" [
        test "both ratios of both networks are drawn under names that say which is which" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run
            ok folder.Path [ name; "-o"; out ] |> ignore
            let texts = textsOf (Path.Combine(out, "learning-curves.svg"))

            Expect.containsAll
                texts
                [
                    "activated ratio of the paper's figures (fau)"
                    "Eq. 1: activated neuron ratio (anr, tau 0)"
                ]
                "headings"

            Expect.equal
                (texts |> List.filter (fun text -> text = "actor" || text = "critics"))
                [ "actor"; "critics"; "actor"; "critics" ]
                "networks"

            let height (measure: string) = [
                for row in csv (Path.Combine(out, "activated-ratios.csv")) do
                    if row["measure"] = measure then
                        row["mean"]
            ]

            for measure, value in
                [
                    "actor_fau", "0.4"
                    "critic_fau", "0.3"
                    "actor_anr_0", "1"
                    "critic_anr_0", "0.5"
                ] do
                Expect.equal (height measure) (List.replicate 11 value) measure
        }

        test "the other thresholds are in the data alone" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run
            metrics folder.Path name "step,actor_anr_0.025,critic_anr_0.1" [ "100,0.7,0.6" ]
            ok folder.Path [ name; "-o"; out ] |> ignore

            Expect.equal
                [
                    for row in csv (Path.Combine(out, "activated-ratios.csv")) -> row["measure"], row["mean"]
                ]
                [ "actor_anr_0.025", "0.7"; "critic_anr_0.1", "0.6" ]
                "data"
        }

        test "the columns of the learning curves do not overlap" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let name = write folder.Path run
            ok folder.Path [ name; "-o"; out ] |> ignore
            let root = nonNull (loadXml (Path.Combine(out, "learning-curves.svg"))).Root

            let panels = [
                for panel in root.Elements() do
                    if panel.Name.LocalName = "svg" then
                        let at (name: string) =
                            match panel.Attribute name with
                            | null -> failtest $"a panel without {name}"
                            | value -> number (value.Value.Replace("px", ""))

                        at "x", at "x" + at "width", at "y", at "y" + at "height"
            ]

            Expect.hasLength panels 5 "returns, and two ratios of two networks"

            for left, right, top, bottom in panels do
                Expect.isTrue (left >= 0.0 && right <= 960.01) "inside of the picture"

                for otherLeft, otherRight, otherTop, otherBottom in panels do
                    let isSame = (left, top) = (otherLeft, otherTop)

                    let isApart =
                        right <= otherLeft + 0.01
                        || otherRight <= left + 0.01
                        || bottom <= otherTop + 0.01
                        || otherBottom <= top + 0.01

                    Expect.isTrue (isSame || isApart) "apart"
        }
    ]

[<Tests>]
let probes =
    testList "plasticity probe of a report" [
        test "the ratio to fresh networks over steps, with the error of every probe in the data" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "a" run [ 0L .. 7L ] (fun _ -> 1.0)
            probe folder.Path names
            ok folder.Path (names @ [ "-o"; out ]) |> ignore

            let means network = [
                for row in csv (Path.Combine(out, "probe.csv")) do
                    if row["network"] = network then
                        row["step"], row["seeds"], number row["mean"]
            ]

            Expect.equal
                [ for step, seeds, _ in means "actor" -> step, seeds ]
                [ for step in 0..200..1000 -> string step, "8" ]
                "only rows with a probe"

            for network, value in [ "actor", 0.65; "critic", 0.95 ] do
                for _, _, mean in means network do
                    Expect.floatClose Accuracy.high mean value $"mean of the {network}"

            let seeds = csv (Path.Combine(out, "probe-seeds.csv"))
            Expect.hasLength seeds (8 * 2 * 6) "every probe"

            Expect.equal
                [
                    for row in Seq.take 2 seeds -> row["run"], row["network"], row["step"], row["ratio"], row["error"]
                ]
                [ "a-s0", "actor", "0", "1", "0.05"; "a-s0", "actor", "200", "1", "0.05" ]
                "with its error"

            let texts = textsOf (Path.Combine(out, "probe.svg"))

            Expect.containsAll
                texts
                [
                    "Hopper-v4"
                    "actor, ratio to fresh"
                    "critics, ratio to fresh"
                    "environment steps"
                    "td3"
                ]
                "what it shows"

            Expect.stringContains (File.ReadAllText(Path.Combine(out, "report.md"))) "## Plasticity probe" "its heading"
        }

        test "fewer than eight seeds are thin lines, and a line at 1 is always there" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "a" run [ 0L; 1L ] (fun _ -> 1.0)
            probe folder.Path names
            ok folder.Path (names @ [ "-o"; out ]) |> ignore

            let lines = linesOf (Path.Combine(out, "probe.svg"))

            let curves = [
                for _, points in lines do
                    if points.Length = 6 then
                        points
            ]

            Expect.hasLength curves 6 "a line per seed and their mean, of two networks"
            // The first seed's actor learns as fast as fresh networks: it lies on the line at 1, which is stronger than those of the grid.
            let height = snd (List.head (List.head curves))

            let isAtOne (style: string, points: (float * float) list) =
                style.Contains "stroke-opacity:0.70"
                && points |> List.forall (fun (_, y) -> abs (y - height) < 0.1)

            Expect.isTrue (lines |> List.exists isAtOne) "a horizontal line there"
        }

        test "runs without a probe are left out, and so is the figure without any" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"
            let names = arm folder.Path "a" run [ 0L; 1L ] (fun _ -> 1.0)
            let others = arm folder.Path "b" { run with Method = "ne" } [ 0L ] (fun _ -> 1.0)
            probe folder.Path (List.take 1 names)
            ok folder.Path (names @ others @ [ "-o"; out ]) |> ignore

            Expect.equal
                (List.distinct [ for row in csv (Path.Combine(out, "probe.csv")) -> row["arm"], row["seeds"] ])
                [ "td3", "1" ]
                "the run that has it"

            Expect.isFalse (textsOf (Path.Combine(out, "probe.svg")) |> List.contains "ne") "the other arm is not in the legend"
            metrics folder.Path names[0] probed [ "100,100,,NaN,," ]
            ok folder.Path (names @ others @ [ "-o"; out ]) |> ignore
            Expect.isFalse (File.Exists(Path.Combine(out, "probe.svg"))) "columns without a probe are none"
        }
    ]

[<Tests>]
let review =
    testList "review of a report" [
        test "epsilon and the probability are curves over steps" {
            use folder = new TemporaryFolder()
            let out = folder.File "out"

            let name =
                write folder.Path {
                    run with
                        Method = "ne"
                        Keys = [ "ne.review", "slope" ]
                }

            metrics folder.Path name "step,review_epsilon,review_probability,review_fraction" [
                for step in 0..100..1000 ->
                    let epsilon = float step / 1000.0 * (float step / 1000.0)
                    $"{step},{epsilon},{1.0 - epsilon},0.1"
            ]

            ok folder.Path [ name; "-o"; out ] |> ignore

            let curves =
                List.map snd (linesOf (Path.Combine(out, "review.svg")))
                |> List.filter (fun points -> points.Length = 11)

            Expect.hasLength curves 3 "epsilon, probability, share"
            // Down is up in a picture: every value its own height, at a step of its own.
            Expect.isTrue
                (List.pairwise (List.item 0 curves)
                 |> List.forall (fun ((x, y), (x', y')) -> x' > x && y' < y))
                "epsilon rises"

            Expect.isTrue
                (List.pairwise (List.item 1 curves)
                 |> List.forall (fun ((x, y), (x', y')) -> x' > x && y' > y))
                "the probability falls"

            Expect.hasLength (List.distinct [ for _, y in List.item 2 curves -> y ]) 1 "what does not change is level"
        }
    ]
