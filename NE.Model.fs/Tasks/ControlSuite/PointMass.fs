namespace NE.Model.Tasks.ControlSuite

open NE.Model.Tasks

/// Point mass easy: push a ball on a table to the middle. The reward falls off over one radius of the target.
[<Sealed>]
type PointMass() =
    let target, ball = 5, 6
    let targetRadius = 0.015

    let info =
        Common.info
            "point_mass"
            "easy"
            "A ball on a table is pushed to the middle and kept there with little effort."
            "near x (4 + small action) / 5, with near 1 in the target (radius 0.015 m), falling to 0.1 at twice the radius"
            4
            2
            0.02
            1

    let distance (physics: IPhysics) =
        let along axis =
            physics.GeomXPos[3 * target + axis] - physics.GeomXPos[3 * ball + axis]

        sqrt (along 0 * along 0 + along 1 * along 1 + along 2 * along 2)

    interface ITask with
        member _.Info = info
        member _.Reset(draws, start) = Common.drawLimitedJoints draws start
        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append physics.QPos observation
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, action, _, terms) =
            let near =
                Tolerance.gaussian (struct (0.0, targetRadius)) targetRadius (distance physics)

            Common.reward terms (near * Common.smallAction action)
