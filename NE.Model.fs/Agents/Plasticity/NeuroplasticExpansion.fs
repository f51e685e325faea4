namespace NE.Model.Agents.Plasticity

open System
open System.Buffers
open NE.Model
open NE.Model.Agents
open NE.Model.History
open NE.Model.Networks
open NE.Model.Random
open NE.Model.Replay
open NE.Model.Topology

/// Neuroplastic Expansion on TD3 (algorithm.md 2.4-2.11, 4.1, 4.2): networks start sparse, grow where the gradient asks for weights, give up
/// and redraw dormant neurons, and go back to old experience when their activity no longer moves.
[<Sealed>]
type NeuroplasticExpansion
    (networks: Td3Networks, td3: Td3, probe: Td3Workspace, settings: NeSettings, td3Settings: Td3Settings, seed: int64) =
    inherit Intervention()

    let mutable topology = stream seed Purpose.Topology
    let mutable reviewDraws = stream seed Purpose.Review
    let mutable signalDraws = stream seed Purpose.ReviewSignal
    // Scheduled step of an actor event that waits for the actor's next update; 0 when none does.
    let mutable pendingActor = 0L
    // The actor's own clock: its updates. Counted and stored only if it is used.
    let mutable actorUpdates = 0L
    // Fraction of active units of the critics when last measured; stored only if batches depend on it.
    let mutable activeUnits = 1.0
    let changes = ResizeArray<TopologyChanged>()

    let reviewSettings: ReviewSettings = {
        Mode = settings.Review
        Scale = settings.ReviewScale
        Window = settings.ReviewWindow.Value
        Floor = settings.ReviewThreshold
        MinStep = settings.ReviewFirstStep.Value
        Portion = settings.ReviewPortion
        Batch = td3Settings.BatchSize
        Awaken = settings.Rules.Awaken
    }

    let mutable review = ExperienceReview(reviewSettings, ReviewState.empty)
    let rules = GrowthRules.ofSettings settings td3Settings

    let grow (group: NetworkGroup) =
        GrowingNetwork(group, rules, StartTopology.apply settings group topology)

    let actor =
        if settings.Networks = CriticOnly then
            None
        else
            Some(grow networks.Actor)

    let critics =
        if settings.Networks = ActorOnly then
            None
        else
            Some(grow networks.Critics)

    let growing = List.choose id [ actor; critics ]
    let ownClock = (settings.Rules.ActorClock = ActorClock.Own)
    let halvesBatches = settings.Rules.HalfBatchBelow > 0.0

    let fresh = FreshRows probe

    /// One grow-prune event with its gradient in `gradient`; `pass` holds a forward pass of the batch that the output is compared on.
    let evolve (network: GrowingNetwork) (pass: IPass) dormant gradient given scheduled t =
        let before = OutputShift.outputs pass

        let layers =
            network.Evolve(
                {
                    Step = scheduled
                    Dormant = dormant
                    Gradient = gradient
                    Given = given
                },
                topology
            )

        pass.Forward()

        changes.Add {
            Step = t
            Network = network.Group.Name
            Layers = layers
            OutputShift = OutputShift.between before (OutputShift.outputs pass)
        }

    // Borrowed: an array of this size would land on the large-object heap with every event.
    let withGradient (network: GrowingNetwork) (work: float32[] -> unit) =
        let gradient = ArrayPool<float32>.Shared.Rent network.Group.Layout.Length

        try
            work gradient
        finally
            ArrayPool<float32>.Shared.Return gradient

    /// An event on batches of its own (algorithm.md 2.6): `loss` leaves the gradient of the gathered batch in the network's block.
    let event (network: GrowingNetwork) (pass: IPass) loss (scheduled: int64) (t: int64) source window =
        let group = network.Group

        let dormant =
            fresh.Dormant(group, pass, settings.PruneThreshold, settings.PruneBatch, source, window, topology)

        let oneBatch () =
            probe.GatherUniform(source, window, topology)
            let loss: float = loss ()

            if not (Double.IsFinite loss) then
                raise (NonFiniteException($"The {group.Name}'s loss on the event batch", t))

        withGradient network (fun gradient ->
            match settings.GrowGrad with
            | GrowGrad.Masked ->
                GrowthGradient.average group settings.GrowAccum oneBatch gradient
                evolve network pass dormant gradient None scheduled t
            | GrowGrad.Full ->
                let given = GrowthGradient.full group settings.GrowAccum oneBatch gradient topology
                pass.Forward()
                evolve network pass dormant gradient (Some given) scheduled t)

    /// An event on the training batch, whose gradient is in the network's block and whose activations are in the pass.
    let eventOnTraining (network: GrowingNetwork) (pass: IPass) scheduled t =
        let activity = Activity network.Group
        activity.Add(pass, (pass.Output 0).Rows)

        withGradient network (fun gradient ->
            network.Group.ReadOnlineInto(Field.Gradients, gradient)
            evolve network pass (activity.Dormant settings.PruneThreshold) gradient None scheduled t)

    let criticsDue t =
        match critics with
        | Some critics when critics.IsDue t -> ValueSome critics
        | _ -> ValueNone

    /// At every gradient step: an event of the shared clock waits for the actor's next update.
    let announce t =
        match actor with
        | Some actor when not ownClock && actor.IsDue t -> pendingActor <- t
        | _ -> ()

    /// At every actor update, once: the actor and its event's scheduled step, if it has one.
    let actorDue () =
        if ownClock then
            actorUpdates <- actorUpdates + 1L

        match actor with
        | Some actor when ownClock && actor.IsDue actorUpdates -> ValueSome struct (actor, actorUpdates)
        | Some actor when pendingActor > 0L ->
            let scheduled = pendingActor
            pendingActor <- 0L
            ValueSome struct (actor, scheduled)
        | _ -> ValueNone

    let isSampleDue t =
        review.IsSampleDue t
        || halvesBatches && ExperienceReview.IsSampleStep(reviewSettings.Window, t)

    let measureSignal t source window =
        let activity = Activity networks.Critics

        probe.GatherUniform(source, window, signalDraws)
        probe.Critics.Forward()
        activity.Add(probe.Critics, probe.Rows)
        let silent = Dormancy.ratios 0.0 activity.Layers
        activeUnits <- silent.ActiveUnits

        if settings.Review <> ReviewMode.Off then
            review.Push(
                t,
                match settings.Review, settings.ReviewSignal with
                | ReviewMode.Literal, _ -> silent.Activated * float activity.Neurons
                | ReviewMode.Official, _
                | _, ReviewSignal.Fau -> silent.ActiveUnits
                | _, ReviewSignal.Anr -> (Dormancy.ratios 0.1 activity.Layers).Activated
            )

    interface IGradientClaim with
        member _.Claims(group, pass, t) =
            if settings.Rules.EventBatch = EventBatch.Fresh then
                false
            elif obj.ReferenceEquals(group, networks.Critics) then
                announce t

                match criticsDue t with
                | ValueSome critics ->
                    eventOnTraining critics pass t t
                    true
                | ValueNone -> false
            else
                match actorDue () with
                | ValueSome struct (actor, scheduled) ->
                    eventOnTraining actor pass scheduled t
                    true
                | ValueNone -> false

    override _.HalvesBatch = halvesBatches && activeUnits < settings.Rules.HalfBatchBelow

    override _.ChooseSource(t, window) =
        if review.Decide(t, window.Size, reviewDraws) then
            Oldest settings.ReviewPortion
        else
            Whole

    override _.Sampled(rows, window) = review.Record(rows, window)

    override _.AfterUpdate(t, source, window) =
        if isSampleDue t then
            measureSignal t source window

        if settings.Rules.EventBatch = EventBatch.Fresh then
            match criticsDue t with
            | ValueSome critics -> event critics probe.Critics (fun () -> td3.CriticGradient(probe, topology)) t t source window
            | ValueNone -> ()

            announce t

            if td3.IsActorDue t then
                match actorDue () with
                | ValueSome struct (actor, scheduled) ->
                    event actor probe.Actor (fun () -> td3.ActorGradient probe) scheduled t source window
                | ValueNone -> ()

    override _.SwitchTask() =
        // The signal of another task says nothing about this one; what was counted stays counted.
        review <-
            ExperienceReview(
                reviewSettings,
                {
                    review.State with
                        Steps = [||]
                        Values = [||]
                        LargestSlope = 0.0
                }
            )

    override _.TakeChanges() =
        let taken = changes.ToArray()
        changes.Clear()
        taken

    override _.Metrics(t, window) = [|
        struct ("review_fraction", review.RealisedFraction)
        struct ("review_epsilon", review.Epsilon)
        struct ("review_probability", review.Probability(t, window.Size))
        struct ("sample_age", review.MeanAge)
    |]

    override _.Save(random, counters) =
        for draws in [ topology; reviewDraws; signalDraws ] do
            StateBytes.writeStream random draws

        counters.Write pendingActor
        StateBytes.writeBytes counters (ReviewState.toBytes review.State)

        GrowthBytes.writeGrowth counters growing

        if ownClock then
            counters.Write actorUpdates

        if halvesBatches then
            counters.Write activeUnits

        if rules.RewireShare > 0.0 then
            GrowthBytes.writePhases counters growing

        TopologyBytes.write counters changes

    override _.Restore(random, counters) =
        topology <- StateBytes.readStream random
        reviewDraws <- StateBytes.readStream random
        signalDraws <- StateBytes.readStream random
        pendingActor <- counters.ReadInt64()

        match ReviewState.ofBytes (StateBytes.readBytes counters) with
        | Ok state -> review <- ExperienceReview(reviewSettings, state)
        | Error problem -> raise (IO.InvalidDataException problem)

        GrowthBytes.readGrowth counters growing

        if ownClock then
            actorUpdates <- counters.ReadInt64()

        if halvesBatches then
            activeUnits <- counters.ReadDouble()

        if rules.RewireShare > 0.0 then
            GrowthBytes.readPhases counters growing

        changes.Clear()
        changes.AddRange(TopologyBytes.read counters)
