namespace NE.Model.Agents

open System
open NE.Model
open NE.Model.Agents.Plasticity
open NE.Model.Networks
open NE.Model.Replay

/// A learner made of an algorithm and of techniques. Owns the algorithm. `heads`: those of a cycle's tasks. `normaliser`: of what the networks read.
/// `terms` and `techniques` are those of Techniques, made for the algorithm's trainee. Raises ArgumentException when two techniques take one
/// gradient, or when the networks are too large to be stored.
[<Sealed>]
type Agent
    (
        algorithm: IAlgorithm,
        heads: TaskHeads option,
        normaliser: RowNormaliser option,
        terms: IGradientTerm list,
        techniques: (Technique * Intervention) list,
        seed: int64
    ) =
    let formatVersion = 1
    let trainee = algorithm.Trainee
    let groups = trainee.Groups |> List.map _.Networks
    // What techniques do not know comes last in what is stored.
    let networks = groups @ algorithm.Bodies
    let actor = trainee.Actor
    let interventions = techniques |> List.map snd |> Array.ofList

    let optimiser = Optimiser(trainee.Engine, terms, Techniques.claims techniques)

    let mutable step = 0L
    let mutable actorUpdates = 0L
    let mutable batchDraws = Draws.Of(seed, Purpose.Batch)
    // The copy of the current actor, made when first asked for, and the edits that it has seen.
    let mutable policy: Policy option = None
    let mutable policyEdits = 0L

    // Takes distances from what the networks are now, at their beginning.
    let measurement = AgentMeasurement(trainee, seed)
    let plasticity = PlasticityProbe(trainee, seed)

    let maskLayers =
        groups |> List.sumBy (fun group -> group.Masks |> Array.sumBy Array.length)

    let components: Component list =
        let component' name version size parts = {
            Name = name
            Version = version
            Size = size
            Codec = Codec.all parts
        }

        /// So many fields of every group.
        let fields name count codec =
            let size = GroupState.fieldBytes count (networks |> List.map _.FieldBytes)
            component' name formatVersion size (networks |> List.map codec)

        let stored = algorithm.State :: Techniques.state techniques

        [
            fields "parameters" 1 GroupState.parameters
            fields "targets" 1 GroupState.targets
            fields "moments" 4 GroupState.moments
            // The number of layers in front, as the journal's masks have it.
            component' "masks" maskLayers 0 (groups |> List.map GroupState.masks)
            component' "random" formatVersion 0 [
                Codec.draws (fun () -> batchDraws) (fun stored -> batchDraws <- stored)
                yield! stored |> List.collect _.Random
            ]
            component' "counters" formatVersion 0 [
                Codec.int64 (fun () -> step) (fun stored -> step <- stored)
                Codec.int64 (fun () -> actorUpdates) (fun stored -> actorUpdates <- stored)
                yield! stored |> List.collect _.Counters
            ]
            match heads with
            | Some heads -> component' "heads" formatVersion 0 [ heads.Codec ]
            | None -> ()
            match normaliser with
            | Some normaliser -> component' "normaliser" formatVersion 0 [ normaliser.State ]
            | None -> ()
        ]

    /// Stored rows as the networks read them.
    let over (source: ITransitionSource) =
        match normaliser with
        | Some normaliser -> normaliser.Over source
        | None -> source

    /// The algorithm with the techniques of the settings, which must be resolved; on several tasks in turn if these are given, behind
    /// a normaliser if there is one. The networks must be as they were drawn.
    static member Compose(algorithm: IAlgorithm, settings: Settings, tasks: AgentTasks option, ?normaliser: RowNormaliser) : Agent =
        let trainee = algorithm.Trainee
        let terms = Techniques.gradientTerms trainee settings

        try
            let heads = tasks |> Option.map (fun tasks -> TaskHeads(trainee, tasks.ActionSizes))
            new Agent(algorithm, heads, normaliser, terms, Techniques.interventions trainee settings, settings.Run.Seed)
        with _ ->
            for term in terms do
                term.Dispose()

            reraise ()

    /// The algorithm, for tests and benchmarks.
    member _.Algorithm = algorithm

    interface ILearner with
        member _.GradientStep = step

        member _.Update(source, window) =
            let t = step + 1L

            match normaliser with
            | Some normaliser -> normaliser.Count(source, window)
            | None -> ()

            let source = over source

            for intervention in interventions do
                intervention.BeforeUpdate t

            let batch = algorithm.Batch(interventions |> Array.exists _.HalvesBatch)

            let mutable origin = Whole

            for intervention in interventions do
                match intervention.ChooseSource(t, window) with
                | Whole -> ()
                | chosen -> origin <- chosen

            batch.Draw(origin, source, window, batchDraws)

            for intervention in interventions do
                intervention.Sampled(ReadOnlySpan batch.RowNumbers, window)

            batch.Gather source
            algorithm.Update(t, optimiser)
            step <- t

            if actor.IsDue t then
                actorUpdates <- actorUpdates + 1L

            for intervention in interventions do
                intervention.AfterUpdate(t, source, window)

            if actor.IsDue t then
                policy <- None

        member _.Policy() =
            let bare =
                match policy with
                | Some current when policyEdits = actor.Networks.Edits -> current
                | _ ->
                    let made = algorithm.Policy actorUpdates
                    policy <- Some made
                    policyEdits <- actor.Networks.Edits
                    made

            match normaliser with
            | Some normaliser -> normaliser.Complete bare
            | None -> bare

        member _.Adopt tensors =
            if heads.IsSome then
                invalidArg
                    (nameof tensors)
                    "The agent of a cycle has heads for several tasks; an actor can begin with given values on one task only."

            if step > 0L then
                invalidOp $"The actor has learned for {step} gradient steps; values are given to a fresh one."

            ActorImport.requireSameInput (normaliser |> Option.exists _.HasObservations) tensors
            ActorImport.adopt networks actor.Networks ((algorithm.Policy actorUpdates).Portable()) tensors
            policy <- None

        member _.SwitchTask next =
            match heads with
            | None -> invalidOp "An agent of one task cannot turn to another."
            | Some heads ->
                heads.Switch next
                policy <- None

                for intervention in interventions do
                    intervention.SwitchTask()

        member _.TakeTopologyChanges() =
            interventions |> Array.collect _.TakeChanges()

        member _.Masks() = [| for group in groups -> group.Bits |]

        member _.Measure(source, window, probe) =
            let source = over source

            let taken =
                measurement.Take(source, window, step, (fun () -> interventions |> Array.collect _.Metrics(step + 1L, window)))

            let results =
                if probe then
                    plasticity.Take(source, window, step)
                else
                    plasticity.NotTaken

            {
                taken with
                    Metrics = Array.append taken.Metrics (results |> Array.collect _.Metrics)
            }

        member _.Probe(source, window) =
            plasticity.Take(over source, window, step)

        member _.Gradients rows = GradientMap.compute trainee over rows

        member _.FindNonFinite() =
            networks
            |> Seq.map _.FindNonFinite()
            |> Seq.tryFind (isNull >> not)
            |> Option.defaultValue null

        member _.Save() =
            AgentState [| for part in components -> struct (part.Name, part.Save()) |]

        member _.Restore state =
            for part in components do
                part.Restore(state.Find part.Name)

            policy <- None

        member _.Dispose() =
            for term in terms do
                term.Dispose()

            algorithm.Dispose()
