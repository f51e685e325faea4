/// What the tests of the Gymnasium tasks share.
module NE.Model.Tests.Tasks.GymnasiumSupport

open Expecto
open NE.Model
open NE.Model.Tasks

let task id =
    match Registry.find id with
    | Ok task -> task
    | Error message -> failtest message

/// A state of the right sizes, standing upright.
let physicsFor (task: ITask) =
    let nq, nv, nbody =
        match task.Info.Robot with
        | "half_cheetah" -> 9, 9, 8
        | "hopper" -> 6, 6, 5
        | "walker2d"
        | "walker2d_v5" -> 9, 9, 8
        | "ant" -> 15, 14, 14
        | "humanoid"
        | "humanoidstandup" -> 24, 23, 14
        | "swimmer" -> 5, 5, 4
        | "reacher" -> 4, 4, 5
        | "pusher"
        | "pusher_v5" -> 11, 11, 13
        | "inverted_pendulum" -> 2, 2, 3
        | "inverted_double_pendulum" -> 3, 3, 4
        | other -> failtest $"the sizes of {other} are missing here"

    let physics = FakePhysics(nq, nv, task.Info.ActionSize, nbody)

    match task.Info.Robot with
    | "ant" -> physics.QPosArray[2] <- 0.5
    | "humanoid" -> physics.QPosArray[2] <- 1.4
    | "hopper"
    | "walker2d"
    | "walker2d_v5" -> physics.QPosArray[1] <- 1.25
    | "inverted_double_pendulum" -> physics.SiteXPosArray <- [| 0.0; 0.0; 1.2 |]
    | _ -> ()

    physics

let observe (task: ITask) (physics: IPhysics) =
    let observation: float[] = Array.create task.Info.ObservationSize nan
    task.Observe(physics, observation)
    observation

/// Evaluates a step between two states; the terms come with the evaluation.
let evaluate (task: ITask) (before: IPhysics) (after: IPhysics) (action: float[]) =
    let memory: float[] = Array.zeroCreate task.Info.MemorySize
    let terms: float[] = Array.create task.Info.RewardTerms.Length nan
    task.Before(before, memory)
    let evaluation = task.Evaluate(after, action, memory, terms)
    evaluation, Map.ofArray (Array.zip task.Info.RewardTerms terms)

let term (name: string) (_: Evaluation, terms: Map<string, float>) = terms[name]

let still (task: ITask) : float[] = Array.zeroCreate task.Info.ActionSize

/// Whether the task terminates after `change` was made to an upright state.
let terminates id (change: FakePhysics -> unit) =
    let task = task id
    let physics = physicsFor task
    change physics
    (fst (evaluate task (physicsFor task) physics (still task))).Terminated

let near (expected: float) (actual: float) what =
    Expect.floatClose Accuracy.high actual expected what

/// The state in which episode `episode` starts, made from a pose of ones at rest.
let startOf (task: ITask) (episode: int64) =
    let physics = physicsFor task
    Array.fill physics.QPosArray 0 physics.QPosArray.Length 1.0
    Array.fill physics.QVelArray 0 physics.QVelArray.Length 0.0
    task.Reset(Draws.At(1L, Purpose.Reset, 0L, episode, 0L), physics)
    physics
