namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// What Adam's bias correction counts for a weight that a method sets anew.
[<RequireQualifiedAccess>]
type AdamAge =
    /// The element's own steps, from 0.
    | Element
    /// All steps, as PyTorch does.
    | Global

/// TD3 (algorithm.md 2.12).
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

[<RequireQualifiedAccess>]
module internal Td3Settings =

    let private key name =
        Keys.key<RunLength, Td3Settings, _> name

    /// Gradient steps of a run, those of the priming included. None is owed for the steps at its start, nor for the warm-ups of the later
    /// phases of a cycle.
    let gradientSteps (length: RunLength) (td3: Td3Settings) =
        let warmUps = (max 1L length.Phases.Count - 1L) * length.Phases.WarmUp

        ReplayRatio.updatesOf td3.UpdatesPerStep (length.Steps - warmUps - td3.StartSteps.Value)
        + td3.PrimingUpdates

    /// Environment steps that are complete, all their gradient steps taken, before the last gradient step.
    let completeSteps (length: RunLength) (td3: Td3Settings) =
        td3.StartSteps.Value
        + ReplayRatio.completeBefore td3.UpdatesPerStep (gradientSteps length td3 - td3.PrimingUpdates)

    let private startSteps (length: RunLength) _ =
        // Of a cycle it is the first phase that begins with them.
        let steps =
            if length.Phases.Steps > 0L then
                length.Phases.Steps
            else
                length.Steps

        if steps >= 250_000L then
            "25,000", 25_000L
        else
            "10,000 below 250,000 steps, at most a fifth", min 10_000L (steps / 5L)

    /// A replay ratio so small that a phase, of a known length, owes no gradient step. Other reasons why nothing is learned are said elsewhere.
    let private owesNothing (length: RunLength) (td3: Td3Settings) =
        let start = td3.StartSteps.Value

        let learned =
            match length.Phases.Steps with
            | 0L -> length.Steps - start
            | phase -> phase - max start length.Phases.WarmUp

        if learned > 0L && ReplayRatio.updatesOf td3.UpdatesPerStep learned = 0L then
            Some $"the {learned} steps that are learned from would owe no gradient step: nothing would be learned; give more"
        else
            None

    let private ages = choice [ "element", AdamAge.Element; "global", AdamAge.Global ]

    let section =
        Section.create [
            key "td3.actorLearningRate" PaperUnstated positive 3e-4 _.ActorLearningRate (fun v s -> { s with ActorLearningRate = v })
            |> says "Adam's step size for the actor."

            key "td3.criticLearningRate" PaperUnstated positive 3e-4 _.CriticLearningRate (fun v s -> { s with CriticLearningRate = v })
            |> says "Adam's step size for the critics."

            key "td3.adamBeta1" (Cited "TD3") openFraction 0.9 _.AdamBeta1 (fun v s -> { s with AdamBeta1 = v })
            |> isFixed
            |> says "Decay of Adam's first moment."

            key "td3.adamBeta2" (Cited "TD3") openFraction 0.999 _.AdamBeta2 (fun v s -> { s with AdamBeta2 = v })
            |> isFixed
            |> says "Decay of Adam's second moment."

            key "td3.adamEpsilon" (Cited "TD3") positive 1e-8 _.AdamEpsilon (fun v s -> { s with AdamEpsilon = v })
            |> says "Adam's epsilon."

            key "td3.discount" PaperUnstated fraction 0.99 _.Discount (fun v s -> { s with Discount = v })
            |> says "Discount factor gamma."

            key "td3.batchSize" PaperUnstated (int32Of (wholeNumber 1L 65_536L)) 256 _.BatchSize (fun v s -> { s with BatchSize = v })
            |> isFixed
            |> inUnit "transitions"
            |> says "Transitions of one gradient step."

            key "td3.bufferSize" (Cited "TD3") (derived (steps 1L)) Auto _.BufferSize (fun v s -> { s with BufferSize = v })
            |> isFixed
            |> inUnit "transitions"
            |> auto "1,000,000" (fun _ _ -> 1_000_000L)
            |> check (fun _ td3 ->
                if td3.BufferSize.Value < int64 td3.BatchSize then
                    Some $"smaller than one batch (td3.batchSize = {td3.BatchSize})"
                else
                    None)
            |> says "Transitions kept for sampling; auto: 1,000,000, whatever the length."

            key "td3.startSteps" OfficialCode (derived (steps 0L)) Auto _.StartSteps (fun v s -> { s with StartSteps = v })
            |> isFixed
            |> inUnit "environment steps"
            |> autoBy startSteps
            |> check (fun length td3 ->
                let phase = length.Phases.Steps

                if length.IsCycle && phase > 0L && td3.StartSteps.Value >= phase then
                    Some $"not below cycle.steps = {phase}: nothing would be learned in the first phase"
                else
                    None)
            |> check (fun length td3 ->
                if td3.StartSteps.Value >= length.Steps then
                    Some $"not below run.steps = {length.Steps}: nothing would be learned"
                else
                    None)
            |> says
                "Uniformly random actions and no update before this step; auto: 25,000, in runs shorter than 250,000 steps 10,000, at most steps/5."

            key "td3.updatesPerStep" OfficialCode ratio 1.0m _.UpdatesPerStep (fun v s -> { s with UpdatesPerStep = v })
            |> isFixed
            |> inUnit "gradient steps"
            |> check owesNothing
            |> says "Replay ratio: gradient steps per environment step; below 1 one every few steps."

            key "td3.primingUpdates" (Cited "Reset") (steps 0L) 0L _.PrimingUpdates (fun v s -> { s with PrimingUpdates = v })
            |> isFixed
            |> inUnit "gradient steps"
            |> says
                "Gradient steps taken at once when learning begins, on the first startSteps transitions: heavy priming, a stress test of plasticity."

            key "td3.explorationNoise" PaperUnstated notNegative 0.1 _.ExplorationNoise (fun v s -> { s with ExplorationNoise = v })
            |> inUnit "max action"
            |> says "Standard deviation of the Gaussian added to the action while training."

            key "td3.targetNoise" OfficialCode notNegative 0.2 _.TargetNoise (fun v s -> { s with TargetNoise = v })
            |> inUnit "max action"
            |> says "Standard deviation of target policy smoothing."

            key "td3.targetNoiseClip" OfficialCode notNegative 0.5 _.TargetNoiseClip (fun v s -> { s with TargetNoiseClip = v })
            |> inUnit "max action"
            |> says "Bound of the smoothing noise."

            key "td3.policyDelay" OfficialCode (int32Of (wholeNumber 1L 1_000L)) 2 _.PolicyDelay (fun v s -> { s with PolicyDelay = v })
            |> inUnit "gradient steps"
            |> says "Critic updates per update of the actor and of all targets."

            key "td3.polyak" OfficialCode positiveFraction 0.005 _.Polyak (fun v s -> { s with Polyak = v })
            |> says "Rate tau at which targets follow."

            key "td3.optimizerReset" Paper switch true _.OptimizerReset (fun v s -> { s with OptimizerReset = v })
            |> says "Whether a method that sets weights anew also empties their Adam state; off is an ablation."

            key "td3.adamAge" (Cited "redo") ages AdamAge.Element _.AdamAge (fun v s -> { s with AdamAge = v })
            |> says
                "What Adam's bias correction counts for a weight set anew: its own steps, or all steps as in PyTorch (a first step of 3.16 learning rates)."
        ]
