namespace NE.Model.Networks.Layers

open NE.Model.Networks

/// Sizes of a convolution with 3 x 3 filters.
[<Struct>]
type ConvShape = {
    /// What it reads.
    Input: ImageShape
    /// Pixels of the input from one place of a filter to the next.
    Stride: int
    /// What it hands on, a channel per filter.
    Output: ImageShape
}

/// A convolution of an image: y(p, f) = b(f) + sum over the 3 x 3 pixels q that filter f sees at p of x(q, c) w(f, q - p, c).
[<RequireQualifiedAccess>]
module ConvForm =
    /// Pixels of a filter from top to bottom, and from left to right.
    [<Literal>]
    let Kernel = 3

    /// Filters are computed by so many at least.
    [<Literal>]
    let FilterUnit = 8

    /// Raises ArgumentException where there can be no such convolution.
    let shape (filters: int) (stride: int) (input: RowShape) : ConvShape =
        match input with
        | RowShape.Vector length -> invalidArg (nameof input) $"A convolution reads an image; the layer before it hands on {length} floats."
        | RowShape.Image image when image.Height < Kernel || image.Width < Kernel || image.Channels < 1 ->
            invalidArg
                (nameof input)
                $"A 3 x 3 filter finds no place in an image of {image.Height} x {image.Width} pixels and {image.Channels} channels."
        | RowShape.Image _ when stride < 1 || stride > 2 ->
            invalidArg (nameof stride) $"The stride of a convolution is 1 or 2; {stride} was asked for."
        | RowShape.Image _ when filters < 1 || filters % FilterUnit <> 0 ->
            invalidArg (nameof filters) $"The filters of a convolution are a multiple of {FilterUnit}; {filters} were asked for."
        | RowShape.Image image ->
            let places size = (size - Kernel) / stride + 1

            {
                Input = image
                Stride = stride
                Output = {
                    Height = places image.Height
                    Width = places image.Width
                    Channels = filters
                }
            }

    let describe (filters: int) (stride: int) (input: RowShape) : LayerDescription =
        let shape = shape filters stride input

        {
            Output = RowShape.Image shape.Output
            Neurons = filters
            FanIn = Kernel * Kernel * shape.Input.Channels
            PerNeuron = [ struct ("biases", 0.0f) ]
        }

/// A slot that begins with a convolution.
[<AutoOpen>]
module ConvSlot =
    type LayerSlot with

        /// Sizes of its convolution. Raises InvalidOperationException without one.
        member this.Convolution: ConvShape =
            match this.Forms.Head with
            | LayerForm.Conv(filters, stride) -> ConvForm.shape filters stride this.Input
            | other -> invalidOp $"The slot begins with %A{other}, not with a convolution."
