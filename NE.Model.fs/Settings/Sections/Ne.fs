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

/// The weights at which the gradient that decides on growth is taken.
[<RequireQualifiedAccess>]
type GrowGrad =
    /// The network's own: inactive weights are 0.
    | Masked
    /// Inactive weights have fresh random values for that one pass, and grown ones keep them.
    | Full

/// The ratio of the critics that experience review watches.
[<RequireQualifiedAccess>]
type ReviewSignal =
    /// Fraction of active units.
    | Fau
    /// Activated neuron ratio at 0.1.
    | Anr

/// Neuroplastic Expansion (docs/algorithm.md, keys).
type NeSettings = {
    Networks: NeNetworks
    StartDensity: Derived<float>
    FinalDensity: float
    Allocation: Allocation
    DenseEnds: DenseEnds
    GrowInterval: Derived<int64>
    /// Fraction of the initial rest capacity grown at an event; Auto is the closed loop of docs/algorithm.md 2.5.
    GrowRate: Derived<float>
    EndStep: Derived<int64>
    Growth: GrowthShape
    Criterion: GrowCriterion
    GrowInit: GrowInit
    Omega: float
    Granularity: Granularity
    /// Score at or below which a neuron is dormant for pruning.
    PruneThreshold: float
    PruneBatch: Derived<int>
    Review: ReviewMode
    ReviewThreshold: float
    /// How the change of the review's signal becomes a threshold.
    ReviewScale: ReviewScale
    ReviewWindow: Derived<int64>
    ReviewFirstStep: Derived<int64>
    ReviewPortion: float
    ReviewSignal: ReviewSignal
    GrowGrad: GrowGrad
    /// Batches whose gradients are averaged.
    GrowAccum: int
    GrowUnit: GrowUnit
    Rules: Derived<NeRules>
}

