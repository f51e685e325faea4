module NE.Actors.Tests.Telemetry.RunTablesTests

open System
open System.Collections.Generic
open System.IO
open Akka.Actor
open Expecto
open NE.Actors.Cast
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Storage
open NE.Actors.Telemetry
open NE.Actors.Tests.Runs.Training
open NE.Model.Agents
open NE.Model.History
open NE.Tests
open NE.Tests.ActorKit

/// A table as columns by name.
let private table path =
    let rows = File.ReadAllLines path |> Array.map (_.Split(','))

    rows[0]
    |> Array.mapi (fun i name -> name, rows[1..] |> Array.map (fun row -> row[i]))
    |> dict

let private number (text: string) = if text = "" then nan else float text

/// A complete run of everything that is logged, of which the tests below read the files.
let private trained =
    lazy
        let folder = Directory.CreateTempSubdirectory("ne-tables-").FullName
        AppDomain.CurrentDomain.ProcessExit.Add(fun _ -> Directory.Delete(folder, true))
        use created = create folder "trained"

        let outcome =
            train toTheEnd (request created.Paths (settings [ "run.steps", "400"; "evaluation.episodes", "2" ]))

        Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
        created.Paths

let private page =
    File.ReadAllText(Path.Combine(__SOURCE_DIRECTORY__, "../../../docs/metrics.md"))

/// The part of the page under the heading of a file.
let private section (title: string) =
    page.Split("\n## ") |> Array.find (fun part -> part.StartsWith title)

/// As the page writes a column: those of both networks once, those of every episode once.
let private written (column: string) =
    let ofEpisode = column.TrimEnd([| '0' .. '9' |])

    if List.contains ofEpisode [ "return"; "inverted" ] then
        $"`{ofEpisode}N`"
    elif column.StartsWith "actor_" && column <> "actor_loss" then
        $"`NETWORK_{column.Substring 6}`"
    elif
        column.StartsWith "critic_"
        && column <> "critic_loss"
        && not (Char.IsDigit column[7])
    then
        $"`NETWORK_{column.Substring 7}`"
    else
        $"`{column}`"

let private measurement: Measurement = {
    Metrics = [|
        struct ("critic_loss", 2.0)
        struct ("newer", 3.0)
        struct ("actor_fau", 0.5)
    |]
    Layers = [|
        {
            Network = "actor"
            Stack = 0
            Layer = 0
            Width = 4
            Hidden = None
            GradientNorm = 1.0
            WeightNorm = 2.0
            Distance = 3.0
            Active = 5L
            Size = 10L
        }
    |]
}

/// Writes one row of metrics with the tables as they are at `marks`, and returns the marks after it.
let private oneRow (paths: RunPaths) marks tensorBoard step =
    use kit = new ActorKit("")
    let tables = new RunTables(paths, marks, tensorBoard)

    let telemetry =
        kit.Sys.ActorOf(Props.Create(typeof<TelemetryActor>, tables, fst (NE.Model.Settings.resolve NE.Model.Settings.defaults)))

    telemetry.Tell(MetricsRow(step, step, 1L, nan, nan, 10L, measurement), kit.TestActor)
    telemetry.Tell(MarkFiles(), kit.TestActor)
    kit.ExpectMsg<FilesMarked>().Marks

