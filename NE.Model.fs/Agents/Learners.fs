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

/// The layouts of actor and critics, as a learner of the task has them. Raises ArgumentException for networks that are too large, also those
/// before the heads, and for all of them together.
let private heads (settings: Settings) (task: AgentTask) : struct (BlockLayout * BlockLayout) =
    let network, learner = settings.Network, settings.Run.Learner

    let perception, features =
        if learner.SeesPixels then
            let struct (_, encoder, trunk) = PixelNetworks.Forms settings
            [ for form in [ encoder; trunk; trunk ] -> BlockLayout.OfForm(1, form) ], settings.Pixels.Features
        else
            [], task.Observation.Floats

    let actor =
        BlockLayout.OfForm(1, NetworkForms.actor network features (NetworkForms.actorOutputs learner task.ActionSize))

    let critics =
        BlockLayout.OfForm(2, NetworkForms.critic network features task.ActionSize)

    [ for layout in actor :: critics :: perception -> 4 * layout.Length ]
    |> GroupState.fieldBytes NetworkGroup.Moments.Length
    |> ignore

    struct (actor, critics)

/// A learner on an engine. Where none can be made, the engine is disposed of, and the algorithm, if there is one.
let private made (engine: IEngine) (algorithm: IEngine -> IAlgorithm) (compose: IAlgorithm -> Agent) : ILearner =
    let algorithm =
        try
            algorithm engine
        with _ ->
            engine.Dispose()
            reraise ()

    try
        compose algorithm :> ILearner
    with _ ->
        algorithm.Dispose()
        reraise ()

let private algorithm (settings: Settings) (task: AgentTask) (engine: IEngine) : IAlgorithm =
    // What is too large is so before anything is allocated.
    heads settings task |> ignore
    algorithmOf Initialisation.Orthogonal engine settings task

let createOn (engine: IEngine) (settings: Settings) (task: AgentTask) : ILearner =
    made engine (algorithm settings task) (fun algorithm ->
        Agent.Compose(algorithm, settings, None, ?normaliser = RowNormaliser.TryCreate(settings, task.Shape)))

let create (settings: Settings) (task: AgentTask) : ILearner =
    createOn (Engines.create settings.Compute) settings task

let createInCycle (settings: Settings) (tasks: AgentTasks) (task: int) : ILearner =
    let first = AgentTask.Of(tasks.Shape, tasks.MaxActions[task])

    made (Engines.create settings.Compute) (algorithm settings first) (fun algorithm -> Agent.Compose(algorithm, settings, Some tasks))

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
    // What is too large in the whole, or too sparse, need not be so in small.
    let struct (actor, critics) = heads settings task
    Techniques.requireFit settings actor critics

    let small, seesPixels = small settings, settings.Run.Learner.SeesPixels

    let seen =
        if seesPixels then
            {
                task with
                    Observation = ObservationForm.Pixels small.Pixels.Shape
            }
        else
            task

    let algorithm engine =
        algorithmOf Initialisation.Uniform engine small seen

    let normaliser =
        if seesPixels then
            None
        else
            RowNormaliser.TryCreate(small, seen.Shape)

    let learner =
        made (Engines.create settings.Compute) algorithm (fun algorithm -> Agent.Compose(algorithm, small, None, ?normaliser = normaliser))

    learner.Dispose()
