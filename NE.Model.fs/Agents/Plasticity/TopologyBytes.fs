/// Bytes of topology changes that nobody has taken yet, inside an agent's stored counters.
module internal NE.Model.Agents.Plasticity.TopologyBytes

open System.IO
open NE.Model.Agents
open NE.Model.History

let private writeInts (writer: BinaryWriter) (values: int[]) =
    writer.Write values.Length
    values |> Array.iter writer.Write

let private readArray (reader: BinaryReader) (item: unit -> 'T) =
    let count = reader.ReadInt32()

    if count < 0 || int64 count > reader.BaseStream.Length then
        raise (EndOfStreamException())

    Array.init count (fun _ -> item ())

let private write (changes: ResizeArray<TopologyChanged>) (writer: BinaryWriter) =
    writer.Write changes.Count

    for change in changes do
        writer.Write change.Step
        writer.Write change.Network
        writer.Write change.OutputShift
        writer.Write change.Layers.Length

        for layer in change.Layers do
            writer.Write layer.Stack
            writer.Write layer.Layer
            writeInts writer layer.Grown
            writeInts writer layer.Pruned
            writeInts writer layer.Touched
            writer.Write layer.Dormant
            writer.Write layer.Active
            writer.Write layer.Size
            writer.Write layer.MinScore
            writer.Write layer.MaxScore

let private read (reader: BinaryReader) : TopologyChanged[] =
    let ints () = readArray reader reader.ReadInt32

    let layer () =
        let stack = reader.ReadInt32()
        let layer = reader.ReadInt32()
        let grown = ints ()
        let pruned = ints ()
        let touched = ints ()
        let dormant = reader.ReadInt32()
        let active = reader.ReadInt32()
        let size = reader.ReadInt32()
        let lowest = reader.ReadSingle()
        let highest = reader.ReadSingle()

        {
            Stack = stack
            Layer = layer
            Grown = grown
            Pruned = pruned
            Touched = touched
            Dormant = dormant
            Active = active
            Size = size
            MinScore = lowest
            MaxScore = highest
        }

    readArray reader (fun () ->
        let step = reader.ReadInt64()
        let network = reader.ReadString()
        let shift = reader.ReadDouble()

        {
            Step = step
            Network = network
            Layers = readArray reader layer
            OutputShift = shift
        })

/// The changes that wait, in place.
let codec (changes: ResizeArray<TopologyChanged>) : Codec = {
    Write = write changes
    Read =
        fun reader ->
            changes.Clear()
            changes.AddRange(read reader)
}
