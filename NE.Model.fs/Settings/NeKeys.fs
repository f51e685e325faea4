namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology
open NE.Model.Replay

/// Neuroplastic Expansion.
module internal NeKeys =

    let keys: Key list = [
        fixedKey
            "ne.networks"
            ""
            Paper
            (choice [ "both", Both; "actor", ActorOnly; "critic", CriticOnly ])
            (fun s -> s.Ne.Networks)
            (fun v s -> { s with Ne.Networks = v })
            "Networks with an evolving topology; the other stays dense."
        fixedKey
            "ne.startDensity"
            "fraction of weights"
            Paper
            (derived positiveFraction)
            (fun s -> s.Ne.StartDensity)
            (fun v s -> { s with Ne.StartDensity = v })
            "Density of the networks at the start; auto: 0.25, in a cycle 0.15."
        fixedKey
            "ne.finalDensity"
            "fraction of weights"
            Paper
            positiveFraction
            (fun s -> s.Ne.FinalDensity)
            (fun v s -> { s with Ne.FinalDensity = v })
            "Density that growth stops at, per layer."
        fixedKey
            "ne.allocation"
            ""
            Paper
            (choice [ "er", Allocation.ErdosRenyi; "uniform", Allocation.Uniform ])
            (fun s -> s.Ne.Allocation)
            (fun v s -> { s with Ne.Allocation = v })
            "How the start density is shared among layers: Erdos-Renyi or uniform."
        fixedKey
            "ne.denseEnds"
            ""
            Paper
            (choice [ "auto", DenseEnds.Auto; "forced", DenseEnds.Forced; "off", DenseEnds.Off ])
            (fun s -> s.Ne.DenseEnds)
            (fun v s -> { s with Ne.DenseEnds = v })
            "First and last layer dense; auto falls back to the last alone where the density does not allow both."
        fixedKey
            "ne.densityScope"
            ""
            Ours
            (choice [
                "network", DensityScope.Network
                "elastic", DensityScope.Elastic
                "gains", DensityScope.NetworkAndGains
            ])
            (fun s -> s.Ne.DensityScope)
            (fun v s -> { s with Ne.DensityScope = v })
            "What the start density counts: all weights of the network, those of layers whose mask may change, or (official code) all and the gains of layer normalisation."
        fixedKey
            "ne.initialMask"
            ""
            Paper
            (choice [ "random", InitialMask.Random; "magnitude", InitialMask.Magnitude ])
            (fun s -> s.Ne.InitialMask)
            (fun v s -> { s with Ne.InitialMask = v })
            "Which weights start active: a uniformly random subset, or the largest."
        key
            "ne.growInterval"
            "gradient steps"
            PaperUnstated
            (derived (steps 1L))
            (fun s -> s.Ne.GrowInterval)
            (fun v s -> { s with Ne.GrowInterval = v })
            "Gradient steps between grow-prune events; auto: steps/300 (10,000 at 3M)."
        key
            "ne.growRate"
            "fraction of the initial room"
            PaperUnstated
            (derived positiveFraction)
            (fun s -> s.Ne.GrowRate)
            (fun v s -> { s with Ne.GrowRate = v })
            "Share of the initially inactive weights grown at one event; auto: closed loop, so that density follows the schedule."
        key
            "ne.restCapacity"
            ""
            OfficialCode
            (choice [
                "initial", RestCapacity.Initial
                "current", RestCapacity.Current
                "sparsity", RestCapacity.Sparsity
            ])
            (fun s -> s.Ne.RestCapacity)
            (fun v s -> { s with Ne.RestCapacity = v })
            "The room that a given growRate is a fraction of: that at the start, that left now, or (official code) 1 - startDensity less what is active at the start."
        key
            "ne.decayWeight"
            ""
            ThirdParty
            positive
            (fun s -> s.Ne.DecayWeight)
            (fun v s -> { s with Ne.DecayWeight = v })
            "Factor alpha of the schedule; below 1 the automatic growth ends at this share of the room."
        key
            "ne.endStep"
            "gradient steps"
            Paper
            (derived (gradientSteps 1L))
            (fun s -> s.Ne.EndStep)
            (fun v s -> { s with Ne.EndStep = v })
            "Gradient step T_end at which growth ends; auto: all gradient steps of the run."
        key
            "ne.growth"
            ""
            Paper
            (choice [
                "cosine", GrowthShape.Cosine
                "uniform", GrowthShape.Uniform
                "warm", GrowthShape.Warm
            ])
            (fun s -> s.Ne.Growth)
            (fun v s -> { s with Ne.Growth = v })
            "Shape of the growth schedule."
        key
            "ne.criterion"
            ""
            Paper
            (choice [ "gradient", GrowCriterion.Gradient; "random", GrowCriterion.Random ])
            (fun s -> s.Ne.Criterion)
            (fun v s -> { s with Ne.Criterion = v })
            "Which inactive weights grow: those with the largest gradient, or random ones."
        key
            "ne.growInit"
            ""
            OfficialCode
            (choice [ "random", GrowInit.Random; "zero", GrowInit.Zero ])
            (fun s -> s.Ne.GrowInit)
            (fun v s -> { s with Ne.GrowInit = v })
            "Value of a grown weight: a fresh draw of the layer's initialisation, or zero."
        key
            "ne.omega"
            "fraction of the grown weights"
            OfficialCode
            fraction
            (fun s -> s.Ne.Omega)
            (fun v s -> { s with Ne.Omega = v })
            "Upper bound of pruning at one event, per layer; 0 switches pruning off."
        key
            "ne.granularity"
            ""
            Ours
            (choice [
                "neuron", Granularity.Neuron
                "weight", Granularity.Weight
                "magnitude", Granularity.Magnitude
            ])
            (fun s -> s.Ne.Granularity)
            (fun v s -> { s with Ne.Granularity = v })
            "What pruning takes: dormant neurons whole, single weights of dormant neurons, or (official code) the smallest weights."
        key
            "ne.pruneThreshold"
            "mean activity of the layer"
            Paper
            notNegative
            (fun s -> s.Ne.PruneThreshold)
            (fun v s -> { s with Ne.PruneThreshold = v })
            "A neuron whose activation score is at or below this is dormant for pruning; 0: only neurons that are silent."
        key
            "ne.pruneBatch"
            "transitions"
            Ours
            (int32Of (wholeNumber 1L 1_000_000L))
            (fun s -> s.Ne.PruneBatch)
            (fun v s -> { s with Ne.PruneBatch = v })
            "Replay samples on which a neuron must be silent to count as dormant."
        key
            "ne.review"
            ""
            Paper
            (choice [
                "slope", ReviewMode.Slope
                "off", ReviewMode.Off
                "literal", ReviewMode.Literal
                "official", ReviewMode.Official
            ])
            (fun s -> s.Ne.Review)
            (fun v s -> { s with Ne.Review = v })
            "Experience review: train on the oldest part of the replay buffer when the activated ratio stops moving."
        key
            "ne.reviewThreshold"
            ""
            Ours
            fraction
            (fun s -> s.Ne.ReviewThreshold)
            (fun v s -> { s with Ne.ReviewThreshold = v })
            "Lowest threshold eps0: at most 1 - eps0 of the batches are reviewed."
        fixedKey
            "ne.reviewScale"
            ""
            Ours
            (choice [ "guarded", ReviewScale.Guarded; "start", ReviewScale.FromStart ])
            (fun s -> s.Ne.ReviewScale)
            (fun v s -> { s with Ne.ReviewScale = v })
            "guarded: eps is relative to the largest change of medians since reviewFirstStep, and mapped onto [eps0, 1]; start, as in older versions: to that of means since the first full window, and cut at eps0, where it then mostly is."
        key
            "ne.reviewWindow"
            "gradient steps"
            PaperUnstated
            (derived (gradientSteps 40L))
            (fun s -> s.Ne.ReviewWindow)
            (fun v s -> { s with Ne.ReviewWindow = v })
            "Window over which the slope of the activated ratio is taken; auto: 0.05 of endStep, at least 40."
        key
            "ne.reviewFirstStep"
            "gradient steps"
            Ours
            (derived (gradientSteps 0L))
            (fun s -> s.Ne.ReviewFirstStep)
            (fun v s -> { s with Ne.ReviewFirstStep = v })
            "No review before this gradient step; auto: 0.1 of endStep."
        key
            "ne.reviewPortion"
            "fraction of the buffer"
            Paper
            positiveFraction
            (fun s -> s.Ne.ReviewPortion)
            (fun v s -> { s with Ne.ReviewPortion = v })
            "Oldest part of the buffer that review samples from."
        key
            "ne.reviewSignal"
            ""
            OfficialCode
            (choice [ "fau", ReviewSignal.Fau; "anr", ReviewSignal.Anr ])
            (fun s -> s.Ne.ReviewSignal)
            (fun v s -> { s with Ne.ReviewSignal = v })
            "The critics' ratio that review watches: fraction of active units, or activated neuron ratio at 0.1."
        key
            "ne.awaken"
            ""
            OfficialCode
            fraction
            (fun s -> s.Ne.Awaken)
            (fun v s -> { s with Ne.Awaken = v })
            "Fraction of active units below which review=official may review."
        key
            "ne.growGrad"
            ""
            Paper
            (choice [ "masked", GrowGrad.Masked; "full", GrowGrad.Full ])
            (fun s -> s.Ne.GrowGrad)
            (fun v s -> { s with Ne.GrowGrad = v })
            "Where the gradient for growth is taken: at the masked weights, or with fresh random values in the inactive ones, which grown weights keep."
        key
            "ne.growAccum"
            "batches"
            Ours
            (int32Of (wholeNumber 1L 1_000L))
            (fun s -> s.Ne.GrowAccum)
            (fun v s -> { s with Ne.GrowAccum = v })
            "Batches of 256 over which the gradient for growth is averaged."
        key
            "ne.growUnit"
            ""
            Ours
            (choice [ "weight", GrowUnit.Weight; "neuron", GrowUnit.Neuron ])
            (fun s -> s.Ne.GrowUnit)
            (fun v s -> { s with Ne.GrowUnit = v })
            "What criterion=random draws: single weights, or neurons that get all their inputs (the paper's text of random growth)."
        key
            "ne.reviveRows"
            ""
            Ours
            switch
            (fun s -> s.Ne.ReviveRows)
            (fun v s -> { s with Ne.ReviveRows = v })
            "Whether neurons without any input are given up to 8 random ones before anything else grows."
        key
            "ne.rateScale"
            ""
            Ours
            (choice [ "total", RateScale.Total; "event", RateScale.Event ])
            (fun s -> s.Ne.RateScale)
            (fun v s -> { s with Ne.RateScale = v })
            "What a given growRate means: the same total growth in every shape, or (official code) the growth of one event."
        key
            "ne.growCarry"
            ""
            Ours
            switch
            (fun s -> s.Ne.GrowCarry)
            (fun v s -> { s with Ne.GrowCarry = v })
            "Whether a given growRate carries fractions of a weight to the next event; off (official code): they are dropped."
        fixedKey
            "ne.densityCap"
            ""
            Ours
            (choice [ "layer", DensityCap.Layer; "network", DensityCap.Network ])
            (fun s -> s.Ne.DensityCap)
            (fun v s -> { s with Ne.DensityCap = v })
            "What stops growing at finalDensity: every layer at its own, or (official code) the network once it is that dense as a whole."
        fixedKey
            "ne.eventBatch"
            ""
            Paper
            (choice [ "fresh", EventBatch.Fresh; "training", EventBatch.Training ])
            (fun s -> s.Ne.EventBatch)
            (fun v s -> { s with Ne.EventBatch = v })
            "Batch on which an event decides: fresh ones, or (official code) the training batch, whose optimiser step is then skipped."
        fixedKey
            "ne.actorClock"
            ""
            Paper
            (choice [ "shared", ActorClock.Shared; "own", ActorClock.Own ])
            (fun s -> s.Ne.ActorClock)
            (fun v s -> { s with Ne.ActorClock = v })
            "What the actor's schedule counts: gradient steps, or (official code) its own updates, with the critics' endStep."
        fixedKey
            "ne.rewireShare"
            "fraction of the active weights"
            Ours
            openFraction
            (fun s -> s.Ne.RewireShare)
            (fun v s -> { s with Ne.RewireShare = v })
            "Once growth has ended, events exchange this share, times a cosine from then on: smallest weights for those of largest gradient; 0: no such phase, 0.2 in the official code."
        fixedKey
            "ne.halfBatchBelow"
            "fraction of active units"
            Ours
            fraction
            (fun s -> s.Ne.HalfBatchBelow)
            (fun v s -> { s with Ne.HalfBatchBelow = v })
            "Batches are half as large while the critics' fraction of active units is below this; 0: never, 0.36 in the official code."
    ]
