namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// The tasks of the quadruped.
[<RequireQualifiedAccess>]
type QuadrupedTask =
    /// Move forward at 0.5 m/s or more.
    | Walk
    /// Move forward at 5 m/s or more.
    | Run

/// Quadruped: reward = upright x speed. Its actuators have a delay, so an observation has their activations too, and what the torso and
/// the toes feel.
[<Sealed>]
type Quadruped(task: QuadrupedTask) =
    let torso = 1
    /// Numbers of the free root, which are not observed, in the positions and in the velocities.
    let rootPositions, rootVelocities = 7, 6
    // Sensors: the torso's acceleration, turn and velocity of three numbers each, then force and torque of every toe.
    let velocity, toes = 6, 9
    /// By how much a start state is lifted until nothing touches the ground [m].
    let lift = 0.01

    let name, description, targetSpeed =
        match task with
        | QuadrupedTask.Walk -> "walk", "A four-legged robot walks forward at 0.5 m/s or more.", 0.5
        | QuadrupedTask.Run -> "run", "A four-legged robot runs forward at 5 m/s or more.", 5.0

    /// Of each leg the yaw, the lift and the stretch.
    let bounds (yaw: float32) (lift: float32) (stretch: float32) =
        Array.replicate 4 [| yaw; lift; stretch |] |> Array.concat

    let info = {
        Common.info
            "quadruped"
            name
            description
            $"upright x speed, each in [0, 1], with the speed 1 from {targetSpeed} m/s on, falling to 0.5 at rest"
            78
            12
            0.005
            4 with
            Robot = $"dmc/quadruped_{name}"
            ActionLow = bounds -1.0f -1.0f -0.8f
            ActionHigh = bounds 1.0f 1.1f 0.8f
            // From the side, as the literature on pixels does.
            Camera = Camera.Fixed 2
    }

    let upright (physics: IPhysics) =
        Common.orientation physics torso Common.ZZ

    interface ITask with
        member _.Info = info

        /// Any orientation, as low as the ground allows.
        member _.Reset(draws, start) =
            Common.turnRoot draws.NextNormal start
            start.Positions[2] <- -lift
            Common.drawFree (fun () -> start.Positions[2] <- start.Positions[2] + lift) start

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice rootPositions) observation
            let rest = Observation.append (physics.QVel.Slice rootVelocities) rest
            let rest = Observation.append physics.Act rest
            let sensors = physics.SensorData
            let rest = Observation.append (sensors.Slice(velocity, 3)) rest
            rest[0] <- upright physics
            let felt = Observation.append (sensors.Slice(0, velocity)) (rest.Slice 1)

            for i in 0 .. felt.Length - 1 do
                felt[i] <- Math.Asinh sensors[toes + i]

        member _.Evaluate(physics, _, _, terms) =
            let isUpright =
                Tolerance.tolerance (struct (1.0, infinity)) 2.0 Sigmoid.Linear 0.0 (upright physics)

            let speed =
                Tolerance.tolerance (struct (targetSpeed, infinity)) targetSpeed Sigmoid.Linear 0.5 physics.SensorData[velocity]

            Common.reward terms (isUpright * speed)

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
