[<RequireQualifiedAccess>]
module NE.Model.Agents.Learners

open NE.Model
open NE.Model.Agents.DrqV2
open NE.Model.Agents.Pixels
open NE.Model.Agents.Sac
open NE.Model.Agents.Td3
open NE.Model.Networks

/// The algorithm; another one is a case here.
let algorithm (engine: IEngine) (settings: Settings) (task: AgentTask) : IAlgorithm =
    let numbers () =
        new VectorPerception(engine, task.Shape, settings.Learner.Discount)

    let pictures () =
        new PixelPerception(engine, settings, task)

    match settings.Run.Learner with
    | LearnerKind.Td3 -> new Td3Algorithm(engine, settings, task)
    | LearnerKind.Sac -> new SacAlgorithm(engine, settings, numbers (), task)
    | LearnerKind.Drq -> new SacAlgorithm(engine, settings, pictures (), task)
    | LearnerKind.DrqV2 -> new DrqV2Algorithm(engine, settings, pictures (), task)

let createOn (engine: IEngine) (settings: Settings) (task: AgentTask) : ILearner =
    Agent.Compose(algorithm engine settings task, settings, None)

let create (settings: Settings) (task: AgentTask) : ILearner =
    createOn (Engines.create settings.Compute) settings task

let createInCycle (settings: Settings) (tasks: AgentTasks) (task: int) : ILearner =
    let first = AgentTask.Of(tasks.Shape, tasks.MaxActions[task])
    Agent.Compose(algorithm (Engines.create settings.Compute) settings first, settings, Some tasks)
