namespace NE.Model.Agents

open System
open System.IO
open NE.Model
open NE.Model.Agents.Plasticity
open NE.Model.History
open NE.Model.Networks
open NE.Model.Random
open NE.Model.Replay
open NE.Model.Topology

/// Everything that an agent needs to continue, as bytes. The names are part of every stored run.
[<Sealed>]
type AgentState(parameters: byte[], targets: byte[], moments: byte[], masks: byte[], random: byte[], counters: byte[], heads: byte[]) =
    /// Of an agent of one task.
    new(parameters, targets, moments, masks, random, counters) = AgentState(parameters, targets, moments, masks, random, counters, [||])

    /// Weights and biases of the online networks.
    member _.Parameters = parameters
    /// Weights and biases of the target networks.
    member _.Targets = targets
    /// Adam's moments and per-element ages.
    member _.Moments = moments
    /// The topology: the number of layers, then each with its name and bits.
    member _.Masks = masks
    /// Positions of the random streams.
    member _.Random = random
    /// Step counters, growth carries, review window, pending events.
    member _.Counters = counters
    /// The heads of a cycle's other tasks; empty for an agent of one task.
    member _.Heads = heads

    /// The components by name, in a fixed order.
    member _.Components: struct (string * byte[])[] = [|
        struct ("parameters", parameters)
        struct ("targets", targets)
        struct ("moments", moments)
        struct ("masks", masks)
        struct ("random", random)
        struct ("counters", counters)
        if heads.Length > 0 then
            struct ("heads", heads)
    |]

    /// From components by name; raises InvalidDataException naming the first one that is missing.
    static member OfComponents(find: Func<string, byte[] | null>) : AgentState =
        let get name =
            match find.Invoke name with
            | null -> raise (InvalidDataException $"The stored agent lacks its component '{name}'. Resume from another checkpoint.")
            | bytes -> bytes

        let heads =
            match find.Invoke "heads" with
            | null -> [||]
            | bytes -> bytes

        AgentState(get "parameters", get "targets", get "moments", get "masks", get "random", get "counters", heads)

