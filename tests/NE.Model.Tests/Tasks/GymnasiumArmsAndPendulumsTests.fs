module NE.Model.Tests.Tasks.GymnasiumArmsAndPendulumsTests

open System
open Expecto
open NE.Model.Tasks
open NE.Model.Tests.Tasks.GymnasiumSupport

let private place (physics: FakePhysics) (body: int) (x: float, y: float, z: float) =
    physics.XPosArray[3 * body] <- x
    physics.XPosArray[3 * body + 1] <- y
    physics.XPosArray[3 * body + 2] <- z

let private reacher =
    testList "Reacher" [
        test "the target is spread evenly over the disc of 0.2 m, at rest" {
            let starts = [ for episode in 0L .. 1999L -> startOf (task "Reacher-v4") episode ]
            let targets = [ for start in starts -> start.QPosArray[2], start.QPosArray[3] ]
            let squared = [ for x, y in targets -> x * x + y * y ]
            Expect.all squared (fun r2 -> sqrt r2 < 0.2) "in the disc"
            // Even over a disc, r^2 is even over [0, 0.04]: a mean of 0.02 with a standard error of 0.00026.
            Expect.isLessThan (abs (List.average squared - 0.02)) 0.0013 "mean square radius"
            Expect.isLessThan (abs (List.averageBy fst targets)) 0.0112 "mean x, five standard errors"
            Expect.isLessThan (abs (List.averageBy snd targets)) 0.0112 "mean y"
            Expect.all starts (fun start -> start.QVelArray[2..3] = [| 0.0; 0.0 |]) "at rest"
            Expect.all starts (fun start -> start.QVelArray[0..1] |> Array.forall (fun v -> abs v <= 0.005)) "slow arm"
        }

        test "v4 pays for the distance before the step, v5 for that after it" {
            let distance id =
                let task = task id
                let before, after = physicsFor task, physicsFor task
                place before 3 (0.0, 0.0, 0.0)
                place before 4 (0.3, 0.4, 0.0)
                place after 3 (0.0, 0.0, 0.0)
                place after 4 (0.0, 0.05, 0.12)
                let evaluation, terms = evaluate task before after [| 1.0; -2.0 |]
                near -5.0 terms["ctrl"] "control"
                Expect.isFalse evaluation.Terminated "never"
                terms["dist"]

            near -0.5 (distance "Reacher-v4") "before"
            near -0.13 (distance "Reacher-v5") "after"
        }

        test "angles are observed as cosines and sines, and the target relative to the fingertip without z in v5" {
            let physics = physicsFor (task "Reacher-v4")
            physics.QPosArray <- [| 0.5; -1.5; 0.1; 0.05 |]
            physics.QVelArray <- [| 3.0; 4.0; 5.0; 6.0 |]
            place physics 3 (0.2, 0.1, 0.01)
            place physics 4 (0.1, 0.05, 0.02)

            let expected = [|
                cos 0.5
                cos -1.5
                sin 0.5
                sin -1.5
                0.1
                0.05
                3.0
                4.0
                0.1
                0.05
                -0.01
            |]

            let v4 = observe (task "Reacher-v4") physics
            Array.iter2 (fun e o -> near e o "v4") expected v4
            Expect.equal (observe (task "Reacher-v5") physics) v4[..9] "v5"
        }
    ]

let private pusher =
    testList "Pusher" [
        for id in [ "Pusher-v4"; "Pusher-v5" ] do
            test $"{id}: the object starts in its rectangle, more than 0.17 m from the goal; the arm starts in the pose of the model" {
                let starts = [ for episode in 0L .. 1999L -> startOf (task id) episode ]
                let objects = [ for start in starts -> start.QPosArray[7], start.QPosArray[8] ]
                Expect.all objects (fun (a, b) -> sqrt (a * a + b * b) > 0.17) "far enough"
                Expect.all objects (fun (a, b) -> -0.3 <= a && a <= 0.0 && abs b <= 0.2) "in the rectangle"
                Expect.isLessThan (objects |> List.map fst |> List.min) -0.29 "the whole rectangle"
                Expect.isGreaterThan (objects |> List.map fst |> List.max) -0.02 "also beside the goal"
                Expect.isLessThan (objects |> List.map snd |> List.min) -0.19 "right"
                Expect.isGreaterThan (objects |> List.map snd |> List.max) 0.19 "left"
                Expect.all starts (fun start -> start.QPosArray[0..6] = Array.create 7 1.0) "the arm is where it was"
                Expect.all starts (fun start -> start.QPosArray[9..10] = [| 0.0; 0.0 |]) "the goal is the origin of its slides"
                Expect.all starts (fun start -> start.QVelArray[0..6] |> Array.forall (fun v -> abs v <= 0.005)) "slow arm"
                Expect.all starts (fun start -> start.QVelArray[7..10] = Array.zeroCreate 4) "object and goal at rest"
            }

        test "v4 pays for the distances before the step, v5 for those after it; the one to the tips counts half" {
            let pay id =
                let task = task id
                let before, after = physicsFor task, physicsFor task

                for physics, far in [ before, 1.0; after, 2.0 ] do
                    place physics 10 (0.0, 0.0, far)
                    place physics 11 (0.0, 0.0, 0.0)
                    place physics 12 (0.3 * far, 0.4 * far, 0.0)

                let evaluation, terms =
                    evaluate task before after [| 1.0; 0.0; 0.0; 0.0; 0.0; 0.0; -3.0 |]

                near -1.0 terms["ctrl"] "control"
                Expect.isFalse evaluation.Terminated "never"
                terms["dist"], terms["near"]

            Expect.equal (pay "Pusher-v4") (-0.5, -0.5) "before"
            Expect.equal (pay "Pusher-v5") (-1.0, -1.0) "after"
        }

        test "the arm's joints and the places of tips, object and goal are observed" {
            let task = task "Pusher-v4"
            let physics = physicsFor task

            let expected =
                Array.concat [ physics.QPosArray[..6]; physics.QVelArray[..6]; physics.XPosArray[30..38] ]

            Expect.equal (observe task physics) expected "observation"
        }
    ]

