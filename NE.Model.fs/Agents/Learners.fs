/// The learners that settings ask for, which must be resolved. Raises LibTorchException when the engine cannot be had, or ArgumentException for what
/// cannot be built.
[<RequireQualifiedAccess>]
module NE.Model.Agents.Learners

open NE.Model
open NE.Model.Agents.Sac
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Replay

/// The algorithm; another one is a case here.
let private algorithm (engine: IEngine) (settings: Settings) (shape: TransitionShape) (maxAction: float32) : IAlgorithm =
    let task = { Shape = shape; MaxAction = maxAction }

    match settings.Run.Learner with
    | LearnerKind.Td3 -> new Td3Algorithm(engine, settings, task)
    | LearnerKind.Sac -> new SacAlgorithm(engine, settings, task)

/// A fresh learner of one task on a given engine, which belongs to it from now on.
let createOn (engine: IEngine) (settings: Settings) (shape: TransitionShape) (maxAction: float32) : ILearner =
    Agent.Compose(algorithm engine settings shape maxAction, settings, None)

/// A fresh learner of one task. maxAction: largest magnitude of an action's component.
let create (settings: Settings) (shape: TransitionShape) (maxAction: float32) : ILearner =
    createOn (Engines.create settings.Compute) settings shape maxAction

/// A fresh learner of a cycle, to act on one of its tasks. Its heads are those of the first task: restore a state, and switch.
let createInCycle (settings: Settings) (tasks: AgentTasks) (task: int) : ILearner =
    Agent.Compose(algorithm (Engines.create settings.Compute) settings tasks.Shape tasks.MaxActions[task], settings, Some tasks)
