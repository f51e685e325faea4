namespace NE.Model.Runs

open NE.Model

/// The run as a pure function: who may step and who may learn, what happens at a barrier, how a run begins and ends, for all schedules.
/// Nothing here knows of actors, clocks or files.
[<RequireQualifiedAccess>]
module Conductor =

    /// A run of these (resolved) settings before it has heard anything. `committedStep` is the last durable commit that this process knows of.
    val start: settings: Settings -> committedStep: int64 option -> RunState

    /// What to do about an input, in this order, and where the run stands then. An input that comes too late changes nothing.
    val decide: settings: Settings -> state: RunState -> input: Input -> struct (RunState * Order list)

    /// Most steps that an environment is asked for at once.
    val stepsAtOnce: settings: Settings -> int

    /// Environment steps stored so far, also between barriers.
    val steps: state: RunState -> int64

    /// Gradient steps taken so far, as far as the learner has said.
    val gradientSteps: state: RunState -> int64

    /// Whether the run has failed or ended.
    val isOver: state: RunState -> bool