let private pendulums =
    testList "inverted pendulums" [
        test "InvertedPendulum: healthy up to 0.2 rad, included, and finite" {
            for id in [ "InvertedPendulum-v4"; "InvertedPendulum-v5" ] do
                let ends change = terminates id change
                Expect.isFalse (ends (fun p -> p.QPosArray[1] <- 0.2)) "on the edge"
                Expect.isFalse (ends (fun p -> p.QPosArray[1] <- -0.2)) "on the other edge"
                Expect.isTrue (ends (fun p -> p.QPosArray[1] <- 0.2001)) "beyond"
                Expect.isTrue (ends (fun p -> p.QPosArray[1] <- -0.2001)) "beyond, on the other side"
                Expect.isTrue (ends (fun p -> p.QPosArray[1] <- nan)) "not a number"
                Expect.isTrue (ends (fun p -> p.QVelArray[0] <- infinity)) "infinite"
                Expect.isFalse (ends (fun p -> p.QPosArray[0] <- 50.0)) "the cart may be anywhere"
        }

        test "InvertedDoublePendulum: the tip must be above 1 m" {
            for id in [ "InvertedDoublePendulum-v4"; "InvertedDoublePendulum-v5" ] do
                Expect.isTrue (terminates id (fun p -> p.SiteXPosArray[2] <- 1.0)) "on the edge"
                Expect.isFalse (terminates id (fun p -> p.SiteXPosArray[2] <- 1.0001)) "just above"
        }

        test "InvertedDoublePendulum: the tip's place and the poles' velocities cost" {
            let task = task "InvertedDoublePendulum-v4"
            let physics = physicsFor task
            physics.SiteXPosArray <- [| 0.5; 7.0; 1.7 |]
            physics.QVelArray <- [| 9.0; 2.0; 3.0 |]
            let evaluation, terms = evaluate task physics physics (still task)
            near -(0.0025 + 0.09) terms["distance"] "distance"
            near -(0.004 + 0.045) terms["velocity"] "velocity"
            near (10.0 - 0.0925 - 0.049) evaluation.Reward "reward"
        }

        test "InvertedDoublePendulum: velocities and constraint forces are clipped to 10; v5 observes the force on the cart alone" {
            let physics = physicsFor (task "InvertedDoublePendulum-v4")
            physics.QPosArray <- [| 0.3; 0.5; -0.25 |]
            physics.QVelArray <- [| 11.0; -2.0; -99.0 |]
            physics.QFrcConstraintArray <- [| -12.0; 0.5; 10.5 |]

            let expected = [|
                0.3
                sin 0.5
                sin -0.25
                cos 0.5
                cos -0.25
                10.0
                -2.0
                -10.0
                -10.0
                0.5
                10.0
            |]

            Expect.equal (observe (task "InvertedDoublePendulum-v4") physics) expected "v4"
            Expect.equal (observe (task "InvertedDoublePendulum-v5") physics) expected[..8] "v5"
        }
    ]

let private others =
    testList "Swimmer and HumanoidStandup" [
        test "Swimmer: forward speed is the change of x per 0.04 s; x and y are hidden; nothing terminates" {
            for id in [ "Swimmer-v4"; "Swimmer-v5" ] do
                let task = task id
                let before, after = physicsFor task, physicsFor task
                before.QPosArray[0] <- 1.0
                after.QPosArray[0] <- 0.9
                let evaluation, terms = evaluate task before after [| 1.0; -2.0 |]
                near -2.5 terms["forward"] "forward"
                near -5e-4 terms["ctrl"] "control"
                near -2.5005 evaluation.Reward "reward"
                Expect.equal (observe task after) (Array.append after.QPosArray[2..] after.QVelArray) "qpos[2:], qvel"
                Expect.isFalse (terminates id (fun p -> p.QPosArray[2] <- 100.0)) "never"
        }

        test "HumanoidStandup: pays for the height over the physics step, and 1 on every step; nothing terminates" {
            for id in [ "HumanoidStandup-v4"; "HumanoidStandup-v5" ] do
                let task = task id
                let before, after = physicsFor task, physicsFor task
                before.QPosArray[2] <- 0.9
                after.QPosArray[2] <- 0.6
                after.CFrcExtArray <- Array.init 84 (fun i -> if i < 2 then 1000.0 else 0.0)
                let evaluation, terms = evaluate task before after (Array.create 17 2.0)
                near 200.0 terms["up"] "0.6 m / 0.003 s"
                near -6.8 terms["ctrl"] "control"
                near -1.0 terms["impact"] "contact forces"
                near (200.0 + 1.0 - 6.8 - 1.0) evaluation.Reward "reward"
                after.CFrcExtArray <- Array.create 84 1e6
                near -10.0 (term "impact" (evaluate task before after (still task))) "at most 10"
                Expect.isFalse (terminates id (fun p -> p.QPosArray[2] <- 0.0)) "never"
        }

        test "HumanoidStandup observes what Humanoid does" {
            for version in [ "v4"; "v5" ] do
                let physics = physicsFor (task "Humanoid-v4")
                Expect.equal (observe (task $"HumanoidStandup-{version}") physics) (observe (task $"Humanoid-{version}") physics) version
        }
    ]

[<Tests>]
let tests =
    testList "Gymnasium arms and pendulums" [ reacher; pusher; pendulums; others ]
