namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology
open NE.Model.Replay

/// The other techniques.
module internal TechniqueKeys =

    let keys: Key list = [
        key
            "reset.every"
            "environment steps"
            PaperUnstated
            (derived (steps 0L))
            (fun s -> s.Reset.Every)
            (fun v s -> { s with Reset.Every = v })
            "Steps between two resets of all networks; auto: 200,000, in runs shorter than a million steps a fifth of them; in a cycle 0: at its switches alone. Never within half of that before the end."
        key
            "redo.every"
            "gradient steps"
            (Cited "ReDo")
            (derived (steps 1L))
            (fun s -> s.ReDo.Every)
            (fun v s -> { s with ReDo.Every = v })
            "Gradient steps between two looks for dormant neurons; auto: 1,000, at most a fifth of the run's."
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
            "Steps between two shrinkings; auto: 200,000, in runs shorter than a million steps a fifth of them. Never within half of that before the end."
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
            "swd.horizon"
            "transitions"
            Ours
            (derived (steps 1L))
            (fun s -> s.SampleWeightDecay.Horizon)
            (fun v s -> { s with SampleWeightDecay.Horizon = v })
            "T: a transition of age a has the weight max(minWeight, 1 - a/T) in the draw of a batch; auto: the run's steps, at most bufferSize."
        key
            "swd.minWeight"
            ""
            (Cited "SWD")
            positiveFraction
            (fun s -> s.SampleWeightDecay.MinWeight)
            (fun v s -> {
                s with
                    SampleWeightDecay.MinWeight = v
            })
            "Least weight of an old transition; 1: all are drawn alike."
    ]
