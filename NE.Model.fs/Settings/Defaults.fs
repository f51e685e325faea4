namespace NE.Model

open NE.Model.Topology
open NE.Model.Replay

[<RequireQualifiedAccess>]
module internal SettingsDefaults =

    /// TD3 at the size of the paper's Table 1, NE with reconstructed constants; docs/algorithm.md has where each comes from, and where the paper says
    /// otherwise: Variants.paper.
    let defaults: Settings = {
        Run = {
            Environment = "HalfCheetah-v4"
            Method = Method.Ne
            Seed = 0L
            Steps = 1_000_000L
        }
        Cycle = {
            Cycles = 3
            Steps = Auto
            Episodes = 0L
            WarmUp = Auto
        }
        Schedule = {
            Kind = Pipelined
            Environments = 1
            RoundSteps = 1
        }
        Compute = {
            Device = "auto"
            Engine = Auto
            Threads = Auto
        }
        Network = {
            Hidden = [ 256; 128 ]
            CriticHidden = Auto
            Scale = 0
            LayerNorm = LayerNorm.Off
            Activation = Activation.Relu
            WeightClip = 0.0
            ClipOutput = false
        }
        Td3 = {
            ActorLearningRate = 3e-4
            CriticLearningRate = 3e-4
            AdamBeta1 = 0.9
            AdamBeta2 = 0.999
            AdamEpsilon = 1e-8
            Discount = 0.99
            BatchSize = 256
            BufferSize = Auto
            StartSteps = Auto
            UpdatesPerStep = 1.0m
            PrimingUpdates = 0L
            ExplorationNoise = 0.1
            TargetNoise = 0.2
            TargetNoiseClip = 0.5
            PolicyDelay = 2
            Polyak = 0.005
            OptimizerReset = true
            AdamAge = AdamAge.Element
        }
        Ne = {
            Networks = Both
            StartDensity = Auto
            FinalDensity = 1.0
            Allocation = Allocation.ErdosRenyi
            DenseEnds = DenseEnds.Auto
            DensityScope = DensityScope.Network
            InitialMask = InitialMask.Random
            GrowInterval = Auto
            GrowRate = Auto
            RestCapacity = RestCapacity.Initial
            DecayWeight = 1.0
            EndStep = Auto
            Growth = GrowthShape.Cosine
            Criterion = GrowCriterion.Gradient
            GrowInit = GrowInit.Zero
            Omega = 0.4
            Granularity = Granularity.Neuron
            PruneThreshold = 0.0
            PruneBatch = 4096
            Review = ReviewMode.Slope
            ReviewThreshold = 0.75
            ReviewScale = ReviewScale.Guarded
            ReviewWindow = Auto
            ReviewFirstStep = Auto
            ReviewPortion = 0.25
            ReviewSignal = ReviewSignal.Fau
            Awaken = 0.4
            GrowGrad = GrowGrad.Masked
            GrowAccum = 1
            GrowUnit = GrowUnit.Weight
            ReviveRows = true
            RateScale = RateScale.Total
            GrowCarry = true
            DensityCap = DensityCap.Layer
            EventBatch = EventBatch.Fresh
            ActorClock = ActorClock.Shared
            RewireShare = 0.0
            HalfBatchBelow = 0.0
        }
        Reset = { Every = Auto }
        ReDo = { Every = Auto; Threshold = 0.1 }
        Injection = { Step = Auto }
        ShrinkAndPerturb = {
            Every = Auto
            Shrink = 0.8
            Noise = 0.2
        }
        L2Init = { Weight = 1e-4 }
        ContinualBackprop = {
            ReplacementRate = 1e-4
            Maturity = 100L
            UtilityDecay = 0.99
        }
        SampleWeightDecay = { Horizon = Auto; MinWeight = 0.1 }
        Checkpoint = { Every = 25_000L }
        Evaluation = { Every = Auto; Episodes = 10 }
        Log = {
            MetricsEvery = 1_000L
            ProbeEvery = 0L
            TensorBoard = true
        }
        Video = { Every = 0L }
        External = {
            StartTimeout = 60.0
            StepTimeout = 30.0
        }
    }

    /// Where reading a stored configuration starts: a key that an old run does not name has the value that all runs had then.
    let ofOldRuns: Settings = {
        defaults with
            Compute.Engine = Is EngineKind.Torch
            Network.CriticHidden = Auto
            Network.Scale = 0
            Network.LayerNorm = LayerNorm.Off
            Network.Activation = Activation.Relu
            Network.ClipOutput = true
            Compute.Threads = Is 1
            Ne.GrowInit = GrowInit.Random
            Ne.ReviewScale = ReviewScale.FromStart
            Log.TensorBoard = false
    }
