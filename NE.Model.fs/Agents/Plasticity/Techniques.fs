namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Replay
open NE.Model.Topology

/// From a method's techniques to the objects that carry them out.
[<RequireQualifiedAccess>]
module Techniques =

    /// What naive random growth is in terms of NE's keys (methods.md): uniform density, random growth, no pruning and no review. The other keys hold
    /// as they are.
    let naiveGrowth (ne: NeSettings) : NeSettings = {
        ne with
            Allocation = Allocation.Uniform
            DenseEnds = DenseEnds.Off
            Criterion = GrowCriterion.Random
            Omega = 0.0
            Rules.ReviveRows = false
            Review = ReviewMode.Off
    }

    /// Terms that the method adds to the gradients. Call before anything changes the initial parameters.
    let gradientTerms (networks: Td3Networks) (settings: Settings) : IGradientTerm list = [
        if settings.Run.Method.Has Technique.L2Init then
            new L2Init(networks, settings.L2Init)
    ]

    /// The method's interventions, in the order in which they act. `work` is the training batch, `probe` one of 256 rows.
    let interventions
        (networks: Td3Networks)
        (td3: Td3)
        (work: Td3Workspace)
        (probe: Td3Workspace)
        (settings: Settings)
        : Intervention list =
        let seed = settings.Run.Seed

        let expansion ne =
            NeuroplasticExpansion(networks, td3, probe, ne, settings.Td3, seed) :> Intervention

        // Continual backprop reads the activations of the update, which others overwrite.
        settings.Run.Method.Techniques
        |> List.sortBy (fun technique -> technique <> Technique.ContinualBackprop)
        |> List.choose (function
            | Technique.Ne -> Some(expansion settings.Ne)
            | Technique.NaiveGrowth -> Some(expansion (naiveGrowth settings.Ne))
            | Technique.Reset -> Some(NetworkReset(networks, settings))
            | Technique.ReDo -> Some(ReDo(networks, probe, settings))
            | Technique.ShrinkAndPerturb -> Some(ShrinkAndPerturb(networks, settings))
            | Technique.PlasticityInjection -> Some(PlasticityInjection(networks, List.distinct [ work; probe ], probe, settings))
            | Technique.ContinualBackprop -> Some(ContinualBackprop(networks, td3, work, settings))
            | Technique.SampleWeightDecay -> Some(SampleWeightDecay settings.SampleWeightDecay)
            // A term of the gradient, and two forms of the networks, which the settings have resolved.
            | Technique.L2Init
            | Technique.LayerNorm
            | Technique.CRelu -> None)
