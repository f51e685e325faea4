/// What a run knows of an environment at a node: enough to choose the action of a round of one step as the simulator's thread would.
module NE.Actors.Tests.Fleet.RemoteEnvironmentTests

open System
open System.IO
open Expecto
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Fleet.Environments
open NE.Actors.Tests.Runs.Training
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

let private task = "HalfCheetah-v4"
let private spec = EnvironmentFactory.Describe task
let private steps = 4

let private policy =
    let layout = BlockLayout.Create(1, [| spec.ObservationSize; 32; spec.ActionSize |])

    let parameters = Array.zeroCreate<float32> layout.Length
    (Draws.Of(1L, Purpose.Initialisation)).FillUniform(Span parameters, 0.5f)

    Policy.OfBlock(layout, ReadOnlySpan parameters, spec.ActionHigh[0], 0L).Exploring(Exploration.Gaussian 0.1f)

let private block () =
    TransitionBlock(0, TransitionRows.create spec.Observation spec.ActionSize, steps)

let private silent = {
    new IEnvironmentListener with
        member _.Ready _ = ()
        member _.Stepped _ = ()
        member _.Captured _ = ()
        member _.Failed error = raise error
}

let private remote () =
    let start =
        EnvironmentStart(0, settings [], (fun () -> failtest "it is elsewhere"), Task = task, Spec = spec, RandomUntil = 0L)

    new RemoteEnvironment(RunEnvironments("remote", null), 1, start, silent)

/// A simulator in its first episode, as on a thread or at a node.
let private working (body: EnvironmentWorker -> unit) =
    use simulator = EnvironmentFactory.Create task
    let worker = EnvironmentWorker(simulator, settings [], 0, 0L)
    worker.Begin 0L
    body worker

let private result (worker: EnvironmentWorker) (round: int64) (stepped: TransitionBlock) observation =
    RoundResult(1, 1L, round, stepped.Rows.ToArray(), [||], 0, 0L, worker.Save(), observation)

[<Tests>]
let tests =
    testList "An environment elsewhere" [
        test "has the action that its simulator's thread would choose, after rounds of one step and of several" {
            working (fun local ->
                working (fun node ->
                    let environment = remote ()
                    environment.TakeUp(EnvironmentOpened(1, 1L, 0L, node.Save(), node.Observation.ToArray()))
                    let here, there = block (), block ()

                    for round, count in List.indexed [ 1; steps; 1; 1; steps; 1 ] do
                        let step = int64 (round * steps)
                        local.Step(StepRound(step, 1, count, policy, here))
                        environment.Step(StepRound(step, 1, count, policy, block ()))

                        if count = 1 then
                            node.Step(step, ReadOnlySpan environment.Action, there)
                        else
                            Expect.isEmpty environment.Action "the node acts"
                            node.Step(StepRound(step, 1, count, policy, there))

                        Expect.equal (there.Rows.ToArray()) (here.Rows.ToArray()) $"round {round}"
                        environment.Take(result node (int64 round + 1L) there (node.Observation.ToArray()))))
        }

        test "is refused when it shows something else than it has" {
            working (fun node ->
                let opened observation =
                    EnvironmentOpened(1, 1L, 0L, node.Save(), observation)

                Expect.throwsT<InvalidDataException> (fun () -> (remote ()).TakeUp(opened [| 1f |])) "when it is opened"
                let environment = remote ()
                environment.TakeUp(opened (node.Observation.ToArray()))
                let stepped = block ()
                environment.Step(StepRound(0L, 1, 1, policy, block ()))
                node.Step(0L, ReadOnlySpan environment.Action, stepped)
                Expect.throwsT<InvalidDataException> (fun () -> environment.Take(result node 1L stepped [||])) "after a round")
        }
    ]
