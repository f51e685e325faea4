namespace NE.Model.Tasks.ControlSuite

open NE.Model.Tasks

/// Cheetah run: the reward grows linearly with the forward speed and is 1 from 10 m/s on.
[<Sealed>]
type Cheetah() =
    let targetSpeed = 10.0
    /// Physics steps in which the drawn pose comes to rest on the ground.
    let settlingSteps = 200

    let info =
        Common.info "cheetah" "run" "A planar two-legged cheetah runs forward at 10 m/s or more." "speed / 10 m/s, in [0, 1]" 17 6 0.01 1

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.drawLimitedJoints draws start
            start.Settle settlingSteps

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice 1) observation
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, _, _, terms) =
            // The only sensor is the torso's subtree velocity.
            let speed = physics.SensorData[0]
            Common.reward terms (Tolerance.tolerance (struct (targetSpeed, infinity)) targetSpeed Sigmoid.Linear 0.0 speed)

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
