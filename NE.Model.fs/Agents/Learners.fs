[<RequireQualifiedAccess>]
module NE.Model.Agents.Learners

open NE.Model
open NE.Model.Agents.Sac
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Replay

/// The algorithm; another one is a case here.
let algorithm (engine: IEngine) (settings: Settings) (shape: TransitionShape) (maxAction: float32) : IAlgorithm =
    let task = { Shape = shape; MaxAction = maxAction }

    match settings.Run.Learner with
    | LearnerKind.Td3 -> new Td3Algorithm(engine, settings, task)
    | LearnerKind.Sac -> new SacAlgorithm(engine, settings, task)

let createOn (engine: IEngine) (settings: Settings) (shape: TransitionShape) (maxAction: float32) : ILearner =
    Agent.Compose(algorithm engine settings shape maxAction, settings, None)

let create (settings: Settings) (shape: TransitionShape) (maxAction: float32) : ILearner =
    createOn (Engines.create settings.Compute) settings shape maxAction

let createInCycle (settings: Settings) (tasks: AgentTasks) (task: int) : ILearner =
    Agent.Compose(algorithm (Engines.create settings.Compute) settings tasks.Shape tasks.MaxActions[task], settings, Some tasks)
