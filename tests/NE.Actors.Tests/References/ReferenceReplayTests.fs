module NE.Actors.Tests.References.ReferenceReplayTests

open System
open System.IO
open System.IO.Compression
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open NE.Actors.References
open NE.Model.Tasks

/// The files in tests/data/reference that have episodes.
let private environments = [
    for name in
        [
            "Ant"
            "HalfCheetah"
            "Hopper"
            "Humanoid"
            "HumanoidStandup"
            "InvertedDoublePendulum"
            "InvertedPendulum"
            "Pusher"
            "Reacher"
            "Swimmer"
            "Walker2d"
        ] -> $"gym_{name}"
    for domain in
        [
            "acrobot"
            "ball_in_cup"
            "cartpole"
            "cheetah"
            "finger"
            "fish"
            "hopper"
            "humanoid"
            "pendulum"
            "point_mass"
            "quadruped"
            "reacher"
            "swimmer"
            "walker"
        ] -> $"dmc_{domain}"
]

let private reference (name: string) =
    Path.Combine(AppContext.BaseDirectory, "data", "reference", $"{name}.json.gz")

let private frameFolder =
    Path.Combine(AppContext.BaseDirectory, "data", "reference", "frames")

let private frames = Path.Combine(frameFolder, "frames.json")

/// A copy of one frame and an index of its own: the index and the picture, to be changed.
let private withFrame (picture: string) (action: string -> string -> unit) =
    let folder = Directory.CreateTempSubdirectory("ne-frames-").FullName
    let index, copy = Path.Combine(folder, "frames.json"), Path.Combine(folder, picture)
    use whole = JsonDocument.Parse(File.ReadAllText frames)

    let entry =
        whole.RootElement.GetProperty("frames").EnumerateArray()
        |> Seq.find (fun frame -> frame.GetProperty("file").GetString() = picture)

    File.WriteAllText(index, $"{{ \"frames\": [{entry.GetRawText()}] }}")
    File.Copy(Path.Combine(frameFolder, picture), copy)

    try
        action index copy
    finally
        Directory.Delete(folder, true)

let private matches name =
    test $"{name}: compiled arrays, trajectories, observations, rewards and terminations equal the reference" {
        let result = ReferenceReplay.Run(reference name)
        Expect.isNonEmpty result.Models "the file has models"
        Expect.isNonEmpty result.Episodes "the file has episodes"
        Expect.isTrue result.Passed (result.ToText())
    }

let private inTemporaryFile (content: string) (action: string -> unit) =
    let file = Path.Combine(Path.GetTempPath(), $"ne-{Guid.NewGuid():N}.json")
    File.WriteAllText(file, content)

    try
        action file
    finally
        File.Delete file

let private text name =
    use packed = File.OpenRead(reference name)
    use plain = new GZipStream(packed, CompressionMode.Decompress)
    use reader = new StreamReader(plain)
    reader.ReadToEnd()

/// The reference of HalfCheetah with one piece of its text replaced.
let private edited (before: string) (after: string) =
    let text = text "gym_HalfCheetah"
    Expect.isTrue (text.Contains before) "the text to replace is there"
    text.Replace(before, after)

let private message (action: unit -> unit) =
    try
        action ()
        failtest "expected an InvalidDataException"
    with :? InvalidDataException as e ->
        e.Message

