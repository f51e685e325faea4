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

let private pose (simulator: Simulator) (frame: JsonElement) =
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

let private channelMean (picture: Picture) channel =
    Seq.average [ for i in channel..3 .. picture.Bytes.Length - 1 -> float picture.Bytes[i] ]

[<Tests>]
let tests =
    testList "reference frames" [
        let document =
            JsonDocument.Parse(File.ReadAllText(Path.Combine(folder, "frames.json")))

        let frames =
            List.ofSeq (document.RootElement.GetProperty("frames").EnumerateArray())

        for domain, frames in
            frames
            |> List.groupBy (fun frame -> Path.GetFileNameWithoutExtension(frame.GetProperty("model").GetString())) do
            test $"{domain} is drawn as the suite's own model is, within {Tolerance} grey levels on average" {
                use model = (MuJoCoModel.OfRobot $"dmc/{domain}").Copy()
                use simulator = new Simulator(model)
                use renderer = new Renderer(simulator, 84, 84, Camera.Fixed 0)

                for frame in frames do
                    let file = string (frame.GetProperty "file")
                    Expect.equal (frame.GetProperty("camera_id").GetInt32()) 0 "camera"
                    let expected = readPng (Path.Combine(folder, file))

                    for channel, named in Seq.indexed (numbers (frame.GetProperty "mean_rgb")) do
                        Expect.isLessThan (abs (channelMean expected channel - named)) 0.001 "the reference was read right"

                    pose simulator frame
                    let found = draw renderer

                    let difference =
                        Seq.map2 (fun (a: byte) (b: byte) -> abs (float a - float b)) expected.Bytes found.Bytes
                        |> Seq.average

                    Expect.isLessThanOrEqual difference Tolerance file
            }
    ]
