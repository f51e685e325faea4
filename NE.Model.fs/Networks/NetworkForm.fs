namespace NE.Model.Networks

open System
open NE.Model

/// What a chain of fully connected layers is made of. A hidden layer is a linear layer, a LayerNorm if it is normed, and the activation;
/// the output layer is linear.
type NetworkForm = {
    /// Length of the input, features that each hidden layer hands on, length of the output.
    Widths: int list
    /// Of all hidden layers.
    Activation: Activation
    /// Per hidden layer, whether it has a LayerNorm.
    Normed: bool list
} with

    /// ReLU alone.
    static member Plain(widths: int seq) : NetworkForm =
        let widths = List.ofSeq widths

        {
            Widths = widths
            Activation = Activation.Relu
            Normed = List.replicate (max 0 (widths.Length - 2)) false
        }

    /// Linear outputs of every layer, the output layer included. A feature of CReLU is half of an output.
    member this.Outputs: int list =
        let last = this.Widths.Length - 2

        this.Widths.Tail
        |> List.mapi (fun layer width ->
            if layer < last && this.Activation = Activation.Crelu then
                width / 2
            else
                width)

    /// Weights, biases, gains and shifts. Right also where a flat memory of that size could not be made.
    member this.ParameterCount: int64 =
        let norms = List.append this.Normed [ false ]

        List.zip3 this.Widths[.. this.Widths.Length - 2] this.Outputs norms
        |> List.sumBy (fun (inputs, outputs, normed) -> int64 outputs * (int64 inputs + (if normed then 3L else 1L)))

    /// Why this is not a network; null when it is one.
    member this.Problem: string | null =
        let found = String.Join("-", this.Widths)

        if this.Widths.Length < 2 || List.exists (fun width -> width < 1) this.Widths then
            $"A network needs at least an input and an output, all of positive width; found '{found}'."
        else
            let hidden = this.Widths[1 .. this.Widths.Length - 2]

            if this.Normed.Length <> hidden.Length then
                $"The network {found} has {hidden.Length} hidden layers, but for {this.Normed.Length} it was said whether they have a LayerNorm."
            elif
                this.Activation = Activation.Crelu
                && List.exists (fun width -> width % 2 = 1) hidden
            then
                $"CReLU makes two features of every output, so hidden widths must be even; found '{found}'."
            else
                null

/// The networks of TD3 that settings ask for.
[<RequireQualifiedAccess>]
module NetworkForms =
    /// Features of a layer that network.scale adds (paper, C.1).
    [<Literal>]
    let ScaleWidth = 256

    let private form (network: NetworkSettings) (inputs: int) (hidden: int list) (outputs: int) (normed: int -> bool) : NetworkForm = {
        Widths = [ inputs; yield! hidden; outputs ]
        Activation = network.Activation
        Normed = List.init hidden.Length normed
    }

    let private added (network: NetworkSettings) = List.replicate network.Scale ScaleWidth

    /// The actor: observation to action.
    let actor (network: NetworkSettings) (observations: int) (actions: int) : NetworkForm =
        form network observations (added network @ network.Hidden) actions (fun _ -> network.LayerNorm = LayerNorm.All)

    /// One critic: observation and action to value.
    let critic (network: NetworkSettings) (observations: int) (actions: int) : NetworkForm =
        let own =
            match network.CriticHidden with
            | Auto -> network.Hidden
            | Is widths -> widths

        let hidden = own @ added network

        form network (observations + actions) hidden 1 (fun layer ->
            match network.LayerNorm with
            | LayerNorm.Off -> false
            | LayerNorm.All -> true
            | LayerNorm.CriticLast -> layer = hidden.Length - 1)

    /// Parameters of the actor and both critics, as multiple of the same networks at network.scale = 0.
    let scaleRatio (network: NetworkSettings) (observations: int) (actions: int) : float =
        let total network =
            (actor network observations actions).ParameterCount
            + 2L * (critic network observations actions).ParameterCount

        float (total network) / float (total { network with Scale = 0 })
