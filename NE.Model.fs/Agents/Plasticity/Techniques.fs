namespace NE.Model.Agents.Plasticity

open NE.Model
open NE.Model.Agents
open NE.Model.Networks
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
            Rules =
                Is {
                    ne.Rules.Value with
                        ReviveRows = false
                }
            Review = ReviewMode.Off
    }

    /// Raises what the method's techniques would raise of networks of these sizes, before there are any.
    let requireFit (settings: Settings) (actor: BlockLayout) (critics: BlockLayout) : unit =
        let growth = [
            if settings.Run.Method.Has Technique.Ne then
                settings.Ne
            if settings.Run.Method.Has Technique.NaiveGrowth then
                naiveGrowth settings.Ne
        ]

        for ne in growth do
            for role, name, layout in [ Role.Actor, "actor", actor; Role.Critic, "critic", critics ] do
                if NeuroplasticExpansion.Grows(ne, role) then
                    StartTopology.plan ne name layout false |> ignore

    /// Terms that the method adds to the gradients. Call before anything changes the initial parameters.
    let gradientTerms (trainee: Trainee) (settings: Settings) : IGradientTerm list = [
        if settings.Run.Method.Has Technique.L2Init then
            new L2Init(trainee, settings.L2Init)
    ]

    /// A technique that acts, and where its state lies among that of others.
    type private Row = {
        Technique: Technique
        /// Part of every stored run: never change one, never use one twice.
        Place: int
        Create: Trainee -> Settings -> Intervention
    }

    // In the order in which they act. Continual backprop reads the activations of the update, which others overwrite.
    let private rows: Row list =
        let row technique place (create: Trainee -> Settings -> int64 -> Intervention) = {
            Technique = technique
            Place = place
            Create = fun trainee settings -> create trainee settings settings.Run.Seed
        }

        [
            row Technique.ContinualBackprop 0 (fun trainee s seed -> ContinualBackprop(trainee, s.ContinualBackprop, seed))
            row Technique.Ne 1 (fun trainee s seed -> NeuroplasticExpansion(trainee, s.Ne, seed))
            row Technique.NaiveGrowth 2 (fun trainee s seed -> NeuroplasticExpansion(trainee, naiveGrowth s.Ne, seed))
            row Technique.Reset 3 (fun trainee s seed -> NetworkReset(trainee, s.Reset, seed))
            row Technique.ReDo 4 (fun trainee s seed -> ReDo(trainee, s.ReDo, seed))
            row Technique.PlasticityInjection 5 (fun trainee s seed -> PlasticityInjection(trainee, s.Injection, seed))
            row Technique.ShrinkAndPerturb 6 (fun trainee s seed -> ShrinkAndPerturb(trainee, s.ShrinkAndPerturb, seed))
            row Technique.SampleWeightDecay 7 (fun _ s _ -> SampleWeightDecay s.SampleWeightDecay)
        ]

    /// Where the state of each technique lies in the components that they share. A technique that is not here stores nothing: a term of the
    /// gradient, and two forms of the networks, which the settings have resolved.
    let places: (Technique * int) list =
        rows |> List.map (fun row -> row.Technique, row.Place)

    /// The method's interventions, in the order in which they act.
    let interventions (trainee: Trainee) (settings: Settings) : (Technique * Intervention) list = [
        for row in rows do
            if settings.Run.Method.Has row.Technique then
                row.Technique, row.Create trainee settings
    ]

    /// The state of interventions, each in its place.
    let state (interventions: (Technique * Intervention) list) : StoredParts list =
        let placeOf technique =
            places |> List.find (fun (known, _) -> known = technique) |> snd

        interventions
        |> List.sortBy (fst >> placeOf)
        |> List.map (fun (_, intervention) -> intervention.State)

    /// The interventions that may take a gradient for themselves, with the names of their techniques.
    let claims (interventions: (Technique * Intervention) list) : (string * IGradientClaim) list =
        interventions
        |> List.choose (fun (technique, intervention) ->
            match box intervention with
            | :? IGradientClaim as claim -> Some(Method.nameOf technique, claim)
            | _ -> None)
