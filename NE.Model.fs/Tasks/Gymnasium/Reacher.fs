namespace NE.Model.Tasks.Gymnasium

open NE.Model
open NE.Model.Tasks

/// Reacher: bring the fingertip of a two-link arm to a random target. reward = -|fingertip - target| - |a|^2; v4 takes the distance
/// before the step, v5 after. Both positions are lagged. Never terminates.
[<Sealed>]
type Reacher(version: GymnasiumVersion) =
    let low, high = Common.bounds 2 1.0f

    let info = {
        Id = Common.id "Reacher" version
        Robot = "reacher"
        Timestep = 0.01
        FrameSkip = 2
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 50
        ObservationSize =
            match version with
            | V4 -> 11
            | V5 -> 10
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "dist"; "ctrl" |]
        Reward = $"-|fingertip - target| {Common.momentText version} - |a|^2"
        Termination = "never"
        MemorySize = 1
        // Straight down on the whole table.
        Camera = Camera.Free(x = 0.0, y = 0.0, z = 0.0, distance = 0.9, azimuth = 90.0, elevation = -90.0)
        Description = "A planar two-link arm brings its fingertip to a random target."
        Source = Common.Source
    }

    let fingertip, target = 3, 4

    /// A point of the disc of radius 0.2 m, from the square around it.
    let rec drawTarget (draws: Draws) =
        let x = draws.Uniform(-0.2, 0.2)
        let y = draws.Uniform(-0.2, 0.2)

        if sqrt (x * x + y * y) < 0.2 then
            struct (x, y)
        else
            drawTarget draws

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            let positions = start.Positions
            Common.addUniform draws 0.1 (positions.Slice(0, 2))
            Common.addUniform draws 0.005 (start.Velocities.Slice(0, 2))
            let struct (x, y) = drawTarget draws
            positions[2] <- x
            positions[3] <- y

        member _.Before(physics, memory) =
            memory[0] <- Common.distance physics fingertip target

        member _.Observe(physics, observation) =
            let qpos = physics.QPos
            let xpos = physics.XPos
            observation[0] <- cos qpos[0]
            observation[1] <- cos qpos[1]
            observation[2] <- sin qpos[0]
            observation[3] <- sin qpos[1]
            let rest = Observation.append (qpos.Slice(2, 2)) (observation.Slice 4)
            let rest = Observation.append (physics.QVel.Slice(0, 2)) rest

            // The third component of v4 is always 0: the arm is planar.
            for i in 0 .. rest.Length - 1 do
                rest[i] <- xpos[3 * fingertip + i] - xpos[3 * target + i]

        member _.Evaluate(physics, action, memory, terms) =
            terms[0] <-
                match version with
                | V4 -> -memory[0]
                | V5 -> -(Common.distance physics fingertip target)

            terms[1] <- -(Common.sumOfSquares action)

            {
                Reward = Common.total terms
                Terminated = false
            }
