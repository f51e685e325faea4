namespace NE.Model.Networks

open NE.Model.Networks.Layers

/// What a portable policy reads.
[<RequireQualifiedAccess>]
type PortableInput =
    /// So many numbers.
    | Numbers of count: int
    /// Pictures as bytes [channels x height x width], of which x / 255 - 0.5 is what the first layer reads.
    | Pictures of shape: ImageShape

/// A policy as other programs compute it: tanh of what the bodies put out, which the caller brings to the environment's bounds.
type PortablePolicy = {
    Input: PortableInput
    /// Networks in front of the bodies, one after the other: none, "normaliser", or "encoder" and "trunk".
    Perception: PortableNetwork list
    /// "actor", or after a plasticity injection "actor", "kept" and "subtracted", all over the same inputs: u = kept + (actor - subtracted).
    Bodies: PortableNetwork list
    /// Of a distribution, per body, the log sigma of every component, computed of the features that the body's last layer reads; no part of acting.
    Deviations: PortableNetwork list
} with

    /// All of them.
    member this.Networks: PortableNetwork list =
        this.Perception @ this.Bodies @ this.Deviations

    /// Components of an action.
    member this.ActionSize: int =
        match List.last this.Bodies.Head.Layers with
        | PortableLayer.Linear(weight, _) -> weight.Shape.Head
        | other -> invalidOp $"The body ends with %A{other}."

    /// What LayerNorms add to the variance.
    static member Epsilon = LayerNormKernels.Epsilon

/// From host copies of networks to a portable policy.
[<RequireQualifiedAccess>]
module internal PortablePolicy =
    let private mapLinear (change: PortableTensor * PortableTensor -> PortableTensor * PortableTensor) layer =
        match layer with
        | PortableLayer.Linear(weight, bias) -> PortableLayer.Linear(change (weight, bias))
        | other -> other

    let private mapEnds (first: PortableLayer -> PortableLayer) (last: PortableLayer -> PortableLayer) (network: PortableNetwork) =
        let end' = network.Layers.Length - 1

        {
            network with
                Layers =
                    network.Layers
                    |> List.mapi (fun i layer -> layer |> (if i = 0 then first else id) |> (if i = end' then last else id))
        }

    let private keepingRows keeps =
        mapLinear (fun (weight, bias) -> PortableNetwork.rows keeps weight, PortableNetwork.rows keeps bias)

    /// A body's log sigma, the odd ones of the outputs of its last layer.
    let private deviationOf (body: PortableNetwork) : PortableNetwork =
        let name =
            if body.Name = "actor" then
                "log_deviation"
            else
                body.Name + "_log_deviation"

        let renamed what (tensor: PortableTensor) = { tensor with Name = $"{name}.{what}" }

        {
            body with
                Name = name
                Layers = [
                    List.last body.Layers
                    |> keepingRows (fun row -> row % SquashedGaussian.OutputsPerComponent = 1)
                    |> mapLinear (fun (weight, bias) -> renamed "weight" weight, renamed "bias" bias)
                ]
        }

    /// `bodies`: one, or kept, learning and subtracted, in the layout's order. `perception`: with the pictures that it sees.
    let create
        (perception: (ImageShape * PortableNetwork list) option)
        (layout: BlockLayout)
        (isDistribution: bool)
        (bodies: float32[] list)
        : PortablePolicy =
        let body name values =
            PortableNetwork.create name layout ValueNone [] values

        let whole =
            match bodies with
            | [ only ] -> [ body "actor" only ]
            | [ kept; learning; subtracted ] -> [ body "actor" learning; body "kept" kept; body "subtracted" subtracted ]
            | other -> invalidArg (nameof bodies) $"A policy has one body or three, not {other.Length}."

        {
            Input =
                match perception with
                | Some(image, _) -> PortableInput.Pictures image
                | None -> PortableInput.Numbers layout.Inputs
            Perception = perception |> Option.map snd |> Option.defaultValue []
            Bodies =
                if isDistribution then
                    whole
                    |> List.map (mapEnds id (keepingRows (fun row -> row % SquashedGaussian.OutputsPerComponent = 0)))
                else
                    whole
            Deviations = if isDistribution then List.map deviationOf whole else []
        }

    /// The same policy behind another network.
    let behind (first: PortableNetwork option) (policy: PortablePolicy) : PortablePolicy = {
        policy with
            Perception = Option.toList first @ policy.Perception
    }

    /// The same policy on the first so many numbers of an observation, where the others are always 0, and of the first so many components of an
    /// action.
    let trim (observations: int) (actions: int) (policy: PortablePolicy) : PortablePolicy =
        let reading =
            mapLinear (fun (weight, bias) -> PortableNetwork.columns observations weight, bias)

        let normalising layer =
            match layer with
            | PortableLayer.Normalise(mean, scale, clip) ->
                let first = PortableNetwork.rows (fun row -> row < observations)
                PortableLayer.Normalise(first mean, first scale, clip)
            | other -> other

        let acting = keepingRows (fun row -> row < actions)

        match policy.Input with
        | PortableInput.Pictures _ -> policy
        | PortableInput.Numbers _ ->
            // A body of one layer has no hidden features.
            let deviationReads = if policy.Bodies.Head.Layers.Length = 1 then reading else id

            {
                policy with
                    Input = PortableInput.Numbers observations
                    Perception = policy.Perception |> List.map (mapEnds normalising id)
                    Bodies = policy.Bodies |> List.map (mapEnds reading acting)
                    Deviations = policy.Deviations |> List.map (mapEnds (deviationReads >> acting) id)
            }