[<Tests>]
let tests =
    testList "The tables of a run" [
        test "have a row of layers.csv per stack and layer for every row of metrics.csv" {
            let metrics, layers = table trained.Value.Metrics, table trained.Value.Layers

            let expected = [|
                for step, gradientStep in Array.zip metrics["step"] metrics["gradientStep"] do
                    for network, stacks in [ "actor", 1; "critic", 2 ] do
                        for stack in 0 .. stacks - 1 do
                            for layer in 0..2 -> [| step; gradientStep; network; string stack; string layer |]
            |]

            let found =
                Array.init layers["step"].Length (fun row ->
                    [| "step"; "gradientStep"; "network"; "stack"; "layer" |]
                    |> Array.map (fun name -> layers[name][row]))

            Expect.equal found expected "rows"
            Expect.isGreaterThan metrics["step"].Length 3 "several rows"

            let isOutput row = layers["layer"][row] = "2"

            for row in 0 .. found.Length - 1 do
                Expect.equal (layers["effective_rank"][row] = "") (isOutput row) "features are those of hidden layers"
                Expect.isGreaterThan (number (layers["weight_norm"][row])) 0.0 "weight norm"
        }

        test "say in docs/metrics.md what every column is" {
            let paths = trained.Value

            for file in [ paths.Metrics; paths.Layers; paths.Evaluations; paths.Topology; paths.Timing ] do
                let name = string (Path.GetFileName file)
                let text = section name
                let columns = (Seq.head (File.ReadLines file)).Split(',')

                let missing =
                    columns |> Array.filter (fun column -> not (text.Contains(written column)))

                Expect.isEmpty missing $"columns of {name} that its part of the page does not name"

            let text = section "TensorBoard"

            let missing =
                EventsOfRun.ofRun paths
                |> List.map (fun struct (tag, _, _) ->
                    if tag.StartsWith "plasticity/" then
                        "plasticity/NAME"
                    else
                        tag)
                |> List.distinct
                |> List.filter (fun tag -> not (text.Contains $"`{tag}`"))

            Expect.isEmpty missing "tags that the page does not name"
        }

        test "say what the columns of a cycle's phases are" {
            inFolder (fun folder ->
                let paths = RunPaths(Path.Combine(folder, "cycle"))
                Directory.CreateDirectory paths.Root |> ignore
                use kit = new ActorKit("")
                let tables = new RunTables(paths, Dictionary(), false, true)

                let telemetry =
                    kit.Sys.ActorOf(
                        Props.Create(typeof<TelemetryActor>, tables, fst (NE.Model.Settings.resolve NE.Model.Settings.defaults))
                    )

                let started: PhaseStarted = {
                    Step = 5L
                    GradientStep = 4L
                    Phase = 1L
                    Cycle = 0L
                    Task = "Hopper-v4"
                }

                telemetry.Tell(started, kit.TestActor)
                telemetry.Tell(MarkFiles(), kit.TestActor)
                kit.ExpectMsg<FilesMarked>() |> ignore

                for column in (table paths.Phases).Keys do
                    Expect.stringContains (section "phases.csv") $"`{column}`" "its part of the page")
        }

        test "are what TensorBoard shows, under CleanRL's tags" {
            let paths = trained.Value
            let metrics, evaluations = table paths.Metrics, table paths.Evaluations
            let logged = EventsOfRun.ofRun paths

            let series tag =
                logged
                |> List.filter (fun struct (name, _, _) -> name = tag)
                |> List.map (fun struct (_, step, value) -> step, value)

            for tag, table, column, factor in
                [
                    "charts/episodic_return", metrics, "episodeReturn", 1.0
                    "charts/episodic_length", metrics, "episodeLength", 1.0
                    "losses/qf1_loss", metrics, "critic_1_loss", 1.0
                    "losses/qf2_loss", metrics, "critic_2_loss", 1.0
                    "losses/qf_loss", metrics, "critic_loss", 0.5
                    "losses/actor_loss", metrics, "actor_loss", 1.0
                    "losses/qf1_values", metrics, "critic_1_q_mean", 1.0
                    "losses/qf2_values", metrics, "critic_2_q_mean", 1.0
                    "plasticity/actor_anr_0.025", metrics, "actor_anr_0.025", 1.0
                    "plasticity/critic_effective_rank", metrics, "critic_effective_rank", 1.0
                    "plasticity/review_probability", metrics, "review_probability", 1.0
                    "eval/episodic_return", evaluations, "mean", 1.0
                    "eval/episodic_length", evaluations, "meanLength", 1.0
                ] do
                let expected =
                    Array.zip table["step"] table[column]
                    |> Array.filter (fun (_, value) -> value <> "")
                    |> Array.map (fun (step, value) -> int64 step, float32 (factor * float value))
                    |> List.ofArray

                Expect.equal (series tag) expected tag

            Expect.isNonEmpty (series "charts/SPS") "steps per second"
            Expect.isNonEmpty (series "eval/episodic_return") "evaluations"
        }

        test "of a run that an older version began keep its columns, and get the new tables" {
            inFolder (fun folder ->
                let paths = RunPaths(Path.Combine(folder, "old"))
                Directory.CreateDirectory paths.Root |> ignore

                let begun =
                    "step,gradientStep,episodes,episodeReturn,episodeLength,replaySize,critic_loss,actor_fau\n1,1,1,1,1,1,1,1\n"

                File.WriteAllText(paths.Metrics, begun)

                let marks =
                    oneRow paths (dict [ "metrics.csv", FileMark(int64 begun.Length) ] |> Dictionary) false 7L

                Expect.equal (File.ReadAllText paths.Metrics) (begun + "7,7,1,,,10,2,0.5\n") "metrics.csv"
                Expect.equal (table paths.Layers).["step"] [| "7" |] "layers.csv"

                Expect.equal
                    (Seq.sort marks.Keys |> List.ofSeq)
                    [ "eval.csv"; "layers.csv"; "metrics.csv"; "timing.csv"; "topology.csv" ]
                    "files"

                Expect.isFalse (Directory.Exists paths.TensorBoard) "no events where none are wanted")
        }

        test "keep the events of before while none are written, and go on with them when they are again" {
            inFolder (fun folder ->
                let paths = RunPaths(Path.Combine(folder, "run"))
                Directory.CreateDirectory paths.Root |> ignore
                let first = oneRow paths (Dictionary()) true 1L
                let without = oneRow paths first false 2L
                let again = oneRow paths without true 3L

                let steps =
                    EventsOfRun.ofRun paths
                    |> List.map (fun struct (_, step, _) -> step)
                    |> List.distinct

                Expect.equal steps [ 1L; 3L ] "steps"
                let name = Path.GetRelativePath(paths.Root, paths.Events)
                Expect.equal without[name] first[name] "its committed length"
                Expect.equal again[name].Length (FileInfo(paths.Events).Length) "and then"
                Expect.equal (table paths.Metrics).["step"] [| "1"; "2"; "3" |] "the tables have every row")
        }

        test "a run whose events were deleted goes on with its tables whole, and new events" {
            inFolder (fun folder ->
                use created = create folder "deleted"
                let settings = settings [ "run.steps", "400" ]
                let stopped = trainUntil 250 (request created.Paths settings)
                Expect.equal stopped.Phase RunPhase.Interrupted "stopped"
                Directory.Delete(created.Paths.TensorBoard, true)
                let outcome = train toTheEnd (request created.Paths settings)
                Expect.equal outcome.Phase RunPhase.Completed $"the run completes: {outcome.Message}"
                let steps = (table created.Paths.Metrics).["step"] |> Array.map int64
                Expect.equal (Array.distinct steps) steps "metrics.csv"

                let logged =
                    EventsOfRun.ofRun created.Paths
                    |> List.filter (fun struct (tag, _, _) -> tag = "losses/qf1_loss")
                    |> List.map (fun struct (_, step, _) -> step)

                Expect.isGreaterThan logged.Length 1 "some events"
                Expect.isLessThan logged.Length steps.Length "not those of before"
                Expect.equal logged (steps |> List.ofArray |> List.skip (steps.Length - logged.Length)) "events from there on")
        }
    ]
