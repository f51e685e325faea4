namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// Acrobot swingup: bring the tip of a two-link arm, driven at its elbow, to a target above. The reward falls off over 1 m around the
/// target (`swingup`) or is 1 inside it only (`swingup_sparse`).
[<Sealed>]
type Acrobot(sparse: bool) =
    let upperArm, lowerArm = 1, 2
    let target, tip = 0, 1
    let targetRadius = 0.2

    let info =
        Common.info
            "acrobot"
            (if sparse then "swingup_sparse" else "swingup")
            "A two-link arm that is driven at the elbow swings its tip up to a target."
            (if sparse then
                 "1 while the tip is within 0.2 m of the target"
             else
                 "1 while the tip is within 0.2 m of the target, falling to 0.1 at 1 m from there")
            6
            1
            0.01
            1

    let distance (physics: IPhysics) =
        let along (axis: int) =
            physics.SiteXPos[3 * target + axis] - physics.SiteXPos[3 * tip + axis]

        sqrt (along 0 * along 0 + along 1 * along 1 + along 2 * along 2)

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            start.Positions[0] <- Common.drawAngle draws
            start.Positions[1] <- Common.drawAngle draws

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            observation[0] <- Common.orientation physics upperArm Common.XZ
            observation[1] <- Common.orientation physics lowerArm Common.XZ
            observation[2] <- Common.orientation physics upperArm Common.ZZ
            observation[3] <- Common.orientation physics lowerArm Common.ZZ
            physics.QVel.CopyTo(observation.Slice 4)

        member _.Evaluate(physics, _, _, terms) =
            let margin = if sparse then 0.0 else 1.0
            Common.reward terms (Tolerance.gaussian (struct (0.0, targetRadius)) margin (distance physics))
