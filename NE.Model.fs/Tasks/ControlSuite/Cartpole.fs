namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// The tasks of the cart-pole.
[<RequireQualifiedAccess>]
type CartpoleTask =
    /// Keep an upright pole up.
    | Balance
    /// Swing a hanging pole up.
    | Swingup
    /// The same, with a reward of 1 only while the pole is upright in the middle.
    | SwingupSparse

/// Cartpole: a pole on a cart that is pushed along a rail.
[<Sealed>]
type Cartpole(task: CartpoleTask) =
    let pole = 2

    let name, description =
        match task with
        | CartpoleTask.Balance -> "balance", "A cart keeps its pole upright in the middle of the rail."
        | CartpoleTask.Swingup -> "swingup", "A cart swings its hanging pole up and keeps it there."
        | CartpoleTask.SwingupSparse -> "swingup_sparse", "A cart swings its hanging pole up; only upright in the middle is rewarded."

    let rewardText =
        match task with
        | CartpoleTask.Balance
        | CartpoleTask.Swingup -> "upright x centred x slow pole x small action, each in [0, 1]"
        | CartpoleTask.SwingupSparse -> "1 while |x| <= 0.25 m and the pole's cosine >= 0.995"

    let info = Common.info "cartpole" name description rewardText 5 1 0.01 1

    let within bound = struct (-bound, bound)

    let sparseReward (x: float) (cosine: float) =
        Tolerance.gaussian (within 0.25) 0.0 x
        * Tolerance.gaussian (struct (0.995, 1.0)) 0.0 cosine

    let smoothReward (x: float) (cosine: float) (control: float) (poleVelocity: float) =
        let upright = (cosine + 1.0) / 2.0
        let centred = (1.0 + Tolerance.gaussian (within 0.0) 2.0 x) / 2.0

        let smallControl =
            (4.0 + Tolerance.tolerance (within 0.0) 1.0 Sigmoid.Quadratic 0.0 control) / 5.0

        let smallVelocity = (1.0 + Tolerance.gaussian (within 0.0) 5.0 poleVelocity) / 2.0
        upright * smallControl * smallVelocity * centred

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            match task with
            | CartpoleTask.Balance ->
                start.Positions[0] <- draws.Uniform(-0.1, 0.1)
                start.Positions[1] <- draws.Uniform(-0.034, 0.034)
            | CartpoleTask.Swingup
            | CartpoleTask.SwingupSparse ->
                start.Positions[0] <- 0.01 * draws.NextNormal()
                start.Positions[1] <- Math.PI + 0.01 * draws.NextNormal()

            for i in 0 .. start.NV - 1 do
                start.Velocities[i] <- 0.01 * draws.NextNormal()

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            observation[0] <- physics.QPos[0]
            observation[1] <- Common.orientation physics pole Common.ZZ
            observation[2] <- Common.orientation physics pole Common.XZ
            physics.QVel.CopyTo(observation.Slice 3)

        member _.Evaluate(physics, action, _, terms) =
            let x = physics.QPos[0]
            let cosine = Common.orientation physics pole Common.ZZ

            Common.reward
                terms
                (match task with
                 | CartpoleTask.SwingupSparse -> sparseReward x cosine
                 | CartpoleTask.Balance
                 | CartpoleTask.Swingup -> smoothReward x cosine action[0] physics.QVel[1])
