/// Bytes of how far networks have grown, inside an agent's stored counters.
module internal NE.Model.Agents.Plasticity.GrowthBytes

open System.IO
open NE.Model.Topology

let writeGrowth (writer: BinaryWriter) (networks: GrowingNetwork list) =
    for network in networks do
        for growth in Seq.concat network.Growth do
            writer.Write growth.Initial
            writer.Write growth.Capacity
            writer.Write growth.Carry

let readGrowth (reader: BinaryReader) (networks: GrowingNetwork list) =
    let read (layer: LayerGrowth) =
        let initial = reader.ReadInt32()
        let capacity = reader.ReadInt32()
        let carry = reader.ReadDouble()

        {
            layer with
                Initial = initial
                Capacity = capacity
                Carry = carry
        }

    for network in networks do
        network.Growth <- network.Growth |> Array.map (Array.map read)

/// The step since which weights are exchanged, 0 while the network grows.
let writePhases (writer: BinaryWriter) (networks: GrowingNetwork list) =
    for network in networks do
        match network.Phase with
        | GrowthPhase.Growing -> writer.Write 0L
        | GrowthPhase.Rewiring since -> writer.Write since

let readPhases (reader: BinaryReader) (networks: GrowingNetwork list) =
    for network in networks do
        network.Phase <-
            match reader.ReadInt64() with
            | 0L -> GrowthPhase.Growing
            | since -> GrowthPhase.Rewiring since
