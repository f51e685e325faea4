/// Rewards and observations of the Control Suite's tasks at states whose values can be computed by hand.
module NE.Model.Tests.Tasks.ControlSuiteTests

open System
open Expecto
open NE.Model
open NE.Model.Tasks
open NE.Model.Tests.Tasks.GymnasiumSupport

/// A state of zeros with unrotated bodies.
let private zeros (nq: int) (nv: int) (nu: int) (nbody: int) =
    let physics = FakePhysics(nq, nv, nu, nbody)

    for array in
        [
            physics.QPosArray
            physics.QVelArray
            physics.XPosArray
            physics.XIPosArray
            physics.XMatArray
        ] do
        Array.fill array 0 array.Length 0.0

    for body in 0 .. nbody - 1 do
        for axis in 0..2 do
            physics.XMatArray[9 * body + 4 * axis] <- 1.0

    physics

/// How far the torso, body 1, is upright: the cosine of its lean.
let private lean (cosine: float) (physics: FakePhysics) = physics.XMatArray[9 + 8] <- cosine

let private rewardFor (id: string) (physics: FakePhysics) (action: float[]) =
    (fst (evaluate (task id) physics physics action)).Reward

let private hopper height speed () =
    let physics = zeros 7 7 4 6
    physics.XIPosArray[3 * 1 + 2] <- 1.0 + height
    physics.XIPosArray[3 * 5 + 2] <- 1.0
    physics.SensorDataArray <- [| speed; 0.0; 0.0; 0.0; 0.0 |]
    physics

let private finger (tip: float * float) (goal: float * float) () =
    let physics = zeros 3 3 2 5
    let (tipX, tipZ), (goalX, goalZ) = tip, goal
    // The hinge is at (0.2, 0.4).
    physics.XPosArray[9] <- 0.2
    physics.XPosArray[11] <- 0.4
    let site x z = [| 0.2 + x; 0.0; 0.4 + z |]
    physics.SiteXPosArray <- Array.concat [ site 0.0 0.0; site 0.0 0.0; site tipX tipZ; site goalX goalZ ]
    physics.SensorDataArray <- [| 0.0; Math.E - 1.0 |]
    physics

let private humanoid height cosine (x: float, y: float) () =
    let physics = zeros 28 27 21 17
    physics.XPosArray[3 * 2 + 2] <- height
    lean cosine physics
    physics.SensorDataArray <- [| x; y; 0.0 |]
    physics

let private quadruped cosine speed () =
    let physics = zeros 23 22 12 18
    physics.ActArray <- Array.init 12 (fun i -> 100.0 + float i)
    physics.SensorDataArray <- Array.init 33 float
    physics.SensorDataArray[6] <- speed
    lean cosine physics
    physics

let private still = Array.zeroCreate<float>