[<Tests>]
let tests =
    testList "a replay of reference data" [
        for name in environments do
            matches name

        test "every task that we have is replayed against a reference" {
            let replayed =
                environments
                |> Seq.collect (fun name -> (ReferenceReplay.Run(reference name)).Episodes)
                |> Seq.map _.Task
                |> Set.ofSeq

            // Balance differs from swingup in its start states only.
            Expect.equal (replayed.Add "dmc/cartpole-balance") (Set.ofList Registry.ids) "tasks"
        }

        test "the 240 cases of tolerance equal the reference" {
            let result = ReferenceReplay.Run(reference "dmc_tolerance")
            Expect.isTrue result.Passed (result.ToText())
            Expect.stringContains (result.ToText()) "240 cases" "all of them"
        }

        test "a case of tolerance that differs is named" {
            let case =
                """{"cases": [{"x": 2, "lower": 0, "upper": null, "margin": 1, "sigmoid": "linear", "value_at_margin": 0, "value": 0.5}]}"""

            inTemporaryFile case (fun file ->
                let result = ReferenceReplay.Run file
                Expect.isFalse result.Passed "it differs"
                Expect.stringContains (result.ToText()) "at case 0" "which")

            inTemporaryFile (case.Replace("linear", "cubic")) (fun file ->
                Expect.stringContains (message (fun () -> ReferenceReplay.Run file |> ignore)) "'cubic' is not known" "the sigmoid")
        }

        test "the 23 frames are drawn as the suite's own models are, within 2 grey levels on average" {
            let result = ReferenceReplay.Run frames
            Expect.equal result.Frames.Count 23 "frames"
            Expect.isTrue result.Passed (result.ToText())
        }

        test "a frame of another pose is named with its difference" {
            withFrame "walker_0.png" (fun file picture ->
                File.Copy(Path.Combine(frameFolder, "walker_1.png"), picture, true)
                let result = ReferenceReplay.Run file
                Expect.isFalse result.Passed "it differs"
                Expect.stringContains (result.ToText()) "FAIL walker_0.png (dmc/walker): mean difference" "said")
        }

        test "a picture that is missing, of another size or none at all is refused with its file" {
            withFrame "cartpole_0.png" (fun file picture ->
                let refused () =
                    message (fun () -> ReferenceReplay.Run file |> ignore)

                let whole = File.ReadAllText file
                File.WriteAllText(file, whole.Replace("\"width\": 84", "\"width\": 85"))
                Expect.stringContains (refused ()) "84 x 84 pixels, expected 85 x 84" "size"
                File.WriteAllText(file, whole)
                File.WriteAllText(picture, "no picture")
                Expect.stringContains (refused ()) "cartpole_0.png is not a picture" "content"
                File.Delete picture
                Expect.throwsT<FileNotFoundException> (fun () -> ReferenceReplay.Run file |> ignore) "missing")
        }

        test "a target that stands elsewhere changes reacher's observations" {
            let moved =
                Regex.Replace(text "dmc_reacher", "\"target_xy\":\\[[^\\]]+\\]", "\"target_xy\":[0.1,0.1]")

            inTemporaryFile moved (fun file ->
                let quantities =
                    (ReferenceReplay.Run file).Episodes |> Seq.collect _.Quantities |> List.ofSeq

                let passed name =
                    quantities |> Seq.filter (fun q -> q.Quantity = name) |> Seq.forall _.Passed

                Expect.isTrue (passed "qvel") "the arm moves alike"
                Expect.isFalse (passed "observation") "but sees another target")
        }

        test "both versions of a task are replayed, each on its own robot" {
            let result = ReferenceReplay.Run(reference "gym_Walker2d")

            let tasks =
                result.Episodes |> Seq.map _.Task |> Seq.distinct |> Seq.sort |> List.ofSeq

            Expect.equal tasks [ "Walker2d-v4"; "Walker2d-v5" ] "tasks"
            Expect.equal result.Models.Count 2 "robots"
        }

        test "Ant-v4 is replayed with contact forces too, from outcomes without terms and flags" {
            let contact =
                ReferenceReplay.Run(reference "gym_Ant").Episodes
                |> Seq.filter (fun episode -> episode.Task = "Ant-v4-contact")
                |> List.ofSeq

            Expect.equal (contact |> List.map _.Name) [ "sine"; "over"; "hold" ] "episodes"

            for episode in contact do
                let quantities = [ for quantity in episode.Quantities -> quantity.Quantity ]
                Expect.equal quantities [ "qpos"; "qvel"; "observation"; "reward" ] episode.Name
        }

        test "every reward term of the reference is compared" {
            let result = ReferenceReplay.Run(reference "gym_Humanoid")

            let terms =
                result.Episodes
                |> Seq.filter (fun episode -> episode.Task = "Humanoid-v5")
                |> Seq.collect _.Quantities
                |> Seq.map _.Quantity
                |> Seq.filter _.StartsWith("term:")
                |> Seq.distinct
                |> Seq.sort
                |> List.ofSeq

            Expect.equal terms [ "term:contact"; "term:ctrl"; "term:forward"; "term:survive" ] "terms"
        }

        test "a model that differs is named with its array" {
            inTemporaryFile (edited "\"jnt_stiffness\":[0,0,0,240" "\"jnt_stiffness\":[0,0,0,241") (fun file ->
                let result = ReferenceReplay.Run file
                Expect.isFalse result.Passed "the model differs"
                Expect.stringContains (result.ToText()) "jnt_stiffness" "the array is named"
                Expect.isTrue (result.Episodes |> Seq.forall _.Passed) "the episodes still pass")
        }

        test "the result is also JSON" {
            use json = JsonDocument.Parse(ReferenceReplay.Run(reference "gym_Hopper").ToJson())
            Expect.isTrue (json.RootElement.GetProperty("passed").GetBoolean()) "passed"
            Expect.isGreaterThan (json.RootElement.GetProperty("episodes").GetArrayLength()) 0 "episodes"
        }

        test "a reference of an environment that we do not have says which we have" {
            inTemporaryFile """{"env": "Skier", "episodes": []}""" (fun file ->
                let text = message (fun () -> ReferenceReplay.Run file |> ignore)
                Expect.stringContains text "Skier" "the environment"
                Expect.stringContains text "HalfCheetah-v4" "what is available")
        }

        test "so does a domain of the Control Suite" {
            inTemporaryFile """{"env": "dmc_snail", "episodes": []}""" (fun file ->
                Expect.stringContains (message (fun () -> ReferenceReplay.Run file |> ignore)) "dmc_snail" "the domain")
        }

        test "a file of another kind is refused with its name" {
            inTemporaryFile """{"domain": "walker"}""" (fun file ->
                Expect.stringContains (message (fun () -> ReferenceReplay.Run file |> ignore)) file "the file")

            inTemporaryFile "no json" (fun file ->
                Expect.stringContains (message (fun () -> ReferenceReplay.Run file |> ignore)) "is not JSON" "the reason")
        }

        test "an incomplete reference is refused" {
            inTemporaryFile """{"env": "Hopper", "episodes": [{"model": "hopper", "v4": {}}]}""" (fun file ->
                Expect.stringContains (message (fun () -> ReferenceReplay.Run file |> ignore)) "not a complete" "the reason")
        }
    ]
