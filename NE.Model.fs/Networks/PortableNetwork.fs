namespace NE.Model.Networks

open NE.Model.Networks.Layers

/// A parameter of a layer as other programs have it: row-major, in PyTorch's shape.
type PortableTensor = {
    /// The network's name, the number of the layer in it, and what it is: "actor.0.weight".
    Name: string
    Shape: int list
    /// Of every element, in order: its place in the network's block.
    Places: int[]
}

/// A layer as other programs compute it, with images as [channels x height x width].
[<RequireQualifiedAccess>]
type PortableLayer =
    /// y = x W^T + b: weights [outputs x inputs], biases [outputs].
    | Linear of weight: PortableTensor * bias: PortableTensor
    /// Cross-correlation without padding: filters [filters x channels x 3 x 3], biases [filters].
    | Convolution of weight: PortableTensor * bias: PortableTensor * stride: int
    /// (x - mean) / sqrt(variance + LayerNormKernels.Epsilon) times gains, plus shifts, each [features].
    | LayerNorm of weight: PortableTensor * bias: PortableTensor
    /// max(x, 0).
    | Relu
    /// [max(x, 0), max(-x, 0)].
    | Crelu
    /// An image as a row: channel by channel, from the top left pixel to the bottom right one.
    | Flatten
    | Tanh
    /// (x - mean) times scale, both [numbers], within [-clip, clip].
    | Normalise of mean: PortableTensor * scale: PortableTensor * clip: float32

    /// Its parameters.
    member this.Tensors: PortableTensor list =
        match this with
        | Linear(weight, bias)
        | Convolution(weight, bias, _)
        | LayerNorm(weight, bias) -> [ weight; bias ]
        | Normalise(mean, scale, _) -> [ mean; scale ]
        | Relu
        | Crelu
        | Flatten
        | Tanh -> []

/// A chain of layers as other programs compute it. The number of a layer is its position, as in PyTorch's Sequential.
type PortableNetwork = {
    /// In front of the names of its tensors.
    Name: string
    Layers: PortableLayer list
    /// All parameters, in the block's order.
    Values: float32[]
} with

    /// The parameters of all layers.
    member this.Tensors: PortableTensor list = this.Layers |> List.collect _.Tensors

    /// The elements of one of its tensors.
    member this.Read(tensor: PortableTensor) : float32[] =
        tensor.Places |> Array.map (fun place -> this.Values[place])

/// From the blocks of networks to their portable form.
[<RequireQualifiedAccess>]
module internal PortableNetwork =

    /// The rows of a weight or a bias for which `keeps` holds, by number.
    let rows (keeps: int -> bool) (tensor: PortableTensor) : PortableTensor =
        let row = tensor.Places.Length / tensor.Shape.Head

        let kept =
            tensor.Places
            |> Array.chunkBySize row
            |> Seq.indexed
            |> Seq.filter (fst >> keeps)
            |> Seq.map snd
            |> Array.ofSeq

        {
            tensor with
                Shape = kept.Length :: tensor.Shape.Tail
                Places = Array.concat kept
        }

    /// The first so many columns of a weight.
    let columns (count: int) (tensor: PortableTensor) : PortableTensor = {
        tensor with
            Shape = [ tensor.Shape.Head; count ]
            Places =
                tensor.Places
                |> Array.chunkBySize tensor.Shape[1]
                |> Array.collect (Array.truncate count)
    }

    let private weight (slot: LayerSlot) (flattened: ImageShape voption) (name: string) : PortableTensor =
        match slot.Forms.Head, flattened with
        | LayerForm.Conv _, _ ->
            let channels = slot.Inputs / (ConvForm.Kernel * ConvForm.Kernel)

            {
                Name = name
                Shape = [ slot.Outputs; channels; ConvForm.Kernel; ConvForm.Kernel ]
                Places = [|
                    for filter in 0 .. slot.Outputs - 1 do
                        for channel in 0 .. channels - 1 do
                            for pixel in 0 .. ConvForm.Kernel * ConvForm.Kernel - 1 ->
                                slot.Weights + filter * slot.Inputs + pixel * channels + channel
                |]
            }
        | _, ValueSome image -> {
            Name = name
            Shape = [ slot.Outputs; slot.Inputs ]
            Places = [|
                for output in 0 .. slot.Outputs - 1 do
                    for channel in 0 .. image.Channels - 1 do
                        for pixel in 0 .. image.Height * image.Width - 1 ->
                            slot.Weights + output * slot.Inputs + pixel * image.Channels + channel
            |]
          }
        | _, ValueNone -> {
            Name = name
            Shape = [ slot.Outputs; slot.Inputs ]
            Places = Array.init slot.WeightCount (fun i -> slot.Weights + i)
          }

    /// The layers of a block of one stack. `flattened`: the image that its first layer reads as a row; `closing`: layers without parameters behind.
    let create
        (name: string)
        (layout: BlockLayout)
        (flattened: ImageShape voption)
        (closing: PortableLayer list)
        (values: float32[])
        : PortableNetwork =
        let mutable number = 0
        let next () = number <- number + 1

        let named what = $"{name}.{number}.{what}"

        let perNeuron (slot: LayerSlot) first what = {
            Name = named what
            Shape = [ slot.Outputs ]
            Places = Array.init slot.Outputs (fun i -> first + i)
        }

        let layers = [
            if flattened.IsSome then
                PortableLayer.Flatten
                next ()

            for slot in layout.Slots do
                for form in slot.Forms do
                    match form with
                    | LayerForm.Dense _ ->
                        let read = if slot.Layer = 0 then flattened else ValueNone
                        PortableLayer.Linear(weight slot read (named "weight"), perNeuron slot slot.Biases "bias")
                    | LayerForm.Conv(_, stride) ->
                        PortableLayer.Convolution(weight slot ValueNone (named "weight"), perNeuron slot slot.Biases "bias", stride)
                    | LayerForm.LayerNorm -> PortableLayer.LayerNorm(perNeuron slot slot.Gains "weight", perNeuron slot slot.Shifts "bias")
                    | LayerForm.Relu -> PortableLayer.Relu
                    | LayerForm.Crelu -> PortableLayer.Crelu

                    next ()

            yield! closing
        ]

        {
            Name = name
            Layers = layers
            Values = values
        }
