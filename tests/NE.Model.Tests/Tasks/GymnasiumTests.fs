module NE.Model.Tests.Tasks.GymnasiumTests

open System
open Expecto
open Expecto.ExpectoFsCheck
open FsCheck
open NE.Model
open NE.Model.Tasks
open NE.Model.Tests.Tasks.GymnasiumSupport

let private everyTask =
    testList "every task" [
        for entry in Registry.all |> List.filter _.Info.Stepping.IsGymnasium do
            let info = entry.Info

            test $"{info.Id} fills its whole observation and all its reward terms" {
                let physics = physicsFor entry
                Expect.all (observe entry physics) Double.IsFinite "observation"
                let evaluation, terms = evaluate entry physics physics (still entry)
                Expect.all (Map.values terms) Double.IsFinite "terms"
                near (Seq.sum (Map.values terms)) evaluation.Reward "the reward is the sum of its terms"
            }

            test $"{info.Id} has a robot with a light, and with a floor and a camera that follows it where Gymnasium's has them" {
                let text = Robots.read info.Robot

                let has (piece: string) = text.Contains piece

                let withoutCamera = [
                    "reacher"
                    "pusher"
                    "pusher_v5"
                    "inverted_pendulum"
                    "inverted_double_pendulum"
                ]

                let expected = not (List.contains info.Robot withoutCamera)
                Expect.stringContains text "<light " "light"
                Expect.equal (has "<geom name=\"floor\" type=\"plane\"") (info.Robot <> "inverted_pendulum") "floor"
                Expect.equal (has "<camera name=\"track\" mode=\"trackcom\"") expected "camera"
                Expect.equal (info.Camera = Camera.Fixed 0) expected "the task is looked at with it"
            }

            test $"{info.Id} describes itself in one sentence and has symmetric bounds" {
                Expect.isTrue (info.Description.EndsWith "." && info.Description.Split(". ").Length = 1) "one sentence"
                Expect.equal info.ActionLow (Array.map (~-) info.ActionHigh) "bounds"

                let limit =
                    match info.Robot with
                    | "reacher" -> 50
                    | "pusher"
                    | "pusher_v5" -> 100
                    | _ -> 1000

                Expect.equal info.TimeLimit limit "time limit"
            }

            if Array.contains "ctrl" info.RewardTerms then
                testProperty $"{info.Id} pays for the action as given, beyond the bounds too" (fun (NormalFloat scale) ->
                    let scale = 1.0 + abs scale % 1e3
                    let physics = physicsFor entry

                    let cost action =
                        (term "ctrl" (evaluate entry physics physics action))

                    let unit = Array.map float info.ActionHigh
                    let expected = scale * scale * cost unit

                    expected < 0.0
                    && abs (cost (Array.map ((*) scale) unit) - expected) <= 1e-9 * abs expected)
            else
                testProperty $"{info.Id} does not pay for the action" (fun (NormalFloat scale) ->
                    let physics = physicsFor entry

                    let reward action =
                        (fst (evaluate entry physics physics action)).Reward

                    reward (Array.create info.ActionSize scale) = reward (still entry))

            test $"{info.Id} starts near the given pose, with the same noise from the same stream" {
                // What starts with noise; the rest is a target or an object and has tests of its own.
                let noisyPositions, noisyVelocities =
                    match info.Robot with
                    | "reacher" -> 2, 2
                    | "pusher"
                    | "pusher_v5" -> 7, 7
                    | _ -> Int32.MaxValue, Int32.MaxValue

                let start episode =
                    let physics = startOf entry episode
                    physics.QPosArray, physics.QVelArray

                let qpos, qvel = start 0L
                Expect.equal (start 0L) (qpos, qvel) "same"
                Expect.notEqual (start 1L) (qpos, qvel) "another episode"
                Expect.all (Array.truncate noisyPositions qpos) (fun x -> abs (x - 1.0) <= 0.1) "positions"
                Expect.all (Array.truncate noisyVelocities qvel) (fun v -> v <> 0.0 && abs v < 1.0) "velocities"
            }
    ]

