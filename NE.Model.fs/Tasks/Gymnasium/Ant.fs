namespace NE.Model.Tasks.Gymnasium

open System
open NE.Model.Tasks

/// Ant: walk forward on four legs. reward = dx/dt of the torso + 1 while healthy - 0.5 |a|^2. With contact forces it also pays 0.0005 times
/// their squares, clipped to +-1, and observes them: v5 always, v4 only as `Ant-v4-contact`, which is Gymnasium's Ant-v4 with
/// use_contact_forces=True and observes the world body's (zero) too. The torso's x is the lagged xpos of body 1, before and after the step.
[<Sealed>]
type Ant(version: GymnasiumVersion, contactForces: bool) =
    let low, high = Common.bounds 8 1.0f

    let info = {
        Id =
            match version, contactForces with
            | V4, true -> Common.id "Ant" version + "-contact"
            | _ -> Common.id "Ant" version
        Robot = "ant"
        Timestep = 0.01
        FrameSkip = 5
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 1000
        ObservationSize =
            match version with
            | V4 -> if contactForces then 111 else 27
            | V5 -> 105
        ActionLow = low
        ActionHigh = high
        RewardTerms =
            if contactForces then
                [| "forward"; "survive"; "ctrl"; "contact" |]
            else
                [| "forward"; "survive"; "ctrl" |]
        Reward =
            (let contact =
                if contactForces then
                    " - 0.0005 |contact forces, clipped to 1|^2"
                else
                    ""

             $"dx/dt + {Common.healthyText version 1} - 0.5 |a|^2{contact}")
        Termination = "unless 0.2 <= z <= 1 m and all is finite"
        MemorySize = 1
        Camera = Camera.Fixed 0
        Description =
            match version, contactForces with
            | V4, true ->
                "A four-legged robot walks forward without jumping or falling; it observes and pays for contact forces (Ant-v4 with use_contact_forces=True, contact_cost_weight=5e-4, contact_force_range=(-1, 1))."
            | _ -> "A four-legged robot walks forward without jumping or falling."
        Source = Common.Source
    }

    let torsoX (physics: IPhysics) = physics.XPos[3]

    /// The state is finite and the torso between 0.2 and 1 m high, inclusive.
    let isHealthy (physics: IPhysics) =
        let z = physics.QPos[2]

        Common.allFinite physics.QPos
        && Common.allFinite physics.QVel
        && 0.2 <= z
        && z <= 1.0

    let contactCost (physics: IPhysics) =
        let mutable sum = 0.0

        for force in physics.CFrcExt do
            let clipped = Math.Clamp(force, -1.0, 1.0)
            sum <- sum + clipped * clipped

        5e-4 * sum

    /// v5 with contact forces, v4 without.
    new(version) = Ant(version, (version = V5))

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.addUniform draws 0.1 start.Positions
            Common.addNormal draws 0.1 start.Velocities

        member _.Before(physics, memory) = memory[0] <- torsoX physics

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice 2) observation
            let rest = Observation.append physics.QVel rest

            if contactForces then
                let world =
                    match version with
                    | V4 -> 0
                    | V5 -> 1

                Common.copyClipped 1.0 (physics.CFrcExt.Slice(6 * world)) rest

        member _.Evaluate(physics, action, memory, terms) =
            let healthy = isHealthy physics
            terms[0] <- (torsoX physics - memory[0]) / info.ControlTimestep
            terms[1] <- Common.healthyReward version 1.0 healthy
            terms[2] <- -0.5 * Common.sumOfSquares action

            if contactForces then
                terms[3] <- -(contactCost physics)

            {
                Reward = Common.total terms
                Terminated = not healthy
            }

    interface IPosture with
        member _.IsInverted physics = Posture.isTorsoInverted physics
