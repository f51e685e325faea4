namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// Hopper: hop forward without falling. reward = dx/dt + 1 while healthy - 0.001 |a|^2.
[<Sealed>]
type Hopper(version: GymnasiumVersion) =
    let low, high = Common.bounds 3 1.0f

    let info = {
        Id = Common.id "Hopper" version
        Robot = "hopper"
        Timestep = 0.002
        FrameSkip = 4
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = 11
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "forward"; "survive"; "ctrl" |]
        Reward = $"dx/dt + {Common.healthyText version 1} - 0.001 |a|^2"
        Termination = "unless z > 0.7 m, |pitch| < 0.2 rad, and all else within 100"
        MemorySize = 1
        Camera = Camera.Fixed 0
        Description = "A planar one-legged robot hops forward without falling."
        Source = Common.Source
    }

    /// Height above 0.7 m, lean below 0.2 rad, everything but x and z within +-100.
    let isHealthy (physics: IPhysics) =
        let qpos = physics.QPos

        Common.allWithin -100.0 100.0 (qpos.Slice 2)
        && Common.allWithin -100.0 100.0 physics.QVel
        && qpos[1] > 0.7
        && abs qpos[2] < 0.2

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
