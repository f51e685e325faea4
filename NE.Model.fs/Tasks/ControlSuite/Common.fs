namespace NE.Model.Tasks.ControlSuite

open System
open NE.Model
open NE.Model.Tasks

/// Pieces that the Control Suite's tasks share. Facts in environments.md section 3.
module internal Common =

    /// Every task's episode: time limit / control timestep.
    [<Literal>]
    let EpisodeSteps = 1000

    /// Columns of a rotation matrix as dm_control names them: the x and z components of a body's own x and z axes.
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

    /// Draws every joint that has limits uniformly between them. All joints are hinges and slides, so joint i is position i.
    let drawLimitedJoints (draws: Draws) (start: IStartState) =
        for joint in 0 .. start.NQ - 1 do
            if start.JointLimited[joint] <> 0uy then
                start.Positions[joint] <- draws.Uniform(start.JointRange[2 * joint], start.JointRange[2 * joint + 1])

    /// A uniform angle in [-pi, pi).
    let drawAngle (draws: Draws) = draws.Uniform(-Math.PI, Math.PI)

    /// The only term, which is the reward. No task ends early.
    let reward (terms: Span<float>) (value: float) =
        terms[0] <- value

        { Reward = value; Terminated = false }