[<RequireQualifiedAccess>]
module internal NeSettings =

    let private key name = Keys.key<RunFacts, NeSettings, _> name

    let private networks =
        choice [ "both", Both; "actor", ActorOnly; "critic", CriticOnly ]

    let private gradients = choice [ "masked", GrowGrad.Masked; "full", GrowGrad.Full ]

    let private units = choice [ "weight", GrowUnit.Weight; "neuron", GrowUnit.Neuron ]

    let private allocations =
        choice [ "er", Allocation.ErdosRenyi; "uniform", Allocation.Uniform ]

    let private ends =
        choice [ "auto", DenseEnds.Auto; "forced", DenseEnds.Forced; "off", DenseEnds.Off ]

    let private shapes =
        choice [
            "cosine", GrowthShape.Cosine
            "uniform", GrowthShape.Uniform
            "warm", GrowthShape.Warm
        ]

    let private criteria =
        choice [ "gradient", GrowCriterion.Gradient; "random", GrowCriterion.Random ]

    let private inits = choice [ "random", GrowInit.Random; "zero", GrowInit.Zero ]

    let private granularities =
        choice [
            "neuron", Granularity.Neuron
            "weight", Granularity.Weight
            "magnitude", Granularity.Magnitude
        ]

    let private reviews =
        choice [
            "slope", ReviewMode.Slope
            "off", ReviewMode.Off
            "literal", ReviewMode.Literal
            "official", ReviewMode.Official
        ]

    let private reviewScales =
        choice [ "guarded", ReviewScale.Guarded; "start", ReviewScale.FromStart ]

    let private signals = choice [ "fau", ReviewSignal.Fau; "anr", ReviewSignal.Anr ]

    let private drawsByAge (run: RunFacts) =
        run.Method.Has Technique.Ne && run.Method.Has Technique.SampleWeightDecay

    let section =
        Section.ofTechniques [ Technique.Ne; Technique.NaiveGrowth ] [
            key "ne.networks" Paper networks Both _.Networks (fun v s -> { s with Networks = v })
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

            key "ne.allocation" Paper allocations Allocation.ErdosRenyi _.Allocation (fun v s -> { s with Allocation = v })
            |> isFixed
            |> says "How the start density is shared among layers: Erdos-Renyi or uniform."

            key "ne.denseEnds" Paper ends DenseEnds.Auto _.DenseEnds (fun v s -> { s with DenseEnds = v })
            |> isFixed
            |> refusedIf
                (fun run ne ->
                    run.Length.IsCycle
                    && run.Method.Has Technique.Ne
                    && ne.DenseEnds = DenseEnds.Forced)
                "in a cycle the first layer belongs to the body that grows, and the heads are dense anyway; leave it at auto"
            |> says "First and last layer dense; auto falls back to the last alone where the density does not allow both."

            key "ne.growInterval" PaperUnstated (derived (gradientSteps 1L)) Auto _.GrowInterval (fun v s -> { s with GrowInterval = v })
            |> inUnit "gradient steps"
            |> auto "steps x updatesPerStep / 300" (fun run _ -> max 1L (ReplayRatio.updatesOf run.UpdatesPerStep run.Length.Steps / 300L))
            |> says
                "Gradient steps between grow-prune events; auto: steps x updatesPerStep / 300 (10,000 at 3M), so that a run has about 300 of them."

            key "ne.growRate" PaperUnstated (derived positiveFraction) Auto _.GrowRate (fun v s -> { s with GrowRate = v })
            |> inUnit "fraction of the initial room"
            |> says "Share of the initially inactive weights grown at one event; auto: closed loop, so that density follows the schedule."

            key "ne.endStep" Paper (derived (gradientSteps 1L)) Auto _.EndStep (fun v s -> { s with EndStep = v })
            |> inUnit "gradient steps"
            |> auto "gradient steps of the run" (fun run _ -> max 1L run.GradientSteps)
            |> says "Gradient step T_end at which growth ends; auto: all gradient steps of the run."

            key "ne.growth" Paper shapes GrowthShape.Cosine _.Growth (fun v s -> { s with Growth = v })
            |> says "Shape of the growth schedule."

            key "ne.criterion" Paper criteria GrowCriterion.Gradient _.Criterion (fun v s -> { s with Criterion = v })
            |> says "Which inactive weights grow: those with the largest gradient, or random ones."

            key "ne.growInit" OfficialCode inits GrowInit.Zero _.GrowInit (fun v s -> { s with GrowInit = v })
            |> inOldRuns GrowInit.Random
            |> says "Value of a grown weight: a fresh draw of the layer's initialisation, or zero."

            key "ne.omega" OfficialCode fraction 0.4 _.Omega (fun v s -> { s with Omega = v })
            |> inUnit "fraction of the grown weights"
            |> says "Upper bound of pruning at one event, per layer; 0 switches pruning off."

            key "ne.granularity" Ours granularities Granularity.Neuron _.Granularity (fun v s -> { s with Granularity = v })
            |> says "What pruning takes: dormant neurons whole, single weights of dormant neurons, or (official code) the smallest weights."

            key "ne.pruneThreshold" Paper notNegative 0.0 _.PruneThreshold (fun v s -> { s with PruneThreshold = v })
            |> inUnit "mean activity of the layer"
            |> says "A neuron whose activation score is at or below this is dormant for pruning; 0: only neurons that are silent."

            key "ne.pruneBatch" Ours (derived (int32Of (wholeNumber 1L 1_000_000L))) Auto _.PruneBatch (fun v s -> {
                s with
                    PruneBatch = v
            })
            |> inOldRuns (Is 4096)
            |> inUnit "transitions"
            // Every picture goes through the convolutions first, which is nearly all of what an event costs.
            |> auto "4,096; from pictures 1,024" (fun run _ -> if run.Learner.SeesPixels then 1024 else 4096)
            |> says "Replay samples on which a neuron must be silent to count as dormant; auto: 4,096, from pictures 1,024."

            key "ne.review" Paper reviews ReviewMode.Slope _.Review (fun v s -> { s with Review = v })
            // With sample weight decay the age of a transition counts in one way alone.
            |> becomes (fun run ne ->
                if drawsByAge run && ne.Review = ReviewMode.Slope then
                    Some($"run.method has {Method.nameOf Technique.SampleWeightDecay}", ReviewMode.Off)
                else
                    None)
            |> refusedIf
                (fun run ne -> drawsByAge run && ne.Review <> ReviewMode.Off)
                "swd draws new transitions more often, a review the oldest ones: a batch cannot be both; use off, or leave swd out"
            |> says "Experience review: train on the oldest part of the replay buffer when the activated ratio stops moving."

            key "ne.reviewThreshold" Ours fraction 0.75 _.ReviewThreshold (fun v s -> { s with ReviewThreshold = v })
            |> says "Lowest threshold eps0: at most 1 - eps0 of the batches are reviewed."

            key "ne.reviewScale" Ours reviewScales ReviewScale.Guarded _.ReviewScale (fun v s -> { s with ReviewScale = v })
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

            key "ne.reviewSignal" OfficialCode signals ReviewSignal.Fau _.ReviewSignal (fun v s -> { s with ReviewSignal = v })
            |> says "The critics' ratio that review watches: fraction of active units, or activated neuron ratio at 0.1."

            key "ne.growGrad" Paper gradients GrowGrad.Masked _.GrowGrad (fun v s -> { s with GrowGrad = v })
            |> refusedIf
                (fun _ ne -> ne.GrowGrad = GrowGrad.Full && ne.GrowInit <> GrowInit.Random)
                "lets grown weights keep the random values of its pass; it needs ne.growInit = random"
            |> refusedIf
                (fun _ ne -> ne.GrowGrad = GrowGrad.Full && ne.Rules.Value.EventBatch = EventBatch.Training)
                "takes a pass of its own; it needs the rule eventBatch = fresh (ne.rules)"
            |> says
                "Where the gradient for growth is taken: at the masked weights, or with fresh random values in the inactive ones, which grown weights keep."

            key "ne.growAccum" Ours (int32Of (wholeNumber 1L 1_000L)) 1 _.GrowAccum (fun v s -> { s with GrowAccum = v })
            |> inUnit "batches"
            |> refusedIf
                (fun _ ne -> ne.GrowAccum > 1 && ne.Rules.Value.EventBatch = EventBatch.Training)
                "averages over fresh batches; with the rule eventBatch = training (ne.rules) it must be 1"
            |> says "Batches of 256 over which the gradient for growth is averaged."

            key "ne.growUnit" Ours units GrowUnit.Weight _.GrowUnit (fun v s -> { s with GrowUnit = v })
            |> refusedIf
                (fun run ne ->
                    ne.GrowUnit = GrowUnit.Neuron
                    && ne.Criterion <> GrowCriterion.Random
                    && not (run.Method.Has Technique.NaiveGrowth))
                "is a unit of random growth; it needs ne.criterion = random"
            |> says "What criterion=random draws: single weights, or neurons that get all their inputs (the paper's text of random growth)."

            key "ne.rules" Ours (derived NeRules.kind) Auto _.Rules (fun v s -> { s with Rules = v })
            |> isFixed
            |> inOldRuns (Is NeRules.ours)
            |> auto "ours; from pictures ours+densityScope=elastic" (fun run _ ->
                if run.Learner.SeesPixels then
                    NeRules.ours |> NeRules.ofElasticLayers
                else
                    NeRules.ours)
            |> refusedIf
                (fun run ne ->
                    ne.Rules.Value.HalfBatchBelow > 0.0
                    && run.Method.Has Technique.ContinualBackprop)
                "continual-backprop judges units by the training batch, which must then be of one size; leave halfBatchBelow at 0"
            |> refusedIf
                (fun run ne -> ne.Rules.Value.HalfBatchBelow > 0.0 && run.BatchSize < 2)
                "a batch of one transition cannot be halved; leave halfBatchBelow at 0"
            |> says
                "Rules in which the paper, its official code and this program differ and that no experiment varies; docs/algorithm.md lists them; auto: ours, where from pictures the density at the start is one of the layers that grow."
        ]
