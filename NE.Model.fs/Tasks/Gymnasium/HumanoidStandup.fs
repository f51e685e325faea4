namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// HumanoidStandup: get up from the floor. reward = z / 0.003 + 1 - 0.1 |a|^2 - the contact cost; never terminates. The first term is the
/// torso's height after the step divided by the physics step: a speed in name only.
[<Sealed>]
type HumanoidStandup(version: GymnasiumVersion) =
    let low, high = Common.bounds 17 0.4f

    let info = {
        Id = Common.id "HumanoidStandup" version
        Robot = "humanoidstandup"
        Timestep = 0.003
        FrameSkip = 5
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = HumanoidState.observationSize version
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "up"; "survive"; "ctrl"; "impact" |]
        Reward = "z / 0.003 + 1 - 0.1 |a|^2 - min(5e-7 |contact forces|^2, 10)"
        Termination = "never"
        MemorySize = 0
        Camera = Camera.Fixed 0
        Description = "A human-like robot that lies on the floor stands up."
        Source = Common.Source
    }

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.01 start.Positions
            Common.addUniform draws 0.01 start.Velocities

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            HumanoidState.observe version physics observation

        member _.Evaluate(physics, action, _, terms) =
            terms[0] <- physics.QPos[2] / info.Timestep
            terms[1] <- 1.0
            terms[2] <- -0.1 * Common.sumOfSquares action
            terms[3] <- -(HumanoidState.contactCost physics)

            {
                Reward = Common.total terms
                Terminated = false
            }
