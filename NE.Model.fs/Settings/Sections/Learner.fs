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

/// What every learner needs: its optimiser, its batches and its replay memory.
type LearnerSettings = {
    ActorLearningRate: Derived<float>
    CriticLearningRate: Derived<float>
    AdamBeta1: float
    AdamBeta2: float
    AdamEpsilon: float
    Discount: float
    BatchSize: int
    BufferSize: Derived<int64>
    StartSteps: Derived<int64>
    /// The replay ratio, exact to the digit.
    UpdatesPerStep: Derived<decimal>
    /// Gradient steps taken at once when learning begins.
    PrimingUpdates: int64
    Polyak: Derived<float>
    /// Whether a method that sets weights anew also empties their Adam state.
    OptimizerReset: bool
    AdamAge: AdamAge
}

[<RequireQualifiedAccess>]
module internal LearnerSettings =

    let private key name =
        Keys.key<LearnerFacts, LearnerSettings, _> name

    /// Gradient steps of a run, those of the priming included. None is owed for the steps at its start, nor for the warm-ups of the later
    /// phases of a cycle.
    let gradientSteps (length: RunLength) (learner: LearnerSettings) =
        let warmUps = (max 1L length.Phases.Count - 1L) * length.Phases.WarmUp

        ReplayRatio.updatesOf learner.UpdatesPerStep.Value (length.Steps - warmUps - learner.StartSteps.Value)
        + learner.PrimingUpdates

    /// Environment steps that are complete, all their gradient steps taken, before the last gradient step.
    let completeSteps (length: RunLength) (learner: LearnerSettings) =
        learner.StartSteps.Value
        + ReplayRatio.completeBefore learner.UpdatesPerStep.Value (gradientSteps length learner - learner.PrimingUpdates)

    let private startSteps (facts: LearnerFacts) _ =
        let length = facts.Length

        // Of a cycle it is the first phase that begins with them.
        let steps =
            if length.Phases.Steps > 0L then
                length.Phases.Steps
            else
                length.Steps

        if facts.Learner.SeesPixels then
            "2,000 from pictures, at most a fifth", min 2_000L (steps / 5L)
        elif steps >= 250_000L then
            "25,000", 25_000L
        else
            "10,000 below 250,000 steps, at most a fifth", min 10_000L (steps / 5L)

    /// A replay ratio so small that a phase, of a known length, owes no gradient step. Other reasons why nothing is learned are said elsewhere.
    let private owesNothing (facts: LearnerFacts) (learner: LearnerSettings) =
        let length, start = facts.Length, learner.StartSteps.Value

        let learned =
            match length.Phases.Steps with
            | 0L -> length.Steps - start
            | phase -> phase - max start length.Phases.WarmUp

        if learned > 0L && ReplayRatio.updatesOf learner.UpdatesPerStep.Value learned = 0L then
            Some $"the {learned} steps that are learned from would owe no gradient step: nothing would be learned; give more"
        else
            None

    let private ages = choice [ "element", AdamAge.Element; "global", AdamAge.Global ]

    /// What `auto` becomes where pictures ask for another value.
    let private byObservation words ofNumbers ofPictures =
        auto words (fun (facts: LearnerFacts) _ -> if facts.Learner.SeesPixels then ofPictures else ofNumbers)

    let section =
        Section.create [
            key "learner.actorLearningRate" PaperUnstated (derived positive) Auto _.ActorLearningRate (fun v s -> {
                s with
                    ActorLearningRate = v
            })
            |> inOldRuns (Is 3e-4)
            |> byObservation "3e-4; from pictures 1e-4" 3e-4 1e-4
            |> says "Adam's step size for the actor; auto: 3e-4, from pictures 1e-4."

            key "learner.criticLearningRate" PaperUnstated (derived positive) Auto _.CriticLearningRate (fun v s -> {
                s with
                    CriticLearningRate = v
            })
            |> inOldRuns (Is 3e-4)
            |> byObservation "3e-4; from pictures 1e-4" 3e-4 1e-4
            |> says "Adam's step size for the critics; auto: 3e-4, from pictures 1e-4."

            key "learner.adamBeta1" (Cited "TD3") openFraction 0.9 _.AdamBeta1 (fun v s -> { s with AdamBeta1 = v })
            |> isFixed
            |> says "Decay of Adam's first moment."

            key "learner.adamBeta2" (Cited "TD3") openFraction 0.999 _.AdamBeta2 (fun v s -> { s with AdamBeta2 = v })
            |> isFixed
            |> says "Decay of Adam's second moment."

            key "learner.adamEpsilon" (Cited "TD3") positive 1e-8 _.AdamEpsilon (fun v s -> { s with AdamEpsilon = v })
            |> check (fun _ learner ->
                // Second moments below 1e-30, whose roots are 1e-15, are taken for 0: epsilon must be what decides there.
                if learner.AdamEpsilon < 1e-12 then
                    Some "below 1e-12, where the steps of weights with tiny gradients would be as large as epsilon is small"
                else
                    None)
            |> says "Adam's epsilon."

            key "learner.discount" PaperUnstated fraction 0.99 _.Discount (fun v s -> { s with Discount = v })
            |> says "Discount factor gamma."

            key "learner.batchSize" PaperUnstated (int32Of (wholeNumber 1L 65_536L)) 256 _.BatchSize (fun v s -> { s with BatchSize = v })
            |> isFixed
            |> inUnit "transitions"
            |> says "Transitions of one gradient step."

            key "learner.bufferSize" (Cited "TD3") (derived (steps 1L)) Auto _.BufferSize (fun v s -> { s with BufferSize = v })
            |> isFixed
            |> inUnit "transitions"
            |> byObservation "1,000,000; of pictures 100,000" 1_000_000L 100_000L
            |> check (fun _ learner ->
                if learner.BufferSize.Value < int64 learner.BatchSize then
                    Some $"smaller than one batch (learner.batchSize = {learner.BatchSize})"
                else
                    None)
            |> says "Transitions kept for sampling, or frames; auto: 1,000,000, of pictures 100,000, whatever the length."

            key "learner.startSteps" OfficialCode (derived (steps 0L)) Auto _.StartSteps (fun v s -> { s with StartSteps = v })
            |> isFixed
            |> inUnit "environment steps"
            |> autoBy startSteps
            |> check (fun facts learner ->
                let length = facts.Length
                let phase = length.Phases.Steps

                if length.IsCycle && phase > 0L && learner.StartSteps.Value >= phase then
                    Some $"not below cycle.steps = {phase}: nothing would be learned in the first phase"
                else
                    None)
            |> check (fun facts learner ->
                if learner.StartSteps.Value >= facts.Length.Steps then
                    Some $"not below run.steps = {facts.Length.Steps}: nothing would be learned"
                else
                    None)
            |> says
                "Uniformly random actions and no update before this step; auto: 25,000, in runs shorter than 250,000 steps 10,000, from pictures 2,000, at most steps/5."

            key "learner.updatesPerStep" OfficialCode (derived ratio) Auto _.UpdatesPerStep (fun v s -> { s with UpdatesPerStep = v })
            |> inOldRuns (Is 1.0m)
            |> isFixed
            |> inUnit "per environment step"
            |> byObservation "1; from pictures 0.5" 1.0m 0.5m
            |> check owesNothing
            |> says "Replay ratio: gradient steps per environment step, below 1 one every few steps; auto: 1, from pictures 0.5."

            key "learner.primingUpdates" (Cited "Reset") (steps 0L) 0L _.PrimingUpdates (fun v s -> { s with PrimingUpdates = v })
            |> isFixed
            |> inUnit "gradient steps"
            |> says
                "Gradient steps taken at once when learning begins, on the first startSteps transitions: heavy priming, a stress test of plasticity."

            key "learner.polyak" OfficialCode (derived positiveFraction) Auto _.Polyak (fun v s -> { s with Polyak = v })
            |> inOldRuns (Is 0.005)
            |> byObservation "0.005; from pictures 0.01" 0.005 0.01
            |> says "Rate tau at which targets follow; auto: 0.005, from pictures 0.01."

            key "learner.optimizerReset" Paper switch true _.OptimizerReset (fun v s -> { s with OptimizerReset = v })
            |> says "Whether a method that sets weights anew also empties their Adam state; off is an ablation."

            key "learner.adamAge" (Cited "redo") ages AdamAge.Element _.AdamAge (fun v s -> { s with AdamAge = v })
            |> says
                "What Adam's bias correction counts for a weight set anew: its own steps, or all steps as in PyTorch (a first step of 3.16 learning rates)."
        ]
