namespace NE.Model.Agents.Plasticity

open System
open System.Buffers
open NE.Model
open NE.Model.Agents
open NE.Model.History
open NE.Model.Networks
open NE.Model.Replay
open NE.Model.Topology

/// Neuroplastic Expansion (docs/algorithm.md 2.4-2.11): networks start sparse, grow where the gradient asks for weights, give up
/// and redraw dormant neurons, and go back to old experience when their activity no longer moves.
[<Sealed>]
type NeuroplasticExpansion(trainee: Trainee, settings: NeSettings, seed: int64) =
    inherit Intervention()

    let mutable topology = Draws.Of(seed, Purpose.Topology)
    let mutable reviewDraws = Draws.Of(seed, Purpose.Review)
    let mutable signalDraws = Draws.Of(seed, Purpose.ReviewSignal)
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
        Batch = trainee.BatchSize
        Awaken = settings.Rules.Value.Awaken
    }

    let mutable review = ExperienceReview(reviewSettings, ReviewState.empty)
    let rules = GrowthRules.ofSettings settings trainee.Forgetting

    let grows (group: TraineeGroup) =
        NeuroplasticExpansion.Grows(settings, group.Role)

    // What grows, and the group that it is.
    let growing = [
        for group in trainee.Groups do
            if grows group then
                struct (group, GrowingNetwork(group.Networks, rules, StartTopology.apply settings group.Networks topology))
    ]

    let networks = growing |> List.map (fun struct (_, network) -> network)

    let inUpdateOrder = [
        for group in trainee.UpdateOrder do
            for struct (other, network) in growing do
                if obj.ReferenceEquals(other, group) then
                    struct (group, network)
    ]

    let growsActor =
        trainee.Groups
        |> List.exists (fun group -> grows group && group.Role = Role.Actor)

    let ownClock = (settings.Rules.Value.ActorClock = ActorClock.Own)
    let halvesBatches = settings.Rules.Value.HalfBatchBelow > 0.0

    let fresh = FreshRows trainee.Probe

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

    /// An event on batches of its own (docs/algorithm.md 2.6).
    let event (group: TraineeGroup) (network: GrowingNetwork) (scheduled: int64) (t: int64) source window =
        let pass = group.Probe()

        let dormant =
            fresh.Dormant(group, settings.PruneThreshold, settings.PruneBatch.Value, source, window, topology)

        let oneBatch () =
            trainee.Probe.GatherUniform(source, window, topology)
            NonFiniteException.Require($"The {group.Networks.Name}'s loss on the event batch", group.Gradient topology, t)

        withGradient network (fun gradient ->
            match settings.GrowGrad with
            | GrowGrad.Masked ->
                GrowthGradient.average group.Networks settings.GrowAccum oneBatch gradient
                evolve network pass dormant gradient None scheduled t
            | GrowGrad.Full ->
                let given =
                    GrowthGradient.full group.Networks settings.GrowAccum oneBatch gradient topology

                pass.Forward()
                evolve network pass dormant gradient (Some given) scheduled t)

    /// An event on the training batch, whose gradient is in the group's block and whose activations are in its pass.
    let eventOnTraining (group: TraineeGroup) (network: GrowingNetwork) scheduled t =
        let pass = group.Training()
        let activity = Activity network.Group
        activity.Add(pass, (pass.Output 0).Rows)

        withGradient network (fun gradient ->
            network.Group.ReadOnlineInto(Field.Gradients, gradient)
            evolve network pass (activity.Dormant settings.PruneThreshold) gradient None scheduled t)

    /// Before every gradient step: the actor's own clock counts its updates; an event of the shared clock waits for the next one.
    let announce t =
        if ownClock then
            if trainee.Actor.IsDue t then
                actorUpdates <- actorUpdates + 1L
        elif growsActor && rules.IsDue t then
            pendingActor <- t

    /// At an update of a group, once: the scheduled step of its event, if it has one.
    let due (group: TraineeGroup) t =
        match group.Role with
        | Role.Critic when rules.IsDue t -> ValueSome t
        | Role.Actor when ownClock && rules.IsDue actorUpdates -> ValueSome actorUpdates
        | Role.Actor when pendingActor > 0L ->
            let scheduled = pendingActor
            pendingActor <- 0L
            ValueSome scheduled
        | Role.Actor
        | Role.Critic -> ValueNone

    let isSampleDue t =
        review.IsSampleDue t
        || halvesBatches && ExperienceReview.IsSampleStep(reviewSettings.Window, t)

    let measureSignal t source window =
        let critics = trainee.Critics
        let pass = critics.Probe()
        let activity = Activity critics.Networks

        trainee.Probe.GatherUniform(source, window, signalDraws)
        pass.Forward()
        activity.Add(pass, trainee.Probe.Rows)
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

    let reviewCodec: Codec = {
        Write = fun writer -> StateBytes.writeBytes writer (ReviewState.toBytes review.State)
        Read =
            fun reader ->
                match ReviewState.ofBytes (StateBytes.readBytes reader) with
                | Ok state -> review <- ExperienceReview(reviewSettings, state)
                | Error problem -> raise (IO.InvalidDataException problem)
    }

    /// Whether the network of a role grows.
    static member Grows(settings: NeSettings, role: Role) =
        match settings.Networks with
        | Both -> true
        | ActorOnly -> role = Role.Actor
        | CriticOnly -> role = Role.Critic

    interface IGradientClaim with
        member _.Groups =
            if settings.Rules.Value.EventBatch = EventBatch.Training then
                networks |> List.map _.Group
            else
                []

        member _.Claims(group, t) =
            let mutable taken = false

            for struct (other, network) in growing do
                if obj.ReferenceEquals(other, group) then
                    match due group t with
                    | ValueSome scheduled ->
                        eventOnTraining group network scheduled t
                        taken <- true
                    | ValueNone -> ()

            taken

    override _.BeforeUpdate t = announce t

    override _.HalvesBatch =
        halvesBatches && activeUnits < settings.Rules.Value.HalfBatchBelow

    override _.ChooseSource(t, window) =
        if review.Decide(t, window.Size, reviewDraws) then
            Oldest settings.ReviewPortion
        else
            Whole

    override _.Sampled(rows, window) = review.Record(rows, window)

    override _.AfterUpdate(t, source, window) =
        if isSampleDue t then
            measureSignal t source window

        if settings.Rules.Value.EventBatch = EventBatch.Fresh then
            for struct (group, network) in inUpdateOrder do
                if group.IsDue t then
                    match due group t with
                    | ValueSome scheduled -> event group network scheduled t source window
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

    override _.State = {
        Random = [
            Codec.draws (fun () -> topology) (fun stored -> topology <- stored)
            Codec.draws (fun () -> reviewDraws) (fun stored -> reviewDraws <- stored)
            Codec.draws (fun () -> signalDraws) (fun stored -> signalDraws <- stored)
        ]
        Counters = [
            Codec.int64 (fun () -> pendingActor) (fun stored -> pendingActor <- stored)
            reviewCodec
            GrowthBytes.growth networks

            if ownClock then
                Codec.int64 (fun () -> actorUpdates) (fun stored -> actorUpdates <- stored)

            if halvesBatches then
                Codec.float (fun () -> activeUnits) (fun stored -> activeUnits <- stored)

            if rules.RewireShare > 0.0 then
                GrowthBytes.phases networks

            TopologyBytes.codec changes
        ]
    }
