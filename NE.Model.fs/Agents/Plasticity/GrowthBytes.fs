/// Bytes of how far networks have grown, inside an agent's stored counters.
module internal NE.Model.Agents.Plasticity.GrowthBytes

open System.IO
open NE.Model.Agents
open NE.Model.Topology

/// How much every layer of every network has grown.
let growth (networks: GrowingNetwork list) : Codec = {
    Write =
        fun writer ->
            for network in networks do
                for growth in Seq.concat network.Growth do
                    writer.Write growth.Initial
                    writer.Write growth.Capacity
                    writer.Write growth.Carry
    Read =
        fun reader ->
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
}

/// The step since which weights are exchanged, 0 while the network grows.
let phases (networks: GrowingNetwork list) : Codec =
    Codec.all [
        for network in networks ->
            Codec.int64
                (fun () ->
                    match network.Phase with
                    | GrowthPhase.Growing -> 0L
                    | GrowthPhase.Rewiring since -> since)
                (fun stored ->
                    network.Phase <-
                        if stored = 0L then
                            GrowthPhase.Growing
                        else
                            GrowthPhase.Rewiring stored)
    ]
