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
/// The weights are kept in tiles of 32 or 64 output neurons, input by input, so that one pass over a tile streams through memory, and
/// each output is one chain of fused multiply-adds in input order: the same bits whatever the tile's width.
[<Sealed>]
type Policy private (version: int64, widths: int[], maxAction: float32, tiles: float32[][][], biases: float32[][]) =
    static let narrow = 32
    static let wide = 64
    static let formatVersion = 1
    static let padded width = (width + narrow - 1) / narrow * narrow

    /// Widths of a layer's tiles. Eight chains of multiply-adds are needed to keep the processor busy, but an array above 85,000 bytes
    /// would land on the large-object heap with every new policy.
    static let tileWidths inputs outputs =
        let allowed =
            if inputs * wide * sizeof<float32> <= 80_000 then
                wide
            else
                narrow

        let rec split left =
            if left <= 0 then []
            elif left <= narrow then [ narrow ]
            else allowed :: split (left - allowed)

        Array.ofList (split outputs)

    let widest = 2 * wide + (widths |> Array.map padded |> Array.max)

    // 64 outputs from all inputs. The eight sums stay in registers.
    static let wideTile (w: nativeptr<float32>) (x: nativeptr<float32>) (inputs: int) (bias: nativeptr<float32>) (y: nativeptr<float32>) =
        let inline load p i = Vector256.Load(NativePtr.add p i)
        let mutable a0, a1, a2, a3 = load bias 0, load bias 8, load bias 16, load bias 24
        let mutable a4, a5, a6, a7 = load bias 32, load bias 40, load bias 48, load bias 56
        let mutable row = w

        for i in 0 .. inputs - 1 do
            let xi = Vector256.Create(NativePtr.get x i)
            a0 <- Vector256.FusedMultiplyAdd(xi, load row 0, a0)
            a1 <- Vector256.FusedMultiplyAdd(xi, load row 8, a1)
            a2 <- Vector256.FusedMultiplyAdd(xi, load row 16, a2)
            a3 <- Vector256.FusedMultiplyAdd(xi, load row 24, a3)
            a4 <- Vector256.FusedMultiplyAdd(xi, load row 32, a4)
            a5 <- Vector256.FusedMultiplyAdd(xi, load row 40, a5)
            a6 <- Vector256.FusedMultiplyAdd(xi, load row 48, a6)
            a7 <- Vector256.FusedMultiplyAdd(xi, load row 56, a7)
            row <- NativePtr.add row 64

        Vector256.Store(a0, y)
        Vector256.Store(a1, NativePtr.add y 8)
        Vector256.Store(a2, NativePtr.add y 16)
        Vector256.Store(a3, NativePtr.add y 24)
        Vector256.Store(a4, NativePtr.add y 32)
        Vector256.Store(a5, NativePtr.add y 40)
        Vector256.Store(a6, NativePtr.add y 48)
        Vector256.Store(a7, NativePtr.add y 56)

    // 32 outputs from all inputs.
    static let narrowTile (w: nativeptr<float32>) (x: nativeptr<float32>) (inputs: int) (bias: nativeptr<float32>) (y: nativeptr<float32>) =
        let inline load p i = Vector256.Load(NativePtr.add p i)
        let mutable a0, a1, a2, a3 = load bias 0, load bias 8, load bias 16, load bias 24
        let mutable row = w

        for i in 0 .. inputs - 1 do
            let xi = Vector256.Create(NativePtr.get x i)
            a0 <- Vector256.FusedMultiplyAdd(xi, load row 0, a0)
            a1 <- Vector256.FusedMultiplyAdd(xi, load row 8, a1)
            a2 <- Vector256.FusedMultiplyAdd(xi, load row 16, a2)
            a3 <- Vector256.FusedMultiplyAdd(xi, load row 24, a3)
            row <- NativePtr.add row 32

        Vector256.Store(a0, y)
        Vector256.Store(a1, NativePtr.add y 8)
        Vector256.Store(a2, NativePtr.add y 16)
        Vector256.Store(a3, NativePtr.add y 24)

    // One linear layer, then ReLU over its padded outputs.
    static let apply (tiles: float32[][], biases: float32[], x: float32[], inputs: int, y: float32[], relu: bool) =
        use px = fixed x
        use py = fixed y
        use pb = fixed biases
        let mutable output = 0

        for t in 0 .. tiles.Length - 1 do
            use w = fixed tiles[t]
            let width = tiles[t].Length / inputs
            let bias, result = NativePtr.add pb output, NativePtr.add py output

            if width = wide then
                wideTile w px inputs bias result
            else
                narrowTile w px inputs bias result

            output <- output + width

        if relu then
            let mutable i = 0

            while i < output do
                let p = NativePtr.add py i
                Vector256.Store(Vector256.MaxNative(Vector256<float32>.Zero, Vector256.Load p), p)
                i <- i + 8

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

        if scratch.A.Length < widest then
            invalidArg (nameof scratch) "The scratch was made for a smaller policy; ask this one for its own."

        let mutable x = scratch.A
        let mutable y = scratch.B
        observation.CopyTo(x.AsSpan())

        for layer in 0 .. tiles.Length - 1 do
            apply (tiles[layer], biases[layer], x, widths[layer], y, layer < tiles.Length - 1)

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

        use source = fixed parameters

        for layer in 0 .. layout.Layers - 1 do
            let slot = layout.Slot(0, layer)
            let tileWidths = tileWidths slot.Inputs slot.Outputs
            biases[layer] <- Array.zeroCreate (Array.sum tileWidths)
            parameters.Slice(slot.Biases, slot.Outputs).CopyTo(Span biases[layer])
            tiles[layer] <- Array.zeroCreate tileWidths.Length
            let mutable first = 0

            for t in 0 .. tileWidths.Length - 1 do
                let width = tileWidths[t]
                let rows = min width (slot.Outputs - first)
                // A full tile is overwritten as a whole; in another one the spare outputs stay 0.
                let weights =
                    if rows = width then
                        GC.AllocateUninitializedArray<float32>(slot.Inputs * width)
                    else
                        Array.zeroCreate (slot.Inputs * width)

                tiles[layer].[t] <- weights
                use tile = fixed weights
                Transpose.transpose (NativePtr.add source (slot.Weights + first * slot.Inputs)) slot.Inputs rows slot.Inputs tile width
                first <- first + width

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
            let inputs, outputs = widths[layer], widths[layer + 1]
            let mutable written = 0

            for tile in tiles[layer] do
                let width = tile.Length / inputs

                for lane in 0 .. min width (outputs - written) - 1 do
                    for input in 0 .. inputs - 1 do
                        writer.Write(tile[input * width + lane])

                written <- written + width

            for output in 0 .. outputs - 1 do
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
