[<RequireQualifiedAccess>]
module NE.Model.Agents.Learners

open NE.Model
open NE.Model.Agents.DrqV2
open NE.Model.Agents.Pixels
open NE.Model.Agents.Sac
open NE.Model.Agents.Td3
open NE.Model.Networks
open NE.Model.Replay

/// The algorithm; another one is a case here. `initialisation`: of the heads of those that see pictures.
let private algorithmOf (initialisation: Initialisation) (engine: IEngine) (settings: Settings) (task: AgentTask) : IAlgorithm =
    let numbers () =
        new VectorPerception(engine, task.Shape, settings.Learner.Discount)

    let pictures () =
        new PixelPerception(engine, settings, task, initialisation)

    match settings.Run.Learner with
    | LearnerKind.Td3 -> new Td3Algorithm(engine, settings, task)
    | LearnerKind.Sac -> new SacAlgorithm(engine, settings, numbers (), task)
    | LearnerKind.Drq -> new SacAlgorithm(engine, settings, pictures (), task)
    | LearnerKind.DrqV2 -> new DrqV2Algorithm(engine, settings, pictures (), task)

let private algorithm = algorithmOf Initialisation.Orthogonal

let createOn (engine: IEngine) (settings: Settings) (task: AgentTask) : ILearner =
    Agent.Compose(algorithm engine settings task, settings, None, ?normaliser = RowNormaliser.TryCreate(settings, task.Shape))

let create (settings: Settings) (task: AgentTask) : ILearner =
    createOn (Engines.create settings.Compute) settings task

let createInCycle (settings: Settings) (tasks: AgentTasks) (task: int) : ILearner =
    let first = AgentTask.Of(tasks.Shape, tasks.MaxActions[task])
    Agent.Compose(algorithm (Engines.create settings.Compute) settings first, settings, Some tasks)

/// Pixels of a picture that shows all that can be wrong with actor and critics.
let private smallPicture = 21

/// Rows of a batch of such pictures.
let private smallBatch = 8

let tryOut (settings: Settings) (task: AgentTask) : unit =
    if settings.Run.Learner.SeesPixels then
        // What is too large in the whole is so in the small, but for these two.
        let struct (_, encoder, trunk) = PixelNetworks.Forms settings

        for form in [ encoder; trunk ] do
            BlockLayout.OfForm(1, form) |> ignore

        // The buffers of a batch are most of what is allocated, and nothing but their size hangs on it.
        let small = {
            settings with
                Pixels.Size = smallPicture
                Learner.BatchSize = min smallBatch settings.Learner.BatchSize
        }

        let seen = {
            task with
                Observation = ObservationForm.Pixels small.Pixels.Shape
        }

        let algorithm =
            algorithmOf Initialisation.Uniform (Engines.create settings.Compute) small seen

        (Agent.Compose(algorithm, small, None) :> ILearner).Dispose()
    else
        (create settings task).Dispose()
