namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys
open NE.Model.Replay
open NE.Model.Topology

/// Which networks Neuroplastic Expansion changes.
type NeNetworks =
    | Both
    | ActorOnly
    | CriticOnly

/// Which weights of a sparse layer start active.
[<RequireQualifiedAccess>]
type InitialMask =
    /// A uniformly random subset.
    | Random
    /// Those of largest magnitude (official code).
    | Magnitude

/// The weights at which the gradient that decides on growth is taken.
[<RequireQualifiedAccess>]
type GrowGrad =
    /// The network's own: inactive weights are 0.
    | Masked
    /// Inactive weights have fresh random values for that one pass, and grown ones keep them.
    | Full

/// The batch on which a topology event decides.
[<RequireQualifiedAccess>]
type EventBatch =
    /// Fresh ones; the optimiser's step is taken as ever.
    | Fresh
    /// The training batch; the optimiser makes no step of that network (official code).
    | Training

/// What the actor's growth schedule counts.
[<RequireQualifiedAccess>]
type ActorClock =
    /// Gradient steps, as the critics' does.
    | Shared
    /// The actor's updates, with the critics' last step (official code).
    | Own

/// The ratio of the critics that experience review watches.
[<RequireQualifiedAccess>]
type ReviewSignal =
    /// Fraction of active units.
    | Fau
    /// Activated neuron ratio at 0.1.
    | Anr

/// Neuroplastic Expansion (algorithm.md, keys).
type NeSettings = {
    Networks: NeNetworks
    StartDensity: Derived<float>
    FinalDensity: float
    Allocation: Allocation
    DenseEnds: DenseEnds
    DensityScope: DensityScope
    InitialMask: InitialMask
    GrowInterval: Derived<int64>
    /// Fraction of the initial rest capacity grown at an event; Auto is the closed loop of algorithm.md 2.5.
    GrowRate: Derived<float>
    /// The room that growRate is a fraction of.
    RestCapacity: RestCapacity
    DecayWeight: float
    EndStep: Derived<int64>
    Growth: GrowthShape
    Criterion: GrowCriterion
    GrowInit: GrowInit
    Omega: float
    Granularity: Granularity
    /// Score at or below which a neuron is dormant for pruning.
    PruneThreshold: float
    PruneBatch: int
    Review: ReviewMode
    ReviewThreshold: float
    /// How the change of the review's signal becomes a threshold.
    ReviewScale: ReviewScale
    ReviewWindow: Derived<int64>
    ReviewFirstStep: Derived<int64>
    ReviewPortion: float
    ReviewSignal: ReviewSignal
    Awaken: float
    GrowGrad: GrowGrad
    /// Batches whose gradients are averaged.
    GrowAccum: int
    GrowUnit: GrowUnit
    /// Whether neurons without input are given some before anything else grows.
    ReviveRows: bool
    /// What a given growRate means when the shape is not the cosine.
    RateScale: RateScale
    /// Whether fractions of a weight are carried to the next event.
    GrowCarry: bool
    /// What finalDensity is a density of.
    DensityCap: DensityCap
    EventBatch: EventBatch
    ActorClock: ActorClock
    /// Share of a layer that an event exchanges after growth has ended; 0 for none.
    RewireShare: float
    /// Fraction of active units below which batches are halved; 0 for never.
    HalfBatchBelow: float
}

