namespace NE.Model.Tasks.ControlSuite

open NE.Model.Tasks

/// The tasks of the fish.
[<RequireQualifiedAccess>]
type FishTask =
    /// Turn the belly down.
    | Upright
    /// Swim to a target.
    | Swim

/// Fish: a fish without weight in a heavy fluid. Only to swim has a target, which the observation shows as the mouth sees it.
[<Sealed>]
type Fish(task: FishTask) =
    let torso = 1
    /// Numbers of the free root in the positions.
    let root = 7
    /// Those of the mouth and the target [m].
    let radii = 0.005 + 0.04

    let name, description, rewardText, size =
        match task with
        | FishTask.Upright -> "upright", "A fish turns upright.", "1 while the fish is upright, falling to 0.1 on its side", 21
        | FishTask.Swim ->
            "swim",
            "A fish swims to a target.",
            "(7 near + upright) / 8, with near 1 while the mouth touches the target, falling to 0.1 at 0.09 m from there",
            24

    let info = {
        Common.info "fish" name description rewardText size 5 0.004 10 with
            Robot = $"dmc/fish_{name}"
    }

    let upright (physics: IPhysics) =
        Common.orientation physics torso Common.ZZ

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            Common.turnRoot draws.NextNormal start

            for i in root .. start.NQ - 1 do
                start.Positions[i] <- draws.Uniform(-0.2, 0.2)

            if task.IsSwim then
                start.MoveMocap(0, draws.Uniform(-0.4, 0.4), draws.Uniform(-0.4, 0.4), draws.Uniform(0.1, 0.3))

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice root) observation
            rest[0] <- upright physics
            let rest = rest.Slice 1

            match task with
            | FishTask.Upright -> physics.QVel.CopyTo rest
            | FishTask.Swim ->
                // The only sensor is the target's place in the mouth's frame.
                let rest = Observation.append physics.SensorData rest
                physics.QVel.CopyTo rest

        member _.Evaluate(physics, _, _, terms) =
            match task with
            | FishTask.Upright -> Common.reward terms (Tolerance.gaussian (struct (1.0, 1.0)) 1.0 (upright physics))
            | FishTask.Swim ->
                let target = physics.SensorData

                let distance =
                    sqrt (target[0] * target[0] + target[1] * target[1] + target[2] * target[2])

                let near = Tolerance.gaussian (struct (0.0, radii)) (2.0 * radii) distance
                Common.reward terms ((7.0 * near + (upright physics + 1.0) / 2.0) / 8.0)
