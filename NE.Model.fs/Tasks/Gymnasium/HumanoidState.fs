namespace NE.Model.Tasks.Gymnasium

open NE.Model.Tasks

/// What Humanoid and HumanoidStandup observe and pay alike.
module internal HumanoidState =
    let observationSize (version: GymnasiumVersion) =
        match version with
        | V4 -> 376
        | V5 -> 348

    /// qpos without x and y, qvel, cinert, cvel, qfrc_actuator, cfrc_ext, not clipped. v5 leaves out the rows of the world body and the 6
    /// entries of the unactuated root.
    let observe (version: GymnasiumVersion) (physics: IPhysics) (observation: System.Span<float>) =
        let world, root =
            match version with
            | V4 -> 0, 0
            | V5 -> 1, 6

        let rest = Observation.append (physics.QPos.Slice 2) observation
        let rest = Observation.append physics.QVel rest
        let rest = Observation.append (physics.CInert.Slice(10 * world)) rest
        let rest = Observation.append (physics.CVel.Slice(6 * world)) rest
        let rest = Observation.append (physics.QFrcActuator.Slice root) rest
        physics.CFrcExt.Slice(6 * world).CopyTo rest

    /// 5e-7 times the squared contact forces, at most 10.
    let contactCost (physics: IPhysics) =
        min (5e-7 * Common.sumOfSquares physics.CFrcExt) 10.0
