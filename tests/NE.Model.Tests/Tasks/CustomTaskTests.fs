module NE.Model.Tests.Tasks.CustomTaskTests

open System
open Expecto
open NE.Model
open NE.Model.Tasks
open NE.Model.Tasks.Custom
open NE.Model.Tasks.ControlSuite

let private info: TaskInfo = {
    Id = "custom"
    Robot = ""
    Timestep = 0.01
    FrameSkip = 5
    Stepping = Stepping.Gymnasium
    OwnModel = false
    TimeLimit = 10
    ObservationSize = 0
    ActionLow = [| -1.0f; -1.0f |]
    ActionHigh = [| 1.0f; 1.0f |]
    RewardTerms = [||]
    Reward = ""
    Termination = ""
    MemorySize = 0
    Camera = Camera.Fixed 0
    Description = ""
    Source = ""
}

let private task reward termination start : ITask =
    CustomTask {
        Info = info
        Observation = []
        Reward = [
            for index, (weight, value) in List.indexed reward ->
                {
                    Name = $"term {index}"
                    Weight = weight
                    Value = value
                }
        ]
        Termination = termination
        Keyframe = None
        Start = start
    }

let private physics () = FakePhysics(4, 3, 2, 3)

/// Terms and outcome of a step that begins and ends as the two functions say.
let private step (task: ITask) (before: FakePhysics -> unit) (after: FakePhysics -> unit) =
    let physics = physics ()
    let memory: float[] = Array.zeroCreate task.Info.MemorySize
    let terms: float[] = Array.zeroCreate task.Info.RewardTerms.Length
    before physics
    task.Before(physics, memory)
    after physics
    let action = [| 0.5; -2.0 |]
    let evaluation = task.Evaluate(physics, action, memory, terms)
    List.ofArray terms, evaluation

let private nothing (_: FakePhysics) = ()
let private x index = Quantity.Coordinate index

let private ends rule (after: FakePhysics -> unit) =
    let _, evaluation = step (task [] [ rule ] []) nothing after
    evaluation.Terminated

let private started start (seed: int64) =
    let physics = physics ()
    (task [] [] start).Reset(Draws.Of(seed, Purpose.Reset), physics)
    physics

