namespace NE.Model

/// The algorithm of reinforcement learning that techniques are composed onto.
[<RequireQualifiedAccess>]
type LearnerKind =
    /// Twin delayed deep deterministic policy gradients (Fujimoto et al. 2018).
    | Td3
    /// Soft Actor-Critic with a learned temperature (Haarnoja et al. 2018, arXiv 1812.05905).
    | Sac

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module LearnerKind =
    /// Every learner with its name on the command line.
    let names = [ "td3", LearnerKind.Td3; "sac", LearnerKind.Sac ]

    /// A learner's name.
    let nameOf (learner: LearnerKind) =
        names |> List.find (fun (_, known) -> known = learner) |> fst
