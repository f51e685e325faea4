namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// Swimmer: swim forward. reward = dx/dt - 0.0001 |a|^2; never terminates. v4 and v5 do not differ.
[<Sealed>]
type Swimmer(version: GymnasiumVersion) =
    let low, high = Common.bounds 2 1.0f

    let info = {
        Id = Common.id "Swimmer" version
        Robot = "swimmer"
        Timestep = 0.01
        FrameSkip = 4
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = 8
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "forward"; "ctrl" |]
        Reward = "dx/dt - 0.0001 |a|^2"
        Termination = "never"
        MemorySize = 1
        Camera = Camera.Fixed 0
        Description = "A planar robot of three links swims forward in a viscous fluid."
        Source = Common.Source
    }

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.1 start.Positions
            Common.addUniform draws 0.1 start.Velocities

        member _.Before(physics, memory) = memory[0] <- physics.QPos[0]

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice 2) observation
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, action, memory, terms) =
            terms[0] <- (physics.QPos[0] - memory[0]) / info.ControlTimestep
            terms[1] <- -1e-4 * Common.sumOfSquares action

            {
                Reward = Common.total terms
                Terminated = false
            }
