/// The linear layers of a policy, in tiles of 32 or 64 output neurons, input by input: one pass over a tile streams through memory, and
/// each output is one chain of fused multiply-adds in input order, the same bits whatever the tile's width.
module internal NE.Model.Networks.PolicyTiles

open System
open System.Runtime.Intrinsics
open Microsoft.FSharp.NativeInterop
open NE.Model.Networks.Simd

[<Literal>]
let private Narrow = 32

/// Outputs of the wider kind of tile.
[<Literal>]
let Wide = 64

/// Outputs of a layer with those that only fill its last tile.
let padded width = (width + Narrow - 1) / Narrow * Narrow

/// Widths of a layer's tiles. Eight chains of multiply-adds are needed to keep the processor busy, but an array above 85,000 bytes
/// would land on the large-object heap with every new policy.
let tileWidths inputs outputs =
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

// 64 outputs from all inputs. The eight sums stay in registers.
let private wideTile (w: nativeptr<float32>) (x: nativeptr<float32>) (inputs: int) (bias: nativeptr<float32>) (y: nativeptr<float32>) =
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
let private narrowTile (w: nativeptr<float32>) (x: nativeptr<float32>) (inputs: int) (bias: nativeptr<float32>) (y: nativeptr<float32>) =
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

/// One layer of a policy.
[<NoEquality; NoComparison>]
type Layer = {
    Slot: LayerSlot
    /// Weights of the output neurons, tile by tile.
    Tiles: float32[][]
    /// As many as the tiles have outputs.
    Biases: float32[]
    /// One per output neuron; empty without a LayerNorm.
    Gains: float32[]
    /// One per output neuron; empty without a LayerNorm.
    Shifts: float32[]
}

/// A layer from a block's host array.
let ofParameters (slot: LayerSlot) (parameters: ReadOnlySpan<float32>) : Layer =
    let widths = tileWidths slot.Inputs slot.Outputs
    let biases = Array.zeroCreate (Array.sum widths)
    parameters.Slice(slot.Biases, slot.Outputs).CopyTo(Span biases)
    let tiles = Array.zeroCreate widths.Length
    use source = fixed parameters
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
        Transpose.transpose (NativePtr.add source (slot.Weights + first * slot.Inputs)) slot.Inputs rows slot.Inputs tile width
        first <- first + width

    {
        Slot = slot
        Tiles = tiles
        Biases = biases
        Gains =
            if slot.IsNormed then
                parameters.Slice(slot.Gains, slot.Outputs).ToArray()
            else
                [||]
        Shifts =
            if slot.IsNormed then
                parameters.Slice(slot.Shifts, slot.Outputs).ToArray()
            else
                [||]
    }

/// The layer's parameters in the block's order: weights (out x in), biases, gains, shifts.
let toParameters (layer: Layer) : float32 seq =
    seq {
        let inputs, outputs = layer.Slot.Inputs, layer.Slot.Outputs
        let mutable written = 0

        for tile in layer.Tiles do
            let width = tile.Length / inputs

            for lane in 0 .. min width (outputs - written) - 1 do
                for input in 0 .. inputs - 1 -> tile[input * width + lane]

            written <- written + width

        yield! Seq.truncate outputs layer.Biases
        yield! layer.Gains
        yield! layer.Shifts
    }

/// For several rows at once: the engine's products, whose elements are the same chains of multiply-adds.
let private product = PanelProduct.create (VectorWidth.best ())

let private rectify (values: nativeptr<float32>) (count: int) =
    let mutable i = 0

    while i < count do
        let p = NativePtr.add values i
        Vector256.Store(Vector256.MaxNative(Vector256<float32>.Zero, Vector256.Load p), p)
        i <- i + 8

/// The layer's linear outputs, or their ReLU.
let private linear (layer: Layer) (x: nativeptr<float32>) (y: nativeptr<float32>) (stride: int) (rows: int) (relu: bool) =
    let tiles, inputs = layer.Tiles, layer.Slot.Inputs
    use biases = fixed layer.Biases
    let mutable output = 0

    for t in 0 .. tiles.Length - 1 do
        use w = fixed tiles[t]
        let width = tiles[t].Length / inputs
        let bias, result = NativePtr.add biases output, NativePtr.add y output

        if rows > 1 then
            let finish: Finish = {
                Bias = bias
                Relu = relu
                Activation = NativePtr.ofNativeInt 0n
                ActivationStride = 0
            }

            product.Multiply(x, stride, 1, w, width, result, stride, rows, width, inputs, &finish)
        elif width = Wide then
            wideTile w x inputs bias result
        else
            narrowTile w x inputs bias result

        output <- output + width

    if relu && rows = 1 then
        rectify y output

/// The features of a shaped layer over the linear outputs of one row.
let private shape (layer: Layer) (y: nativeptr<float32>) =
    let slot = layer.Slot
    // The address of an empty array is null.
    use gains = fixed layer.Gains
    use shifts = fixed layer.Shifts
    let mutable scale = 0.0f

    let z: ElementwiseKernels.Strided = {
        Memory = y
        Rows = 1
        Columns = slot.Outputs
        Stride = slot.Outputs
    }

    if slot.IsNormed then
        FeatureKernels.normalise z &&scale 0 1

    FeatureKernels.activate z gains shifts { z with Columns = slot.Features } 0 1

/// y = the layer's features of x, or its linear outputs if it is the output layer, row by row; the rows of both are `stride` floats apart, enough
/// for all tiles. The bits of a row do not depend on how many there are.
let apply (layer: Layer) (x: float32[]) (y: float32[]) (stride: int) (rows: int) (isOutput: bool) : unit =
    let isShaped = layer.Slot.IsShaped
    use px = fixed x
    use py = fixed y
    linear layer px py stride rows (not isOutput && not isShaped)

    if isShaped then
        for row in 0 .. rows - 1 do
            shape layer (NativePtr.add py (row * stride))
