namespace NE.Model.Agents.Plasticity

open System
open NE.Model
open NE.Model.Agents
open NE.Model.History
open NE.Model.Networks
open NE.Model.Random
open NE.Model.Replay
open NE.Model.Topology

/// Neuroplastic Expansion on TD3 (spec 2.4-2.11, 4.1, 4.2): networks start sparse, grow where the gradient asks for weights, give up
/// and redraw dormant neurons, and go back to old experience when their activity no longer moves.
[<Sealed>]
type NeuroplasticExpansion(networks: Td3Networks, td3: Td3, probe: Td3Workspace, settings: NeSettings, batchSize: int, seed: int64) =
    let mutable topology = stream seed Purpose.Topology
    let mutable reviewDraws = stream seed Purpose.Review
    let mutable signalDraws = stream seed Purpose.ReviewSignal
    // Scheduled step of an actor event that waits for the actor's next update; 0 when none does.
    let mutable pendingActor = 0L
    let changes = ResizeArray<TopologyChanged>()

    let reviewSettings: ReviewSettings = {
        Mode = settings.Review
        Window = settings.ReviewWindow.Value
        Floor = settings.ReviewThreshold
        MinStep = settings.ReviewFirstStep.Value
        Portion = settings.ReviewPortion
        Batch = batchSize
        Awaken = settings.Awaken
    }

    let mutable review = ExperienceReview(reviewSettings, ReviewState.empty)

    let rules: GrowthRules = {
        Growth = {
            Interval = settings.GrowInterval.Value
            End = settings.EndStep.Value
            Shape = settings.Growth
            Rate =
                match settings.GrowRate with
                | Auto -> GrowthRate.Auto
                | Is rate -> GrowthRate.Fixed rate
            DecayWeight = settings.DecayWeight
            FinalDensity = settings.FinalDensity
            Rest = settings.RestCapacity
        }
        Evolution = {
            Criterion = settings.Criterion
            Granularity = settings.Granularity
            Omega = settings.Omega
            ReviveRows = true
        }
        Init = settings.GrowInit
    }

    /// Draws the initial topology, zeroes what does not exist, and only then copies the targets.
    let start (group: NetworkGroup) =
        let layout = group.Layout

        let shape (stack: int) (layer: int) =
            let slot = layout.Slot(stack, layer)
            ({ Out = slot.Outputs; In = slot.Inputs }: LayerShape)

        let plan =
            match
                ErdosRenyi.allocate {
                    Stacks = Array.init layout.Stacks (fun stack -> Array.init layout.Layers (shape stack))
                    Density = settings.StartDensity
                    Allocation = settings.Allocation
                    DenseEnds = settings.DenseEnds
                    Scope = settings.DensityScope
                }
            with
            | Ok plan -> plan
            | Error problem -> invalidArg (nameof settings) $"The {group.Name} cannot start at density {settings.StartDensity}. {problem}"

        let weights = group.ReadOnline Field.Weights

        let masks =
            Array.init layout.Stacks (fun stack ->
                let layers = plan.Stacks[stack]

                Array.init layout.Layers (fun layer ->
                    let slot, density = layout.Slot(stack, layer), layers[layer]

                    let mask =
                        if density.Active = slot.WeightCount then
                            LayerMask.dense slot.Outputs slot.Inputs
                        else
                            match settings.InitialMask with
                            | InitialMask.Random -> LayerMask.random slot.Outputs slot.Inputs density.Active topology
                            | InitialMask.Magnitude ->
                                LayerMask.magnitude
                                    slot.Outputs
                                    slot.Inputs
                                    density.Active
                                    (Array.sub weights slot.Weights slot.WeightCount)

                    for i in 0 .. slot.WeightCount - 1 do
                        if not mask[i] then
                            weights[slot.Weights + i] <- 0.0f

                    mask))

        group.WriteOnline(Field.Weights, weights)
        group.WriteTarget weights
        group.SetMasks masks
        GrowingNetwork(group, rules, plan.Stacks |> Array.map (Array.map _.Elastic))

    let actor =
        if settings.Networks = CriticOnly then
            None
        else
            Some(start networks.Actor)

    let critics =
        if settings.Networks = ActorOnly then
            None
        else
            Some(start networks.Critics)

    let growing = List.choose id [ actor; critics ]

    let gather (source: ITransitionSource) window draws =
        AgeOrder.sampleUniform window draws (Span probe.RowNumbers)
        probe.Gather source

    /// What the hidden neurons do on `rows` fresh rows, in chunks.
    let measure (group: NetworkGroup) (pass: IPass) rows source window draws =
        let activity = Activity group
        let mutable left = rows

        while left > 0 do
            gather source window draws
            pass.Forward()
            activity.Add(pass, min left probe.Rows)
            left <- left - probe.Rows

        activity

    let outputs (pass: IPass) =
        Array.init pass.Stacks (fun stack ->
            let matrix = pass.Output stack
            let values = Array.zeroCreate<float32>(matrix.Rows * matrix.Columns)
            matrix.Read(Span values)
            values)

    /// max |change| / standard deviation over the event batch, the largest of the stacks (spec 1.6).
    let shift (before: float32[][]) (after: float32[][]) =
        let one (x: float32[]) (y: float32[]) =
            let mean = x |> Array.averageBy float
            let deviation = sqrt (x |> Array.averageBy (fun v -> (float v - mean) ** 2.0))

            let change =
                Seq.zip x y |> Seq.map (fun (a, b) -> abs (float b - float a)) |> Seq.max

            if change = 0.0 then 0.0 else change / max deviation 1e-12

        Array.map2 one before after |> Array.max

    /// One grow-prune event: `gradient` leaves the dense gradient of the gathered batch in the network's block.
    let event (network: GrowingNetwork) (pass: IPass) gradient (scheduled: int64) (t: int64) source window =
        let dormant =
            (measure network.Group pass settings.PruneBatch source window topology).Dormant settings.PruneThreshold

        gather source window topology
        let loss: float = gradient ()

        if not (Double.IsFinite loss) then
            raise (NonFiniteException($"The {network.Group.Name}'s loss on the event batch", t))

        let before = outputs pass
        let layers = network.Evolve(scheduled, dormant, topology)
        pass.Forward()

        changes.Add {
            Step = t
            Network = network.Group.Name
            Layers = layers
            OutputShift = shift before (outputs pass)
        }

    let signal source window =
        let activity =
            measure networks.Critics probe.Critics probe.Rows source window signalDraws

        match settings.Review, settings.ReviewSignal with
        | ReviewMode.Literal, _ -> (Dormancy.ratios 0.0 activity.Layers).Activated * float activity.Neurons
        | ReviewMode.Official, _
        | _, ReviewSignal.Fau -> (Dormancy.ratios 0.0 activity.Layers).ActiveUnits
        | _, ReviewSignal.Anr -> (Dormancy.ratios 0.1 activity.Layers).Activated

    interface IIntervention with
        member _.BeforeUpdate _ = ()

        member _.ChooseSource(t, window) =
            if review.Decide(t, window.Size, reviewDraws) then
                Oldest settings.ReviewPortion
            else
                Whole

        member _.Sampled(rows, window) = review.Record(rows, window)

        member _.AfterUpdate(t, source, window) =
            if review.IsSampleDue t then
                review.Push(t, signal source window)

            if GrowthSchedule.isDue rules.Growth t then
                critics
                |> Option.iter (fun critics ->
                    event critics probe.Critics (fun () -> td3.CriticGradient(probe, topology)) t t source window)

                if actor.IsSome then
                    pendingActor <- t

            if pendingActor > 0L && td3.IsActorDue t then
                actor
                |> Option.iter (fun actor -> event actor probe.Actor (fun () -> td3.ActorGradient probe) pendingActor t source window)

                pendingActor <- 0L

        member _.SwitchTask() =
            review <- ExperienceReview(reviewSettings, ReviewState.empty)

        member _.TakeChanges() =
            let taken = changes.ToArray()
            changes.Clear()
            taken

        member _.Metrics = [|
            struct ("review_fraction", review.RealisedFraction)
            struct ("review_epsilon", review.Epsilon)
            struct ("review_probability", review.Probability)
            struct ("sample_age", review.MeanAge)
        |]

        member _.Save(random, counters) =
            for draws in [ topology; reviewDraws; signalDraws ] do
                StateBytes.writeStream random draws

            counters.Write pendingActor
            StateBytes.writeBytes counters (ReviewState.toBytes review.State)

            for network in growing do
                for growth in Seq.concat network.Growth do
                    counters.Write growth.Initial
                    counters.Write growth.Capacity
                    counters.Write growth.Carry

            TopologyBytes.write counters changes

        member _.Restore(random, counters) =
            topology <- StateBytes.readStream random
            reviewDraws <- StateBytes.readStream random
            signalDraws <- StateBytes.readStream random
            pendingActor <- counters.ReadInt64()

            match ReviewState.ofBytes (StateBytes.readBytes counters) with
            | Ok state -> review <- ExperienceReview(reviewSettings, state)
            | Error problem -> raise (IO.InvalidDataException problem)

            for network in growing do
                network.Growth <-
                    network.Growth
                    |> Array.map (
                        Array.map (fun _ ->
                            let initial = counters.ReadInt32()
                            let capacity = counters.ReadInt32()
                            let carry = counters.ReadDouble()

                            {
                                Initial = initial
                                Capacity = capacity
                                Carry = carry
                            })
                    )

            changes.Clear()
            changes.AddRange(TopologyBytes.read counters)
