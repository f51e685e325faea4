namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// The tasks of the planar walker.
[<RequireQualifiedAccess>]
type WalkerTask =
    /// Stand upright.
    | Stand
    /// Move forward at 1 m/s or more.
    | Walk
    /// Move forward at 8 m/s or more.
    | Run

/// Walker: a planar two-legged robot. reward = standing and upright (3 : 1), for walk and run times (5 speed + 1) / 6.
[<Sealed>]
type Walker(task: WalkerTask) =
    let torso = 1
    let bodies = 7
    let standHeight = 1.2

    let name, description, targetSpeed =
        match task with
        | WalkerTask.Stand -> "stand", "A planar two-legged robot stands up and stays upright.", 0.0
        | WalkerTask.Walk -> "walk", "A planar two-legged robot walks forward at 1 m/s or more.", 1.0
        | WalkerTask.Run -> "run", "A planar two-legged robot runs forward at 8 m/s or more.", 8.0

    let rewardText =
        match task with
        | WalkerTask.Stand -> "(3 standing + upright) / 4, each in [0, 1]"
        | WalkerTask.Walk
        | WalkerTask.Run ->
            $"(3 standing + upright) / 4 x (5 speed + 1) / 6, with the speed 1 from {targetSpeed} m/s on, falling to 0 at rest"

    let info = Common.info "walker" name description rewardText 24 6 0.0025 10

    let height (physics: IPhysics) = physics.XPos[3 * torso + 2]

    let standReward (physics: IPhysics) =
        let standing =
            Tolerance.gaussian (struct (standHeight, infinity)) (standHeight / 2.0) (height physics)

        let upright = (1.0 + Common.orientation physics torso Common.ZZ) / 2.0
        (3.0 * standing + upright) / 4.0

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            // Joints 0 and 1 are the root's slides, joint 2 its free hinge.
            start.Positions[2] <- Common.drawAngle draws
            Common.drawLimitedJoints draws start

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            for i in 0 .. bodies - 1 do
                observation[2 * i] <- Common.orientation physics (torso + i) Common.XX
                observation[2 * i + 1] <- Common.orientation physics (torso + i) Common.XZ

            observation[2 * bodies] <- height physics
            physics.QVel.CopyTo(observation.Slice(2 * bodies + 1))

        member _.Evaluate(physics, _, _, terms) =
            let stand = standReward physics

            match task with
            | WalkerTask.Stand -> Common.reward terms stand
            | WalkerTask.Walk
            | WalkerTask.Run ->
                // The only sensor is the torso's subtree velocity.
                let speed = physics.SensorData[0]

                let move =
                    Tolerance.tolerance (struct (targetSpeed, infinity)) (targetSpeed / 2.0) Sigmoid.Linear 0.5 speed

                Common.reward terms (stand * (5.0 * move + 1.0) / 6.0)

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
