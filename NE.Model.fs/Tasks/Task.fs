namespace NE.Model.Tasks

open System
open NE.Model

/// How the physics steps of one control step are made.
[<RequireQualifiedAccess>]
type Stepping =
    /// n whole steps, then the contact forces once; derived arrays lag behind by one evaluation.
    | Gymnasium
    /// dm_control's legacy step: the second half of a step, n - 1 whole steps, the first half of the next one, so that positions,
    /// velocities and their sensors are up to date. With the RK4 integrator n whole steps and the first half.
    | ControlSuite

/// From where a task is looked at, in frames and in pixel observations. Angles in degrees, lengths in metres.
[<RequireQualifiedAccess>]
type Camera =
    /// A camera of the model, by index.
    | Fixed of index: int
    /// A camera that looks at a body's centre of mass and moves with it.
    | Tracking of body: int * distance: float * azimuth: float * elevation: float
    /// A camera that looks at a point.
    | Free of x: float * y: float * z: float * distance: float * azimuth: float * elevation: float

/// What is fixed about a task.
type TaskInfo = {
    /// The name users write, such as `HalfCheetah-v4`.
    Id: string
    /// The robot's model: a name that `Robots.read` knows.
    Robot: string
    /// The physics step in seconds that the model must have.
    Timestep: float
    /// Physics steps per control step.
    FrameSkip: int
    /// How these are made.
    Stepping: Stepping
    /// Whether a start state changes the model itself, so that the model cannot be shared with other environments.
    OwnModel: bool
    /// Control steps after which an episode is truncated.
    TimeLimit: int
    /// Numbers in an observation.
    ObservationSize: int
    /// Lower bounds of the action, one per actuator.
    ActionLow: float32[]
    /// Upper bounds of the action, one per actuator.
    ActionHigh: float32[]
    /// Names of the reward's terms, in the order in which `Evaluate` writes them; costs are negative and the reward is their sum.
    RewardTerms: string[]
    /// The reward as a formula in words: a is the action, dx/dt a speed along x.
    Reward: string
    /// When the task terminates, in words.
    Termination: string
    /// Numbers that the task remembers from before a step to evaluate it.
    MemorySize: int
    /// From where the task is looked at.
    Camera: Camera
    /// What the agent has to do, in one sentence.
    Description: string
    /// Where the definition comes from.
    Source: string
} with

    /// Numbers in an action.
    member this.ActionSize = this.ActionLow.Length

    /// Seconds per control step: the divisor of every finite-difference velocity.
    member this.ControlTimestep = this.Timestep * float this.FrameSkip

/// The outcome of one control step. Truncation by the time limit is the environment's matter, not the task's.
[<Struct>]
type Evaluation = {
    /// The sum of the reward's terms.
    Reward: float
    /// Whether the state is one from which the episode does not continue.
    Terminated: bool
}

/// A task: start states, observations, rewards and terminations as functions of a physics state. Stateless and shared by all
/// environments; what a step must remember lives in the caller's memory, and is written before and read after the same step.
type ITask =
    /// What is fixed about the task.
    abstract Info: TaskInfo
    /// Turns the model's initial pose into a start state, with noise from the stream. The derived arrays are brought up to date afterwards.
    abstract Reset: draws: Draws * start: IStartState -> unit
    /// Writes what `Evaluate` needs from before the step into the memory [MemorySize].
    abstract Before: physics: IPhysics * memory: Span<float> -> unit
    /// Writes the observation [ObservationSize] in double precision.
    abstract Observe: physics: IPhysics * observation: Span<float> -> unit
    /// Rewards the step that led here. The action [nu] is the one given to the simulator, not clamped. Writes one number per reward
    /// term [RewardTerms].
    abstract Evaluate: physics: IPhysics * action: ReadOnlySpan<float> * memory: ReadOnlySpan<float> * terms: Span<float> -> Evaluation

/// What some tasks can say of a state besides: whether the robot lies on its back. For tasks that go on then, so that a policy may get up
/// again or not.
type IPosture =
    /// Whether the torso's up axis points below the horizon.
    abstract IsInverted: physics: IPhysics -> bool

/// How a posture is read off a physics state.
[<RequireQualifiedAccess>]
module Posture =
    /// The robot's first body, its torso, has its own z axis pointing down: the last entry of its rotation matrix is negative.
    let isTorsoInverted (physics: IPhysics) : bool = physics.XMat[9 + 8] < 0.0
