namespace NE.Model.Tasks

open System
open NE.Model

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
    /// Numbers that the task remembers from before a step to evaluate it.
    MemorySize: int
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
    /// Turns the model's initial pose (qpos0 [nq], zero velocities [nv]) into a start state, with noise from the stream.
    abstract Reset: stream: Random.Stream * qpos: Span<float> * qvel: Span<float> -> unit
    /// Writes what `Evaluate` needs from before the step into the memory [MemorySize].
    abstract Before: physics: IPhysics * memory: Span<float> -> unit
    /// Writes the observation [ObservationSize] in double precision.
    abstract Observe: physics: IPhysics * observation: Span<float> -> unit
    /// Rewards the step that led here. The action [nu] is the one given to the simulator, not clamped. Writes one number per reward
    /// term [RewardTerms].
    abstract Evaluate: physics: IPhysics * action: ReadOnlySpan<float> * memory: ReadOnlySpan<float> * terms: Span<float> -> Evaluation
