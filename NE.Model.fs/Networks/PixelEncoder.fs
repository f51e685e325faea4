namespace NE.Model.Networks

open System
open System.IO
open System.Runtime.InteropServices
open NE.Model.Networks.Images
open NE.Model.Networks.Layers

/// What a policy sees pictures with: a host copy of an encoder and of the trunk behind it. Immutable.
[<Sealed>]
type PixelEncoder private (image: ImageShape, filters: int, features: int, encoder: IHostLayer[], trunk: IHostLayer[]) =
    static let encoderLayout image filters =
        BlockLayout.OfForm(1, NetworkForms.encoder image filters)

    static let trunkLayout (encoder: BlockLayout) features =
        BlockLayout.OfForm(1, NetworkForms.trunk encoder.Outputs features)

    let widths =
        (encoderLayout image filters).Widths.ToArray()
        |> Seq.append [ image.Size; features ]

    /// From the parameters of both blocks, each in its layout's order.
    static member OfBlocks(image: ImageShape, filters: int, features: int, encoder: float32[], trunk: float32[]) : PixelEncoder =
        let layout = encoderLayout image filters

        PixelEncoder(
            image,
            filters,
            features,
            [| HostImages image; yield! HostChain.create layout (ReadOnlySpan encoder) |],
            HostChain.create (trunkLayout layout features) (ReadOnlySpan trunk)
        )

    /// Floats that an observation's bytes are packed into.
    member _.ObservationSize = HostImages.PackedSize image

    /// Length of what comes out.
    member _.Features = features

    /// The pictures, and the networks as other programs compute them: "encoder" and "trunk".
    member internal _.Portable: ImageShape * PortableNetwork list =
        let layout = encoderLayout image filters

        let parameters (layers: IHostLayer[]) =
            layers |> Seq.collect _.Parameters |> Array.ofSeq

        image,
        [
            PortableNetwork.create "encoder" layout ValueNone [] (parameters encoder)
            PortableNetwork.create
                "trunk"
                (trunkLayout layout features)
                (ValueSome (layout.Slot(0, layout.Layers - 1)).Convolution.Output)
                [ PortableLayer.Tanh ]
                (parameters trunk)
        ]

    /// Floats from one row to the next that are needed.
    member internal _.Width = HostChain.width widths

    /// From packed observations [rows x ObservationSize] in x, `stride` floats apart, to features in x or y, which is returned.
    member internal _.Encode(x: float32[], y: float32[], stride: int, rows: int) : float32[] =
        let encoded = HostChain.run encoder x y stride rows
        let other = if obj.ReferenceEquals(encoded, x) then y else x
        let seen = HostChain.run trunk encoded other stride rows

        for row in 0 .. rows - 1 do
            for i in row * stride .. row * stride + features - 1 do
                seen[i] <- MathF.Tanh seen[i]

        seen

    /// Little-endian: height, width and channels of the image, filters, features, then the parameters of the encoder and of the trunk.
    member internal _.Write(writer: BinaryWriter) : unit =
        for number in [ image.Height; image.Width; image.Channels; filters; features ] do
            writer.Write number

        for layer in Seq.append encoder trunk do
            writer.Write(MemoryMarshal.AsBytes(ReadOnlySpan layer.Parameters))

    /// The inverse of Write. Raises InvalidDataException for sizes that cannot be, EndOfStreamException for bytes that end early.
    static member internal Read(reader: BinaryReader) : PixelEncoder =
        let number name most =
            let value = reader.ReadInt32()

            if value < 1 || value > most then
                raise (InvalidDataException $"The policy claims {value} for the {name} of its pictures.")

            value

        let height, width = number "height" 4_096, number "width" 4_096

        let image = {
            Height = height
            Width = width
            Channels = number "channels" 4_096
        }

        let filters = number "filters" 4_096
        let features = number "features" 65_536

        let layouts =
            try
                let encoder = encoderLayout image filters
                struct (encoder, trunkLayout encoder features)
            with :? ArgumentException as problem ->
                raise (InvalidDataException $"The policy is damaged. {problem.Message}")

        let parameters (layout: BlockLayout) =
            let values = Array.zeroCreate<float32> layout.Length
            reader.BaseStream.ReadExactly(MemoryMarshal.AsBytes(Span(values, 0, layout.ParameterCount)))
            values

        let struct (encoder, trunk) = layouts
        let encoderValues = parameters encoder
        PixelEncoder.OfBlocks(image, filters, features, encoderValues, parameters trunk)
