namespace NE.Model.Agents

open NE.Model
open NE.Model.Networks
open NE.Model.Topology

/// What the section learner says, as algorithms need it.
[<RequireQualifiedAccess>]
module LearnerOptions =

    /// Constants of Adam's steps of this size.
    let adam (learner: LearnerSettings) (learningRate: float) : AdamOptions = {
        LearningRate = float32 learningRate
        Beta1 = learner.AdamBeta1
        Beta2 = learner.AdamBeta2
        Epsilon = float32 learner.AdamEpsilon
    }

    /// What Adam forgets of an entry that a technique sets anew.
    let forgetting (learner: LearnerSettings) : Forgetting =
        match learner.OptimizerReset, learner.AdamAge with
        | false, _ -> Forgetting.Nothing
        | true, AdamAge.Global -> Forgetting.Moments
        | true, AdamAge.Element -> Forgetting.All
