/// The frames that MuJoCo's C program drew of dm_control's own models (tests/data/reference/frames), against ours of our robots.
module NE.Actors.Tests.Rendering.ReferenceFrameTests

open System
open System.IO
open System.Text.Json
open Expecto
open NE.Actors.MuJoCo
open NE.Actors.Rendering
open NE.Actors.Tests.Rendering.Picture
open NE.Model.Tasks

let private folder =
    Path.Combine(__SOURCE_DIRECTORY__, "../../data/reference/frames")

/// Another Mesa rounds differently; the one of the reference gives 0.
[<Literal>]
let private Tolerance = 2.0

let private numbers (element: JsonElement) = [| for value in element.EnumerateArray() -> value.GetDouble() |]

/// The geom of reacher's target.
[<Literal>]
let private Target = 6

let private drawFrame (frame: JsonElement) =
    let domain =
        Path.GetFileNameWithoutExtension(frame.GetProperty("model").GetString())

    use model = (MuJoCoModel.OfRobot $"dmc/{domain}").Copy()
    use simulator = new Simulator(model)
    simulator.ResetData()

    match frame.TryGetProperty "target_xy" with
    | true, place ->
        let place = numbers place
        simulator.MoveGeom(Target, place[0], place[1])
        simulator.ResizeGeom(Target, frame.GetProperty("target_size").GetDouble())
    | _ -> ()

    let atRest: float[] = Array.zeroCreate simulator.NV
    simulator.SetState(numbers (frame.GetProperty "qpos"), atRest)
    simulator.Forward()
    let camera = Camera.Fixed(frame.GetProperty("camera_id").GetInt32())
    drawn simulator (frame.GetProperty("width").GetInt32()) (frame.GetProperty("height").GetInt32()) camera (List.ofSeq OpenGlKind.Order)

[<Tests>]
let tests =
    testList "reference frames" [
        let document =
            JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "frames.json")))

        for frame in document.RootElement.GetProperty("frames").EnumerateArray() do
            let file = frame.GetProperty("file").GetString()

            test $"{file} is drawn within {Tolerance} grey levels on average" {
                let expected = readPng (Path.Combine(folder, string file))
                let found = drawFrame frame

                let difference =
                    Seq.map2 (fun (a: byte) (b: byte) -> abs (float a - float b)) expected.Bytes found.Bytes
                    |> Seq.average

                Expect.hasLength found.Bytes expected.Bytes.Length "size"
                Expect.isLessThanOrEqual difference Tolerance "mean absolute difference"
                // The means that the reference names: that the file was read right.
                let means = [
                    for channel in 0..2 ->
                        Math.Round(
                            Seq.average (
                                Seq.map
                                    float
                                    (Seq.indexed expected.Bytes
                                     |> Seq.filter (fun (i, _) -> i % 3 = channel)
                                     |> Seq.map snd)
                            ),
                            3
                        )
                ]

                for mean, named in Seq.zip means (numbers (frame.GetProperty "mean_rgb")) do
                    Expect.floatClose Accuracy.low mean named "the reference's own mean"
            }
    ]
