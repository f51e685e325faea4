/// What a policy's networks are, as bytes. Part of stored runs: formats and numbers are never reused.
[<RequireQualifiedAccess>]
module internal NE.Model.Networks.PolicyForms

open System.IO
open NE.Model
open NE.Model.Networks.Layers

/// The networks that an observation goes through, the actor last, and how many bodies the actor has: 3 after an injection.
type Shape = {
    Networks: (NetworkForm * Head) list
    Bodies: int
}

/// Format 1 knows ReLU networks alone; it is still what they are written in.
[<Literal>]
let private Plain = 1

[<Literal>]
let private Shaped = 2

[<Literal>]
let private Injected = 3

[<Literal>]
let private Chain = 4

let private refuse problem = raise (InvalidDataException problem)

let private unknown (what: string) (number: byte) =
    refuse $"The policy claims {number} for {what}."

let private writeLayer (writer: BinaryWriter) (form: LayerForm) : unit =
    match form with
    | LayerForm.Dense outputs ->
        writer.Write 1uy
        writer.Write outputs
    | LayerForm.LayerNorm -> writer.Write 2uy
    | LayerForm.Relu -> writer.Write 3uy
    | LayerForm.Crelu -> writer.Write 4uy
    | LayerForm.Conv(filters, stride) ->
        writer.Write 5uy
        writer.Write filters
        writer.Write stride

let private size (what: string) (reader: BinaryReader) : int =
    match reader.ReadInt32() with
    | number when number < 1 || number > 10_000_000 -> refuse $"The policy claims {number} for {what}."
    | number -> number

let private readLayer (reader: BinaryReader) : LayerForm =
    match reader.ReadByte() with
    | 1uy -> LayerForm.Dense(size "a layer's outputs" reader)
    | 2uy -> LayerForm.LayerNorm
    | 3uy -> LayerForm.Relu
    | 4uy -> LayerForm.Crelu
    | 5uy ->
        let filters = size "a layer's filters" reader
        LayerForm.Conv(filters, size "a stride" reader)
    | other -> unknown "a kind of layer" other

/// The input, the layers and the head of a network.
let private writeNetwork (writer: BinaryWriter) (form: NetworkForm) (head: Head) : unit =
    match form.Input with
    | RowShape.Vector length ->
        writer.Write 1uy
        writer.Write length
    | RowShape.Image image ->
        writer.Write 2uy
        writer.Write image.Height
        writer.Write image.Width
        writer.Write image.Channels

    writer.Write form.Layers.Length
    form.Layers |> List.iter (writeLayer writer)

    match head with
    | Linear -> writer.Write 1uy
    | ScaledTanh scale ->
        writer.Write 2uy
        writer.Write scale

let private readNetwork (reader: BinaryReader) : NetworkForm * Head =
    let input =
        match reader.ReadByte() with
        | 1uy -> RowShape.Vector(size "the length of an input" reader)
        | 2uy ->
            let height = size "the height of an image" reader
            let width = size "the width of an image" reader

            RowShape.Image {
                Height = height
                Width = width
                Channels = size "the channels of an image" reader
            }
        | other -> unknown "a kind of input" other

    let count = size "the number of layers" reader

    if count > 256 then
        refuse $"The policy claims {count} layers."

    let layers = List.init count (fun _ -> readLayer reader)

    let head =
        match reader.ReadByte() with
        | 1uy -> Linear
        | 2uy -> ScaledTanh(reader.ReadSingle())
        | other -> unknown "a head" other

    {
        Input = input
        Layers = layers
        // How they were drawn is no part of a policy.
        Initialisation = Initialisation.Uniform
    },
    head

/// Format, widths and what formats 2 and 3 know besides.
let private writeMlp (writer: BinaryWriter) (form: NetworkForm) (bodies: int) : unit =
    let widths, isConcatenated = form.Widths, List.contains LayerForm.Crelu form.Layers

    let normed =
        LayerForms.slots form.Layers
        |> List.map (List.contains LayerForm.LayerNorm)
        |> List.truncate (widths.Length - 2)

    let activation = if isConcatenated then Activation.Crelu else Activation.Relu

    if form.Layers <> (NetworkForm.Mlp(widths, activation, normed)).Layers then
        invalidOp $"No format of policies has a place for the layers %A{form.Layers}."

    let isPlain = bodies = 1 && not isConcatenated && not (List.contains true normed)

    writer.Write(
        if bodies > 1 then Injected
        elif isPlain then Plain
        else Shaped
    )

    writer.Write widths.Length
    widths |> List.iter writer.Write

    if not isPlain then
        writer.Write isConcatenated
        normed |> List.iter writer.Write

let private readMlp (reader: BinaryReader) (format: int) : NetworkForm =
    let flag name =
        match reader.ReadByte() with
        | 0uy -> false
        | 1uy -> true
        | other -> refuse $"The policy claims {other} for {name}; 0 or 1 was expected."

    let count = reader.ReadInt32()

    if count < 2 || count > 64 then
        refuse $"The policy claims {count} layer widths."

    let widths = List.init count (fun _ -> reader.ReadInt32())

    if widths |> List.exists (fun width -> width < 1 || width > 1_000_000) then
        refuse $"The policy claims the layer widths %A{widths}."

    let activation, normed =
        if format = Plain then
            Activation.Relu, List.replicate (count - 2) false
        else
            let isConcatenated = flag "CReLU"
            (if isConcatenated then Activation.Crelu else Activation.Relu), List.init (count - 2) (fun _ -> flag "a LayerNorm")

    NetworkForm.Mlp(widths, activation, normed)

/// Raises InvalidOperationException where no format has a place for the layers.
let write (writer: BinaryWriter) (shape: Shape) : unit =
    match shape.Networks with
    | [ { Input = RowShape.Vector _ } as form, _ ] -> writeMlp writer form shape.Bodies
    | networks ->
        writer.Write Chain
        writer.Write networks.Length

        for form, head in networks do
            writeNetwork writer form head

/// The inverse of `write`; formats 1 to 3 have no head, which is Linear then. Raises InvalidDataException for what is no shape, and
/// ArgumentException for networks that cannot be.
let read (reader: BinaryReader) : Shape =
    match reader.ReadInt32() with
    | Plain
    | Shaped
    | Injected as format -> {
        Networks = [ readMlp reader format, Linear ]
        Bodies = if format = Injected then 3 else 1
      }
    | Chain ->
        let count = size "the number of networks" reader

        if count > 64 then
            refuse $"The policy claims {count} networks."

        {
            Networks = List.init count (fun _ -> readNetwork reader)
            Bodies = 1
        }
    | other -> refuse $"The policy has format {other}; this program reads formats {Plain} to {Chain}."
