namespace NE.Model.Networks.Layers

open System
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks
open NE.Model.Networks.Simd

/// Tiles of 32 or 64 output neurons, input by input: one pass over a tile streams through memory, and each output is one chain of fused
/// multiply-adds in input order, the same bits whatever the tile's width.
[<RequireQualifiedAccess>]
module internal HostTiles =
    [<Literal>]
    let private Narrow = 32

    /// Outputs of the wider kind of tile.
    [<Literal>]
    let Wide = 64

    /// Outputs of a layer with those that only fill its last tile.
    let padded width = (width + Narrow - 1) / Narrow * Narrow

    /// Widths of a layer's tiles. Eight chains of multiply-adds are needed to keep the processor busy, but an array above 85,000 bytes
    /// would land on the large-object heap with every new policy.
    let widths inputs outputs =
        let allowed =
            if inputs * Wide * sizeof<float32> <= 80_000 then
                Wide
            else
                Narrow

        let rec split left =
            if left <= 0 then []
            elif left <= Narrow then [ Narrow ]
            else allowed :: split (left - allowed)

        Array.ofList (split outputs)

    /// 64 outputs from all inputs. The eight sums stay in registers.
    let wide (w: nativeptr<float32>) (x: nativeptr<float32>) (inputs: int) (bias: nativeptr<float32>) (y: nativeptr<float32>) =
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

    /// 32 outputs from all inputs.
    let narrow (w: nativeptr<float32>) (x: nativeptr<float32>) (inputs: int) (bias: nativeptr<float32>) (y: nativeptr<float32>) =
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

    /// For several rows at once: the engine's products, whose elements are the same chains of multiply-adds.
    let product = PanelProduct.create (VectorWidth.best ())

    let rectify (values: nativeptr<float32>) (count: int) =
        let mutable i = 0

        while i < count do
            let p = NativePtr.add values i
            Vector256.Store(Vector256.MaxNative(Vector256<float32>.Zero, Vector256.Load p), p)
            i <- i + 8

/// A fully connected layer of a policy.
[<Sealed>]
type internal HostDense private (slot: LayerSlot, tiles: float32[][], biases: float32[]) =
    let inputs = slot.Inputs
    let mutable rectifies = false

    /// From a block's host array.
    static member Of(slot: LayerSlot, parameters: nativeptr<float32>) : HostDense =
        let widths = HostTiles.widths slot.Inputs slot.Outputs
        let biases = Array.zeroCreate (Array.sum widths)

        Span<float32>(NativePtr.toVoidPtr (NativePtr.add parameters slot.Biases), slot.Outputs).CopyTo(Span biases)

        let tiles = Array.zeroCreate widths.Length
        let mutable first = 0

        for t in 0 .. widths.Length - 1 do
            let width = widths[t]
            let rows = min width (slot.Outputs - first)
            // A full tile is overwritten as a whole; in another one the spare outputs stay 0.
            let weights =
                if rows = width then
                    GC.AllocateUninitializedArray<float32>(slot.Inputs * width)
                else
                    Array.zeroCreate (slot.Inputs * width)

            tiles[t] <- weights
            use tile = fixed weights
            let from = NativePtr.add parameters (slot.Weights + first * slot.Inputs)
            Transpose.transpose from slot.Inputs rows slot.Inputs tile width
            first <- first + width

        HostDense(slot, tiles, biases)

    interface IHostLayer with
        member _.Gains = [||]
        member _.Shifts = [||]

        member _.TryRectify() =
            rectifies <- true
            true

        member _.IsInPlace = false

        member _.Forward(x, y, stride, rows) =
            use biases = fixed biases
            let mutable output = 0

            for t in 0 .. tiles.Length - 1 do
                use w = fixed tiles[t]
                let width = tiles[t].Length / inputs
                let bias, result = NativePtr.add biases output, NativePtr.add y output

                if rows > 1 then
                    let finish: Finish = {
                        Bias = bias
                        Relu = rectifies
                        Activation = NativePtr.ofNativeInt 0n
                        ActivationStride = 0
                    }

                    HostTiles.product.Multiply(x, stride, 1, w, width, result, stride, rows, width, inputs, &finish)
                elif width = HostTiles.Wide then
                    HostTiles.wide w x inputs bias result
                else
                    HostTiles.narrow w x inputs bias result

                output <- output + width

            if rectifies && rows = 1 then
                HostTiles.rectify y output

        member _.Parameters =
            let parameters = Array.zeroCreate<float32>(slot.Outputs * (inputs + 1))
            let mutable written = 0

            for tile in tiles do
                let width = tile.Length / inputs

                for lane in 0 .. min width (slot.Outputs - written) - 1 do
                    let row = (written + lane) * inputs

                    for input in 0 .. inputs - 1 do
                        parameters[row + input] <- tile[input * width + lane]

                written <- written + width

            Array.blit biases 0 parameters (slot.Outputs * inputs) slot.Outputs
            parameters
