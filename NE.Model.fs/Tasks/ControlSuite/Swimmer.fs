namespace NE.Model.Tasks.ControlSuite

open NE.Model.Tasks

/// Swimmer swimmer6: six links in the plane of a fluid swim to a target. The reward falls off with a long tail over 0.5 m around it.
[<Sealed>]
type Swimmer() =
    let links = 6
    /// Numbers of the root, which are not observed: its place in the plane and its direction.
    let root = 3
    let targetRadius = 0.1

    let info =
        Common.info
            "swimmer"
            "swimmer6"
            "A swimmer of six links brings its nose to a target."
            "1 while the nose is in the target (radius 0.1 m), falling to 0.1 at 0.5 m from there and slowly further off"
            25
            5
            0.002
            15

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            // Joints 0 and 1 are the head's slides, joint 2 its free hinge.
            start.Positions[2] <- Common.drawAngle draws
            Common.drawLimitedJoints draws start
            // One target in five is near.
            let reach = if draws.NextDouble() < 0.2 then 0.3 else 2.0
            start.MoveMocap(0, draws.Uniform(-reach, reach), draws.Uniform(-reach, reach), 0.05)

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            let rest = Observation.append (physics.QPos.Slice root) observation
            let sensors = physics.SensorData
            // The target's place in the nose's frame.
            rest[0] <- sensors[0]
            rest[1] <- sensors[1]

            // Of each link velocity and turn, of which those in the plane are seen.
            for link in 0 .. links - 1 do
                let own = sensors.Slice(3 + 6 * link, 6)
                rest[2 + 3 * link] <- own[0]
                rest[3 + 3 * link] <- own[1]
                rest[4 + 3 * link] <- own[5]

        member _.Evaluate(physics, _, _, terms) =
            let x, y = physics.SensorData[0], physics.SensorData[1]
            let distance = sqrt (x * x + y * y)

            Common.reward
                terms
                (Tolerance.tolerance
                    (struct (0.0, targetRadius))
                    (5.0 * targetRadius)
                    Sigmoid.LongTail
                    Tolerance.DefaultValueAtMargin
                    distance)
