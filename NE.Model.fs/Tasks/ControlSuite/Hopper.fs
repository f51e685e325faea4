namespace NE.Model.Tasks.ControlSuite

open NE.Model.Tasks

/// The tasks of the planar hopper.
[<RequireQualifiedAccess>]
type HopperTask =
    /// Stand upright without effort.
    | Stand
    /// Hop forward at 2 m/s or more.
    | Hop

/// Hopper: a planar one-legged robot, rewarded while its torso is between 0.6 and 2 m above its foot.
[<Sealed>]
type Hopper(task: HopperTask) =
    let torso, foot = 1, 5
    let standHeight = 0.6
    let targetSpeed = 2.0
    // The first sensor, of three numbers, is the torso's subtree velocity.
    let toe, heel = 3, 4

    let info =
        match task with
        | HopperTask.Stand ->
            Common.info
                "hopper"
                "stand"
                "A planar one-legged robot stands up and stays so with little effort."
                "(4 + small action) / 5, with the small action in [0, 1], while the torso is 0.6 m or more above the foot"
                15
                4
                0.005
                4
        | HopperTask.Hop ->
            Common.info
                "hopper"
                "hop"
                "A planar one-legged robot hops forward at 2 m/s or more."
                "speed, 1 from 2 m/s on, falling to 0 at rest, while the torso is 0.6 m or more above the foot"
                15
                4
                0.005
                4

    let isStanding (physics: IPhysics) =
        let height = physics.XIPos[3 * torso + 2] - physics.XIPos[3 * foot + 2]
        Tolerance.gaussian (struct (standHeight, 2.0)) 0.0 height

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            // Joints 0 and 1 are the root's slides, joint 2 its free hinge.
            start.Positions[2] <- Common.drawAngle draws
            Common.drawLimitedJoints draws start

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice 1) observation
            let touch = Observation.append physics.QVel rest
            touch[0] <- Common.touch physics.SensorData[toe]
            touch[1] <- Common.touch physics.SensorData[heel]

        member _.Evaluate(physics, action, _, terms) =
            let standing = isStanding physics

            match task with
            | HopperTask.Stand -> Common.reward terms (standing * Common.smallAction action)
            | HopperTask.Hop ->
                let hopping =
                    Tolerance.tolerance (struct (targetSpeed, infinity)) (targetSpeed / 2.0) Sigmoid.Linear 0.5 physics.SensorData[0]

                Common.reward terms (standing * hopping)

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
