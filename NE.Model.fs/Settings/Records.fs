namespace NE.Model

open System
open NE.Model.Topology
open NE.Model.Replay

/// A value that is derived from others unless it is given.
type Derived<'T> =
    /// To be computed by `Settings.resolve`.
    | Auto
    /// Given, or already computed.
    | Is of 'T

    /// The value; a resolved configuration has no `Auto` left.
    member this.Value =
        match this with
        | Is value -> value
        | Auto -> invalidOp "the settings were not resolved before use"

/// Who may step and who may learn when.
type Schedule =
    /// Act, store, learn, in turn: the paper's loop.
    | Serial
    /// Environments step one round ahead while the learner learns; deterministic.
    | Pipelined
    /// Environments run free, held by the sample-to-insert ratio; not deterministic.
    | Async

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

/// What Adam's bias correction counts for a weight that a method sets anew.
[<RequireQualifiedAccess>]
type AdamAge =
    /// The element's own steps, from 0.
    | Element
    /// All steps, as PyTorch does.
    | Global

/// The ratio of the critics that experience review watches.
[<RequireQualifiedAccess>]
type ReviewSignal =
    /// Fraction of active units.
    | Fau
    /// Activated neuron ratio at 0.1.
    | Anr

/// What is run, for how long.
type RunSettings = {
    Environment: string
    Method: Method
    Seed: int64
    /// Environment steps of the whole run, all environments together.
    Steps: int64
}

/// The phases of a cycle of tasks; without meaning for an environment that is none.
type CycleSettings = {
    /// Times that every task is visited.
    Cycles: int
    /// Environment steps of a phase; 0 where phases are counted in episodes, and where there are none.
    Steps: Derived<int64>
    /// Training episodes of a phase; 0 where phases are counted in steps.
    Episodes: int64
    /// Environment steps with the policy that a phase finds, before it learns; the first phase has random steps instead.
    WarmUp: Derived<int64>
}

/// Who may step when, with how many environments.
type ScheduleSettings = {
    Kind: Schedule
    Environments: int
    /// Steps that every environment takes in one round.
    RoundSteps: int
}

/// What computes a gradient step.
[<RequireQualifiedAccess>]
type EngineKind =
    /// libtorch, through TorchSharp.
    | Torch
    /// Our own vector kernels, on the CPU.
    | Simd

/// Where the learner computes, and with what.
type ComputeSettings = {
    /// auto, cpu, cuda or cuda:n.
    Device: string
    Engine: Derived<EngineKind>
    Threads: Derived<int>
}

/// Which hidden layers have a LayerNorm between their linear outputs and their activation.
[<RequireQualifiedAccess>]
type LayerNorm =
    | Off
    /// Every hidden layer of the actor and of the critics: the paper's LN.
    | All
    /// The last hidden layer of each critic: the official code's critic.
    | CriticLast

/// What a hidden layer makes of its linear outputs z.
[<RequireQualifiedAccess>]
type Activation =
    /// max(z, 0).
    | Relu
    /// [max(z, 0), max(-z, 0)], twice as many features as outputs: concatenated ReLU (Shang et al. 2016; Abbas et al. 2023).
    | Crelu

/// The networks, common to all methods.
type NetworkSettings = {
    /// Features that the hidden layers of the actor hand on. With CReLU half as many linear outputs make them.
    Hidden: int list
    /// The same of each critic; Auto: as Hidden.
    CriticHidden: Derived<int list>
    /// Hidden layers of 256 features added before each critic's output and at the actor's front.
    Scale: int
    LayerNorm: LayerNorm
    Activation: Activation
    /// Weight clipping: |w| and |b| stay below this times 1/sqrt(fan-in); 0 switches it off.
    WeightClip: float
    /// Whether output layers are clipped too.
    ClipOutput: bool
}

/// TD3 (algorithm.md, keys).
type Td3Settings = {
    ActorLearningRate: float
    CriticLearningRate: float
    AdamBeta1: float
    AdamBeta2: float
    AdamEpsilon: float
    Discount: float
    BatchSize: int
    BufferSize: Derived<int64>
    StartSteps: Derived<int64>
    /// The replay ratio, exact to the digit.
    UpdatesPerStep: decimal
    /// Gradient steps taken at once when learning begins.
    PrimingUpdates: int64
    ExplorationNoise: float
    TargetNoise: float
    TargetNoiseClip: float
    PolicyDelay: int
    Polyak: float
    /// Whether a method that sets weights anew also empties their Adam state.
    OptimizerReset: bool
    AdamAge: AdamAge
}

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

/// Reset (methods.md).
type ResetSettings = {
    /// Environment steps between two resets; 0: only the switches of a cycle reset.
    Every: Derived<int64>
}

/// ReDo (methods.md).
type ReDoSettings = {
    /// Gradient steps between two looks for dormant neurons.
    Every: Derived<int64>
    /// Score at or below which a neuron is dormant.
    Threshold: float
}

/// Plasticity injection (methods.md).
type InjectionSettings = {
    /// Environment step of the injection.
    Step: Derived<int64>
}

/// Shrink and perturb (methods.md).
type ShrinkAndPerturbSettings = {
    /// Environment steps between two of them.
    Every: Derived<int64>
    /// Factor of the old parameters.
    Shrink: float
    /// Factor of the fresh ones.
    Noise: float
}

/// Regenerative regularisation (methods.md).
type L2InitSettings = {
    /// Factor of the squared distance from the initial parameters in the loss.
    Weight: float
}

/// Continual backprop (methods.md).
type ContinualBackpropSettings = {
    /// Share of the mature units of a layer that is replaced at every update.
    ReplacementRate: float
    /// Updates that a new unit is left alone.
    Maturity: int64
    /// Decay of a unit's utility.
    UtilityDecay: float
}

/// When the run's state is committed.
type CheckpointSettings = { Every: int64 }

/// Sample weight decay (methods.md): the weight of a transition in the draw of a batch.
type SampleWeightDecaySettings = {
    /// Age, in transitions, at which the weight would reach 0.
    Horizon: Derived<int64>
    /// The least weight, that of old transitions.
    MinWeight: float
}

/// Noise-free evaluation.
type EvaluationSettings = { Every: Derived<int64>; Episodes: int }

/// What is written down while the run goes on.
type LogSettings = {
    /// Environment steps between rows of metrics.csv.
    MetricsEvery: int64
    /// Environment steps between two probes of plasticity; 0 takes none.
    ProbeEvery: int64
    /// Whether what the tables say is written as TensorBoard events too.
    TensorBoard: bool
}

/// Videos of the policy while it learns.
type VideoSettings = {
    /// Environment steps between videos; 0 makes none.
    Every: int64
}

/// How long an environment in a process of its own may take.
type ExternalSettings = {
    /// Seconds from its start to its first answer.
    StartTimeout: float
    /// Seconds to every other answer.
    StepTimeout: float
}

/// The whole configuration.
type Settings = {
    Run: RunSettings
    Cycle: CycleSettings
    Schedule: ScheduleSettings
    Compute: ComputeSettings
    Network: NetworkSettings
    Td3: Td3Settings
    Ne: NeSettings
    Reset: ResetSettings
    ReDo: ReDoSettings
    Injection: InjectionSettings
    ShrinkAndPerturb: ShrinkAndPerturbSettings
    L2Init: L2InitSettings
    ContinualBackprop: ContinualBackpropSettings
    SampleWeightDecay: SampleWeightDecaySettings
    Checkpoint: CheckpointSettings
    Evaluation: EvaluationSettings
    Log: LogSettings
    Video: VideoSettings
    External: ExternalSettings
}
