namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// HalfCheetah: run forward. reward = dx/dt - 0.1 |a|^2; never terminates. v4 and v5 do not differ.
[<Sealed>]
type HalfCheetah(version: GymnasiumVersion) =
    let low, high = Common.bounds 6 1.0f

    let info = {
        Id = Common.id "HalfCheetah" version
        Robot = "half_cheetah"
        Timestep = 0.01
        FrameSkip = 5
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = 17
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "forward"; "ctrl" |]
        Reward = "dx/dt - 0.1 |a|^2"
        Termination = "never"
        MemorySize = 1
        Camera = Camera.Fixed 0
        Description = "A planar two-legged cheetah runs forward as fast as it can."
        Source = Common.Source
    }

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.1 start.Positions
            Common.addNormal draws 0.1 start.Velocities

        member _.Before(physics, memory) = memory[0] <- physics.QPos[0]

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice 1) observation
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, action, memory, terms) =
            terms[0] <- (physics.QPos[0] - memory[0]) / info.ControlTimestep
            terms[1] <- -0.1 * Common.sumOfSquares action

            {
                Reward = Common.total terms
                Terminated = false
            }

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
