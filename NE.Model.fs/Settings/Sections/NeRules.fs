namespace NE.Model

open System
open NE.Model.KeyKinds
open NE.Model.Topology

/// Which weights of a sparse layer start active.
[<RequireQualifiedAccess>]
type InitialMask =
    /// A uniformly random subset.
    | Random
    /// Those of largest magnitude.
    | Magnitude

/// The batch on which a topology event decides.
[<RequireQualifiedAccess>]
type EventBatch =
    /// Fresh ones; the optimiser's step is taken as ever.
    | Fresh
    /// The training batch; the optimiser makes no step of that network.
    | Training

/// What the actor's growth schedule counts.
[<RequireQualifiedAccess>]
type ActorClock =
    /// Gradient steps, as the critics' does.
    | Shared
    /// The actor's updates, with the critics' last step.
    | Own

/// Rules of Neuroplastic Expansion that are no hyper-parameters, and in which the paper, its official code and we differ (docs/algorithm.md, rules).
type NeRules = {
    /// What the start density counts.
    DensityScope: DensityScope
    InitialMask: InitialMask
    /// The room that a given growRate is a fraction of.
    RestCapacity: RestCapacity
    /// What a given growRate means when the shape is not the cosine.
    RateScale: RateScale
    /// Whether fractions of a weight are carried to the next event.
    GrowCarry: bool
    /// What finalDensity is a density of.
    DensityCap: DensityCap
    /// Whether neurons without input are given some before anything else grows.
    ReviveRows: bool
    EventBatch: EventBatch
    ActorClock: ActorClock
    /// Share of a layer that an event exchanges after growth has ended; 0 for none.
    RewireShare: float
    /// Fraction of active units below which batches are halved; 0 for never.
    HalfBatchBelow: float
    /// Fraction of active units below which review=official may review.
    Awaken: float
}

/// One of the rules, as text.
type NeRule = {
    Name: string
    Sentence: string
    Get: NeRules -> string
    Set: string -> NeRules -> Result<NeRules, string>
}

