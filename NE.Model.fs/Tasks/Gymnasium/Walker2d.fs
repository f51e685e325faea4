namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// Walker2d: walk forward without falling. reward = dx/dt + 1 while healthy - 0.001 |a|^2. In v4 the right foot has friction 0.9 and
/// the left 1.9; in v5 both have 1.9.
[<Sealed>]
type Walker2d(version: GymnasiumVersion) =
    let low, high = Common.bounds 6 1.0f

    let info = {
        Id = Common.id "Walker2d" version
        Robot =
            match version with
            | V4 -> "walker2d"
            | V5 -> "walker2d_v5"
        Timestep = 0.002
        FrameSkip = 4
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = 17
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "forward"; "survive"; "ctrl" |]
        Reward = $"dx/dt + {Common.healthyText version 1} - 0.001 |a|^2"
        Termination = "unless 0.8 < z < 2 m and |pitch| < 1 rad"
        MemorySize = 1
        Camera = Camera.Fixed 0
        Description = "A planar two-legged robot walks forward without falling."
        Source = Common.Source
    }

    /// Height between 0.8 and 2 m, lean below 1 rad.
    let isHealthy (physics: IPhysics) =
        let qpos = physics.QPos
        0.8 < qpos[1] && qpos[1] < 2.0 && abs qpos[2] < 1.0

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.005 start.Positions
            Common.addUniform draws 0.005 start.Velocities

        member _.Before(physics, memory) = memory[0] <- physics.QPos[0]

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice 1) observation
            Common.copyClipped 10.0 physics.QVel rest

        member _.Evaluate(physics, action, memory, terms) =
            let healthy = isHealthy physics
            terms[0] <- (physics.QPos[0] - memory[0]) / info.ControlTimestep
            terms[1] <- Common.healthyReward version 1.0 healthy
            terms[2] <- -0.001 * Common.sumOfSquares action

            {
                Reward = Common.total terms
                Terminated = not healthy
            }
