namespace NE.Model.Tasks.ControlSuite

open NE.Model.Tasks

/// Ball in cup catch: swing a ball that hangs on a string into the cup. The reward is 1 while the ball is inside.
[<Sealed>]
type BallInCup() =
    let ball = 2
    let target = 1
    /// Half the width and height of the target less the ball's radius [m].
    let room = 0.05 - 0.025

    let info =
        Common.info
            "ball_in_cup"
            "catch"
            "A cup catches the ball that hangs from it on a string."
            "1 while the ball is in the cup"
            8
            2
            0.002
            10

    let isInside (physics: IPhysics) (axis: int) =
        abs (physics.SiteXPos[3 * target + axis] - physics.XPos[3 * ball + axis]) < room

    interface ITask with
        member _.Info = info

        /// Drops the ball anywhere above the ground where it touches nothing.
        member _.Reset(draws, start) =
            let draw () =
                start.Positions[2] <- draws.Uniform(-0.2, 0.2)
                start.Positions[3] <- draws.Uniform(0.2, 0.5)

            Common.drawFree draw start

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append physics.QPos observation
            physics.QVel.CopyTo rest

        member _.Evaluate(physics, _, _, terms) =
            Common.reward
                terms
                (if isInside physics 0 && isInside physics 2 then
                     1.0
                 else
                     0.0)
