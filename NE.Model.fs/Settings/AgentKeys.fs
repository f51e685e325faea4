namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology
open NE.Model.Replay

/// The networks and TD3.
module internal AgentKeys =

    let keys: Key list = [
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
            Ours
            notNegative
            (fun s -> s.Network.WeightClip)
            (fun v s -> { s with Network.WeightClip = v })
            "Weight clipping, for all methods: weights and biases stay within this many initial bounds (the paper: 3); 0: they are free."
        fixedKey
            "network.clipOutput"
            ""
            Ours
            switch
            (fun s -> s.Network.ClipOutput)
            (fun v s -> { s with Network.ClipOutput = v })
            "Whether network.weightClip holds in output layers too: it bounds the values that critics can have."
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
            (Cited "TD3")
            (derived (steps 1L))
            (fun s -> s.Td3.BufferSize)
            (fun v s -> { s with Td3.BufferSize = v })
            "Transitions kept for sampling; auto: 1,000,000, whatever the length."
        fixedKey
            "td3.startSteps"
            "environment steps"
            OfficialCode
            (derived (steps 0L))
            (fun s -> s.Td3.StartSteps)
            (fun v s -> { s with Td3.StartSteps = v })
            "Uniformly random actions and no update before this step; auto: 25,000, in runs shorter than 250,000 steps 10,000, at most steps/5."
        fixedKey
            "td3.updatesPerStep"
            "gradient steps"
            OfficialCode
            ratio
            (fun s -> s.Td3.UpdatesPerStep)
            (fun v s -> { s with Td3.UpdatesPerStep = v })
            "Replay ratio: gradient steps per environment step; below 1 one every few steps."
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
            "Whether a method that sets weights anew also empties their Adam state; off is an ablation."
        key
            "td3.adamAge"
            ""
            (Cited "redo")
            (choice [ "element", AdamAge.Element; "global", AdamAge.Global ])
            (fun s -> s.Td3.AdamAge)
            (fun v s -> { s with Td3.AdamAge = v })
            "What Adam's bias correction counts for a weight set anew: its own steps, or all steps as in PyTorch (a first step of 3.16 learning rates)."
    ]
