module NE.Model.Tests.Agents.GradientMapTests

#nowarn "9" // the replay memory is read through a pointer

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture

let private batch () =
    let rows = Array.zeroCreate<float32>(GradientMap.Rows * shape.StoredWidth)
    use target = fixed rows
    (replay.Value :> ITransitionSource).Gather(ReadOnlySpan [| 0L .. int64 GradientMap.Rows - 1L |], target, shape.StoredWidth)
    rows

let private find network stack layer (maps: LayerGradient[]) =
    maps
    |> Array.find (fun map -> map.Network = network && map.Stack = stack && map.Layer = layer)

[<Tests>]
let tests =
    testList "Gradient maps" [
        for name, settings in onEachEngine small do
            test $"{name}: every layer of the actor and of both critics, and the agent stays as it is" {
                use agent = create settings
                step agent 60
                let before = digest agent
                let maps = agent.Gradients(batch ())

                Expect.equal
                    [
                        for map in maps -> map.Network, map.Stack, map.Outputs, map.Inputs, map.Magnitudes.Length
                    ]
                    [
                        "actor", 0, 24, 7, 168
                        "actor", 0, 16, 24, 384
                        "actor", 0, 3, 16, 48
                        for stack in 0..1 do
                            "critic", stack, 24, 10, 240
                            "critic", stack, 16, 24, 384
                            "critic", stack, 1, 16, 16
                    ]
                    "layers"

                for map in maps do
                    Expect.isTrue (map.Magnitudes |> Array.forall (fun value -> value >= 0.0f)) "magnitudes"
                    Expect.isGreaterThan (Array.max map.Magnitudes) 0.0f "there is a gradient"

                Expect.equal (digest agent) before "unchanged"
                Expect.equal (agent.Gradients(batch ())) maps "the same batch gives the same map"
            }

            test $"{name}: a silent neuron has no gradient, in its row and in its column of the next layer" {
                use agent = create settings
                step agent 60
                let dead = [ 3; 11 ]
                kill agent.Networks.Critics 0 0 dead
                let maps = agent.Gradients(batch ())
                let first, second = find "critic" 0 0 maps, find "critic" 0 1 maps

                for neuron in dead do
                    let row = Array.sub first.Magnitudes (neuron * first.Inputs) first.Inputs

                    let column =
                        Array.init second.Outputs (fun i -> second.Magnitudes[i * second.Inputs + neuron])

                    Expect.all row ((=) 0.0f) "row"
                    Expect.all column ((=) 0.0f) "column"

                let other = find "critic" 1 0 maps
                Expect.exists (Array.sub other.Magnitudes (3 * other.Inputs) other.Inputs) ((<) 0.0f) "the other critic's neuron lives"
            }

        test "as many rows of pictures are read as hold a batch, or all that there are" {
            let pixels = PixelFixture.drq.Pixels

            let memory =
                PixelFixture.memoryOf
                    {
                        PixelFixture.Show = fun _ _ -> Array.zeroCreate pixels.Shape.ObservationBytes
                        PixelFixture.Pay = fun _ _ -> 0.0f
                        // An episode is five rows and two transitions of three steps.
                        PixelFixture.Steps = 4
                        PixelFixture.Ends = true
                    }
                    160
                    3L

            let all =
                [| 0L .. memory.Window.Head - 1L |]
                |> Array.collect (fun row -> ((memory :> ITransitionSource).Row row).ToArray())

            let width = all.Length / 800
            let asked = ResizeArray<int>()

            let found steps most =
                asked.Clear()

                let read =
                    Func<int, float32[]>(fun count ->
                        asked.Add count
                        Array.sub all 0 (count * width))

                let learners = [ pixels; { pixels with ReturnSteps = steps } ]
                GradientMap.rowsOfPictures learners PixelFixture.task.ActionSize most read

            use agent = PixelFixture.createPixels PixelFixture.drq

            match found 3 800 with
            | null -> failtest "there are enough"
            | rows ->
                Expect.sequenceEqual asked [ 512; 800 ] "512 rows hold 204 transitions"
                Expect.isNonEmpty (agent.Gradients rows) "800 hold 320"

            Expect.throwsT<ArgumentException> (fun () -> agent.Gradients(Array.sub all 0 (512 * width)) |> ignore) "too few"
            Expect.isTrue (isNull (found 3 600)) "there are no more"
            Expect.sequenceEqual asked [ 512; 600 ] "all were read"
            Expect.isTrue (isNull (found 5 800)) "none of five steps"
            Expect.isTrue (isNull (found 3 100)) "a young memory"
            Expect.sequenceEqual asked [ 100 ] "no more than there are"
        }

        test "a batch of another size is refused" {
            use agent = create small
            Expect.throwsT<ArgumentException> (fun () -> agent.Gradients(Array.zeroCreate 10) |> ignore) "size"
        }
    ]
