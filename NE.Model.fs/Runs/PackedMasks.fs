namespace NE.Model.Runs

open System
open System.IO
open System.Numerics
open System.Text
open NE.Model.History

/// Names one mask: the network ("actor", "critic"), its stack (0; 0 and 1 for the twin critics) and the linear layer within it.
[<Struct>]
type MaskKey = {
    Network: string
    Stack: int
    Layer: int
} with

    override this.ToString() =
        $"{this.Network}, stack {this.Stack}, layer {this.Layer}"

/// One mask: weight i is bit i % 8 of byte i / 8, spare bits are 0.
type PackedMask = {
    Key: MaskKey
    /// Number of weights.
    Size: int
    Bits: byte[]
}

/// All masks of a run, one bit per weight in row-major order: the content of the component "masks" and of the journal's snapshots.
/// Folding a TopologyChanged into them gives the masks after the event.
///
/// Bytes, little-endian: layer count (int32); per layer the network's name (length-prefixed UTF-8), stack, layer, weights (int32 each) and
/// ceil(weights / 8) bytes. Layers are in the order in which they were added.
type PackedMasks = { Layers: PackedMask list }

/// Functions of packed masks. They never change the bytes that they are given.
[<RequireQualifiedAccess>]
module PackedMasks =

    let empty: PackedMasks = { Layers = [] }

    /// Adds a layer; value i says whether weight i is active.
    let add (key: MaskKey) (active: bool[]) (masks: PackedMasks) : PackedMasks =
        let bits = Array.zeroCreate<byte>((active.Length + 7) / 8)

        active
        |> Array.iteri (fun i isActive ->
            if isActive then
                bits[i >>> 3] <- bits[i >>> 3] ||| (1uy <<< (i &&& 7)))

        {
            Layers =
                masks.Layers
                @ [
                    {
                        Key = key
                        Size = active.Length
                        Bits = bits
                    }
                ]
        }

    let private find (key: MaskKey) (masks: PackedMasks) : PackedMask =
        match masks.Layers |> List.tryFind (fun layer -> layer.Key = key) with
        | Some layer -> layer
        | None ->
            let known =
                masks.Layers |> List.map (fun layer -> string layer.Key) |> String.concat "; "

            raise (InvalidDataException $"There is no mask of {key}; there are masks of {known}.")

    let isActive (key: MaskKey) (weight: int) (masks: PackedMasks) : bool =
        let bits = (find key masks).Bits
        (bits[weight >>> 3] >>> (weight &&& 7)) &&& 1uy <> 0uy

    let private count (bits: byte[]) =
        bits |> Array.sumBy (fun bits -> BitOperations.PopCount(uint32 bits))

    /// Active weights of a layer.
    let active (key: MaskKey) (masks: PackedMasks) : int = count (find key masks).Bits

    let private keyOf (change: TopologyChanged) (layer: LayerChange) : MaskKey = {
        Network = change.Network
        Stack = layer.Stack
        Layer = layer.Layer
    }

    /// The mask with some weights active and others not.
    let private withWeights (activated: int[]) (deactivated: int[]) (mask: PackedMask) : PackedMask =
        let bits = Array.copy mask.Bits

        let within weight =
            if weight < 0 || weight >= mask.Size then
                raise (InvalidDataException $"Expected weights of {mask.Key} in [0, {mask.Size}), found {weight}.")

            weight

        for weight in activated do
            let i = within weight
            bits[i >>> 3] <- bits[i >>> 3] ||| (1uy <<< (i &&& 7))

        for weight in deactivated do
            let i = within weight
            bits[i >>> 3] <- bits[i >>> 3] &&& ~~~(1uy <<< (i &&& 7))

        { mask with Bits = bits }

    let private replace (mask: PackedMask) (masks: PackedMasks) : PackedMasks = {
        Layers =
            masks.Layers
            |> List.map (fun other -> if other.Key = mask.Key then mask else other)
    }

    let private requireActive (change: TopologyChanged) (layer: LayerChange) (mask: PackedMask) =
        let active = count mask.Bits

        if active <> layer.Active then
            raise (
                InvalidDataException
                    $"The topology event at gradient step {change.Step:N0} leaves {layer.Active:N0} weights active in {mask.Key}, but folding it gives {active:N0}."
            )

    let private applyToLayer (change: TopologyChanged) (masks: PackedMasks) (layer: LayerChange) : PackedMasks =
        let mask = find (keyOf change layer) masks |> withWeights layer.Grown layer.Pruned
        requireActive change layer mask
        replace mask masks

    /// The masks after an event. Raises InvalidDataException when it names a layer or a weight that is not there, or leaves another number
    /// active than it says.
    let apply (change: TopologyChanged) (masks: PackedMasks) : PackedMasks =
        Array.fold (applyToLayer change) masks change.Layers

    let private revertLayer (change: TopologyChanged) (masks: PackedMasks) (layer: LayerChange) : PackedMasks =
        let mask = find (keyOf change layer) masks
        requireActive change layer mask
        replace (withWeights layer.Pruned layer.Grown mask) masks

    /// The masks before an event, from those after it; an event grows only what was inactive and prunes only what was active. Raises InvalidDataException as
    /// `apply` does.
    let revert (change: TopologyChanged) (masks: PackedMasks) : PackedMasks =
        Array.fold (revertLayer change) masks change.Layers

    let toBytes (masks: PackedMasks) : byte[] =
        use stream = new MemoryStream()

        do
            use writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen = true)
            writer.Write masks.Layers.Length

            for layer in masks.Layers do
                writer.Write layer.Key.Network
                writer.Write layer.Key.Stack
                writer.Write layer.Key.Layer
                writer.Write layer.Size
                writer.Write layer.Bits

        stream.ToArray()

    /// Reads what `toBytes` wrote; raises InvalidDataException for anything else.
    let ofBytes (bytes: byte[]) : PackedMasks =
        use reader = new BinaryReader(new MemoryStream(bytes), Encoding.UTF8)

        try
            let layers = [
                for _ in 1 .. reader.ReadInt32() do
                    let network = reader.ReadString()
                    let stack = reader.ReadInt32()
                    let layer = reader.ReadInt32()
                    let size = reader.ReadInt32()
                    let length = (max 0 size + 7) / 8
                    let bits = reader.ReadBytes length

                    if size < 0 || bits.Length <> length then
                        raise (EndOfStreamException())

                    {
                        Key = {
                            Network = network
                            Stack = stack
                            Layer = layer
                        }
                        Size = size
                        Bits = bits
                    }
            ]

            if reader.BaseStream.Position <> reader.BaseStream.Length then
                raise (InvalidDataException "Packed masks are followed by other bytes.")

            { Layers = layers }
        with :? EndOfStreamException ->
            raise (InvalidDataException $"Expected packed masks, found {bytes.Length:N0} bytes that end within a layer.")
