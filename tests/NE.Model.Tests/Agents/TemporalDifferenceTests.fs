module NE.Model.Tests.Agents.TemporalDifferenceTests

open System
open Expecto
open NE.Model.Agents
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model
open NE.Model.Replay
open NE.Model.Tests.Agents.AgentFixture
open NE.Model.Tests.Networks.EngineFixture

let private perEngine name body =
    testList name [
        for engineName, makeEngine in engines ->
            testCase engineName (fun () ->
                use engine = makeEngine ()
                body engine)
    ]

[<Tests>]
let tests =
    testList "Temporal difference" [
        perEngine "the target bootstraps unless the transition was terminal" (fun engine ->
            let column values = matrixOf engine 2 1 values
            let least, target = engine.CreateMatrix(2, 1), engine.CreateMatrix(2, 1)

            TemporalDifference.target
                engine
                [| column [| 3.0f; 3.0f |]; column [| 5.0f; 2.0f |] |]
                (column [| 1.0f; 1.0f |])
                (column [| 0.0f; 1.0f |])
                0.5f
                least
                target

            Expect.equal (readMatrix target) [| 1.0f; 2.0f |] "r when terminal, r + gamma min Q' otherwise"
            Expect.equal (readMatrix least) [| 3.0f; 2.0f |] "min Q'")

        perEngine "the loss is the sum of mean squared errors, the gradient its derivative" (fun engine ->
            let rows, draws = 37, draws 8L
            let values, y = Array.init 2 (fun _ -> normals draws rows), normals draws rows
            let column = matrixOf engine rows 1
            let gradients = Array.init 2 (fun _ -> engine.CreateMatrix(rows, 1))
            use loss = engine.CreateSum()

            // Twice: nothing of the first may be left.
            for _ in 1..2 do
                TemporalDifference.squaredError engine (Array.map column values) (column y) gradients loss

            let errors = values |> Array.map (fun q -> Array.map2 (-) q y)

            let expected =
                errors |> Array.sumBy (Array.averageBy (fun error -> float error * float error))

            Expect.isLessThan (abs (loss.Value - expected)) 1e-5 "loss"

            for i in 0..1 do
                let derivative = errors[i] |> Array.map (fun error -> 2.0f / float32 rows * error)
                Expect.isLessThan (largestDifference (readMatrix gradients[i]) derivative) 1e-6 $"gradient {i}")

        perEngine "the smoothed action stays within its bounds and near the target's action" (fun engine ->
            use networks =
                new ActorCriticNetworks(engine, small, numbers engine small, AgentTask.Of(shape, MaxAction))

            let draws = Draws.Of(9L, Purpose.Initialisation)
            networks.Actor.Initialise draws
            networks.Critics.Initialise draws
            let deviation, clip = 1.0, 0.2

            let losses =
                Td3Losses(
                    networks,
                    {
                        small with
                            Td3.TargetNoise = deviation
                            Td3.TargetNoiseClip = clip
                    }
                )

            use w = td3Workspace networks 64
            w.GatherUniform(replay.Value, replay.Value.Window, draws)
            losses.CriticGradient(w, draws) |> ignore

            let before, after =
                readMatrix (w.NextActor.Output 0), readMatrix w.Inputs.NextAction

            let distances =
                Array.map2 (fun (a: float32) (b: float32) -> abs (a - b)) before after

            Expect.all after (fun a -> abs a <= MaxAction) "within the action's range"
            Expect.all distances (fun d -> d <= 1.000001f * float32 clip * MaxAction) "within the noise's clip"
            Expect.isGreaterThan (Array.max distances) (0.99f * float32 clip * MaxAction) "as much noise as there may be")
    ]
