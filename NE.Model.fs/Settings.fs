/// The whole configuration of a run: every key with its default, unit, sentence and provenance, in one table.
///
/// A key has one home: its row in `Settings.keys`. Records hold typed values for the code; the table reads, writes, validates and
/// documents them for people.
namespace NE.Model

open System
open System.Globalization
open NE.Model.Topology
open NE.Model.Replay

/// Where a default comes from (spec, section 0).
type Provenance =
    /// The paper's surviving text.
    | Paper
    /// The paper says that a value exists; the number is lost.
    | PaperUnstated
    /// A third party restates the paper.
    | ThirdParty
    /// What the official code really executes.
    | OfficialCode
    /// Default of a cited work.
    | Cited of work: string
    /// Reconstructed by reasoning.
    | Reconstructed
    /// Our choice; no source.
    | Ours

    /// The spec's short form, e.g. P or CW:TD3.
    member this.Label =
        match this with
        | Paper -> "P"
        | PaperUnstated -> "P?"
        | ThirdParty -> "3P"
        | OfficialCode -> "OC"
        | Cited work -> $"CW:{work}"
        | Reconstructed -> "R"
        | Ours -> "US"

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
    Threads: int
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
}

/// TD3 (spec 1.1).
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
    UpdatesPerStep: int
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

