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
type AgentState(parameters: byte[], targets: byte[], moments: byte[], masks: byte[], random: byte[], counters: byte[]) =
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

    /// The components by name, in a fixed order.
    member _.Components: struct (string * byte[])[] = [|
        struct ("parameters", parameters)
        struct ("targets", targets)
        struct ("moments", moments)
        struct ("masks", masks)
        struct ("random", random)
        struct ("counters", counters)
    |]

    /// From components by name; raises InvalidDataException naming the first one that is missing.
    static member OfComponents(find: Func<string, byte[] | null>) : AgentState =
        let get name =
            match find.Invoke name with
            | null -> raise (InvalidDataException $"The stored agent lacks its component '{name}'. Resume from another checkpoint.")
            | bytes -> bytes

        AgentState(get "parameters", get "targets", get "moments", get "masks", get "random", get "counters")

/// A learning agent: TD3, with the interventions of the method composed in. Owned by one thread.
[<Sealed>]
type Agent
    private
    (
        networks: Td3Networks,
        td3: Td3,
        work: Td3Workspace,
        half: Td3Workspace option,
        probe: Td3Workspace,
        interventions: IIntervention[],
        seed: int64
    ) =
    let formatVersion = 1
    let task = networks.Task
    let groups = [ networks.Actor; networks.Critics ]

    let maskLayers =
        groups |> List.sumBy (fun group -> group.Masks |> Array.sumBy Array.length)

    let claim: IGradientClaim | null =
        interventions
        |> Seq.tryPick (function
            | :? IGradientClaim as claim -> Some claim
            | _ -> None)
        |> Option.toObj

    /// The workspace of the next batch.
    let batch () =
        match half with
        | Some half when
            interventions
            |> Array.exists (function
                | :? IBatchHalving as halving -> halving.Halves
                | _ -> false)
            ->
            half
        | _ -> work

    let mutable step = 0L
    let mutable actorUpdates = 0L
    let mutable batchDraws = stream seed Purpose.Batch
    let mutable noiseDraws = stream seed Purpose.TargetNoise
    // Reused: an array of this size would land on the large-object heap with every new policy.
    let actorParameters = Array.zeroCreate<float32> networks.Actor.Layout.Length
    // The copy of the current actor, made when first asked for.
    let mutable policy: Policy option = None

    let ratios (group: NetworkGroup) (pass: IPass) = [|
        let activity = Activity group
        activity.Add(pass, probe.Rows)
        let layers = activity.Layers

        for name, tau in [ "0", 0.0; "0.025", 0.025; "0.1", 0.1 ] do
            let at = Dormancy.ratios tau layers
            struct ($"{group.Name}_anr_{name}", at.Activated)
            struct ($"{group.Name}_anr_{name}_raw", at.ActivatedRaw)

        let any = Dormancy.ratios 0.0 layers
        struct ($"{group.Name}_fau", any.ActiveUnits)
        struct ($"{group.Name}_fau_raw", any.ActiveUnitsRaw)
        struct ($"{group.Name}_constant", any.Constant)
        struct ($"{group.Name}_connected", any.Connected)
        struct ($"{group.Name}_density", group.Density)
    |]

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

        let seed = settings.Run.Seed
        let networks = new Td3Networks(engine, settings.Network, task)
        let initialisation = stream seed Purpose.Initialisation
        networks.Actor.Initialise initialisation
        networks.Critics.Initialise initialisation
        let td3 = new Td3(networks, settings.Td3)
        let batchSize = settings.Td3.BatchSize
        let work = new Td3Workspace(networks, batchSize)
        // Events and ratios are defined on 256 rows.
        let probe =
            if batchSize = 256 then
                work
            else
                new Td3Workspace(networks, 256)

        let interventions: IIntervention[] =
            match settings.Run.Method with
            | Method.Td3 -> [||]
            | Method.Ne -> [|
                NeuroplasticExpansion(networks, td3, probe, settings.Ne, settings.Td3, seed)
              |]

        let half =
            if settings.Ne.HalfBatchBelow > 0.0 then
                Some(new Td3Workspace(networks, batchSize / 2))
            else
                None

        new Agent(networks, td3, work, half, probe, interventions, seed)

    /// Gradient steps taken.
    member _.GradientStep = step

    /// The networks, for tests and tools.
    member _.Networks = networks

    /// Takes one gradient step on a batch from the window. Raises NonFiniteException when a loss is not finite; the agent must then be
    /// restored or discarded.
    member _.Update(source: ITransitionSource, window: Window) : unit =
        let t = step + 1L
        let work = batch ()
        let mutable origin = Whole

        for intervention in interventions do
            match intervention.ChooseSource(t, window) with
            | Whole -> ()
            | oldest -> origin <- oldest

        match origin with
        | Whole -> AgeOrder.sampleUniform window batchDraws (Span work.RowNumbers)
        | Oldest portion -> AgeOrder.sampleOldest portion window batchDraws (Span work.RowNumbers)

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
        | Some current -> current
        | None ->
            networks.Actor.Online.Read(Field.Weights, Span actorParameters)

            let made =
                Policy.OfBlock(networks.Actor.Layout, ReadOnlySpan actorParameters, task.MaxAction, actorUpdates)

            policy <- Some made
            made

    /// The topology events since the last call.
    member _.TakeTopologyChanges() : TopologyChanged[] =
        interventions |> Array.collect _.TakeChanges()

    /// Activated ratios, densities, losses and what the interventions report, on a batch of 256 rows drawn for this gradient step
    /// alone. Changes no state.
    member _.Measure(source: ITransitionSource, window: Window) : struct (string * float)[] =
        let draws = at seed Purpose.Metrics 0L 0L step
        AgeOrder.sampleUniform window draws (Span probe.RowNumbers)
        probe.Gather source
        let criticLoss = td3.CriticGradient(probe, draws)

        let meanValue =
            (networks.Engine.Mean(probe.Values[0]) + networks.Engine.Mean(probe.Values[1]))
            / 2.0

        let critics = ratios networks.Critics probe.Critics
        let actorLoss = td3.ActorGradient probe
        let actor = ratios networks.Actor probe.Actor

        [|
            struct ("critic_loss", criticLoss)
            struct ("actor_loss", actorLoss)
            struct ("q_mean", meanValue)
            yield! actor
            yield! critics
            for intervention in interventions do
                yield! intervention.Metrics
        |]

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
            counters
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
            (work :> IDisposable).Dispose()
            half |> Option.iter (fun half -> (half :> IDisposable).Dispose())

            if not (obj.ReferenceEquals(work, probe)) then
                (probe :> IDisposable).Dispose()

            (networks :> IDisposable).Dispose()
            networks.Engine.Dispose()