[<Tests>]
let tests =
    testList "Gymnasium tasks" [
        everyTask

        test "HalfCheetah: forward speed is the change of x per 0.05 s, and nothing terminates" {
            let task = task "HalfCheetah-v4"
            let before, after = physicsFor task, physicsFor task
            before.QPosArray[0] <- 1.0
            after.QPosArray[0] <- 1.5

            let evaluation, terms =
                evaluate task before after [| 1.0; 0.0; -2.0; 0.0; 0.0; 0.0 |]

            near 10.0 terms["forward"] "forward"
            near -0.5 terms["ctrl"] "ctrl"
            near 9.5 evaluation.Reward "reward"
            Expect.isFalse (terminates "HalfCheetah-v4" (fun p -> p.QPosArray[1] <- -5.0)) "never"
        }

        test "HalfCheetah: x is hidden from the observation" {
            let task = task "HalfCheetah-v4"
            let physics = physicsFor task
            Expect.equal (observe task physics) (Array.append physics.QPosArray[1..] physics.QVelArray) "qpos[1:], qvel"
        }

        test "Hopper and Walker2d: observed velocities are clipped to 10" {
            for id in [ "Hopper-v4"; "Walker2d-v4" ] do
                let task = task id
                let physics = physicsFor task
                physics.QVelArray[0] <- 11.0
                physics.QVelArray[1] <- -99.0
                let velocities = (observe task physics)[physics.QPosArray.Length - 1 ..]
                Expect.equal velocities[0..2] [| 10.0; -10.0; physics.QVelArray[2] |] id
        }

        test "Hopper: healthy strictly above 0.7 m, below 0.2 rad and within 100" {
            let ends change = terminates "Hopper-v4" change
            Expect.isFalse (ends ignore) "upright"
            Expect.isTrue (ends (fun p -> p.QPosArray[1] <- 0.7)) "low"
            Expect.isTrue (ends (fun p -> p.QPosArray[2] <- -0.2)) "leaning"
            Expect.isTrue (ends (fun p -> p.QVelArray[5] <- 100.0)) "fast"
            Expect.isTrue (ends (fun p -> p.QPosArray[3] <- nan)) "not a number"
            Expect.isFalse (ends (fun p -> p.QPosArray[0] <- 500.0)) "far away is fine"
        }

        test "Walker2d: healthy strictly between 0.8 and 2 m and below 1 rad" {
            let ends change = terminates "Walker2d-v4" change
            Expect.isFalse (ends ignore) "upright"
            Expect.isTrue (ends (fun p -> p.QPosArray[1] <- 0.8)) "low"
            Expect.isTrue (ends (fun p -> p.QPosArray[1] <- 2.0)) "high"
            Expect.isTrue (ends (fun p -> p.QPosArray[2] <- 1.0)) "leaning"
        }

        test "Ant: healthy from 0.2 to 1 m, both included, and finite" {
            let ends change = terminates "Ant-v4" change
            Expect.isFalse (ends (fun p -> p.QPosArray[2] <- 0.2)) "lowest"
            Expect.isFalse (ends (fun p -> p.QPosArray[2] <- 1.0)) "highest"
            Expect.isTrue (ends (fun p -> p.QPosArray[2] <- 0.1999)) "low"
            Expect.isTrue (ends (fun p -> p.QPosArray[2] <- 1.0001)) "high"
            Expect.isTrue (ends (fun p -> p.QVelArray[0] <- infinity)) "infinite"
        }

        test "Ant: forward speed comes from the torso's lagged xpos, not from qpos" {
            let task = task "Ant-v4"
            let before, after = physicsFor task, physicsFor task
            before.XPosArray[3] <- 2.0
            after.XPosArray[3] <- 2.1
            after.QPosArray[0] <- 77.0
            near 2.0 (term "forward" (evaluate task before after (still task))) "0.1 m in 0.05 s"
        }

        test "Ant v5: contact forces are clipped to 1 in the observation and the cost; the world's row is not observed" {
            let task = task "Ant-v5"
            let physics = physicsFor task

            physics.CFrcExtArray <-
                Array.init 84 (fun i ->
                    if i < 6 then 0.0
                    elif i % 2 = 0 then 5.0
                    else -0.5)

            let observed = (observe task physics)[27..]
            Expect.equal observed (Array.init 78 (fun i -> if i % 2 = 0 then 1.0 else -0.5)) "observation"
            near (-5e-4 * (39.0 + 39.0 * 0.25)) (term "contact" (evaluate task physics physics (still task))) "cost"
        }

        test "Ant v4 with contact forces: all 84 are observed, clipped to 1, and paid for; without, they are neither" {
            let plain, contact = task "Ant-v4", task "Ant-v4-contact"
            let physics = physicsFor contact
            physics.CFrcExtArray <- Array.init 84 (fun i -> if i < 6 then 0.0 else -2.0)
            let without, forces = Array.splitAt 27 (observe contact physics)
            Expect.equal without (observe plain physics) "the rest"
            Expect.equal forces (Array.init 84 (fun i -> if i < 6 then 0.0 else -1.0)) "forces"

            let reward task =
                (fst (evaluate task physics physics (still task))).Reward

            near (reward plain - 5e-4 * 78.0) (reward contact) "reward"
        }

        test "Humanoid: healthy strictly between 1 and 2 m" {
            let ends change = terminates "Humanoid-v4" change
            Expect.isTrue (ends (fun p -> p.QPosArray[2] <- 1.0)) "low"
            Expect.isTrue (ends (fun p -> p.QPosArray[2] <- 2.0)) "high"
            Expect.isFalse (ends (fun p -> p.QPosArray[2] <- 1.0001)) "just high enough"
        }

        test "Humanoid: forward speed is that of the mass-weighted centre, times 1.25" {
            let task = task "Humanoid-v4"
            let before, after = physicsFor task, physicsFor task

            before.BodyMassArray <-
                Array.init 14 (fun i ->
                    if i = 3 then 9.0
                    elif i = 5 then 1.0
                    else 0.0)

            after.BodyMassArray <- before.BodyMassArray
            after.XIPosArray[9] <- before.XIPosArray[9] + 0.1
            near (1.25 * 0.09 / 0.015) (term "forward" (evaluate task before after (still task))) "forward"
        }

        test "Humanoid: v4 observes whole arrays, v5 leaves out the world and the root's forces" {
            let physics = physicsFor (task "Humanoid-v4")

            let parts world root =
                Array.concat [
                    physics.QPosArray[2..]
                    physics.QVelArray
                    physics.CInertArray[10 * world ..]
                    physics.CVelArray[6 * world ..]
                    physics.QFrcActuatorArray[root..]
                    physics.CFrcExtArray[6 * world ..]
                ]

            Expect.equal (observe (task "Humanoid-v4") physics) (parts 0 0) "v4"
            Expect.equal (observe (task "Humanoid-v5") physics) (parts 1 6) "v5"
        }

        test "Humanoid v5: the contact cost is at most 10" {
            let task = task "Humanoid-v5"
            let physics = physicsFor task
            physics.CFrcExtArray <- Array.create 84 1e6
            near -10.0 (term "contact" (evaluate task physics physics (still task))) "cost"
        }

        test "the healthy reward of the terminating step is paid in v4 and not in v5" {
            let fall =
                function
                | "Hopper"
                | "Walker2d" -> fun (physics: FakePhysics) -> physics.QPosArray[1] <- 0.0
                | "Ant"
                | "Humanoid" -> fun physics -> physics.QPosArray[2] <- 0.0
                | "InvertedPendulum" -> fun physics -> physics.QPosArray[1] <- 1.0
                | _ -> fun physics -> physics.SiteXPosArray[2] <- 0.0

            for name in
                [
                    "Hopper"
                    "Walker2d"
                    "Ant"
                    "Humanoid"
                    "InvertedPendulum"
                    "InvertedDoublePendulum"
                ] do
                let survive version =
                    let task = task $"{name}-{version}"
                    let fallen = physicsFor task
                    fall name fallen
                    let evaluation = evaluate task (physicsFor task) fallen (still task)
                    Expect.isTrue (fst evaluation).Terminated "terminated"
                    (term "survive" evaluation)

                Expect.isGreaterThan (survive "v4") 0.0 $"{name} v4"
                Expect.equal (survive "v5") 0.0 $"{name} v5"
        }
    ]

[<Tests>]
let registry =
    testList "the registry of tasks" [
        test "ids are unique and found" {
            Expect.equal (List.distinct Registry.ids) Registry.ids "unique"
            Expect.all Registry.ids (fun id -> (task id).Info.Id = id) "found"
            Expect.isNone (Registry.tryFind "Nothing-v0") "unknown"
        }

        test "an unknown id names the nearest ones" {
            Expect.equal (Registry.find "Hoper-v4") (Error "There is no task 'Hoper-v4'; did you mean Hopper-v4 or Hopper-v5?") "near"

            match Registry.find "Pong" with
            | Error message -> Expect.stringContains message "known tasks are HalfCheetah-v4, " "far: the whole list"
            | Ok _ -> failtest "there is no Pong"
        }

        test "every robot is used by a task, but for the control suite's" {
            let used = Registry.all |> List.map _.Info.Robot |> List.distinct
            Expect.isEmpty (List.except Robots.names used) "every task has its robot"
            Expect.all (List.except used Robots.names) _.StartsWith("dmc/") "robots without a task"
        }
    ]
