module NE.Shell.Tests.Compare.PlasticityFigureTests

open System.IO
open Expecto
open NE.Shell.Tests.Compare.ReportFiles
open NE.Shell.Tests.Compare.RunFiles
open NE.Shell.Tests.Support

/// Replaces a run's metrics.
let private metrics (runs: string) (name: string) (columns: string) (rows: string list) =
    File.WriteAllText(Path.Combine(runs, name, "metrics.csv"), String.concat "\n" (columns :: rows) + "\n")

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
