namespace NE.Model

open System

/// Something done to a learner to keep it able to learn. Each has a page's section in docs/methods.md.
[<RequireQualifiedAccess>]
type Technique =
    /// Neuroplastic Expansion (docs/algorithm.md 2.4-2.11).
    | Ne
    /// Growth at random, from a sparse start, without pruning and review (methods.md).
    | NaiveGrowth
    /// All networks are created anew now and then; the replay buffer stays (Nikishin et al. 2022).
    | Reset
    /// Dormant neurons are drawn anew now and then (Sokar et al. 2023).
    | ReDo
    /// Layer normalisation before every hidden ReLU (Ba et al. 2016; Lyle et al. 2023).
    | LayerNorm
    /// New bodies are added once, in a way that leaves the outputs as they are (Nikishin et al. 2023).
    | PlasticityInjection
    /// Weights are scaled down and mixed with fresh ones now and then (Ash and Adams 2020).
    | ShrinkAndPerturb
    /// A pull towards the initial parameters (Kumar et al. 2023).
    | L2Init
    /// Concatenated ReLU units (Abbas et al. 2023).
    | CRelu
    /// The least useful units are replaced, all the time (Dohare et al. 2024).
    | ContinualBackprop
    /// New transitions are drawn more often than old ones (arXiv 2604.01913).
    | SampleWeightDecay

/// The techniques of an agent, each at most once, in a fixed order; without any the learner is dense.
type Method =
    private
    | Method of Technique list

    /// The techniques, in the fixed order.
    member this.Techniques =
        let (Method techniques) = this
        techniques

    /// Whether a technique is one of them.
    member this.Has(technique: Technique) = List.contains technique this.Techniques

[<RequireQualifiedAccess>]
module Method =
    /// Every technique with its name on the command line, in the order in which they are shown.
    let names = [
        "ne", Technique.Ne
        "naive-growth", Technique.NaiveGrowth
        "reset", Technique.Reset
        "redo", Technique.ReDo
        "layer-norm", Technique.LayerNorm
        "plasticity-injection", Technique.PlasticityInjection
        "shrink-and-perturb", Technique.ShrinkAndPerturb
        "l2-init", Technique.L2Init
        "crelu", Technique.CRelu
        "continual-backprop", Technique.ContinualBackprop
        "swd", Technique.SampleWeightDecay
    ]

    /// No technique, as runs of the first learner have stored it.
    let private dense = "td3"

    /// No technique, whatever the learner.
    [<Literal>]
    let none = "none"

    /// A technique's name.
    let nameOf (technique: Technique) =
        names |> List.find (fun (_, known) -> known = technique) |> fst

    /// No technique.
    let Td3 = Method []

    /// Neuroplastic Expansion.
    let Ne = Method [ Technique.Ne ]

    /// Pairs that cannot be composed, and why.
    let contradictions: (Technique * Technique * string) list = [
        let growing = [ Technique.Ne; Technique.NaiveGrowth ]

        let pairs ones others why = [
            for a in ones do
                for b in others -> a, b, why
        ]

        yield Technique.Ne, Technique.NaiveGrowth, "both would own the topology"

        yield!
            pairs
                growing
                [ Technique.Reset ]
                "a reset creates the networks anew, and with them the topology that has grown; take shrink-and-perturb, which keeps it"

        yield! pairs growing [ Technique.L2Init ] "a weight that grows later has no initial value to be pulled towards"

        // naive-growth draws no neuron anew, so the ages that continual-backprop counts are right.
        yield
            Technique.Ne,
            Technique.ContinualBackprop,
            "both draw neurons anew: the one would count the other's new neurons as old ones, and take their positive biases away"

        yield
            Technique.Reset,
            Technique.ContinualBackprop,
            "after a reset the other's ages and utilities would be those of units that no longer exist"

        yield
            Technique.Reset,
            Technique.L2Init,
            "after a reset the pull would still be towards the first initial values, not towards those that the reset has drawn"

        let injected = [
            yield! growing
            Technique.Reset
            Technique.ReDo
            Technique.ShrinkAndPerturb
            Technique.L2Init
            Technique.ContinualBackprop
        ]

        yield! pairs injected [ Technique.PlasticityInjection ] "injection freezes the networks that the other would go on changing"

        yield!
            pairs
                [ yield! growing; Technique.ReDo; Technique.ContinualBackprop ]
                [ Technique.CRelu ]
                "a concatenated unit is never silent and owns two columns, so the other's dormancy or utility of a neuron is not defined"

        yield Technique.ReDo, Technique.ContinualBackprop, "both draw neurons anew, each by a measure that the other spoils"
    ]

    /// Why these techniques cannot be composed; none when they can.
    let private contradiction (techniques: Technique list) =
        contradictions
        |> List.tryFind (fun (a, b, _) -> List.contains a techniques && List.contains b techniques)
        |> Option.map (fun (a, b, why) -> $"{nameOf a} and {nameOf b} cannot be composed: {why}")

    /// Composes techniques; the order does not matter. The error says which two do not go together, and why.
    let compose (techniques: Technique seq) : Result<Method, string> =
        let given = List.ofSeq techniques

        let ordered =
            names
            |> List.map snd
            |> List.filter (fun technique -> List.contains technique given)

        match contradiction ordered with
        | Some why -> Error why
        | None -> Ok(Method ordered)

    /// For example "td3", "ne" or "redo+layer-norm".
    let show (method': Method) =
        match method'.Techniques with
        | [] -> dense
        | techniques -> techniques |> List.map nameOf |> String.concat "+"

    /// What is allowed, in words.
    let words =
        let all = names |> List.map fst |> String.concat ", "
        $"{none} or {dense}, or one or more of {all}, joined by '+'"

    /// Reads what `show` writes, in any order, and none.
    let parse (text: string) : Result<Method, string> =
        let find (name: string) =
            match names |> List.tryFind (fun (known, _) -> known = name) with
            | Some(_, technique) -> Ok technique
            | None when name = dense || name = none -> Error $"'{name}' is what all of them are composed onto; leave it out"
            | None ->
                match Nearest.suggest name (none :: dense :: List.map fst names) with
                | None -> Error $"'{name}' is not one of these"
                | Some near -> Error $"'{name}' is unknown; did you mean '{near}'?"

        let folder found name =
            match found, find name with
            | Error problem, _
            | _, Error problem -> Error problem
            | Ok techniques, Ok technique when List.contains technique techniques -> Error $"'{name}' is named twice"
            | Ok techniques, Ok technique -> Ok(technique :: techniques)

        match text.Trim().ToLowerInvariant() with
        | plain when plain = dense || plain = none -> Ok Td3
        | composed ->
            composed.Split('+', StringSplitOptions.TrimEntries)
            |> Array.fold folder (Ok [])
            |> Result.bind compose
