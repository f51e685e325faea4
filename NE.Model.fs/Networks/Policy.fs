namespace NE.Model.Networks

open System
open System.IO
open System.Runtime.InteropServices
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop

/// Working memory of one caller of Policy.Act; not to be shared between threads.
[<Sealed>]
type PolicyScratch(widest: int) =
    member val internal A = Array.zeroCreate<float32> widest
    member val internal B = Array.zeroCreate<float32> widest

/// An immutable host copy of an actor network: observation -> maxAction * tanh(...). Safe to use from any number of threads.
///
/// The weights are kept in tiles of 16 output neurons, input by input, so that one pass over a tile streams through memory and each
/// output is one chain of fused multiply-adds in input order: the same bits on every machine.
[<Sealed>]
type Policy private (version: int64, widths: int[], maxAction: float32, tiles: float32[][][], biases: float32[][]) =
    static let tileWidth = 16
    static let formatVersion = 1

    let padded width =
        (width + tileWidth - 1) / tileWidth * tileWidth

    let widest = widths |> Array.map padded |> Array.max

    // One tile: 16 outputs from all inputs, in two accumulators each for even and odd inputs would change the order; one chain is kept.
    static let tile (weights: float32[], x: float32[], inputs: int, biases: float32[], output: int, result: float32[], relu: bool) =
        use w = fixed weights
        use b = fixed &biases[output]
        let mutable low = Vector256.Load b
        let mutable high = Vector256.Load(NativePtr.add b 8)

        for i in 0 .. inputs - 1 do
            let xi = Vector256.Create x[i]
            low <- Vector256.FusedMultiplyAdd(xi, Vector256.Load(NativePtr.add w (16 * i)), low)
            high <- Vector256.FusedMultiplyAdd(xi, Vector256.Load(NativePtr.add w (16 * i + 8)), high)

        use r = fixed &result[output]

        if relu then
            low <- Vector256.MaxNative(Vector256<float32>.Zero, low)
            high <- Vector256.MaxNative(Vector256<float32>.Zero, high)

        Vector256.Store(low, r)
        Vector256.Store(high, NativePtr.add r 8)

    /// How many actor updates made these weights; set by the agent.
    member _.Version = version
    /// Length of an observation.
    member _.ObservationSize = widths[0]
    /// Length of an action.
    member _.ActionSize = widths[widths.Length - 1]
    /// Largest magnitude of an action's component.
    member _.MaxAction = maxAction
    /// Working memory for one caller.
    member _.CreateScratch() = PolicyScratch widest

    /// action = maxAction * tanh(network(observation)), without noise. Allocates nothing.
    member this.Act(observation: ReadOnlySpan<float32>, action: Span<float32>, scratch: PolicyScratch) : unit =
        if observation.Length <> this.ObservationSize || action.Length <> this.ActionSize then
            invalidArg
                (nameof observation)
                $"The policy maps {this.ObservationSize} values to {this.ActionSize}; it was given {observation.Length} and {action.Length}."

        let mutable x = scratch.A
        let mutable y = scratch.B
        observation.CopyTo(x.AsSpan())

        for layer in 0 .. tiles.Length - 1 do
            for t in 0 .. tiles[layer].Length - 1 do
                tile (tiles[layer][t], x, widths[layer], biases[layer], t * tileWidth, y, layer < tiles.Length - 1)

            let next = y
            y <- x
            x <- next

        for i in 0 .. action.Length - 1 do
            action[i] <- maxAction * MathF.Tanh x[i]

    /// From an actor block's weights (one stack, out x in, in the block's layout).
    static member OfBlock(layout: BlockLayout, parameters: ReadOnlySpan<float32>, maxAction: float32, version: int64) : Policy =
        let widths = layout.Widths.ToArray()
        let tiles = Array.zeroCreate layout.Layers
        let biases = Array.zeroCreate layout.Layers

        for layer in 0 .. layout.Layers - 1 do
            let slot = layout.Slot(0, layer)
            let count = (slot.Outputs + tileWidth - 1) / tileWidth
            biases[layer] <- Array.zeroCreate (count * tileWidth)
            parameters.Slice(slot.Biases, slot.Outputs).CopyTo(biases[layer].AsSpan())
            tiles[layer] <- Array.init count (fun _ -> Array.zeroCreate<float32>(slot.Inputs * tileWidth))

            for output in 0 .. slot.Outputs - 1 do
                let row = parameters.Slice(slot.Weights + output * slot.Inputs, slot.Inputs)
                let target = tiles[layer][output / tileWidth]
                let lane = output % tileWidth

                for input in 0 .. row.Length - 1 do
                    target[input * tileWidth + lane] <- row[input]

        Policy(version, widths, maxAction, tiles, biases)

    /// Little-endian: format version, widths, maxAction, version, then each layer's weights (out x in) and biases.
    member _.ToBytes() : byte[] =
        use stream = new MemoryStream()
        use writer = new BinaryWriter(stream)
        writer.Write formatVersion
        writer.Write widths.Length
        widths |> Array.iter writer.Write
        writer.Write maxAction
        writer.Write version

        for layer in 0 .. tiles.Length - 1 do
            for output in 0 .. widths[layer + 1] - 1 do
                for input in 0 .. widths[layer] - 1 do
                    let tile = tiles[layer][output / tileWidth]
                    writer.Write(tile[input * tileWidth + output % tileWidth])

            for output in 0 .. widths[layer + 1] - 1 do
                writer.Write(biases[layer][output])

        stream.ToArray()

    /// The inverse of ToBytes; raises InvalidDataException when the bytes are not a whole policy of this format.
    static member OfBytes(bytes: ReadOnlySpan<byte>) : Policy =
        let data = bytes.ToArray()
        use reader = new BinaryReader(new MemoryStream(data))

        try
            let format = reader.ReadInt32()

            if format <> formatVersion then
                raise (InvalidDataException $"The policy has format {format}; this program reads format {formatVersion}.")

            let count = reader.ReadInt32()

            if count < 2 || count > 64 then
                raise (InvalidDataException $"The policy claims {count} layer widths.")

            let widths = Array.init count (fun _ -> reader.ReadInt32())

            if widths |> Array.exists (fun width -> width < 1 || width > 1_000_000) then
                raise (InvalidDataException $"The policy claims the layer widths %A{widths}.")

            let maxAction = reader.ReadSingle()
            let version = reader.ReadInt64()
            let layout = BlockLayout.Create(1, widths)
            let start = int reader.BaseStream.Position

            if data.Length - start <> 4 * layout.ParameterCount then
                raise (
                    InvalidDataException
                        $"A policy of widths %A{widths} has {4 * layout.ParameterCount} bytes of parameters; {data.Length - start} were found."
                )

            let parameters =
                MemoryMarshal.Cast<byte, float32>(ReadOnlySpan(data, start, data.Length - start))

            Policy.OfBlock(layout, parameters, maxAction, version)
        with :? EndOfStreamException ->
            raise (InvalidDataException "The policy's bytes end early.")