/// A learning agent: TD3, with the interventions of the method composed in. Owned by one thread.
[<Sealed>]
type Agent
    private
    (
        networks: Td3Networks,
        heads: TaskHeads option,
        td3: Td3,
        work: Td3Workspace,
        half: Td3Workspace option,
        probe: Td3Workspace,
        interventions: Intervention[],
        plasticity: PlasticityProbe,
        seed: int64
    ) =
    let formatVersion = 1
    let task = networks.Task
    let groups = [ networks.Actor; networks.Critics ]

    let maskLayers =
        groups |> List.sumBy (fun group -> group.Masks |> Array.sumBy Array.length)

    let claim: IGradientClaim | null =
        interventions
        |> Seq.cast<obj>
        |> Seq.tryPick (function
            | :? IGradientClaim as claim -> Some claim
            | _ -> None)
        |> Option.toObj

    /// The workspace of the next batch.
    let batch () =
        match half with
        | Some half when interventions |> Array.exists _.HalvesBatch -> half
        | _ -> work

    let mutable step = 0L
    let mutable actorUpdates = 0L
    let mutable batchDraws = stream seed Purpose.Batch
    let mutable noiseDraws = stream seed Purpose.TargetNoise
    // Reused: an array of this size would land on the large-object heap with every new policy.
    let actorParameters = Array.zeroCreate<float32> networks.Actor.Layout.Length
    // The copy of the current actor, made when first asked for, and the edits that it has seen.
    let mutable policy: Policy option = None
    let mutable policyEdits = 0L

    // Takes distances from what the networks are now, at their beginning.
    let measurement = AgentMeasurement(networks, td3, probe, seed)

    /// A fresh agent of the method, on the engine, that the settings name (which must be resolved). Raises LibTorchException, or
    /// ArgumentException for what cannot be built.
    static member Create(settings: Settings, observationSize: int, actionSize: int, maxAction: float32) : Agent =
        Agent.CreateOn(Engines.create settings.Compute, settings, observationSize, actionSize, maxAction)

    /// The same on a given engine.
    static member CreateOn(engine: IEngine, settings: Settings, observationSize: int, actionSize: int, maxAction: float32) : Agent =
        let task = {
            Shape = {
                ObservationSize = observationSize
                ActionSize = actionSize
            }
            MaxAction = maxAction
        }

        Agent.Build(engine, settings, task, None)

    /// A fresh agent of a cycle, to act on one of its tasks. Its heads are those of the first task: restore a state, and switch.
    static member CreateInCycle(settings: Settings, tasks: AgentTasks, task: int) : Agent =
        let actsOn = {
            Shape = tasks.Shape
            MaxAction = tasks.MaxActions[task]
        }

        Agent.Build(Engines.create settings.Compute, settings, actsOn, Some tasks)

    static member private Build(engine: IEngine, settings: Settings, task: Td3Task, tasks: AgentTasks option) : Agent =
        let seed = settings.Run.Seed
        let networks = new Td3Networks(engine, settings.Network, task)

        let initialisation = stream seed Purpose.Initialisation
        networks.Actor.Initialise initialisation
        networks.Critics.Initialise initialisation
        let td3 = Td3(networks, settings.Td3, Techniques.gradientTerms networks settings)

        let heads =
            tasks
            |> Option.map (fun tasks -> TaskHeads(networks.Actor, networks.Critics, tasks.ActionSizes))

        let batchSize = settings.Td3.BatchSize
        let work = new Td3Workspace(networks, batchSize)
        // Events and ratios are defined on 256 rows.
        let probe =
            if batchSize = 256 then
                work
            else
                new Td3Workspace(networks, 256)

        let interventions =
            Techniques.interventions networks td3 work probe settings |> Array.ofList

        let half =
            if settings.Ne.Rules.HalfBatchBelow > 0.0 then
                Some(new Td3Workspace(networks, batchSize / 2))
            else
                None

        let plasticity = PlasticityProbe(networks, settings.Td3, seed)
        new Agent(networks, heads, td3, work, half, probe, interventions, plasticity, seed)

    /// Gradient steps taken.
    member _.GradientStep = step

    /// The networks, for tests and tools.
    member _.Networks = networks

    /// Takes one gradient step on a batch from the window. Raises NonFiniteException when a loss is not finite; the agent must then be
    /// restored or discarded.
    member _.Update(source: ITransitionSource, window: Window) : unit =
        let t = step + 1L

        for intervention in interventions do
            intervention.BeforeUpdate t

        let work = batch ()
        let mutable origin = Whole

        for intervention in interventions do
            match intervention.ChooseSource(t, window) with
            | Whole -> ()
            | chosen -> origin <- chosen

        match origin with
        | Whole -> AgeOrder.sampleUniform window batchDraws (Span work.RowNumbers)
        | Oldest portion -> AgeOrder.sampleOldest portion window batchDraws (Span work.RowNumbers)
        | Decayed(horizon, least) -> AgeOrder.sampleDecayed horizon least window batchDraws (Span work.RowNumbers)

        for intervention in interventions do
            intervention.Sampled(ReadOnlySpan work.RowNumbers, window)

        work.Gather source
        td3.Update(work, t, noiseDraws, claim) |> ignore
        step <- t

        if td3.IsActorDue t then
            actorUpdates <- actorUpdates + 1L

        for intervention in interventions do
            intervention.AfterUpdate(t, source, window)

        if td3.IsActorDue t then
            policy <- None

    /// An immutable copy of the current actor; its Version is the number of actor updates. The same object until the actor changes.
    member _.Policy() : Policy =
        match policy with
        | Some current when policyEdits = networks.Actor.Edits -> current
        | _ ->
            networks.Actor.Online.Read(Field.Weights, Span actorParameters)

            let layout = networks.Actor.Layout

            let made =
                match networks.Actor.Injected with
                | ValueNone -> Policy.OfBlock(layout, ReadOnlySpan actorParameters, task.MaxAction, actorUpdates)
                | ValueSome bodies ->
                    let struct (kept, subtracted) = bodies.Read()
                    Policy.OfBodies(layout, kept, actorParameters, subtracted, task.MaxAction, actorUpdates)

            policy <- Some made
            policyEdits <- networks.Actor.Edits
            made

    /// Turns to another task of the cycle, at a barrier between two gradient steps: exchanges the heads. The agent must have been made
    /// to act on that task.
    member _.SwitchTask(next: int) : unit =
        match heads with
        | None -> invalidOp "An agent of one task cannot turn to another."
        | Some heads ->
            heads.Switch next
            policy <- None

            for intervention in interventions do
                intervention.SwitchTask()

    /// The topology events since the last call.
    member _.TakeTopologyChanges() : TopologyChanged[] =
        interventions |> Array.collect _.TakeChanges()

    /// Losses, activated ratios, ranks, norms and what the interventions report, on a batch of 256 rows drawn for this gradient step
    /// alone, and with `probe` how fast copies of the networks learn. Changes no state.
    member _.Measure(source: ITransitionSource, window: Window, probe: bool) : Measurement =
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

    /// How fast copies of the networks learn. Changes no state.
    member _.Probe(source: ITransitionSource, window: Window) : ProbeResult[] = plasticity.Take(source, window, step)

    /// The topology of every network, for snapshots.
    member _.Masks() : NetworkMask[] = [| for group in groups -> group.Bits |]

    /// Name of the first parameter tensor or moment with a NaN or an infinity, such as "critic 2, layer 1 weights"; null when there is none.
    member _.FindNonFinite() : string | null =
        groups
        |> Seq.map _.FindNonFinite()
        |> Seq.tryFind (isNull >> not)
        |> Option.defaultValue null

    /// A copy of the whole state at this moment.
    member _.Save() : AgentState =
        let each fields save =
            let floats =
                groups |> List.sumBy (fun group -> fields * (sizeof<int> + group.FieldBytes))

            StateBytes.writeSized (sizeof<int> + floats) formatVersion (fun writer ->
                for group in groups do
                    save group writer)

        // The number of layers in front, as the journal's masks have it.
        let maskBytes =
            StateBytes.write maskLayers (fun writer ->
                for group in groups do
                    group.SaveMasks writer)

        let mutable random = [||]

        let counters =
            StateBytes.write formatVersion (fun counters ->
                random <-
                    StateBytes.write formatVersion (fun random ->
                        StateBytes.writeStream random batchDraws
                        StateBytes.writeStream random noiseDraws
                        counters.Write step
                        counters.Write actorUpdates

                        for intervention in interventions do
                            intervention.Save(random, counters)))

        AgentState(
            each 1 (fun (group: NetworkGroup) writer -> group.SaveParameters writer),
            each 1 (fun (group: NetworkGroup) writer -> group.SaveTargets writer),
            each 4 (fun (group: NetworkGroup) writer -> group.SaveMoments writer),
            maskBytes,
            random,
            counters,
            heads
            |> Option.map (fun heads -> StateBytes.write formatVersion heads.Save)
            |> Option.defaultValue [||]
        )

    /// Continues exactly where Save was called, in an agent made from the same settings. Raises InvalidDataException when a component is
    /// damaged or belongs to other settings; the agent must then be discarded.
    member _.Restore(state: AgentState) : unit =
        let each name bytes restore =
            StateBytes.read name formatVersion bytes (fun reader ->
                for group in groups do
                    restore group reader)

        StateBytes.read "masks" maskLayers state.Masks (fun reader ->
            for group in groups do
                group.RestoreMasks reader)

        each "parameters" state.Parameters (fun (group: NetworkGroup) reader -> group.RestoreParameters reader)
        each "targets" state.Targets (fun (group: NetworkGroup) reader -> group.RestoreTargets reader)
        each "moments" state.Moments (fun (group: NetworkGroup) reader -> group.RestoreMoments reader)

        heads
        |> Option.iter (fun heads -> StateBytes.read "heads" formatVersion state.Heads heads.Restore)

        StateBytes.read "counters" formatVersion state.Counters (fun counters ->
            StateBytes.read "random" formatVersion state.Random (fun random ->
                batchDraws <- StateBytes.readStream random
                noiseDraws <- StateBytes.readStream random
                step <- counters.ReadInt64()
                actorUpdates <- counters.ReadInt64()

                for intervention in interventions do
                    intervention.Restore(random, counters)))

        policy <- None

    interface IDisposable with
        member _.Dispose() =
            for term in td3.Terms do
                term.Dispose()

            (work :> IDisposable).Dispose()
            half |> Option.iter (fun half -> (half :> IDisposable).Dispose())

            if not (obj.ReferenceEquals(work, probe)) then
                (probe :> IDisposable).Dispose()

            (networks :> IDisposable).Dispose()
            networks.Engine.Dispose()
