/// How a group of networks is stored: its part of an agent's components.
[<RequireQualifiedAccess>]
module internal NE.Model.Agents.GroupState

open System
open System.IO
open NE.Model.KeyKinds
open NE.Model.Networks
open NE.Model.Topology

/// Bytes of a component with so many fields of groups whose fields have these bytes. Raises ArgumentException for more than an array holds.
let fieldBytes (count: int) (fields: int list) : int =
    let most = int64 Array.MaxLength

    let bytes =
        int64 sizeof<int>
        + (fields
           |> List.sumBy (fun field -> int64 count * (int64 sizeof<int> + int64 field)))

    if bytes > most then
        invalidArg
            (nameof fields)
            ($"What the optimiser keeps of all networks has {showCount bytes} bytes in a checkpoint, {showCount most} are possible; "
             + "make the layers narrower (network.hidden, network.criticHidden, pixels.filters, pixels.features).")

    int bytes

let private field (group: NetworkGroup) (block: IParameterBlock) (field: Field) : Codec = {
    Write =
        fun writer ->
            block.Read(field, Span group.Passing)
            StateBytes.writeFloats writer group.Passing
    Read =
        fun reader ->
            StateBytes.readFloats reader group.Passing
            block.Write(field, ReadOnlySpan group.Passing)
}

/// Weights and biases of the online networks.
let parameters (group: NetworkGroup) : Codec = field group group.Online Field.Weights

/// Weights and biases of the target networks.
let targets (group: NetworkGroup) : Codec = field group group.Target Field.Weights

/// Adam's moments and per-element ages.
let moments (group: NetworkGroup) : Codec =
    Codec.all [ for moment in NetworkGroup.Moments -> field group group.Online moment ]

let private readMasks (group: NetworkGroup) (reader: BinaryReader) =
    let restored = group.Masks |> Array.map Array.copy

    for slot in group.Layout.Slots do
        let expected = group.Name, slot.Stack, slot.Layer, slot.WeightCount

        let found =
            reader.ReadString(), reader.ReadInt32(), reader.ReadInt32(), reader.ReadInt32()

        if found <> expected then
            raise (
                InvalidDataException
                    $"The stored masks have %A{found} where this configuration has %A{expected}: it was made with other network sizes."
            )

        match LayerMask.ofBits slot.Outputs slot.Inputs (reader.ReadBytes((slot.WeightCount + 7) / 8)) with
        | Ok mask -> restored[slot.Stack][slot.Layer] <- mask
        | Error problem -> raise (InvalidDataException problem)

    group.SetMasks restored

/// The topology, per layer: network, stack, layer, weights, bits. The journal folds topology events over these bytes: keep them as they are.
let masks (group: NetworkGroup) : Codec = {
    Write =
        fun writer ->
            for layer in group.Bits.Layers do
                writer.Write group.Name
                writer.Write layer.Stack
                writer.Write layer.Layer
                writer.Write(layer.Rows * layer.Columns)
                writer.Write layer.Bits
    Read = readMasks group
}

/// The frozen bodies, if there are any.
let injection (group: NetworkGroup) : Codec = {
    Write =
        fun writer ->
            writer.Write group.Injected.IsSome

            group.Injected
            |> ValueOption.iter (fun bodies -> bodies.Save(writer, group.Passing))
    Read =
        fun reader ->
            group.Injected <-
                if reader.ReadBoolean() then
                    ValueSome(FrozenBodies.Restore(group.Engine, group.Layout, reader))
                else
                    ValueNone
}