[<RequireQualifiedAccess>]
module NeRules =

    let ours: NeRules = {
        DensityScope = DensityScope.Network
        InitialMask = InitialMask.Random
        RestCapacity = RestCapacity.Initial
        RateScale = RateScale.Total
        GrowCarry = true
        DensityCap = DensityCap.Layer
        ReviveRows = true
        EventBatch = EventBatch.Fresh
        ActorClock = ActorClock.Shared
        RewireShare = 0.0
        HalfBatchBelow = 0.0
        Awaken = 0.4
    }

    let paper: NeRules = { ours with ReviveRows = false }

    /// The density at the start is one of the layers whose mask may change. From pictures the first and last layers of heads, which stay dense,
    /// are most of what is not 1024 x 1024.
    let ofElasticLayers (rules: NeRules) : NeRules = {
        rules with
            DensityScope = DensityScope.Elastic
    }

    /// What the official code really executes.
    let official: NeRules = {
        DensityScope = DensityScope.NetworkAndGains
        InitialMask = InitialMask.Magnitude
        RestCapacity = RestCapacity.Sparsity
        RateScale = RateScale.Event
        GrowCarry = false
        DensityCap = DensityCap.Network
        ReviveRows = false
        EventBatch = EventBatch.Training
        ActorClock = ActorClock.Own
        RewireShare = 0.2
        HalfBatchBelow = 0.36
        Awaken = 0.4
    }

    /// The named rules, in the order in which they are shown.
    let named = [ "ours", ours; "paper", paper; "official", official ]

    let private rule name (kind: Kind<'T>) (get: NeRules -> 'T) (set: 'T -> NeRules -> NeRules) sentence : NeRule = {
        Name = name
        Sentence = sentence
        Get = get >> kind.Show
        Set =
            fun text rules ->
                kind.Parse text
                |> Result.map (fun value -> set value rules)
                |> Result.mapError (fun problem -> $"{problem}; allowed: {kind.Words}")
    }

    let private scopes =
        choice [
            "network", DensityScope.Network
            "elastic", DensityScope.Elastic
            "gains", DensityScope.NetworkAndGains
        ]

    let private masks =
        choice [ "random", InitialMask.Random; "magnitude", InitialMask.Magnitude ]

    let private rooms =
        choice [
            "initial", RestCapacity.Initial
            "current", RestCapacity.Current
            "sparsity", RestCapacity.Sparsity
        ]

    let private scales = choice [ "total", RateScale.Total; "event", RateScale.Event ]

    let private caps =
        choice [ "layer", DensityCap.Layer; "network", DensityCap.Network ]

    let private batches =
        choice [ "fresh", EventBatch.Fresh; "training", EventBatch.Training ]

    let private clocks = choice [ "shared", ActorClock.Shared; "own", ActorClock.Own ]

    /// Every rule.
    let rules: NeRule list = [
        rule
            "densityScope"
            scopes
            _.DensityScope
            (fun v s -> { s with DensityScope = v })
            "What the start density counts: all weights of the network, those of layers whose mask may change (elastic), or all and the gains of layer normalisation."
        rule
            "initialMask"
            masks
            _.InitialMask
            (fun v s -> { s with InitialMask = v })
            "Which weights start active: a uniformly random subset, or the largest."
        rule
            "restCapacity"
            rooms
            _.RestCapacity
            (fun v s -> { s with RestCapacity = v })
            "The room that a given growRate is a fraction of: that at the start, that left now (current), or 1 - startDensity less what is active at the start."
        rule
            "rateScale"
            scales
            _.RateScale
            (fun v s -> { s with RateScale = v })
            "What a given growRate means: the same total growth in every shape, or the growth of one event."
        rule
            "growCarry"
            switch
            _.GrowCarry
            (fun v s -> { s with GrowCarry = v })
            "Whether a given growRate carries fractions of a weight to the next event, or drops them."
        rule
            "densityCap"
            caps
            _.DensityCap
            (fun v s -> { s with DensityCap = v })
            "What stops growing at finalDensity: every layer at its own, or the network once it is that dense as a whole."
        rule
            "reviveRows"
            switch
            _.ReviveRows
            (fun v s -> { s with ReviveRows = v })
            "Whether neurons without any input are given up to 8 random ones before anything else grows."
        rule
            "eventBatch"
            batches
            _.EventBatch
            (fun v s -> { s with EventBatch = v })
            "Batch on which an event decides: fresh ones, or the training batch, whose optimiser step is then skipped."
        rule
            "actorClock"
            clocks
            _.ActorClock
            (fun v s -> { s with ActorClock = v })
            "What the actor's schedule counts: gradient steps, or its own updates, with the critics' endStep."
        rule
            "rewireShare"
            openFraction
            _.RewireShare
            (fun v s -> { s with RewireShare = v })
            "Once growth has ended, events exchange this share of the active weights, times a cosine from then on: smallest weights for those of largest gradient; 0: no such phase."
        rule
            "halfBatchBelow"
            fraction
            _.HalfBatchBelow
            (fun v s -> { s with HalfBatchBelow = v })
            "Batches are half as large while the critics' fraction of active units is below this; 0: never."
        rule
            "awaken"
            fraction
            _.Awaken
            (fun v s -> { s with Awaken = v })
            "Fraction of active units below which review=official may review."
    ]

    let private differing (from: NeRules) (rules': NeRules) =
        rules |> List.filter (fun rule -> rule.Get from <> rule.Get rules')

    /// The nearest name, and the rules that differ from it.
    let private show (rules: NeRules) =
        let name, nearest =
            named |> List.minBy (fun (_, from) -> (differing from rules).Length)

        name
        :: [ for rule in differing nearest rules -> $"{rule.Name}={rule.Get rules}" ]
        |> String.concat "+"

    let private unknown what (text: string) (names: string list) =
        match Nearest.suggest text names with
        | Some near -> Error $"'{text}' is no {what}, did you mean '{near}'?"
        | None ->
            let all = String.concat ", " names
            Error $"'{text}' is no {what}; there are {all}"

    let private change (rules': NeRules) (text: string) =
        let name, value =
            match text.IndexOf '=' with
            | -1 -> text, ""
            | at -> text.Substring(0, at).Trim(), text.Substring(at + 1).Trim()

        match rules |> List.tryFind (fun rule -> rule.Name = name) with
        | Some rule -> rule.Set value rules' |> Result.mapError (fun problem -> $"{name}: {problem}")
        | None -> unknown "rule" name (rules |> List.map _.Name)

    let private parse (text: string) =
        let parts = text.Split('+', StringSplitOptions.TrimEntries) |> List.ofArray

        match named |> List.tryFind (fun (name, _) -> name = parts.Head.ToLowerInvariant()) with
        | None -> unknown "name of rules" parts.Head (List.map fst named)
        | Some(_, start) -> List.fold (fun rules part -> Result.bind (fun rules -> change rules part) rules) (Ok start) parts.Tail

    /// "official", or "ours+eventBatch=training" where a rule is another.
    let internal kind: Kind<NeRules> = {
        Words =
            let names = named |> List.map fst |> String.concat ", "
            $"{names}, or one of them with other rules: ours+eventBatch=training"
        Show = show
        Parse = parse
    }
