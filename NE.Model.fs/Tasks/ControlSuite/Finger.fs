namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model.Tasks

/// The tasks of the finger.
[<RequireQualifiedAccess>]
type FingerTask =
    /// Spin the body fast.
    | Spin
    /// Turn the body's tip into a large goal.
    | TurnEasy
    /// Turn the body's tip into a small goal.
    | TurnHard

/// Finger: a finger of two links that turns a body on a hinge beside it. In the turn tasks the observation also has where the goal is.
/// How the hinge brakes and how large the goal is are part of the robots, one per task.
[<Sealed>]
type Finger(task: FingerTask) =
    let spinner = 3
    let tip, goal = 2, 3
    let hinge = 2
    let spinSpeed = 15.0
    /// Where the hinge is in the vertical plane, and how far from there the tip is: radius and half length of the body's capsules [m].
    let hingeX, hingeZ, reach = 0.2, 0.4, 0.04 + 0.09

    let name, description, goalRadius =
        match task with
        | FingerTask.Spin -> "spin", "A finger keeps a body beside it spinning.", 0.0
        | FingerTask.TurnEasy -> "turn_easy", "A finger turns the tip of a body beside it into a large goal.", 0.07
        | FingerTask.TurnHard -> "turn_hard", "A finger turns the tip of a body beside it into a small goal.", 0.03

    let rewardText =
        match task with
        | FingerTask.Spin -> $"1 while the body spins at -{spinSpeed} rad/s or faster"
        | FingerTask.TurnEasy
        | FingerTask.TurnHard -> $"1 while the tip is in the goal (radius {goalRadius} m)"

    let isTurn = not task.IsSpin

    let info = {
        Common.info "finger" name description rewardText (if isTurn then 12 else 9) 2 0.01 2 with
            Robot = $"dmc/finger_{name}"
    }

    /// A coordinate of a site, seen from the hinge.
    let fromHinge (physics: IPhysics) (site: int) (axis: int) =
        physics.SiteXPos[3 * site + axis] - physics.XPos[3 * spinner + axis]

    /// From the tip to the goal's surface; negative inside.
    let distance (physics: IPhysics) =
        let along axis =
            fromHinge physics goal axis - fromHinge physics tip axis

        sqrt (along 0 * along 0 + along 2 * along 2) - goalRadius

    interface ITask with
        member _.Info = info

        member _.Reset(draws, start) =
            if isTurn then
                let angle = Common.drawAngle draws
                start.MoveMocap(0, hingeX + reach * sin angle, 0.0, hingeZ + reach * cos angle)

            let draw () =
                Common.drawLimitedJoints draws start
                start.Positions[hinge] <- Common.drawAngle draws

            Common.drawFree draw start

        member _.Before(_, _) = ()

        member _.Observe(physics, observation) =
            // The finger's joints, then the tip for the hinge's angle.
            let rest = Observation.append (physics.QPos.Slice(0, hinge)) observation
            rest[0] <- fromHinge physics tip 0
            rest[1] <- fromHinge physics tip 2
            let rest = Observation.append physics.QVel (rest.Slice 2)
            rest[0] <- Common.touch physics.SensorData[0]
            rest[1] <- Common.touch physics.SensorData[1]

            if isTurn then
                rest[2] <- fromHinge physics goal 0
                rest[3] <- fromHinge physics goal 2
                rest[4] <- distance physics

        member _.Evaluate(physics, _, _, terms) =
            let isGood =
                if isTurn then
                    distance physics <= 0.0
                else
                    physics.QVel[hinge] <= -spinSpeed

            Common.reward terms (if isGood then 1.0 else 0.0)
