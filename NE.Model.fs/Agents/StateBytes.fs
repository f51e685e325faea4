/// The bytes of an agent's stored state: little-endian, every component with a version in front. Old runs are read with these
/// functions: change a layout only together with its version.
module internal NE.Model.Agents.StateBytes

open System
open System.IO
open System.Runtime.InteropServices
open NE.Model

/// Bytes of a component, made by `write`. `expected` bytes, if right, make it without a copy.
let writeSized (expected: int) (version: int) (body: BinaryWriter -> unit) : byte[] =
    use stream = new MemoryStream(expected)
    use writer = new BinaryWriter(stream)
    writer.Write version
    body writer
    writer.Flush()

    if stream.Length = int64 stream.Capacity then
        stream.GetBuffer()
    else
        stream.ToArray()

/// Bytes of a component of unknown size.
let write (version: int) (body: BinaryWriter -> unit) : byte[] = writeSized 0 version body

/// Reads a component that `write` made; raises InvalidDataException when it is of another version, cut off, or too long.
let read (component': string) (version: int) (bytes: byte[]) (body: BinaryReader -> unit) : unit =
    let damaged problem =
        raise (InvalidDataException $"The stored component '{component'}' {problem}. Resume from another checkpoint.")

    use reader = new BinaryReader(new MemoryStream(bytes))

    try
        let found = reader.ReadInt32()

        if found <> version then
            damaged $"has format {found}, this program reads format {version}"

        body reader

        if reader.BaseStream.Position <> int64 bytes.Length then
            damaged $"has {bytes.Length} bytes, {reader.BaseStream.Position} were expected"
    with :? EndOfStreamException ->
        damaged $"ends early, after {bytes.Length} bytes"

let writeFloats (writer: BinaryWriter) (values: float32[]) =
    writer.Write values.Length
    writer.Write(MemoryMarshal.AsBytes(ReadOnlySpan<float32> values))

/// Floats of a known number; another number means another network.
let readFloats (reader: BinaryReader) (destination: float32[]) =
    let count = reader.ReadInt32()

    if count <> destination.Length then
        raise (
            InvalidDataException
                $"A stored network has {count} floats where this configuration needs {destination.Length}: it was made with other network sizes."
        )

    let bytes = MemoryMarshal.AsBytes(Span<float32> destination)
    reader.BaseStream.ReadExactly bytes

let writeDraws (writer: BinaryWriter) (draws: Draws) =
    let state = draws.State
    writer.Write state.Key
    writer.Write state.Place
    writer.Write state.Block
    writer.Write state.Word

let readDraws (reader: BinaryReader) : Draws =
    let key = reader.ReadUInt64()
    let place = reader.ReadUInt64()
    let block = reader.ReadUInt64()
    let word = reader.ReadInt32()

    Draws {
        Key = key
        Place = place
        Block = block
        Word = word
    }

let writeBytes (writer: BinaryWriter) (bytes: byte[]) =
    writer.Write bytes.Length
    writer.Write bytes

let readBytes (reader: BinaryReader) : byte[] =
    let count = reader.ReadInt32()

    if count < 0 || int64 count > reader.BaseStream.Length - reader.BaseStream.Position then
        raise (EndOfStreamException())

    reader.ReadBytes count
