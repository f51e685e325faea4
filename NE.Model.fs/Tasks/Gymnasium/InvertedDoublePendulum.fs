namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// InvertedDoublePendulum: keep two poles, one on the other, upright on a cart. reward = 10 - 0.01 x^2 - (z - 2)^2 - 0.001 w1^2 - 0.005 w2^2,
/// with x and z of the upper pole's tip (lagged) and w the angular velocities of the poles. Terminates when the tip is no higher than
/// 1 m, where v4 still pays the 10 and v5 does not.
[<Sealed>]
type InvertedDoublePendulum(version: GymnasiumVersion) =
    let low, high = Common.bounds 1 1.0f

    let info = {
        Id = Common.id "InvertedDoublePendulum" version
        Robot = "inverted_double_pendulum"
        Timestep = 0.01
        FrameSkip = 5
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize =
            match version with
            | V4 -> 11
            | V5 -> 9
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "survive"; "distance"; "velocity" |]
        Reward = $"{Common.healthyText version 10} - 0.01 x^2 - (z - 2)^2 of the tip - 0.001 w1^2 - 0.005 w2^2"
        Termination = "when the tip is not above 1 m"
        MemorySize = 0
        // From the side, the whole rail and both poles upright.
        Camera = Camera.Free(x = 0.0, y = 0.0, z = 0.5, distance = 3.5, azimuth = 90.0, elevation = -10.0)
        Description = "A cart on a rail keeps two poles, one on the other, upright."
        Source = Common.Source
    }

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.1 start.Positions
            Common.addNormal draws 0.1 start.Velocities

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let qpos = physics.QPos
            observation[0] <- qpos[0]
            observation[1] <- sin qpos[1]
            observation[2] <- sin qpos[2]
            observation[3] <- cos qpos[1]
            observation[4] <- cos qpos[2]
            Common.copyClipped 10.0 physics.QVel (observation.Slice 5)

            // v4 all three, v5 that of the cart alone.
            let forces = observation.Slice 8
            Common.copyClipped 10.0 (physics.QFrcConstraint.Slice(0, forces.Length)) forces

        member _.Evaluate(physics, _, _, terms) =
            let tip = physics.SiteXPos
            let x, z = tip[0], tip[2]
            let lower, upper = physics.QVel[1], physics.QVel[2]
            let healthy = z > 1.0
            terms[0] <- Common.healthyReward version 10.0 healthy
            terms[1] <- -(0.01 * x * x + (z - 2.0) * (z - 2.0))
            terms[2] <- -(1e-3 * lower * lower + 5e-3 * upper * upper)

            {
                Reward = Common.total terms
                Terminated = not healthy
            }
