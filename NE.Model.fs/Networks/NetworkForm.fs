namespace NE.Model.Networks

open System
open NE.Model
open NE.Model.Networks.Layers

/// What a network is made of: a chain of layers over an input.
type NetworkForm = {
    /// What a row of the input is.
    Input: RowShape
    /// From the input to the output.
    Layers: LayerForm list
    /// How the first parameters are drawn.
    Initialisation: Initialisation
} with

    /// Length of the input.
    member this.Inputs = this.Input.Features

    /// Fully connected layers of these widths (input, features that each hidden layer hands on, output): after each hidden one a LayerNorm if
    /// it is normed, and the activation. Raises ArgumentException for widths that cannot be.
    static member Mlp(widths: int seq, activation: Activation, normed: bool seq) : NetworkForm =
        let widths, normed = List.ofSeq widths, List.ofSeq normed
        let found = String.Join("-", widths)

        let refuse problem =
            raise (ArgumentException(problem, nameof widths))

        if widths.Length < 2 || List.exists (fun width -> width < 1) widths then
            refuse $"A network needs at least an input and an output, all of positive width; found '{found}'."

        let hidden = widths[1 .. widths.Length - 2]

        if normed.Length <> hidden.Length then
            refuse
                $"The network {found} has {hidden.Length} hidden layers, but for {normed.Length} it was said whether they have a LayerNorm."

        if activation = Activation.Crelu && List.exists (fun width -> width % 2 = 1) hidden then
            refuse $"CReLU makes two features of every output, so hidden widths must be even; found '{found}'."

        {
            Input = RowShape.Vector widths.Head
            Initialisation = Initialisation.Uniform
            Layers = [
                for width, isNormed in List.zip hidden normed do
                    match activation with
                    | Activation.Relu -> LayerForm.Dense width
                    | Activation.Crelu -> LayerForm.Dense(width / 2)

                    if isNormed then
                        LayerForm.LayerNorm

                    match activation with
                    | Activation.Relu -> LayerForm.Relu
                    | Activation.Crelu -> LayerForm.Crelu

                LayerForm.Dense(List.last widths)
            ]
        }

    /// Fully connected layers with ReLU between them.
    static member Plain(widths: int seq) : NetworkForm =
        let hidden = max 0 (Seq.length widths - 2)
        NetworkForm.Mlp(widths, Activation.Relu, List.replicate hidden false)

    /// What the layers are, slot by slot.
    member this.Slots: LayerDescription list list =
        LayerForms.slots this.Layers
        |> List.mapFold
            (fun input forms ->
                let layers = LayerForms.describeAll input forms
                layers, (List.last layers).Output)
            this.Input
        |> fst

    /// Length of the input, and of what each slot hands on.
    member this.Widths: int list =
        this.Inputs
        :: (this.Slots |> List.map (fun layers -> (List.last layers).Output.Features))

    /// All parameters. Right also where a flat memory of that size could not be made.
    member this.ParameterCount: int64 =
        this.Slots
        |> List.sumBy (fun layers ->
            let perNeuron = layers |> List.sumBy _.PerNeuron.Length
            int64 layers.Head.Neurons * (int64 layers.Head.FanIn + int64 perNeuron))

/// The networks of actors and critics that settings ask for, and the parts of those of pixel agents.
[<RequireQualifiedAccess>]
module NetworkForms =
    /// Features of a layer that network.scale adds (paper, C.1).
    [<Literal>]
    let ScaleWidth = 256

    let private form (network: NetworkSettings) (inputs: int) (hidden: int list) (outputs: int) (normed: int -> bool) : NetworkForm =
        NetworkForm.Mlp([ inputs; yield! hidden; outputs ], network.Activation, List.init hidden.Length normed)

    let private added (network: NetworkSettings) = List.replicate network.Scale ScaleWidth

    /// Outputs of a learner's actor for so many action components: the action, or its distribution.
    let actorOutputs (learner: LearnerKind) (actions: int) : int =
        match learner with
        | LearnerKind.Td3
        | LearnerKind.DrqV2 -> actions
        | LearnerKind.Sac
        | LearnerKind.Drq -> SquashedGaussian.OutputsPerComponent * actions

    /// The actor: observation to what its outputs are.
    let actor (network: NetworkSettings) (observations: int) (outputs: int) : NetworkForm =
        form network observations (added network @ network.Hidden.Value) outputs (fun _ -> network.LayerNorm = LayerNorm.All)

    /// One critic: observation and action to value.
    let critic (network: NetworkSettings) (observations: int) (actions: int) : NetworkForm =
        let own =
            match network.CriticHidden with
            | Auto -> network.Hidden.Value
            | Is widths -> widths

        let hidden = own @ added network

        form network (observations + actions) hidden 1 (fun layer ->
            match network.LayerNorm with
            | LayerNorm.Off -> false
            | LayerNorm.All -> true
            | LayerNorm.CriticLast -> layer = hidden.Length - 1)

    /// The encoder of pixel agents: four convolutions with ReLUs, the first one with stride 2 (DrQ: Kostrikov et al. 2020, appendix; DrQ-v2: Yarats
    /// et al. 2021, table 4). Of 84 x 84 pixels and 32 filters it makes 35 x 35 x 32 features.
    let encoder (image: ImageShape) (filters: int) : NetworkForm = {
        Input = RowShape.Image image
        Layers = [
            for stride in [ 2; 1; 1; 1 ] do
                LayerForm.Conv(filters, stride)
                LayerForm.Relu
        ]
        Initialisation = Initialisation.Orthogonal
    }

    /// What pixel agents put between the encoder and a head: a narrow layer with a LayerNorm (the same sources). Its tanh is the pass's head,
    /// ScaledTanh 1.
    let trunk (features: int) (outputs: int) : NetworkForm = {
        Input = RowShape.Vector features
        Layers = [ LayerForm.Dense outputs; LayerForm.LayerNorm ]
        Initialisation = Initialisation.Orthogonal
    }
