namespace NE.Model

open NE.Model.KeyKinds
open NE.Model.Keys

/// Which hidden layers have a LayerNorm between their linear outputs and their activation.
[<RequireQualifiedAccess>]
type LayerNorm =
    | Off
    /// Every hidden layer of the actor and of the critics: the paper's LN.
    | All
    /// The last hidden layer of each critic: the official code's critic.
    | CriticLast

/// What a hidden layer makes of its linear outputs z.
[<RequireQualifiedAccess>]
type Activation =
    /// max(z, 0).
    | Relu
    /// [max(z, 0), max(-z, 0)], twice as many features as outputs: concatenated ReLU (Shang et al. 2016; Abbas et al. 2023).
    | Crelu

/// The networks, common to all methods.
type NetworkSettings = {
    /// Features that the hidden layers of the actor hand on. With CReLU half as many linear outputs make them.
    Hidden: Derived<int list>
    /// The same of each critic; Auto: as Hidden.
    CriticHidden: Derived<int list>
    /// Hidden layers of 256 features added before each critic's output and at the actor's front.
    Scale: int
    LayerNorm: LayerNorm
    Activation: Activation
    /// Weight clipping: |w| and |b| stay below this times 1/sqrt(fan-in); 0 switches it off.
    WeightClip: float
    /// Whether output layers are clipped too.
    ClipOutput: bool
}

[<RequireQualifiedAccess>]
module internal NetworkSettings =

    let private key name =
        Keys.key<NetworkFacts, NetworkSettings, _> name

    let private layerNorms =
        choice [
            "off", LayerNorm.Off
            "all", LayerNorm.All
            "critic-last", LayerNorm.CriticLast
        ]

    /// What a technique makes of a key that was not given.
    let private impliedBy technique value isDefault (facts: NetworkFacts) network =
        if facts.Method.Has technique && isDefault network then
            Some($"run.method has {Method.nameOf technique}", value)
        else
            None

    let private oddWidths (network: NetworkSettings) (widths: int list) =
        match network.Activation, widths |> List.tryFind (fun width -> width % 2 = 1) with
        | Activation.Crelu, Some width ->
            Some $"{width} is odd, and network.activation = crelu makes two features of every unit; give even widths"
        | _ -> None

    let private activations =
        choice [ "relu", Activation.Relu; "crelu", Activation.Crelu ]

    let section =
        Section.create [
            key "network.hidden" Paper (derived widths) Auto _.Hidden (fun v s -> { s with Hidden = v })
            |> isFixed
            |> inOldRuns (Is [ 256; 128 ])
            |> inUnit "units"
            |> auto "256,128; from pictures 1024,1024" (fun facts _ ->
                if facts.Learner.SeesPixels then
                    [ 1024; 1024 ]
                else
                    [ 256; 128 ])
            |> check (fun _ network -> oddWidths network network.Hidden.Value)
            |> says
                "Hidden widths of the actor and of each critic; auto: 256,128, which is Table 1 (256,256 is TD3's own), from pictures 1024,1024."

            key "network.criticHidden" OfficialCode (derived widths) Auto _.CriticHidden (fun v s -> { s with CriticHidden = v })
            |> isFixed
            |> inOldRuns Auto
            |> inUnit "units"
            |> check (fun _ network ->
                match network.CriticHidden with
                | Auto -> None
                | Is widths -> oddWidths network widths)
            |> says "Hidden widths of each critic, where they are others; auto: network.hidden."

            key "network.scale" Paper (int32Of (wholeNumber 0L 5L)) 0 _.Scale (fun v s -> { s with Scale = v })
            |> isFixed
            |> inOldRuns 0
            |> inUnit "layers"
            |> says
                "Hidden layers of 256 units added before each critic's output and at the actor's front; the paper's sizes go with hidden 256,256."

            key "network.layerNorm" Paper layerNorms LayerNorm.Off _.LayerNorm (fun v s -> { s with LayerNorm = v })
            |> isFixed
            |> inOldRuns LayerNorm.Off
            |> becomes (impliedBy Technique.LayerNorm LayerNorm.All (fun network -> network.LayerNorm = LayerNorm.Off))
            |> check (fun facts network ->
                if facts.Method.Has Technique.LayerNorm && network.LayerNorm = LayerNorm.CriticLast then
                    Some "run.method has layer-norm, which is one on every hidden layer; leave one of the two out"
                else
                    None)
            |> says "LayerNorm before the activation of every hidden layer, or of each critic's last one as in the official code."

            key "network.activation" Paper activations Activation.Relu _.Activation (fun v s -> { s with Activation = v })
            |> isFixed
            |> inOldRuns Activation.Relu
            |> becomes (impliedBy Technique.CRelu Activation.Crelu (fun network -> network.Activation = Activation.Relu))
            |> check (fun facts network ->
                // As with the technique crelu.
                match network.Activation, Method.compose (Technique.CRelu :: facts.Method.Techniques) with
                | Activation.Crelu, Error why -> Some $"{why}; use relu, or another run.method"
                | _ -> None)
            |> says
                "crelu hands on relu(z) and relu(-z): hidden widths then count both, so a layer has half the weights; a dry run prints the real number."

            key "network.weightClip" Ours notNegative 0.0 _.WeightClip (fun v s -> { s with WeightClip = v })
            |> isFixed
            |> inUnit "1/sqrt(fan-in)"
            |> says
                "Weight clipping, for all methods: weights and biases stay within this many initial bounds (the paper: 3); 0: they are free."

            key "network.clipOutput" Ours switch false _.ClipOutput (fun v s -> { s with ClipOutput = v })
            |> isFixed
            |> inOldRuns true
            |> says "Whether network.weightClip holds in output layers too: it bounds the values that critics can have."
        ]