[<RequireQualifiedAccess>]
module internal NeSettings =

    let private key name = Keys.key<RunFacts, NeSettings, _> name

    let private reviewsDecayed (run: RunFacts) =
        run.Method.Has Technique.Ne && run.Method.Has Technique.SampleWeightDecay

    let section =
        Section.ofTechniques [ Technique.Ne; Technique.NaiveGrowth ] [
            key "ne.networks" Paper (choice [ "both", Both; "actor", ActorOnly; "critic", CriticOnly ]) Both _.Networks (fun v s -> {
                s with
                    Networks = v
            })
            |> isFixed
            |> says "Networks with an evolving topology; the other stays dense."

            key "ne.startDensity" Paper (derived positiveFraction) Auto _.StartDensity (fun v s -> { s with StartDensity = v })
            |> isFixed
            |> inUnit "fraction of weights"
            |> auto "0.25, in a cycle 0.15" (fun run _ -> if run.Length.IsCycle then 0.15 else 0.25)
            |> says "Density of the networks at the start; auto: 0.25, in a cycle 0.15."

            key "ne.finalDensity" Paper positiveFraction 1.0 _.FinalDensity (fun v s -> { s with FinalDensity = v })
            |> isFixed
            |> inUnit "fraction of weights"
            |> check (fun _ ne ->
                if ne.FinalDensity < ne.StartDensity.Value then
                    Some $"below ne.startDensity = {showReal ne.StartDensity.Value}; networks only grow"
                else
                    None)
            |> says "Density that growth stops at, per layer."

            key
                "ne.allocation"
                Paper
                (choice [ "er", Allocation.ErdosRenyi; "uniform", Allocation.Uniform ])
                Allocation.ErdosRenyi
                _.Allocation
                (fun v s -> { s with Allocation = v })
            |> isFixed
            |> says "How the start density is shared among layers: Erdos-Renyi or uniform."

            key
                "ne.denseEnds"
                Paper
                (choice [ "auto", DenseEnds.Auto; "forced", DenseEnds.Forced; "off", DenseEnds.Off ])
                DenseEnds.Auto
                _.DenseEnds
                (fun v s -> { s with DenseEnds = v })
            |> isFixed
            |> check (fun run ne ->
                if
                    run.Length.IsCycle
                    && run.Method.Has Technique.Ne
                    && ne.DenseEnds = DenseEnds.Forced
                then
                    Some "in a cycle the first layer belongs to the body that grows, and the heads are dense anyway; leave it at auto"
                else
                    None)
            |> says "First and last layer dense; auto falls back to the last alone where the density does not allow both."

            key
                "ne.densityScope"
                Ours
                (choice [
                    "network", DensityScope.Network
                    "elastic", DensityScope.Elastic
                    "gains", DensityScope.NetworkAndGains
                ])
                DensityScope.Network
                _.DensityScope
                (fun v s -> { s with DensityScope = v })
            |> isFixed
            |> says
                "What the start density counts: all weights of the network, those of layers whose mask may change, or (official code) all and the gains of layer normalisation."

            key
                "ne.initialMask"
                Paper
                (choice [ "random", InitialMask.Random; "magnitude", InitialMask.Magnitude ])
                InitialMask.Random
                _.InitialMask
                (fun v s -> { s with InitialMask = v })
            |> isFixed
            |> says "Which weights start active: a uniformly random subset, or the largest."

            key "ne.growInterval" PaperUnstated (derived (steps 1L)) Auto _.GrowInterval (fun v s -> { s with GrowInterval = v })
            |> inUnit "gradient steps"
            |> auto "steps/300" (fun run _ -> max 1L (run.Length.Steps / 300L))
            |> says "Gradient steps between grow-prune events; auto: steps/300 (10,000 at 3M)."

            key "ne.growRate" PaperUnstated (derived positiveFraction) Auto _.GrowRate (fun v s -> { s with GrowRate = v })
            |> inUnit "fraction of the initial room"
            |> says "Share of the initially inactive weights grown at one event; auto: closed loop, so that density follows the schedule."

            key
                "ne.restCapacity"
                OfficialCode
                (choice [
                    "initial", RestCapacity.Initial
                    "current", RestCapacity.Current
                    "sparsity", RestCapacity.Sparsity
                ])
                RestCapacity.Initial
                _.RestCapacity
                (fun v s -> { s with RestCapacity = v })
            |> says
                "The room that a given growRate is a fraction of: that at the start, that left now, or (official code) 1 - startDensity less what is active at the start."

            key "ne.decayWeight" ThirdParty positive 1.0 _.DecayWeight (fun v s -> { s with DecayWeight = v })
            |> says "Factor alpha of the schedule; below 1 the automatic growth ends at this share of the room."

            key "ne.endStep" Paper (derived (gradientSteps 1L)) Auto _.EndStep (fun v s -> { s with EndStep = v })
            |> inUnit "gradient steps"
            |> auto "gradient steps of the run" (fun run _ -> max 1L run.GradientSteps)
            |> says "Gradient step T_end at which growth ends; auto: all gradient steps of the run."

            key
                "ne.growth"
                Paper
                (choice [
                    "cosine", GrowthShape.Cosine
                    "uniform", GrowthShape.Uniform
                    "warm", GrowthShape.Warm
                ])
                GrowthShape.Cosine
                _.Growth
                (fun v s -> { s with Growth = v })
            |> says "Shape of the growth schedule."

            key
                "ne.criterion"
                Paper
                (choice [ "gradient", GrowCriterion.Gradient; "random", GrowCriterion.Random ])
                GrowCriterion.Gradient
                _.Criterion
                (fun v s -> { s with Criterion = v })
            |> says "Which inactive weights grow: those with the largest gradient, or random ones."

            key
                "ne.growInit"
                OfficialCode
                (choice [ "random", GrowInit.Random; "zero", GrowInit.Zero ])
                GrowInit.Zero
                _.GrowInit
                (fun v s -> { s with GrowInit = v })
            |> inOldRuns GrowInit.Random
            |> says "Value of a grown weight: a fresh draw of the layer's initialisation, or zero."

            key "ne.omega" OfficialCode fraction 0.4 _.Omega (fun v s -> { s with Omega = v })
            |> inUnit "fraction of the grown weights"
            |> says "Upper bound of pruning at one event, per layer; 0 switches pruning off."

            key
                "ne.granularity"
                Ours
                (choice [
                    "neuron", Granularity.Neuron
                    "weight", Granularity.Weight
                    "magnitude", Granularity.Magnitude
                ])
                Granularity.Neuron
                _.Granularity
                (fun v s -> { s with Granularity = v })
            |> says "What pruning takes: dormant neurons whole, single weights of dormant neurons, or (official code) the smallest weights."

            key "ne.pruneThreshold" Paper notNegative 0.0 _.PruneThreshold (fun v s -> { s with PruneThreshold = v })
            |> inUnit "mean activity of the layer"
            |> says "A neuron whose activation score is at or below this is dormant for pruning; 0: only neurons that are silent."

            key "ne.pruneBatch" Ours (int32Of (wholeNumber 1L 1_000_000L)) 4096 _.PruneBatch (fun v s -> { s with PruneBatch = v })
            |> inUnit "transitions"
            |> says "Replay samples on which a neuron must be silent to count as dormant."

            key
                "ne.review"
                Paper
                (choice [
                    "slope", ReviewMode.Slope
                    "off", ReviewMode.Off
                    "literal", ReviewMode.Literal
                    "official", ReviewMode.Official
                ])
                ReviewMode.Slope
                _.Review
                (fun v s -> { s with Review = v })
            // With sample weight decay the age of a transition counts in one way alone.
            |> becomes (fun run ne ->
                if reviewsDecayed run && ne.Review = ReviewMode.Slope then
                    Some($"run.method has {Method.nameOf Technique.SampleWeightDecay}", ReviewMode.Off)
                else
                    None)
            |> refusedIf
                (fun run ne -> reviewsDecayed run && ne.Review <> ReviewMode.Off)
                "swd draws new transitions more often, a review the oldest ones: a batch cannot be both; use off, or leave swd out"
            |> says "Experience review: train on the oldest part of the replay buffer when the activated ratio stops moving."

            key "ne.reviewThreshold" Ours fraction 0.75 _.ReviewThreshold (fun v s -> { s with ReviewThreshold = v })
            |> says "Lowest threshold eps0: at most 1 - eps0 of the batches are reviewed."

            key
                "ne.reviewScale"
                Ours
                (choice [ "guarded", ReviewScale.Guarded; "start", ReviewScale.FromStart ])
                ReviewScale.Guarded
                _.ReviewScale
                (fun v s -> { s with ReviewScale = v })
            |> isFixed
            |> inOldRuns ReviewScale.FromStart
            |> says
                "guarded: eps is relative to the largest change of medians since reviewFirstStep, and mapped onto [eps0, 1]; start, as in older versions: to that of means since the first full window, and cut at eps0, where it then mostly is."

            key "ne.reviewWindow" PaperUnstated (derived (gradientSteps 40L)) Auto _.ReviewWindow (fun v s -> { s with ReviewWindow = v })
            |> inUnit "gradient steps"
            |> auto "0.05 of endStep, at least 40" (fun _ ne -> max 40L (ne.EndStep.Value / 20L))
            |> says "Window over which the slope of the activated ratio is taken; auto: 0.05 of endStep, at least 40."

            key "ne.reviewFirstStep" Ours (derived (gradientSteps 0L)) Auto _.ReviewFirstStep (fun v s -> { s with ReviewFirstStep = v })
            |> inUnit "gradient steps"
            |> auto "0.1 of endStep" (fun _ ne -> ne.EndStep.Value / 10L)
            |> says "No review before this gradient step; auto: 0.1 of endStep."

            key "ne.reviewPortion" Paper positiveFraction 0.25 _.ReviewPortion (fun v s -> { s with ReviewPortion = v })
            |> inUnit "fraction of the buffer"
            |> says "Oldest part of the buffer that review samples from."

            key
                "ne.reviewSignal"
                OfficialCode
                (choice [ "fau", ReviewSignal.Fau; "anr", ReviewSignal.Anr ])
                ReviewSignal.Fau
                _.ReviewSignal
                (fun v s -> { s with ReviewSignal = v })
            |> says "The critics' ratio that review watches: fraction of active units, or activated neuron ratio at 0.1."

            key "ne.awaken" OfficialCode fraction 0.4 _.Awaken (fun v s -> { s with Awaken = v })
            |> says "Fraction of active units below which review=official may review."

            key "ne.growGrad" Paper (choice [ "masked", GrowGrad.Masked; "full", GrowGrad.Full ]) GrowGrad.Masked _.GrowGrad (fun v s -> {
                s with
                    GrowGrad = v
            })
            |> refusedIf
                (fun _ ne -> ne.GrowGrad = GrowGrad.Full && ne.GrowInit <> GrowInit.Random)
                "lets grown weights keep the random values of its pass; it needs ne.growInit = random"
            |> refusedIf
                (fun _ ne -> ne.GrowGrad = GrowGrad.Full && ne.EventBatch = EventBatch.Training)
                "takes a pass of its own; it needs ne.eventBatch = fresh"
            |> says
                "Where the gradient for growth is taken: at the masked weights, or with fresh random values in the inactive ones, which grown weights keep."

            key "ne.growAccum" Ours (int32Of (wholeNumber 1L 1_000L)) 1 _.GrowAccum (fun v s -> { s with GrowAccum = v })
            |> inUnit "batches"
            |> refusedIf
                (fun _ ne -> ne.GrowAccum > 1 && ne.EventBatch = EventBatch.Training)
                "averages over fresh batches; with ne.eventBatch = training it must be 1"
            |> says "Batches of 256 over which the gradient for growth is averaged."

            key "ne.growUnit" Ours (choice [ "weight", GrowUnit.Weight; "neuron", GrowUnit.Neuron ]) GrowUnit.Weight _.GrowUnit (fun v s -> {
                s with
                    GrowUnit = v
            })
            |> check (fun run ne ->
                if
                    ne.GrowUnit = GrowUnit.Neuron
                    && ne.Criterion <> GrowCriterion.Random
                    && not (run.Method.Has Technique.NaiveGrowth)
                then
                    Some "is a unit of random growth; it needs ne.criterion = random"
                else
                    None)
            |> says "What criterion=random draws: single weights, or neurons that get all their inputs (the paper's text of random growth)."

            key "ne.reviveRows" Ours switch true _.ReviveRows (fun v s -> { s with ReviveRows = v })
            |> says "Whether neurons without any input are given up to 8 random ones before anything else grows."

            key "ne.rateScale" Ours (choice [ "total", RateScale.Total; "event", RateScale.Event ]) RateScale.Total _.RateScale (fun v s -> {
                s with
                    RateScale = v
            })
            |> says "What a given growRate means: the same total growth in every shape, or (official code) the growth of one event."

            key "ne.growCarry" Ours switch true _.GrowCarry (fun v s -> { s with GrowCarry = v })
            |> says "Whether a given growRate carries fractions of a weight to the next event; off (official code): they are dropped."

            key
                "ne.densityCap"
                Ours
                (choice [ "layer", DensityCap.Layer; "network", DensityCap.Network ])
                DensityCap.Layer
                _.DensityCap
                (fun v s -> { s with DensityCap = v })
            |> isFixed
            |> says
                "What stops growing at finalDensity: every layer at its own, or (official code) the network once it is that dense as a whole."

            key
                "ne.eventBatch"
                Paper
                (choice [ "fresh", EventBatch.Fresh; "training", EventBatch.Training ])
                EventBatch.Fresh
                _.EventBatch
                (fun v s -> { s with EventBatch = v })
            |> isFixed
            |> says
                "Batch on which an event decides: fresh ones, or (official code) the training batch, whose optimiser step is then skipped."

            key
                "ne.actorClock"
                Paper
                (choice [ "shared", ActorClock.Shared; "own", ActorClock.Own ])
                ActorClock.Shared
                _.ActorClock
                (fun v s -> { s with ActorClock = v })
            |> isFixed
            |> says "What the actor's schedule counts: gradient steps, or (official code) its own updates, with the critics' endStep."

            key "ne.rewireShare" Ours openFraction 0.0 _.RewireShare (fun v s -> { s with RewireShare = v })
            |> isFixed
            |> inUnit "fraction of the active weights"
            |> says
                "Once growth has ended, events exchange this share, times a cosine from then on: smallest weights for those of largest gradient; 0: no such phase, 0.2 in the official code."

            key "ne.halfBatchBelow" Ours fraction 0.0 _.HalfBatchBelow (fun v s -> { s with HalfBatchBelow = v })
            |> isFixed
            |> inUnit "fraction of active units"
            |> refusedIf
                (fun run ne -> ne.HalfBatchBelow > 0.0 && run.Method.Has Technique.ContinualBackprop)
                "continual-backprop judges units by the training batch, which must then be of one size; leave it at 0"
            |> refusedIf (fun run ne -> ne.HalfBatchBelow > 0.0 && run.BatchSize < 2) "a batch of one transition cannot be halved"
            |> says
                "Batches are half as large while the critics' fraction of active units is below this; 0: never, 0.36 in the official code."
        ]
