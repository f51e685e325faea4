module NE.Model.Tests.Networks.Simd.TilesTests

open System
open Expecto
open FSharp.NativeInterop
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks.EngineFixture

/// One product as a scalar loop: a chain of fused multiply-adds in the order of k.
let private reference (a: float32[,]) (b: float32[,]) (bias: float32[]) relu (activation: float32[,]) =
    Array2D.init (Array2D.length1 a) (Array2D.length2 b) (fun r c ->
        let mutable sum = bias[c]

        for k in 0 .. Array2D.length2 a - 1 do
            sum <- MathF.FusedMultiplyAdd(a[r, k], b[k, c], sum)

        if relu then
            sum <- max 0.0f sum

        if activation[r, c] > 0.0f then sum else 0.0f)

let private matrix seed rows columns =
    let values = normals (draws seed) (rows * columns)
    Array2D.init rows columns (fun r c -> values[r * columns + c])

/// Rows `stride` floats apart in memory of their own.
let private fill (memory: AlignedMemory) stride (values: float32[,]) =
    values
    |> Array2D.iteri (fun r c value -> NativePtr.set memory.Address (r * stride + c) value)

let private product width rows columns depth transposed relu =
    let a, b = matrix 1L rows depth, matrix 2L depth columns
    let bias, activation = normals (draws 3L) columns, matrix 4L rows columns
    use left = new AlignedMemory(rows * depth)

    if transposed then
        fill left rows (Array2D.init depth rows (fun k r -> a[r, k]))
    else
        fill left depth a

    use right = new AlignedMemory(depth * columns)
    fill right columns b
    use biases = new AlignedMemory(columns)
    ReadOnlySpan(bias).CopyTo biases.Span
    let stride = columns + 16
    use active = new AlignedMemory(rows * stride)
    fill active stride activation
    // One row more than is needed: it must stay as it is.
    use result = new AlignedMemory((rows + 1) * stride)
    result.Span.Fill -1.0f

    let finish: Finish = {
        Bias = biases.Address
        Relu = relu
        Activation = active.Address
        ActivationStride = stride
    }

    let aRow, aDepth = if transposed then 1, rows else depth, 1

    (PanelProduct.create width)
        .Multiply(left.Address, aRow, aDepth, right.Address, columns, result.Address, stride, rows, columns, depth, &finish)

    let found =
        Array2D.init rows columns (fun r c -> NativePtr.get result.Address (r * stride + c))

    let untouched =
        Seq.forall
            (fun i ->
                let r, c = i / stride, i % stride
                (r < rows && c < columns) || NativePtr.get result.Address i = -1.0f)
            (seq { 0 .. result.Length - 1 })

    found, reference a b bias relu activation, untouched

[<Tests>]
let tests =
    testList "Tiles" [
        for width in [ VectorWidth.Bits512; VectorWidth.Bits256; VectorWidth.Bits128 ] do
            testCase $"a product in vectors of {int width} bits has the bits of a scalar loop, whatever its size" (fun () ->
                for rows in [ 1..20 ] @ [ 23; 25; 33; 64 ] do
                    for columns in [ 16; 32 ] do
                        for depth in [ 1; 2; 5; 17; 64 ] do
                            for transposed in [ false; true ] do
                                let found, expected, untouched =
                                    product width rows columns depth transposed (depth % 2 = 0)

                                let case = $"{rows} x {columns} x {depth}, {transposed}"
                                Expect.equal found expected case
                                Expect.isTrue untouched $"{case}: nothing else is written")

        testCase "a width that is none is refused" (fun () ->
            Expect.throwsT<ArgumentException> (fun () -> PanelProduct.create (enum<VectorWidth> 64) |> ignore) "64 bits")

        testCase "this processor's width is one of the three" (fun () -> Expect.isTrue (Enum.IsDefined(VectorWidth.best ())) "defined")
    ]