[<Tests>]
let tests =
    testList "A task that a user describes" [
        test "two velocities, one of them inside a product, are remembered apart" {
            let task =
                task
                    [
                        2.0, RewardValue.Velocity(x 0)
                        1.0, RewardValue.Product [ RewardValue.Of(x 2); RewardValue.Velocity(x 1) ]
                    ] [] []

            Expect.equal task.Info.MemorySize 2 "memory"

            let terms, evaluation =
                step task (fun p -> p.QPosArray <- [| 1.0; 1.0; 0.0; 0.0 |]) (fun p -> p.QPosArray <- [| 1.5; 0.0; 3.0; 0.0 |])

            Expect.equal terms [ 2.0 * (0.5 / 0.05); 3.0 * (-1.0 / 0.05) ] "terms"
            Expect.equal evaluation.Reward (20.0 - 60.0) "their sum"
            Expect.isFalse evaluation.Terminated "no rule, no end"
        }

        test "costs are negative: control of the action as it was given, contact forces clipped and capped" {
            let forces (p: FakePhysics) =
                p.CFrcExtArray <-
                    Array.init 18 (fun i ->
                        if i = 6 then -3.0
                        elif i = 7 then 0.5
                        else 0.0)

            let value reward =
                fst (step (task [ reward ] [] []) nothing forces) |> List.exactlyOne

            Expect.equal (value (0.1, RewardValue.ControlCost)) (-0.1 * 4.25) "control"
            Expect.equal (value (1.0, RewardValue.ContactCost(1.0, infinity))) -1.25 "clipped"
            Expect.equal (value (1.0, RewardValue.ContactCost(infinity, infinity))) -9.25 "whole"
            Expect.equal (value (1.0, RewardValue.ContactCost(infinity, 2.0))) -2.0 "capped"
        }

        test "alive is paid on the last step only where that is asked for" {
            let paid onTermination height =
                let rule = TerminationRule.Outside(x 0, 1.0, 2.0, false)

                fst (
                    step (task [ 5.0, RewardValue.Alive onTermination ] [ rule ] []) nothing (fun p ->
                        p.QPosArray <- [| height; 0.0; 0.0; 0.0 |])
                )

            Expect.equal (paid false 1.5) [ 5.0 ] "healthy"
            Expect.equal (paid false 0.5) [ 0.0 ] "fallen"
            Expect.equal (paid true 0.5) [ 5.0 ] "fallen, but paid"
        }

        test "a distance costs, and where it is shaped the distance itself is" {
            let from, towards = Point.Body 1, Point.Body 2

            let shaping = {
                Lower = 0.0
                Upper = 1.0
                Margin = 4.0
                Sigmoid = Sigmoid.Linear
                ValueAtMargin = 0.0
            }

            let place (p: FakePhysics) =
                p.XPosArray <- [| 0.0; 0.0; 0.0; 1.0; 1.0; 1.0; 1.0; 4.0; 5.0 |]

            let nearness = RewardValue.Nearness(from, towards)

            let terms, _ =
                step (task [ 1.0, nearness; 1.0, RewardValue.Shaped(nearness, shaping) ] [] []) nothing place

            Expect.equal terms [ -5.0; 0.0 ] "5 m; one margin beyond the bound"
            let near (p: FakePhysics) = p.XPosArray <- Array.zeroCreate 9

            let terms, _ =
                step (task [ 1.0, RewardValue.Shaped(nearness, shaping) ] [] []) nothing near

            Expect.equal terms [ 1.0 ] "at the place"
        }

        test "a range ends the episode at its bounds unless they are inside, and a NaN always" {
            let at value (p: FakePhysics) =
                p.QPosArray <- [| value; 0.0; 0.0; 0.0 |]

            let rule inclusive =
                TerminationRule.Outside(x 0, 1.0, 2.0, inclusive)

            Expect.isFalse (ends (rule false) (at 1.5)) "inside"
            Expect.isTrue (ends (rule false) (at 1.0)) "the bound is outside"
            Expect.isFalse (ends (rule true) (at 1.0)) "the bound is inside"
            Expect.isTrue (ends (rule true) (at nan)) "NaN"
            Expect.isTrue (ends (TerminationRule.Outside(x 0, -infinity, infinity, true)) (at nan)) "NaN in an endless range"
            Expect.isTrue (ends TerminationRule.NotFinite (at infinity)) "infinite"
            Expect.isFalse (ends TerminationRule.NotFinite (at 1e9)) "large"
        }

        test "a rule over an array looks at its own part of it" {
            let rule = TerminationRule.AnyOutside(QPos, 2, 2, -1.0, 1.0, false)
            Expect.isFalse (ends rule (fun p -> p.QPosArray <- [| 9.0; 9.0; 0.5; -0.5 |])) "others are free"
            Expect.isTrue (ends rule (fun p -> p.QPosArray <- [| 0.0; 0.0; 0.0; 1.5 |])) "the last"
        }

        test "start noise is added to or put in place of the named coordinates only" {
            let untouched = physics ()
            let uniform = started [ StartNoise.Uniform(false, [| 1; 3 |], 0.5) ] 1L
            Expect.equal uniform.QPosArray[0] untouched.QPosArray[0] "not named"
            Expect.notEqual uniform.QPosArray[1] untouched.QPosArray[1] "named"
            Expect.isLessThan (abs (uniform.QPosArray[3] - untouched.QPosArray[3])) 0.5 "within"
            Expect.equal uniform.QVelArray untouched.QVelArray "no velocity"
            let between = started [ StartNoise.Between(true, [| 2 |], 7.0, 8.0) ] 1L
            Expect.isTrue (between.QVelArray[2] >= 7.0 && between.QVelArray[2] < 8.0) "in place"
            let still = started [ StartNoise.Normal(true, [| 0; 1; 2 |], 0.0) ] 1L
            Expect.equal still.QVelArray untouched.QVelArray "no deviation, no change"

            let twice = [
                StartNoise.Normal(false, [| 0 |], 1.0)
                StartNoise.Normal(true, [| 0 |], 1.0)
            ]

            Expect.equal (started twice 3L).QVelArray (started twice 3L).QVelArray "the same seed"
            Expect.notEqual (started twice 3L).QVelArray (started twice 4L).QVelArray "another seed"
        }
    ]
