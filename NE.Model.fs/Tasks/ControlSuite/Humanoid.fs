namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// The tasks of the humanoid.
[<RequireQualifiedAccess>]
type HumanoidTask =
    /// Stand upright and still.
    | Stand
    /// Move at 1 m/s or more.
    | Walk
    /// Move at 10 m/s or more.
    | Run

/// Humanoid: reward = standing x upright x small action, to stand times stillness, to walk and run times (5 speed + 1) / 6. The direction
/// is free.
[<Sealed>]
type Humanoid(task: HumanoidTask) =
    let torso, head = 1, 2
    /// Left hand and foot, right hand and foot.
    let extremities = [| 16; 10; 13; 7 |]
    /// Numbers of the free root, which are not observed.
    let root = 7
    let standHeight = 1.4

    let name, description, targetSpeed =
        match task with
        | HumanoidTask.Stand -> "stand", "A humanoid stands up and stays upright, still and with little effort.", 0.0
        | HumanoidTask.Walk -> "walk", "A humanoid moves at 1 m/s or more.", 1.0
        | HumanoidTask.Run -> "run", "A humanoid moves at 10 m/s or more.", 10.0

    let rewardText =
        let common = "standing x upright x (4 + small action) / 5"

        match task with
        | HumanoidTask.Stand -> $"{common} x still, each in [0, 1]"
        | HumanoidTask.Walk
        | HumanoidTask.Run -> $"{common} x (5 speed + 1) / 6, with the speed 1 from {targetSpeed} m/s on, falling to 0 at rest"

    let info = Common.info "humanoid" name description rewardText 67 21 0.005 5

    let height (physics: IPhysics) = physics.XPos[3 * head + 2]

    let standReward (physics: IPhysics) =
        let standing =
            Tolerance.gaussian (struct (standHeight, infinity)) (standHeight / 4.0) (height physics)

        let upright =
            Tolerance.tolerance (struct (0.9, infinity)) 1.9 Sigmoid.Linear 0.0 (Common.orientation physics torso Common.ZZ)

        standing * upright

    let stillness (velocity: float) =
        Tolerance.gaussian (struct (0.0, 0.0)) 2.0 velocity

    /// Of the two horizontal velocities of the centre of mass.
    let moveReward (x: float) (y: float) =
        match task with
        | HumanoidTask.Stand -> (stillness x + stillness y) / 2.0
        | HumanoidTask.Walk
        | HumanoidTask.Run ->
            let speed =
                Tolerance.tolerance (struct (targetSpeed, infinity)) targetSpeed Sigmoid.Linear 0.0 (sqrt (x * x + y * y))

            (5.0 * speed + 1.0) / 6.0

    /// Where the hands and feet are in the torso's frame.
    let writeExtremities (physics: IPhysics) (target: Span<float>) =
        for i in 0 .. extremities.Length - 1 do
            let from axis =
                physics.XPos[3 * extremities[i] + axis] - physics.XPos[3 * torso + axis]

            let struct (x, y, z) =
                Common.intoFrame physics torso (struct (from 0, from 1, from 2))

            target[3 * i] <- x
            target[3 * i + 1] <- y
            target[3 * i + 2] <- z

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            let draw () =
                // As the suite draws it: of the rotations whose quaternions have no negative part.
                Common.turnRoot draws.NextDouble start
                Common.drawLimitedJoints draws start

            Common.drawFree draw start

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice root) observation
            rest[0] <- height physics
            writeExtremities physics (rest.Slice 1)
            let rest = rest.Slice(1 + 3 * extremities.Length)
            // The world's vertical in the torso's frame.
            let rest = Observation.append (physics.XMat.Slice(9 * torso + 6, 3)) rest
            // The only sensor is the velocity of the whole body's centre of mass.
            let rest = Observation.append physics.SensorData rest
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, action, _, terms) =
            let move = moveReward physics.SensorData[0] physics.SensorData[1]
            Common.reward terms (Common.smallAction action * standReward physics * move)

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
