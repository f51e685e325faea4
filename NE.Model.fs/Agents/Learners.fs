[<RequireQualifiedAccess>]
module NE.Model.Agents.Learners

open NE.Model
open NE.Model.Agents.DrqV2
open NE.Model.Agents.Pixels
open NE.Model.Agents.Plasticity
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

/// Rows of a batch that does.
let private smallBatch = 8

/// Units of a hidden layer that does, but for what hangs on the sizes of the layers.
let private smallWidth = 16

/// The same agent in small: dense, narrow, of small pictures and batches.
let private small (settings: Settings) =
    let narrow = List.map (min smallWidth)
    let network = settings.Network

    {
        settings with
            Network.Hidden = Is(narrow network.Hidden.Value)
            Network.CriticHidden =
                (match network.CriticHidden with
                 | Auto -> Auto
                 | Is widths -> Is(narrow widths))
            Network.Scale = min 1 network.Scale
            Ne.StartDensity = Is 1.0
            Pixels.Size = min smallPicture settings.Pixels.Size
            Learner.BatchSize = min smallBatch settings.Learner.BatchSize
    }

let tryOut (settings: Settings) (task: AgentTask) : unit =
    let network, seesPixels = settings.Network, settings.Run.Learner.SeesPixels

    // What is too large in the whole, or too sparse, need not be so in small.
    if seesPixels then
        let struct (_, encoder, trunk) = PixelNetworks.Forms settings

        for form in [ encoder; trunk ] do
            BlockLayout.OfForm(1, form) |> ignore

    let features =
        if seesPixels then
            settings.Pixels.Features
        else
            task.Observation.Floats

    let actor =
        NetworkForms.actor network features (NetworkForms.actorOutputs settings.Run.Learner task.ActionSize)

    let critic = NetworkForms.critic network features task.ActionSize
    Techniques.requireFit settings (BlockLayout.OfForm(1, actor)) (BlockLayout.OfForm(2, critic))

    let small = small settings

    let seen =
        if seesPixels then
            {
                task with
                    Observation = ObservationForm.Pixels small.Pixels.Shape
            }
        else
            task

    let algorithm =
        algorithmOf Initialisation.Uniform (Engines.create settings.Compute) small seen

    let normaliser =
        if seesPixels then
            None
        else
            RowNormaliser.TryCreate(small, seen.Shape)

    (Agent.Compose(algorithm, small, None, ?normaliser = normaliser) :> ILearner).Dispose()
