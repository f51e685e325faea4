namespace NE.Model

/// One key that a variant sets.
type VariantKey = {
    /// section.name
    Key: string
    /// The value as text.
    Value: string
    /// The row or rows of docs/algorithm.md's table of deviations that it follows.
    Row: string
}

/// Named sets of key values. A variant is no other algorithm: everything that it does, its keys do.
[<RequireQualifiedAccess>]
module Variants =

    let private row row pairs =
        pairs |> List.map (fun (key, value) -> { Key = key; Value = value; Row = row })

    /// What the paper says where the defaults differ from it, each for a reason in docs/algorithm.md; intervals are those of its 3,000,000 steps.
    let paper: VariantKey list =
        List.concat [
            row "D9" [ "ne.rules", "paper" ]
            row "D12" [ "ne.growInit", "random" ]
            row "D15" [ "ne.reviewThreshold", "0"; "ne.reviewWindow", "10000" ]
            row "D20" [ "network.weightClip", "3"; "network.clipOutput", "on" ]
            row "D23" [ "ne.growInterval", "10000" ]
            row "D31" [ "redo.every", "200000"; "redo.threshold", "0" ]
        ]

    /// What the official code of the paper really executes, as far as a key can say it; docs/algorithm.md lists what is left out.
    let official: VariantKey list =
        List.concat [
            row "D1" [ "ne.startDensity", "0.2" ]
            row "D2" [ "ne.finalDensity", "0.75" ]
            row "D2, D4 to D6, D8, D9, D13 to D16, D21" [ "ne.rules", "official" ]
            row "D3" [ "ne.denseEnds", "off" ]
            row "D6" [ "ne.growth", "uniform"; "ne.growRate", "0.008" ]
            row "D9" [ "ne.granularity", "magnitude" ]
            row "D10" [ "ne.omega", "0.4" ]
            row "D12" [ "ne.growInit", "zero"; "learner.optimizerReset", "off" ]
            row "D15" [
                "ne.review", "official"
                "ne.reviewPortion", "0.3"
                "ne.reviewFirstStep", "0"
            ]
            row "D19" [
                "network.hidden", "256,256"
                "network.criticHidden", "256,256,256"
                "network.layerNorm", "critic-last"
            ]
            row "D20" [ "network.weightClip", "0" ]
            row "D23" [ "ne.growInterval", "100" ]
        ]

    /// Every variant by name.
    let all: (string * VariantKey list) list = [ "paper", paper; "official", official ]

    /// Their names.
    let names: string list = all |> List.map fst

    /// The keys of a variant; null when there is none of that name.
    let tryFind (name: string) : VariantKey list | null =
        match all |> List.tryFind (fun (known, _) -> known = name) with
        | Some(_, keys) -> keys
        | None -> null