/// Neuroplastic Expansion (spec 1.2).
type NeSettings = {
    Networks: NeNetworks
    StartDensity: Derived<float>
    FinalDensity: float
    Allocation: Allocation
    DenseEnds: DenseEnds
    DensityScope: DensityScope
    InitialMask: InitialMask
    GrowInterval: Derived<int64>
    /// Fraction of the initial rest capacity grown at an event; Auto is the closed loop of spec 2.5.
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

/// Reset (spec 5).
type ResetSettings = {
    /// Environment steps between two resets.
    Every: Derived<int64>
}

/// ReDo (spec 5).
type ReDoSettings = {
    /// Gradient steps between two looks for dormant neurons.
    Every: Derived<int64>
    /// Score at or below which a neuron is dormant.
    Threshold: float
}

/// Plasticity injection (spec 5).
type InjectionSettings = {
    /// Environment step of the injection.
    Step: Derived<int64>
}

/// Shrink and perturb (spec 5).
type ShrinkAndPerturbSettings = {
    /// Environment steps between two of them.
    Every: Derived<int64>
    /// Factor of the old parameters.
    Shrink: float
    /// Factor of the fresh ones.
    Noise: float
}

/// Regenerative regularisation (spec 5).
type L2InitSettings = {
    /// Factor of the squared distance from the initial parameters in the loss.
    Weight: float
}

/// Continual backprop (spec 5).
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

/// Noise-free evaluation.
type EvaluationSettings = { Every: Derived<int64>; Episodes: int }

/// What is written down while the run goes on.
type LogSettings = {
    /// Environment steps between rows of metrics.csv.
    MetricsEvery: int64
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
    Checkpoint: CheckpointSettings
    Evaluation: EvaluationSettings
    Log: LogSettings
    Video: VideoSettings
    External: ExternalSettings
}

/// One problem of a configuration, ready to be printed.
type SettingsError = {
    Key: string
    /// What was given.
    Found: string
    /// What is allowed, or what is wrong.
    Problem: string
}

/// One row of the table of keys.
type Key = {
    /// section.name
    Name: string
    Unit: string
    /// One sentence.
    Sentence: string
    /// What values are allowed, in words.
    Allowed: string
    Provenance: Provenance
    Get: Settings -> string
    Set: string -> Settings -> Result<Settings, string>
    /// Whether a resumed run, of these settings, may change the key.
    MayChange: Settings -> bool
}

[<RequireQualifiedAccess>]
module Settings =

    /// TD3 at the size of the paper's Table 1, NE with the reconstructed constants of spec 1.2.
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
            Threads = 1
        }
        Network = {
            Hidden = [ 256; 128 ]
            CriticHidden = Auto
            Scale = 0
            LayerNorm = LayerNorm.Off
            Activation = Activation.Relu
            WeightClip = 3.0
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
            UpdatesPerStep = 1
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
            GrowInit = GrowInit.Random
            Omega = 0.4
            Granularity = Granularity.Neuron
            PruneThreshold = 0.0
            PruneBatch = 4096
            Review = ReviewMode.Slope
            ReviewThreshold = 0.75
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
        ReDo = { Every = Auto; Threshold = 0.0 }
        Injection = { Step = Auto }
        ShrinkAndPerturb = {
            Every = Auto
            Shrink = 0.8
            Noise = 0.2
        }
        L2Init = { Weight = 1e-2 }
        ContinualBackprop = {
            ReplacementRate = 1e-4
            Maturity = 100L
            UtilityDecay = 0.99
        }
        Checkpoint = { Every = 25_000L }
        Evaluation = { Every = Auto; Episodes = 10 }
        Log = {
            MetricsEvery = 1_000L
            TensorBoard = true
        }
        Video = { Every = 0L }
        External = {
            StartTimeout = 60.0
            StepTimeout = 30.0
        }
    }

    // ---- how a value of each kind is read and written -------------------------------------------------------------------------

    let private invariant = CultureInfo.InvariantCulture

    let private parseInteger (text: string) =
        // 25_000 and 3e5 are how people write steps.
        let plain = text.Replace("_", "")

        match Int64.TryParse(plain, NumberStyles.AllowLeadingSign, invariant) with
        | true, value -> Ok value
        | _ ->
            match Double.TryParse(plain, NumberStyles.Float, invariant) with
            | true, value when Math.Floor value = value && abs value < 9e15 -> Ok(int64 value)
            | _ -> Error "a whole number"

    let private parseReal (text: string) =
        match Double.TryParse(text, NumberStyles.Float, invariant) with
        | true, value when Double.IsFinite value -> Ok value
        | _ -> Error "a number"

    let private showReal (value: float) = value.ToString("R", invariant)
    let private showInteger (value: int64) = value.ToString invariant

    type private Kind<'T> = {
        Parse: string -> Result<'T, string>
        Show: 'T -> string
        Words: string
    }

    let private wholeNumber low high = {
        Words =
            if high = Int64.MaxValue then
                $"a whole number >= {low}"
            else
                $"a whole number in [{low}, {high}]"
        Show = showInteger
        Parse =
            fun text ->
                parseInteger text
                |> Result.bind (fun v -> if v >= low && v <= high then Ok v else Error "out of range")
    }

    let private int32Of (kind: Kind<int64>) = {
        Words = kind.Words
        Show = fun (v: int) -> kind.Show(int64 v)
        Parse = kind.Parse >> Result.map int
    }

    let private count low =
        int32Of (wholeNumber low 1_000_000_000L)

    let private steps low = wholeNumber low Int64.MaxValue

    let private real words allowed = {
        Words = words
        Show = showReal
        Parse =
            fun text ->
                parseReal text
                |> Result.bind (fun v -> if allowed v then Ok v else Error "out of range")
    }

    let private fraction = real "a number in [0, 1]" (fun v -> v >= 0.0 && v <= 1.0)

    let private positiveFraction =
        real "a number in (0, 1]" (fun v -> v > 0.0 && v <= 1.0)

    let private openFraction = real "a number in [0, 1)" (fun v -> v >= 0.0 && v < 1.0)
    let private positive = real "a number > 0" (fun v -> v > 0.0)

    let private patience =
        real "a number in (0, 86400]" (fun v -> v > 0.0 && v <= 86400.0)

    let private notNegative = real "a number >= 0" (fun v -> v >= 0.0)

    let private choice (cases: (string * 'T) list) = {
        Words = cases |> List.map fst |> String.concat ", "
        Show = fun value -> cases |> List.find (fun (_, v) -> v = value) |> fst
        Parse =
            fun text ->
                match cases |> List.tryFind (fun (name, _) -> name = text.Trim().ToLowerInvariant()) with
                | Some(_, value) -> Ok value
                | None ->
                    match Nearest.suggest text (List.map fst cases) with
                    | None -> Error "not one of these"
                    | Some near -> Error $"did you mean '{near}'?"
    }

    let private switch = choice [ "on", true; "off", false ]

    let private derived (kind: Kind<'T>) = {
        Words = $"auto, or {kind.Words}"
        Show =
            function
            | Auto -> "auto"
            | Is value -> kind.Show value
        Parse =
            fun text ->
                if text.Trim() = "auto" then
                    Ok Auto
                else
                    kind.Parse text |> Result.map Is
    }

    let private widths = {
        Words = "one or more widths, separated by commas, each in [1, 65536]"
        Show = List.map string >> String.concat ","
        Parse =
            fun (text: string) ->
                let parts =
                    text.Trim('[', ']', ' ').Split([| ','; ' '; '-' |], StringSplitOptions.RemoveEmptyEntries)

                let numbers =
                    parts
                    |> Array.choose (fun part ->
                        match Int32.TryParse(part, NumberStyles.None, invariant) with
                        | true, v when v >= 1 && v <= 65536 -> Some v
                        | _ -> None)

                if numbers.Length = parts.Length && numbers.Length > 0 then
                    Ok(List.ofArray numbers)
                else
                    Error "not a list of widths"
    }

    let private device = {
        Words = "auto, cpu, cuda or cuda:N"
        Show = id
        Parse =
            fun (text: string) ->
                match text.Trim().ToLowerInvariant() with
                | "auto"
                | "cpu"
                | "cuda" as known -> Ok known
                | other when other.StartsWith "cuda:" && fst (Int32.TryParse(other.Substring 5)) -> Ok other
                | _ -> Error "not a device"
    }

    let private methods = {
        Words = Method.words
        Show = Method.show
        Parse = Method.parse
    }

    let private text = {
        Words = "an id of `ne env list`, cycle:ID,ID,..., PATH.yaml, plugin:PATH.dll[#Type] or external:COMMAND"
        Show = id
        Parse =
            fun (value: string) ->
                if String.IsNullOrWhiteSpace value then
                    Error "empty"
                else
                    Ok(value.Trim())
    }

    /// There is one way to treat the buffer at a switch; the other one that people ask for gets an answer.
    let private clearedBuffer = {
        Words = "clear"
        Show = fun () -> "clear"
        Parse =
            fun (text: string) ->
                match text.Trim().ToLowerInvariant() with
                | "clear" -> Ok()
                | "keep" -> Error "one buffer per task, kept across the cycles, is not offered"
                | _ -> Error "not one of these"
    }

    let private key name unit' provenance (kind: Kind<'T>) get set sentence = {
        Name = name
        Unit = unit'
        Sentence = sentence
        Allowed = kind.Words
        Provenance = provenance
        Get = get >> kind.Show
        Set =
            fun value settings ->
                kind.Parse value
                |> Result.map (fun v -> set v settings)
                |> Result.mapError (fun problem -> $"{problem}; allowed: {kind.Words}")
        MayChange = fun _ -> true
    }

    /// A key that is part of what the run is: a resumed run must keep it.
    let private fixedKey name unit' provenance kind get set sentence = {
        key name unit' provenance kind get set sentence with
            MayChange = fun _ -> false
    }

    // ---- the table --------------------------------------------------------------------------------------------------------------

    /// Every key, in the order in which it is shown.
    let keys: Key list = [
        fixedKey "run.environment" "" Paper text (fun s -> s.Run.Environment) (fun v s -> { s with Run.Environment = v }) "The task."
        fixedKey
            "run.method"
            ""
            Paper
            methods
            (fun s -> s.Run.Method)
            (fun v s -> { s with Run.Method = v })
            "The agent: dense TD3, or TD3 with what keeps it plastic, joined by '+', such as ne or redo+layer-norm."
        fixedKey
            "run.seed"
            ""
            Paper
            (wholeNumber Int64.MinValue Int64.MaxValue)
            (fun s -> s.Run.Seed)
            (fun v s -> { s with Run.Seed = v })
            "Seed of every random stream; evaluation uses seed + 100."
        key
            "run.steps"
            "environment steps"
            Ours
            (steps 1L)
            (fun s -> s.Run.Steps)
            (fun v s -> { s with Run.Steps = v })
            "Length of the run, all environments together; of a cycle: tasks x cycles x cycle.steps."
        key
            "cycle.cycles"
            "visits of every task"
            Paper
            (count 1L)
            (fun s -> s.Cycle.Cycles)
            (fun v s -> { s with Cycle.Cycles = v })
            "How often every task of run.environment = cycle:... is visited."
        fixedKey
            "cycle.steps"
            "environment steps"
            Ours
            (derived (steps 0L))
            (fun s -> s.Cycle.Steps)
            (fun v s -> { s with Cycle.Steps = v })
            "Length of a phase, the same for every task; auto: run.steps shared equally, or 100,000 when that is not given."
        fixedKey
            "cycle.episodes"
            "training episodes"
            PaperUnstated
            (steps 0L)
            (fun s -> s.Cycle.Episodes)
            (fun v s -> { s with Cycle.Episodes = v })
            "Length of a phase in episodes instead, as in the paper; 0 counts steps."
        fixedKey
            "cycle.warmUp"
            "environment steps"
            Ours
            (derived (steps 0L))
            (fun s -> s.Cycle.WarmUp)
            (fun v s -> { s with Cycle.WarmUp = v })
            "Steps after a switch with the policy as it is, before updates go on; auto: 5,000, at most a twentieth of a phase."
        fixedKey "cycle.buffer" "" Ours clearedBuffer ignore (fun () s -> s) "What becomes of the replay buffer at a switch."
        fixedKey
            "schedule.kind"
            ""
            Ours
            (choice [ "serial", Serial; "pipelined", Pipelined; "async", Async ])
            (fun s -> s.Schedule.Kind)
            (fun v s -> { s with Schedule.Kind = v })
            "Who may step when: the paper's loop, one deterministic round ahead, or free."
        fixedKey
            "schedule.environments"
            "environments"
            Ours
            (int32Of (wholeNumber 1L 1024L))
            (fun s -> s.Schedule.Environments)
            (fun v s -> { s with Schedule.Environments = v })
            "Environments of the run, each on its own thread."
        fixedKey
            "schedule.roundSteps"
            "steps"
            Ours
            (int32Of (wholeNumber 1L 100_000L))
            (fun s -> s.Schedule.RoundSteps)
            (fun v s -> { s with Schedule.RoundSteps = v })
            "Steps that every environment takes in one round."
        key
            "compute.device"
            ""
            Ours
            device
            (fun s -> s.Compute.Device)
            (fun v s -> { s with Compute.Device = v })
            "Where the learner computes; auto takes CUDA when there is one."
        fixedKey
            "compute.engine"
            ""
            Ours
            (derived (choice [ "torch", EngineKind.Torch; "simd", EngineKind.Simd ]))
            (fun s -> s.Compute.Engine)
            (fun v s -> { s with Compute.Engine = v })
            "What computes a gradient step: libtorch, or our vector kernels; the bits of a run depend on it. auto: torch on CUDA, else simd."
        {
            key
                "compute.threads"
                "threads"
                Ours
                (int32Of (wholeNumber 1L 256L))
                (fun s -> s.Compute.Threads)
                (fun v s -> { s with Compute.Threads = v })
                "Threads of the learner; with the engine torch, part of what makes a run bit-exact." with
                // The simd engine gives the same bits on any number of threads.
                MayChange = fun settings -> settings.Compute.Engine <> Is EngineKind.Torch
        }
        fixedKey
            "network.hidden"
            "units"
            Paper
            widths
            (fun s -> s.Network.Hidden)
            (fun v s -> { s with Network.Hidden = v })
            "Hidden widths of the actor and of each critic: 256,128 is Table 1, 256,256 is TD3's own."
        fixedKey
            "network.criticHidden"
            "units"
            OfficialCode
            (derived widths)
            (fun s -> s.Network.CriticHidden)
            (fun v s -> { s with Network.CriticHidden = v })
            "Hidden widths of each critic, where they are others; auto: network.hidden."
        fixedKey
            "network.scale"
            "layers"
            Paper
            (int32Of (wholeNumber 0L 5L))
            (fun s -> s.Network.Scale)
            (fun v s -> { s with Network.Scale = v })
            "Hidden layers of 256 units added before each critic's output and at the actor's front; the paper's sizes go with hidden 256,256."
        fixedKey
            "network.layerNorm"
            ""
            Paper
            (choice [
                "off", LayerNorm.Off
                "all", LayerNorm.All
                "critic-last", LayerNorm.CriticLast
            ])
            (fun s -> s.Network.LayerNorm)
            (fun v s -> { s with Network.LayerNorm = v })
            "LayerNorm before the activation of every hidden layer, or of each critic's last one as in the official code."
        fixedKey
            "network.activation"
            ""
            Paper
            (choice [ "relu", Activation.Relu; "crelu", Activation.Crelu ])
            (fun s -> s.Network.Activation)
            (fun v s -> { s with Network.Activation = v })
            "crelu hands on relu(z) and relu(-z): hidden widths then count both, so a layer has half the weights; a dry run prints the real number."
        fixedKey
            "network.weightClip"
            "1/sqrt(fan-in)"
            Paper
            notNegative
            (fun s -> s.Network.WeightClip)
            (fun v s -> { s with Network.WeightClip = v })
            "Weights and biases stay within this many initial bounds, for all methods; 0 switches clipping off."
        key
            "td3.actorLearningRate"
            ""
            PaperUnstated
            positive
            (fun s -> s.Td3.ActorLearningRate)
            (fun v s -> { s with Td3.ActorLearningRate = v })
            "Adam's step size for the actor."
        key
            "td3.criticLearningRate"
            ""
            PaperUnstated
            positive
            (fun s -> s.Td3.CriticLearningRate)
            (fun v s -> { s with Td3.CriticLearningRate = v })
            "Adam's step size for the critics."
        fixedKey
            "td3.adamBeta1"
            ""
            (Cited "TD3")
            openFraction
            (fun s -> s.Td3.AdamBeta1)
            (fun v s -> { s with Td3.AdamBeta1 = v })
            "Decay of Adam's first moment."
        fixedKey
            "td3.adamBeta2"
            ""
            (Cited "TD3")
            openFraction
            (fun s -> s.Td3.AdamBeta2)
            (fun v s -> { s with Td3.AdamBeta2 = v })
            "Decay of Adam's second moment."
        key
            "td3.adamEpsilon"
            ""
            (Cited "TD3")
            positive
            (fun s -> s.Td3.AdamEpsilon)
            (fun v s -> { s with Td3.AdamEpsilon = v })
            "Adam's epsilon."
        key
            "td3.discount"
            ""
            PaperUnstated
            fraction
            (fun s -> s.Td3.Discount)
            (fun v s -> { s with Td3.Discount = v })
            "Discount factor gamma."
        fixedKey
            "td3.batchSize"
            "transitions"
            PaperUnstated
            (int32Of (wholeNumber 1L 65_536L))
            (fun s -> s.Td3.BatchSize)
            (fun v s -> { s with Td3.BatchSize = v })
            "Transitions of one gradient step."
        fixedKey
            "td3.bufferSize"
            "transitions"
            PaperUnstated
            (derived (steps 1L))
            (fun s -> s.Td3.BufferSize)
            (fun v s -> { s with Td3.BufferSize = v })
            "Transitions kept for sampling; auto: min(1,000,000, steps/3) in runs shorter than 3M, so that it wraps as it does at 3M."
        fixedKey
            "td3.startSteps"
            "environment steps"
            OfficialCode
            (derived (steps 0L))
            (fun s -> s.Td3.StartSteps)
            (fun v s -> { s with Td3.StartSteps = v })
            "Uniformly random actions and no update before this step; auto: min(25,000, steps/40)."
        fixedKey
            "td3.updatesPerStep"
            "gradient steps"
            OfficialCode
            (int32Of (wholeNumber 1L 1_000L))
            (fun s -> s.Td3.UpdatesPerStep)
            (fun v s -> { s with Td3.UpdatesPerStep = v })
            "Replay ratio: gradient steps per environment step."
        fixedKey
            "td3.primingUpdates"
            "gradient steps"
            (Cited "Reset")
            (steps 0L)
            (fun s -> s.Td3.PrimingUpdates)
            (fun v s -> { s with Td3.PrimingUpdates = v })
            "Gradient steps taken at once when learning begins, on the first startSteps transitions: heavy priming, a stress test of plasticity."
        key
            "td3.explorationNoise"
            "max action"
            PaperUnstated
            notNegative
            (fun s -> s.Td3.ExplorationNoise)
            (fun v s -> { s with Td3.ExplorationNoise = v })
            "Standard deviation of the Gaussian added to the action while training."
        key
            "td3.targetNoise"
            "max action"
            OfficialCode
            notNegative
            (fun s -> s.Td3.TargetNoise)
            (fun v s -> { s with Td3.TargetNoise = v })
            "Standard deviation of target policy smoothing."
        key
            "td3.targetNoiseClip"
            "max action"
            OfficialCode
            notNegative
            (fun s -> s.Td3.TargetNoiseClip)
            (fun v s -> { s with Td3.TargetNoiseClip = v })
            "Bound of the smoothing noise."
        key
            "td3.policyDelay"
            "gradient steps"
            OfficialCode
            (int32Of (wholeNumber 1L 1_000L))
            (fun s -> s.Td3.PolicyDelay)
            (fun v s -> { s with Td3.PolicyDelay = v })
            "Critic updates per update of the actor and of all targets."
        key
            "td3.polyak"
            ""
            OfficialCode
            positiveFraction
            (fun s -> s.Td3.Polyak)
            (fun v s -> { s with Td3.Polyak = v })
            "Rate tau at which targets follow."
        key
            "td3.optimizerReset"
            ""
            Paper
            switch
            (fun s -> s.Td3.OptimizerReset)
            (fun v s -> { s with Td3.OptimizerReset = v })
            "Whether a method that sets single weights anew also empties their Adam state; off is an ablation."
        key
            "td3.adamAge"
            ""
            (Cited "redo")
            (choice [ "element", AdamAge.Element; "global", AdamAge.Global ])
            (fun s -> s.Td3.AdamAge)
            (fun v s -> { s with Td3.AdamAge = v })
            "What Adam's bias correction counts for a weight set anew: its own steps, or all steps as in PyTorch (a first step of 3.16 learning rates)."
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
            (derived (steps 1L))
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
            Paper
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
            "Floor eps0: at most 1 - eps0 of the batches are reviewed."
        key
            "ne.reviewWindow"
            "gradient steps"
            PaperUnstated
            (derived (steps 40L))
            (fun s -> s.Ne.ReviewWindow)
            (fun v s -> { s with Ne.ReviewWindow = v })
            "Window over which the slope of the activated ratio is taken; auto: growInterval, at least 40."
        key
            "ne.reviewFirstStep"
            "gradient steps"
            Ours
            (derived (steps 0L))
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
            "reset.every"
            "environment steps"
            PaperUnstated
            (derived (steps 1L))
            (fun s -> s.Reset.Every)
            (fun v s -> { s with Reset.Every = v })
            "Steps between two resets of all networks; auto: 200,000, in shorter runs steps/3 but at least 100,000. Never within half of that before the end."
        key
            "redo.every"
            "gradient steps"
            (Cited "ReDo")
            (derived (steps 1L))
            (fun s -> s.ReDo.Every)
            (fun v s -> { s with ReDo.Every = v })
            "Gradient steps between two looks for dormant neurons; auto: steps/15 (200,000 at 3M)."
        key
            "redo.threshold"
            "mean activity of the layer"
            (Cited "ReDo")
            notNegative
            (fun s -> s.ReDo.Threshold)
            (fun v s -> { s with ReDo.Threshold = v })
            "A neuron whose activation score is at or below this is drawn anew."
        key
            "injection.step"
            "environment steps"
            PaperUnstated
            (derived (steps 1L))
            (fun s -> s.Injection.Step)
            (fun v s -> { s with Injection.Step = v })
            "Step at which new bodies are injected; auto: steps/3."
        key
            "shrinkAndPerturb.every"
            "environment steps"
            Ours
            (derived (steps 1L))
            (fun s -> s.ShrinkAndPerturb.Every)
            (fun v s -> { s with ShrinkAndPerturb.Every = v })
            "Steps between two shrinkings; auto: as reset.every."
        key
            "shrinkAndPerturb.shrink"
            ""
            Ours
            fraction
            (fun s -> s.ShrinkAndPerturb.Shrink)
            (fun v s -> { s with ShrinkAndPerturb.Shrink = v })
            "Factor of the old parameters."
        key
            "shrinkAndPerturb.noise"
            ""
            Ours
            fraction
            (fun s -> s.ShrinkAndPerturb.Noise)
            (fun v s -> { s with ShrinkAndPerturb.Noise = v })
            "Factor of the fresh parameters that are added."
        key
            "l2Init.weight"
            ""
            (Cited "L2 Init")
            notNegative
            (fun s -> s.L2Init.Weight)
            (fun v s -> { s with L2Init.Weight = v })
            "Factor of the squared distance from the initial parameters in every loss."
        key
            "continualBackprop.replacementRate"
            "fraction of the mature units"
            (Cited "continual backprop")
            fraction
            (fun s -> s.ContinualBackprop.ReplacementRate)
            (fun v s -> {
                s with
                    ContinualBackprop.ReplacementRate = v
            })
            "Units of a layer that are replaced at every update; fractions are carried over."
        key
            "continualBackprop.maturity"
            "updates"
            (Cited "continual backprop")
            (steps 0L)
            (fun s -> s.ContinualBackprop.Maturity)
            (fun v s -> {
                s with
                    ContinualBackprop.Maturity = v
            })
            "Updates that a new unit is left alone."
        key
            "continualBackprop.utilityDecay"
            ""
            (Cited "continual backprop")
            openFraction
            (fun s -> s.ContinualBackprop.UtilityDecay)
            (fun v s -> {
                s with
                    ContinualBackprop.UtilityDecay = v
            })
            "Decay of a unit's utility at every update."
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
        key
            "checkpoint.every"
            "environment steps"
            Ours
            (steps 1L)
            (fun s -> s.Checkpoint.Every)
            (fun v s -> { s with Checkpoint.Every = v })
            "Steps between commits of the whole state."
        key
            "evaluation.every"
            "environment steps"
            OfficialCode
            (derived (steps 1L))
            (fun s -> s.Evaluation.Every)
            (fun v s -> { s with Evaluation.Every = v })
            "Steps between evaluations; auto: 5,000, or steps/60 in runs shorter than 300k."
        fixedKey
            "evaluation.episodes"
            "episodes"
            OfficialCode
            (int32Of (wholeNumber 1L 10_000L))
            (fun s -> s.Evaluation.Episodes)
            (fun v s -> { s with Evaluation.Episodes = v })
            "Noise-free episodes of one evaluation, on environments of its own."
        key
            "log.metricsEvery"
            "environment steps"
            Ours
            (steps 1L)
            (fun s -> s.Log.MetricsEvery)
            (fun v s -> { s with Log.MetricsEvery = v })
            "Steps between rows of metrics.csv and of layers.csv."
        key
            "log.tensorboard"
            ""
            Ours
            (choice [ "on", true; "off", false ])
            (fun s -> s.Log.TensorBoard)
            (fun v s -> { s with Log.TensorBoard = v })
            "Write what the tables say as TensorBoard events too, in the run's folder tensorboard."
        key
            "video.every"
            "environment steps"
            Ours
            (steps 0L)
            (fun s -> s.Video.Every)
            (fun v s -> { s with Video.Every = v })
            "Steps between videos of one noise-free episode in the run's folder video; 0 makes none."
        key
            "external.startTimeout"
            "seconds"
            Ours
            patience
            (fun s -> s.External.StartTimeout)
            (fun v s -> { s with External.StartTimeout = v })
            "How long an external environment may take from its start to its first answer."
        key
            "external.stepTimeout"
            "seconds"
            Ours
            patience
            (fun s -> s.External.StepTimeout)
            (fun v s -> { s with External.StepTimeout = v })
            "How long an external environment may take to a step, a reset or a saved state."
    ]

    /// Finds a key by its exact name; null when there is none.
    let tryFind (name: string) : Key | null =
        match keys |> List.tryFind (fun key -> key.Name = name) with
        | Some key -> key
        | None -> null

    /// Sets keys from text, in order, and returns every problem: unknown keys (with the nearest known one) and bad values.
    let apply (pairs: struct (string * string) seq) (settings: Settings) : Result<Settings, SettingsError list> =
        let mutable current = settings
        let errors = ResizeArray<SettingsError>()

        for struct (name, value) in pairs do
            match tryFind name with
            | null ->
                let problem =
                    match Nearest.suggest name (keys |> Seq.map _.Name) with
                    | None -> "unknown key; `ne config schema` lists them all"
                    | Some near -> $"unknown key; did you mean '{near}'?"

                errors.Add {
                    Key = name
                    Found = value
                    Problem = problem
                }
            | key ->
                match key.Set value current with
                | Ok changed -> current <- changed
                | Error problem ->
                    errors.Add {
                        Key = name
                        Found = value
                        Problem = problem
                    }

        if errors.Count = 0 then
            Ok current
        else
            Error(List.ofSeq errors)

    /// Every key with its value, in the order of the table.
    let values (settings: Settings) : struct (string * string) list =
        keys |> List.map (fun key -> struct (key.Name, key.Get settings))

    /// Keys whose values differ: (name, old, new).
    let difference (before: Settings) (after: Settings) : struct (string * string * string) list =
        keys
        |> List.choose (fun key ->
            let old, updated = key.Get before, key.Get after

            if old = updated then
                None
            else
                Some(struct (key.Name, old, updated)))

    /// A derived value with the rule that gave it, to be printed.
    type Derivation = {
        Key: string
        Value: string
        Rule: string
    }

    /// Steps of a full-length run of the paper, to whose ratios shorter runs are scaled (spec 1.6).
    let paperSteps = 3_000_000L

    /// Environment steps of a cycle's phase when neither run.steps nor a length of the phase is given.
    let private phaseSteps = 100_000L

    /// Steps of an episode that an upper bound of a run counted in episodes assumes: the time limit of Gymnasium's tasks.
    let private longestEpisode = 1_000L

    /// Phases of a cycle; 0 for another environment.
    let private phases (settings: Settings) =
        int64 (TaskCycle.tasks settings.Run.Environment).Length
        * int64 settings.Cycle.Cycles

    /// Whether the default stands: then the length follows from that of the phases.
    let private isLengthGiven (settings: Settings) =
        settings.Run.Steps <> defaults.Run.Steps

    /// Where reading a stored configuration starts: a key that an old run does not name has the value that all runs had then.
    let ofOldRuns: Settings = {
        defaults with
            Compute.Engine = Is EngineKind.Torch
            Network.CriticHidden = Auto
            Network.Scale = 0
            Network.LayerNorm = LayerNorm.Off
            Network.Activation = Activation.Relu
            Log.TensorBoard = false
    }

    /// Computes every `Auto` from the length of the run (spec 1.6) and, for the engine, from the machine: `hasCuda` is asked only when
    /// that decides. Given values stay. Resolving twice changes nothing.
    let resolveOn (hasCuda: Func<bool>) (settings: Settings) : Settings * Derivation list =
        let derivations = ResizeArray<Derivation>()

        let derive name rule (show: 'T -> string) (value: Derived<'T>) (compute: unit -> 'T) =
            match value with
            | Is given -> Is given
            | Auto ->
                let computed = compute ()

                derivations.Add {
                    Key = name
                    Value = show computed
                    Rule = rule
                }

                Is computed

        let engine =
            let onCuda () =
                match settings.Compute.Device with
                | "cpu" -> false
                | "auto" -> hasCuda.Invoke()
                | _ -> true

            let show =
                function
                | EngineKind.Torch -> "torch"
                | EngineKind.Simd -> "simd"

            derive "compute.engine" "torch on CUDA, else simd" show settings.Compute.Engine (fun () ->
                if onCuda () then EngineKind.Torch else EngineKind.Simd)

        /// What a technique makes of a key that was not given.
        let implied technique name isDefault shown value given =
            if settings.Run.Method.Has technique && isDefault then
                derivations.Add {
                    Key = name
                    Value = shown
                    Rule = $"run.method has {Method.nameOf technique}"
                }

                value
            else
                given

        let layerNorm =
            let given = settings.Network.LayerNorm
            implied Technique.LayerNorm "network.layerNorm" (given = LayerNorm.Off) "all" LayerNorm.All given

        let activation =
            let given = settings.Network.Activation
            implied Technique.CRelu "network.activation" (given = Activation.Relu) "crelu" Activation.Crelu given

        let whole name rule value compute =
            derive name rule showInteger value compute

        let phases = phases settings

        let phaseLength =
            match settings.Cycle.Steps with
            | Is given when given > 0L || phases = 0L || settings.Cycle.Episodes > 0L -> Is given
            | _ when phases = 0L -> whole "cycle.steps" "no cycle" Auto (fun () -> 0L)
            | _ when settings.Cycle.Episodes > 0L -> whole "cycle.steps" "phases are counted in episodes" Auto (fun () -> 0L)
            | _ when isLengthGiven settings -> whole "cycle.steps" "run.steps / phases" Auto (fun () -> settings.Run.Steps / phases)
            | _ -> whole "cycle.steps" "100,000 where run.steps is not given" Auto (fun () -> phaseSteps)

        let total =
            if phases = 0L || isLengthGiven settings then
                settings.Run.Steps
            elif settings.Cycle.Episodes > 0L then
                (whole "run.steps" "at most: phases x cycle.episodes x 1,000" Auto (fun () ->
                    phases * settings.Cycle.Episodes * longestEpisode))
                    .Value
            else
                (whole "run.steps" "phases x cycle.steps" Auto (fun () -> phases * phaseLength.Value)).Value

        let warmUp =
            whole "cycle.warmUp" "5,000, at most cycle.steps/20" settings.Cycle.WarmUp (fun () ->
                if phaseLength.Value > 0L then
                    min 5_000L (phaseLength.Value / 20L)
                else
                    5_000L)

        let density =
            derive "ne.startDensity" "0.25, in a cycle 0.15" showReal settings.Ne.StartDensity (fun () ->
                if phases > 0L then 0.15 else 0.25)

        let short = total < paperSteps

        let buffer =
            whole
                "td3.bufferSize"
                (if short then
                     "min(1,000,000, steps/3), at least 10 batches"
                 else
                     "1,000,000")
                settings.Td3.BufferSize
                (fun () ->
                    if short then
                        max (10L * int64 settings.Td3.BatchSize) (min 1_000_000L (total / 3L))
                    else
                        1_000_000L)

        let start =
            whole "td3.startSteps" "min(25,000, steps/40)" settings.Td3.StartSteps (fun () -> min 25_000L (total / 40L))

        let gradientSteps =
            max
                1L
                ((total - start.Value) * int64 settings.Td3.UpdatesPerStep
                 + settings.Td3.PrimingUpdates)

        let endStep =
            whole "ne.endStep" "gradient steps of the run" settings.Ne.EndStep (fun () -> gradientSteps)

        let interval =
            whole "ne.growInterval" "steps/300" settings.Ne.GrowInterval (fun () -> max 1L (total / 300L))

        let window =
            whole "ne.reviewWindow" "growInterval, at least 40" settings.Ne.ReviewWindow (fun () -> max 40L interval.Value)

        let firstReview =
            whole "ne.reviewFirstStep" "0.1 of endStep" settings.Ne.ReviewFirstStep (fun () -> endStep.Value / 10L)

        let resetRule = "200,000, in shorter runs steps/3 but at least 100,000"

        let resetPeriod () =
            min 200_000L (max 100_000L (total / 3L))

        let reset = whole "reset.every" resetRule settings.Reset.Every resetPeriod

        let shrink =
            whole "shrinkAndPerturb.every" resetRule settings.ShrinkAndPerturb.Every resetPeriod

        let redo =
            whole "redo.every" "steps/15" settings.ReDo.Every (fun () -> max 1L (total / 15L))

        let injection =
            whole "injection.step" "steps/3" settings.Injection.Step (fun () -> max 1L (total / 3L))

        let evaluation =
            whole "evaluation.every" "5,000, or steps/60 below 300k steps" settings.Evaluation.Every (fun () ->
                if total < 300_000L then max 1L (total / 60L) else 5_000L)

        {
            settings with
                Run.Steps = total
                Cycle.Steps = phaseLength
                Cycle.WarmUp = warmUp
                Ne.StartDensity = density
                Compute.Engine = engine
                Network.LayerNorm = layerNorm
                Network.Activation = activation
                Td3.BufferSize = buffer
                Td3.StartSteps = start
                Ne.EndStep = endStep
                Ne.GrowInterval = interval
                Ne.ReviewWindow = window
                Ne.ReviewFirstStep = firstReview
                Reset.Every = reset
                ReDo.Every = redo
                Injection.Step = injection
                ShrinkAndPerturb.Every = shrink
                Evaluation.Every = evaluation
        },
        List.ofSeq derivations

    /// The same on a machine without CUDA.
    let resolve (settings: Settings) : Settings * Derivation list =
        resolveOn (Func<bool>(fun () -> false)) settings

    /// Problems of a cycle's phases. Expects a resolved configuration.
    let private validateCycle (settings: Settings) : SettingsError list =
        let problem key found text = {
            Key = key
            Found = found
            Problem = text
        }

        let cycle, phases = settings.Cycle, phases settings
        let length, warmUp = cycle.Steps.Value, cycle.WarmUp.Value
        let start = settings.Td3.StartSteps.Value
        // 100,000, as people read it.
        let shown (count: int64) = count.ToString("N0", invariant)

        [
            if phases = 0L then
                let given = [
                    "cycle.cycles", string cycle.Cycles, cycle.Cycles <> defaults.Cycle.Cycles
                    "cycle.steps", showInteger length, length > 0L
                    "cycle.episodes", showInteger cycle.Episodes, cycle.Episodes > 0L
                ]

                for name, value, isGiven in given do
                    if isGiven then
                        problem name value "run.environment is not a cycle of tasks; give it as cycle:TASK,TASK,..."
            else
                if cycle.Episodes > 0L && length > 0L then
                    problem
                        "cycle.episodes"
                        (showInteger cycle.Episodes)
                        $"a phase has a length in steps already (cycle.steps = {length}); give one of the two"

                if cycle.Episodes = 0L && settings.Run.Steps <> phases * length then
                    let tasks = phases / int64 cycle.Cycles

                    problem
                        "run.steps"
                        (showInteger settings.Run.Steps)
                        $"a cycle of {tasks} tasks x {cycle.Cycles} cycles x {shown length} steps takes {phases * length}; give that, or another cycle.steps"

                if length > 0L && start >= length then
                    problem
                        "td3.startSteps"
                        (showInteger start)
                        $"not below cycle.steps = {length}: nothing would be learned in the first phase"

                if length > 0L && warmUp >= length then
                    problem
                        "cycle.warmUp"
                        (showInteger warmUp)
                        $"not below cycle.steps = {length}: nothing would be learned after the first phase"

                if
                    length > 0L
                    && int64 settings.Schedule.Environments * int64 settings.Schedule.RoundSteps > length
                then
                    problem
                        "schedule.roundSteps"
                        (string settings.Schedule.RoundSteps)
                        $"one round of all environments is longer than a phase (cycle.steps = {length})"

                if settings.Run.Method.Has Technique.PlasticityInjection then
                    problem
                        "run.method"
                        (Method.show settings.Run.Method)
                        "plasticity-injection does not go with a cycle: its frozen bodies would keep the head of one task in the outputs of all"

                if settings.Run.Method.Has Technique.Ne && settings.Ne.DenseEnds = DenseEnds.Forced then
                    problem
                        "ne.denseEnds"
                        "forced"
                        "in a cycle the first layer belongs to the body that grows, and the heads are dense anyway; leave it at auto"
        ]

    /// Problems between values that are fine one by one. Expects a resolved configuration.
    let validate (settings: Settings) : SettingsError list =
        let problem key found text = {
            Key = key
            Found = found
            Problem = text
        }

        validateCycle settings
        @ [
            let round =
                int64 settings.Schedule.Environments * int64 settings.Schedule.RoundSteps

            if
                settings.Compute.Engine = Is EngineKind.Simd
                && settings.Compute.Device.StartsWith("cuda", StringComparison.Ordinal)
            then
                problem "compute.engine" "simd" $"computes on the CPU; for compute.device = {settings.Compute.Device} it must be torch"

            if settings.Network.Activation = Activation.Crelu then
                let odd key (widths: int list) =
                    match widths |> List.tryFind (fun width -> width % 2 = 1) with
                    | None -> []
                    | Some width -> [
                        problem
                            key
                            (widths |> List.map string |> String.concat ",")
                            $"{width} is odd, and network.activation = crelu makes two features of every unit; give even widths"
                      ]

                yield! odd "network.hidden" settings.Network.Hidden

                match settings.Network.CriticHidden with
                | Auto -> ()
                | Is widths -> yield! odd "network.criticHidden" widths

                // As with the technique crelu.
                match Method.compose (Technique.CRelu :: settings.Run.Method.Techniques) with
                | Ok _ -> ()
                | Error why -> problem "network.activation" "crelu" $"{why}; use relu, or another run.method"

            if
                settings.Run.Method.Has Technique.LayerNorm
                && settings.Network.LayerNorm = LayerNorm.CriticLast
            then
                problem
                    "network.layerNorm"
                    "critic-last"
                    "run.method has layer-norm, which is one on every hidden layer; leave one of the two out"

            if settings.Td3.BufferSize.Value < int64 settings.Td3.BatchSize then
                problem
                    "td3.bufferSize"
                    (showInteger settings.Td3.BufferSize.Value)
                    $"smaller than one batch (td3.batchSize = {settings.Td3.BatchSize})"

            if settings.Ne.FinalDensity < settings.Ne.StartDensity.Value then
                problem
                    "ne.finalDensity"
                    (showReal settings.Ne.FinalDensity)
                    $"below ne.startDensity = {showReal settings.Ne.StartDensity.Value}; networks only grow"

            if
                settings.Ne.GrowUnit = GrowUnit.Neuron
                && settings.Ne.Criterion <> GrowCriterion.Random
                && not (settings.Run.Method.Has Technique.NaiveGrowth)
            then
                problem "ne.growUnit" "neuron" "is a unit of random growth; it needs ne.criterion = random"

            if settings.Ne.GrowGrad = GrowGrad.Full && settings.Ne.GrowInit <> GrowInit.Random then
                problem "ne.growGrad" "full" "lets grown weights keep the random values of its pass; it needs ne.growInit = random"

            if settings.Ne.EventBatch = EventBatch.Training then
                if settings.Ne.GrowGrad = GrowGrad.Full then
                    problem "ne.growGrad" "full" "takes a pass of its own; it needs ne.eventBatch = fresh"

                if settings.Ne.GrowAccum > 1 then
                    problem
                        "ne.growAccum"
                        (string settings.Ne.GrowAccum)
                        "averages over fresh batches; with ne.eventBatch = training it must be 1"

            if settings.Ne.HalfBatchBelow > 0.0 && settings.Td3.BatchSize < 2 then
                problem "ne.halfBatchBelow" (showReal settings.Ne.HalfBatchBelow) "a batch of one transition cannot be halved"

            if settings.Td3.StartSteps.Value >= settings.Run.Steps then
                problem
                    "td3.startSteps"
                    (showInteger settings.Td3.StartSteps.Value)
                    $"not below run.steps = {settings.Run.Steps}: nothing would be learned"

            if
                settings.Run.Method.Has Technique.PlasticityInjection
                && settings.Injection.Step.Value >= settings.Run.Steps
            then
                problem
                    "injection.step"
                    (showInteger settings.Injection.Step.Value)
                    $"not below run.steps = {settings.Run.Steps}: nothing would be injected"

            if round > settings.Run.Steps then
                problem
                    "schedule.roundSteps"
                    (string settings.Schedule.RoundSteps)
                    $"one round of all environments ({round} steps) is longer than the run ({settings.Run.Steps})"
        ]
