/// What benchmarks and tests look at inside a learner.
[<AutoOpen>]
module NE.Benchmarks.LearnerInsides

open NE.Model.Agents
open NE.Model.Agents.Td3

type ILearner with

    /// The algorithm that it was composed of.
    member learner.Algorithm: IAlgorithm =
        match learner with
        | :? Agent as agent -> agent.Algorithm
        | other -> invalidOp $"{other.GetType().Name} has no algorithm to look at."

    /// The networks of a learner by TD3.
    member learner.Networks: ActorCriticNetworks =
        match learner.Algorithm with
        | :? Td3Algorithm as td3 -> td3.Networks
        | other -> invalidOp $"{other.GetType().Name} is not TD3."
