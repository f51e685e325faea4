namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model
open NE.Model.Tasks

/// Pieces that the Control Suite's tasks share. Facts in environments.md section 3.
module internal Common =

    /// Every task's episode: time limit / control timestep.
    [<Literal>]
    let EpisodeSteps = 1000

    /// Entries of a rotation matrix as dm_control names them: the x and z components of a body's own x and z axes.
    [<Literal>]
    let XX = 0

    [<Literal>]
    let XZ = 2

    [<Literal>]
    let ZZ = 8

    /// What is common to all: actions in [-1, 1], one reward term that is the reward, the model's first camera, no early end.
    let info
        (domain: string)
        (task: string)
        (description: string)
        (reward: string)
        (observationSize: int)
        (actionSize: int)
        (timestep: float)
        (frameSkip: int)
        = {
        Id = $"dmc/{domain}-{task}"
        Robot = $"dmc/{domain}"
        Timestep = timestep
        FrameSkip = frameSkip
        Stepping = Stepping.ControlSuite
        OwnModel = false
        TimeLimit = EpisodeSteps
        ObservationSize = observationSize
        ActionLow = Array.create actionSize -1.0f
        ActionHigh = Array.create actionSize 1.0f
        RewardTerms = [| task |]
        Reward = reward
        Termination = "never"
        MemorySize = 0
        Camera = Camera.Fixed 0
        Description = description
        Source = "DeepMind Control Suite"
    }

    /// An entry of a body's rotation matrix.
    let orientation (physics: IPhysics) (body: int) (entry: int) = physics.XMat[9 * body + entry]

    /// A vector of the world, seen from a body's frame.
    let intoFrame (physics: IPhysics) (body: int) (struct (x: float, y: float, z: float)) : struct (float * float * float) =
        let along (axis: int) =
            orientation physics body axis * x
            + orientation physics body (axis + 3) * y
            + orientation physics body (axis + 6) * z

        struct (along 0, along 1, along 2)

    /// Draws every joint that has limits uniformly between them. All joints are hinges and slides of one number each, but for a free root,
    /// which comes first and has more.
    let drawLimitedJoints (draws: Draws) (start: IStartState) =
        let joints = start.JointLimited.Length

        for joint in 0 .. joints - 1 do
            if start.JointLimited[joint] <> 0uy then
                start.Positions[start.NQ - joints + joint] <- draws.Uniform(start.JointRange[2 * joint], start.JointRange[2 * joint + 1])

    /// Turns a free root by the quaternion of four draws, normalised.
    let turnRoot (draw: unit -> float) (start: IStartState) =
        let quaternion = Array.init 4 (fun _ -> draw ())
        let length = sqrt (quaternion |> Array.sumBy (fun part -> part * part))

        quaternion
        |> Array.iteri (fun i part -> start.Positions[3 + i] <- part / length)

    /// Draws a start state anew until nothing touches anything.
    let drawFree (draw: unit -> unit) (start: IStartState) =
        let mutable touching = true

        while touching do
            draw ()
            start.ForwardPassively()
            touching <- start.ContactCount > 0

    /// A uniform angle in [-pi, pi).
    let drawAngle (draws: Draws) = draws.Uniform(-Math.PI, Math.PI)

    /// A contact force as the suite shows it: its order of magnitude, 0 for none [N].
    let touch (force: float) = log (1.0 + force)

    /// (4 + small) / 5, where each control's smallness falls off from 1 at rest to 0 at its bounds, and small is their mean.
    let smallAction (action: ReadOnlySpan<float>) =
        let mutable sum = 0.0

        for control in action do
            sum <- sum + Tolerance.tolerance (struct (0.0, 0.0)) 1.0 Sigmoid.Quadratic 0.0 control

        (4.0 + sum / float action.Length) / 5.0

    /// The only term, which is the reward. No task ends early.
    let reward (terms: Span<float>) (value: float) =
        terms[0] <- value

        { Reward = value; Terminated = false }
