namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// Reacher: bring the finger of a two-link arm into a target disc. The target's place and size are part of the model, so each
/// environment has a model of its own.
[<Sealed>]
type Reacher(hard: bool) =
    let target, finger = 6, 9
    let targetRadius = if hard then 0.015 else 0.05
    let fingerRadius = 0.01

    let info = {
        Common.info
            "reacher"
            (if hard then "hard" else "easy")
            (if hard then
                 "A two-link arm reaches a small target on a table."
             else
                 "A two-link arm reaches a large target on a table.")
            $"1 while the finger (radius {fingerRadius} m) touches the target (radius {targetRadius} m)"
            6
            2
            0.02
            1 with
            OwnModel = true
    }

    let toTarget (physics: IPhysics) (axis: int) =
        physics.GeomXPos[3 * target + axis] - physics.GeomXPos[3 * finger + axis]

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            start.ResizeGeom(target, targetRadius)
            // The shoulder turns freely, the wrist within its limits.
            start.Positions[0] <- Common.drawAngle draws
            Common.drawLimitedJoints draws start
            let angle = draws.Uniform(0.0, 2.0 * Math.PI)
            let radius = draws.Uniform(0.05, 0.2)
            start.MoveGeom(target, radius * sin angle, radius * cos angle)

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append physics.QPos observation
            rest[0] <- toTarget physics 0
            rest[1] <- toTarget physics 1
            physics.QVel.CopyTo(rest.Slice 2)

        member _.Evaluate(physics, _, _, terms) =
            let x, y = toTarget physics 0, toTarget physics 1
            Common.reward terms (Tolerance.gaussian (struct (0.0, targetRadius + fingerRadius)) 0.0 (sqrt (x * x + y * y)))
