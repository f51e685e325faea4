namespace NE.Model.Tasks.Gymnasium

open NE.Model
open NE.Model.Tasks

/// Pusher: push an object to a goal with the fork of a seven-jointed arm. reward = -|object - goal| - 0.5 |object - tips| - 0.1 |a|^2; v4
/// takes the distances before the step, v5 after. All positions are lagged. Never terminates. v5's object has another mass.
[<Sealed>]
type Pusher(version: GymnasiumVersion) =
    let low, high = Common.bounds 7 2.0f

    let info = {
        Id = Common.id "Pusher" version
        Robot =
            match version with
            | V4 -> "pusher"
            | V5 -> "pusher_v5"
        Timestep = 0.01
        FrameSkip = 5
        Stepping = Stepping.Gymnasium
        OwnModel = false
        TimeLimit = 100
        ObservationSize = 23
        ActionLow = low
        ActionHigh = high
        RewardTerms = [| "dist"; "near"; "ctrl" |]
        Reward = $"-|object - goal| - 0.5 |object - tips| {Common.momentText version} - 0.1 |a|^2"
        Termination = "never"
        MemorySize = 2
        Camera = Camera.Free(x = 0.3, y = -0.3, z = -0.2, distance = 2.2, azimuth = 135.0, elevation = -40.0)
        Description = "A robot arm with seven joints pushes an object over a table to a goal."
        Source = Common.Source
    }

    let tips, object, goal = 10, 11, 12

    let objectToGoal (physics: IPhysics) = Common.distance physics object goal

    let objectToTips (physics: IPhysics) = Common.distance physics object tips

    /// Where the object starts on its two slides, seen from the goal: more than 0.17 m away. Gymnasium calls the first number x, but the
    /// first slide runs along y.
    let rec drawObject (draws: Draws) =
        let first = draws.Uniform(-0.3, 0.0)
        let second = draws.Uniform(-0.2, 0.2)

        if sqrt (first * first + second * second) > 0.17 then
            struct (first, second)
        else
            drawObject draws

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            let positions = start.Positions
            let struct (first, second) = drawObject draws
            positions[7] <- first
            positions[8] <- second
            positions[9] <- 0.0
            positions[10] <- 0.0
            Common.addUniform draws 0.005 (start.Velocities.Slice(0, 7))

        member _.Before(physics, memory) =
            memory[0] <- objectToGoal physics
            memory[1] <- objectToTips physics

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice(0, 7)) observation
            let rest = Observation.append (physics.QVel.Slice(0, 7)) rest
            physics.XPos.Slice(3 * tips, 9).CopyTo rest

        member _.Evaluate(physics, action, memory, terms) =
            let struct (dist, near) =
                match version with
                | V4 -> struct (memory[0], memory[1])
                | V5 -> struct (objectToGoal physics, objectToTips physics)

            terms[0] <- -dist
            terms[1] <- -0.5 * near
            terms[2] <- -0.1 * Common.sumOfSquares action

            {
                Reward = Common.total terms
                Terminated = false
            }
