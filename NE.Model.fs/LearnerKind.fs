namespace NE.Model

/// The algorithm of reinforcement learning that techniques are composed onto.
[<RequireQualifiedAccess>]
type LearnerKind =
    /// Twin delayed deep deterministic policy gradients (Fujimoto et al. 2018).
    | Td3
    /// Soft Actor-Critic with a learned temperature (Haarnoja et al. 2018, arXiv 1812.05905).
    | Sac
    /// SAC on pictures, with shifted images (DrQ: Kostrikov et al. 2020).
    | Drq
    /// A deterministic actor on pictures, with scheduled noise (DrQ-v2: Yarats et al. 2021).
    | DrqV2

    /// Whether it learns how much entropy is worth.
    member this.HasTemperature = this.IsSac || this.IsDrq

    /// Whether it learns from pictures.
    member this.SeesPixels = this.IsDrq || this.IsDrqV2

[<RequireQualifiedAccess; CompilationRepresentation(CompilationRepresentationFlags.ModuleSuffix)>]
module LearnerKind =
    /// Every learner with its name on the command line.
    let names = [
        "td3", LearnerKind.Td3
        "sac", LearnerKind.Sac
        "drq", LearnerKind.Drq
        "drqv2", LearnerKind.DrqV2
    ]

    /// A learner's name.
    let nameOf (learner: LearnerKind) =
        names |> List.find (fun (_, known) -> known = learner) |> fst
