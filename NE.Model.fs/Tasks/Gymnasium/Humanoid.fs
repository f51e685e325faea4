namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// Humanoid: walk forward on two legs. reward = 1.25 dx/dt of the centre of mass + 5 while healthy - 0.1 |a|^2; v5 also pays 5e-7
/// times the squared contact forces, at most 10. The centre of mass is the mass-weighted mean of the lagged xipos.
[<Sealed>]
type Humanoid(version: GymnasiumVersion) =
    let low, high = Common.bounds 17 0.4f

    let info = {
        Id = Common.id "Humanoid" version
        Robot = "humanoid"
        Timestep = 0.003
        FrameSkip = 5
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize = HumanoidState.observationSize version
        ActionLow = low
        ActionHigh = high
        RewardTerms =
            match version with
            | V4 -> [| "forward"; "survive"; "ctrl" |]
            | V5 -> [| "forward"; "survive"; "ctrl"; "contact" |]
        Reward =
            (let contact =
                match version with
                | V4 -> ""
                | V5 -> " - min(5e-7 |contact forces|^2, 10)"

             $"1.25 dx/dt of the centre of mass + {Common.healthyText version 5} - 0.1 |a|^2{contact}")
        Termination = "unless 1 < z < 2 m"
        MemorySize = 1
        Camera = Camera.Fixed 0
        Description = "A human-like robot walks forward without falling."
        Source = Common.Source
    }

    let centreOfMassX (physics: IPhysics) =
        let mass = physics.BodyMass
        let xipos = physics.XIPos
        let mutable weighted = 0.0
        let mutable sum = 0.0

        for body in 0 .. mass.Length - 1 do
            weighted <- weighted + mass[body] * xipos[3 * body]
            sum <- sum + mass[body]

        weighted / sum

    /// The torso is between 1 and 2 m high.
    let isHealthy (physics: IPhysics) =
        let z = physics.QPos[2]
        1.0 < z && z < 2.0

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.01 start.Positions
            Common.addUniform draws 0.01 start.Velocities

        member _.Before(physics, memory) = memory[0] <- centreOfMassX physics

        member _.Observe(physics, observation) =
            HumanoidState.observe version physics observation

        member _.Evaluate(physics, action, memory, terms) =
            let healthy = isHealthy physics
            terms[0] <- 1.25 * ((centreOfMassX physics - memory[0]) / info.ControlTimestep)
            terms[1] <- Common.healthyReward version 5.0 healthy
            terms[2] <- -0.1 * Common.sumOfSquares action

            match version with
            | V4 -> ()
            | V5 -> terms[3] <- -(HumanoidState.contactCost physics)

            {
                Reward = Common.total terms
                Terminated = not healthy
            }
