namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// Pendulum swingup: the reward is 1 while the pole is within 8 degrees of upright.
[<Sealed>]
type Pendulum() =
    let pole = 1
    let uprightCosine = cos (8.0 * Math.PI / 180.0)

    let info =
        Common.info
            "pendulum"
            "swingup"
            "A weak motor swings a pole up and keeps it there."
            "1 while the pole is within 8 degrees of upright"
            3
            1
            0.02
            1

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            start.Positions[0] <- Common.drawAngle draws

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            observation[0] <- Common.orientation physics pole Common.ZZ
            observation[1] <- Common.orientation physics pole Common.XZ
            observation[2] <- physics.QVel[0]

        member _.Evaluate(physics, _, _, terms) =
            Common.reward terms (Tolerance.gaussian (struct (uprightCosine, 1.0)) 0.0 (Common.orientation physics pole Common.ZZ))