[<Tests>]
let tests =
    testList "the Control Suite's rewards" [
        test "hopper: standing is all or nothing, effort costs a fifth at most" {
            for height, action, expected in
                [
                    0.7, still 4, 1.0
                    0.59, still 4, 0.0
                    2.1, still 4, 0.0
                    0.7, Array.create 4 1.0, 0.8
                    0.7, Array.create 4 3.0, 0.8
                    0.7, [| 0.5; -0.5; 0.5; -0.5 |], 0.95
                    0.7, [| 1.0; 0.0; 0.0; 0.0 |], 0.95
                ] do
                near expected (rewardFor "dmc/hopper-stand" (hopper height 0.0 ()) action) $"{height} m, {action}"

            for height, speed, expected in [ 0.7, 3.0, 1.0; 0.7, 1.5, 0.75; 0.7, 1.0, 0.5; 0.7, 0.0, 0.0; 0.5, 3.0, 0.0 ] do
                near expected (rewardFor "dmc/hopper-hop" (hopper height speed ()) (Array.create 4 1.0)) $"{height} m, {speed} m/s"
        }

        test "hopper: place, velocity and the logarithm of what the foot feels" {
            let physics = hopper 0.7 1.0 ()
            physics.QPosArray <- Array.init 7 float
            physics.SensorDataArray <- [| 1.0; 0.0; 0.0; 0.0; Math.E - 1.0 |]
            let seen = observe (task "dmc/hopper-hop") physics
            Expect.equal seen[0..5] [| 1.0 .. 6.0 |] "all but the distance"
            Expect.equal seen[6..13] (Array.zeroCreate 8) "at rest, and no toe"
            near 1.0 seen[14] "heel"
        }

        test "finger: spinning is rewarded in one direction" {
            for velocity, expected in [ -15.0, 1.0; -14.9, 0.0; 20.0, 0.0 ] do
                let physics = finger (0.0, 0.13) (0.0, 0.0) ()
                physics.QVelArray[2] <- velocity
                near expected (rewardFor "dmc/finger-spin" physics (still 2)) $"{velocity} rad/s"
        }

        test "finger: turning is rewarded while the tip is in the goal, which is seen" {
            for distance, easy, hard in
                [
                    0.0, 1.0, 1.0
                    0.029, 1.0, 1.0
                    0.031, 1.0, 0.0
                    0.069, 1.0, 0.0
                    0.071, 0.0, 0.0
                ] do
                let physics = finger (0.0, 0.13) (0.6 * distance, 0.13 - 0.8 * distance)
                near easy (rewardFor "dmc/finger-turn_easy" (physics ()) (still 2)) $"easy, {distance} m"
                near hard (rewardFor "dmc/finger-turn_hard" (physics ()) (still 2)) $"hard, {distance} m"

            let seen =
                observe (task "dmc/finger-turn_easy") (finger (0.0, 0.13) (0.06, 0.05) ())

            let expected = [| 0.0; 0.0; 0.0; 0.13; 0.0; 0.0; 0.0; 0.0; 1.0; 0.06; 0.05; 0.03 |]
            Array.iteri2 (fun i a b -> near a b $"number {i}") expected seen
            Expect.hasLength (observe (task "dmc/finger-spin") (finger (0.0, 0.13) (0.0, 0.0) ())) 9 "no goal to spin"
        }

        test "finger: a goal is put on the circle of the tip around the hinge" {
            let physics = finger (0.0, 0.0) (0.0, 0.0) ()
            (task "dmc/finger-turn_easy").Reset(Draws.At(1L, Purpose.Reset, 0L, 1L, 0L), physics)
            let x, y, z = physics.MocapPlaces[0]
            near 0.13 (sqrt ((x - 0.2) * (x - 0.2) + (z - 0.4) * (z - 0.4))) "radius"
            near 0.0 y "plane"
        }

        test "point_mass: near falls off over a radius, effort costs a fifth at most" {
            for x, action, expected in
                [
                    0.015, still 2, 1.0
                    0.03, still 2, 0.1
                    0.0, [| 1.0; 0.0 |], 0.9
                    0.0, [| 1.0; -1.0 |], 0.8
                ] do
                let physics = zeros 2 2 2 2
                physics.GeomXPosArray <- Array.zeroCreate 21
                physics.GeomXPosArray[18] <- x
                near expected (rewardFor "dmc/point_mass-easy" physics action) $"{x} m, {action}"
        }

        test "fish: upright by itself, and an eighth of swimming" {
            let fish cosine (x, y, z) () =
                let physics = zeros 14 13 5 7
                lean cosine physics
                physics.SensorDataArray <- [| x; y; z |]
                physics

            for cosine, expected in [ 1.0, 1.0; 0.0, 0.1; -1.0, 1e-4 ] do
                near expected (rewardFor "dmc/fish-upright" (fish cosine (9.0, 9.0, 9.0) ()) (still 5)) $"upright, {cosine}"

            for cosine, place, expected in
                [
                    1.0, (0.0, 0.0, 0.0), 1.0
                    -1.0, (0.027, 0.0, 0.036), 0.875
                    1.0, (0.0, 0.135, 0.0), 0.2125
                ] do
                near expected (rewardFor "dmc/fish-swim" (fish cosine place ()) (still 5)) $"swim, {place}"

            Expect.equal (observe (task "dmc/fish-swim") (fish 0.5 (1.0, 2.0, 3.0) ())).[7..10] [| 0.5; 1.0; 2.0; 3.0 |] "seen"
            Expect.equal (observe (task "dmc/fish-upright") (fish 0.5 (1.0, 2.0, 3.0) ())).[7..8] [| 0.5; 0.0 |] "no target"
        }

        test "swimmer: the distance in the plane counts, with a long tail" {
            let swimmer (x: float) (y: float) () =
                let physics = zeros 8 8 5 8
                physics.SensorDataArray <- Array.init 39 float
                physics.SensorDataArray[0] <- x
                physics.SensorDataArray[1] <- y
                physics

            for x, y, expected in [ 0.06, 0.08, 1.0; 0.6, 0.0, 0.1; 0.0, -1.1, 1.0 / 37.0 ] do
                near expected (rewardFor "dmc/swimmer-swimmer6" (swimmer x y ()) (still 5)) $"({x}, {y})"

            let seen = observe (task "dmc/swimmer-swimmer6") (swimmer 0.5 0.25 ())
            Expect.equal seen[5..12] [| 0.5; 0.25; 3.0; 4.0; 8.0; 9.0; 10.0; 14.0 |] "the target, and what is in the plane"
        }

        test "humanoid: standing, upright, still or moving in any direction, with little effort" {
            for height, cosine, velocity, stand, walk, run in
                [
                    1.4, 0.9, (0.0, 0.0), 1.0, 1.0 / 6.0, 1.0 / 6.0
                    1.5, 1.0, (2.0, 0.0), 0.55, 1.0, 2.0 / 6.0
                    1.5, 1.0, (-0.3, 0.4), 0.0, 3.5 / 6.0, 1.25 / 6.0
                    1.05, 1.0, (0.0, 1.0), 0.0, 0.1, 0.1 * 1.5 / 6.0
                    1.5, -0.05, (0.0, 10.0), 0.0, 0.5, 0.5
                    1.5, -1.0, (10.0, 0.0), 0.0, 0.0, 0.0
                ] do
                let physics = humanoid height cosine velocity

                if height >= 1.4 && fst velocity >= 0.0 && snd velocity = 0.0 then
                    near stand (rewardFor "dmc/humanoid-stand" (physics ()) (still 21)) $"stand, {height} m, {cosine}"

                near walk (rewardFor "dmc/humanoid-walk" (physics ()) (still 21)) $"walk, {height} m, {cosine}, {velocity}"
                near run (rewardFor "dmc/humanoid-run" (physics ()) (still 21)) $"run, {height} m, {cosine}, {velocity}"

            near 0.8 (rewardFor "dmc/humanoid-stand" (humanoid 1.4 1.0 (0.0, 0.0) ()) (Array.create 21 1.0)) "effort"
        }

        test "humanoid: hands and feet are seen from the torso, and the vertical too" {
            let physics = humanoid 1.4 1.0 (7.0, 8.0) ()
            // The torso is turned by a right angle about the vertical: its x axis points along the world's y.
            Array.blit [| 0.0; -1.0; 0.0; 1.0; 0.0; 0.0; 0.0; 0.0; 1.0 |] 0 physics.XMatArray 9 9
            Array.blit [| 1.0; 1.0; 1.0 |] 0 physics.XPosArray 3 3

            for order, body in List.indexed [ 16; 10; 13; 7 ] do
                Array.blit [| 1.0; 2.0 + float order; 1.5 |] 0 physics.XPosArray (3 * body) 3

            let seen = observe (task "dmc/humanoid-walk") physics
            near 1.4 seen[21] "head"
            Expect.equal seen[22..33] [| 1.0; 0.0; 0.5; 2.0; 0.0; 0.5; 3.0; 0.0; 0.5; 4.0; 0.0; 0.5 |] "hands and feet"
            Expect.equal seen[34..39] [| 0.0; 0.0; 1.0; 7.0; 8.0; 0.0 |] "vertical and velocity"
        }

        test "quadruped: upright times speed" {
            for cosine, speed, walk, run in
                [
                    1.0, 5.0, 1.0, 1.0
                    1.0, 0.5, 1.0, 0.55
                    1.0, 0.0, 0.5, 0.5
                    1.0, -0.5, 0.0, 0.45
                    0.0, 5.0, 0.5, 0.5
                    -1.0, 5.0, 0.0, 0.0
                ] do
                let physics = quadruped cosine speed
                near walk (rewardFor "dmc/quadruped-walk" (physics ()) (still 12)) $"walk, {cosine}, {speed}"
                near run (rewardFor "dmc/quadruped-run" (physics ()) (still 12)) $"run, {cosine}, {speed}"
        }

        test "quadruped: what it sees, in the suite's order" {
            let physics = quadruped 0.25 6.0 ()
            physics.QPosArray <- Array.init 23 (fun i -> 200.0 + float i)
            physics.QVelArray <- Array.init 22 (fun i -> 300.0 + float i)
            let seen = observe (task "dmc/quadruped-run") physics

            let expected =
                Array.concat [
                    [| 207.0 .. 222.0 |]
                    [| 306.0 .. 321.0 |]
                    [| 100.0 .. 111.0 |]
                    [| 6.0; 7.0; 8.0 |]
                    [| 0.25 |]
                    [| 0.0 .. 5.0 |]
                    Array.map Math.Asinh [| 9.0 .. 32.0 |]
                ]

            Expect.equal seen expected "hinges, activations, velocity, upright, acceleration and turn, forces and torques"
        }

        test "quadruped: its servos' ranges are the suite's" {
            let info = (task "dmc/quadruped-walk").Info
            Expect.equal info.ActionLow[..2] [| -1.0f; -1.0f; -0.8f |] "low"
            Expect.equal info.ActionHigh[9..] [| 1.0f; 1.1f; 0.8f |] "high"
        }
    ]
