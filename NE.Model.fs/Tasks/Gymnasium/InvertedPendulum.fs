namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// InvertedPendulum: keep a pole on a cart upright. reward = 1 while the pole leans at most 0.2 rad; then it terminates, which v4 still
/// pays for and v5 does not.
[<Sealed>]
type InvertedPendulum(version: GymnasiumVersion) =
    let low, high = Common.bounds 1 3.0f

    let info = {
        Id = Common.id "InvertedPendulum" version
        Robot = "inverted_pendulum"
        Timestep = 0.02
        FrameSkip = 2
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = 4
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "survive" |]
        Reward = Common.healthyText version 1
        Termination = "when the pole leans more than 0.2 rad"
        MemorySize = 0
        // From the side, the whole rail.
        Camera = Camera.Free(x = 0.0, y = 0.0, z = 0.2, distance = 2.8, azimuth = 90.0, elevation = -15.0)
        Description = "A cart on a rail keeps its pole upright."
        Source = Common.Source
    }

    /// The state is finite and the pole leans at most 0.2 rad, inclusive.
    let isHealthy (physics: IPhysics) =
        Common.allFinite physics.QPos
        && Common.allFinite physics.QVel
        && abs physics.QPos[1] <= 0.2

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.01 start.Positions
            Common.addUniform draws 0.01 start.Velocities

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append physics.QPos observation
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, _, _, terms) =
            let healthy = isHealthy physics
            terms[0] <- Common.healthyReward version 1.0 healthy

            {
                Reward = Common.total terms
                Terminated = not healthy
            }
