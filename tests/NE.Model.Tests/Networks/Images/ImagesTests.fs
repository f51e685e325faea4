module NE.Model.Tests.Networks.Images.ImagesTests

open System
open Expecto
open NE.Model.Networks
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks
open NE.Model.Tests.Networks.EngineFixture

let private bytesOf (shape: ImageShape) rows =
    let draws = draws 3L
    Array.init (rows * shape.Size) (fun _ -> byte (draws.NextInt 256L))

/// DrQ's shift, word by word: pad by 4 with the pixels of the edge, then cut.
let private expected (shape: ImageShape) (bytes: byte[]) (shifts: ImageShift[]) =
    let padded (image: byte[]) (c: int) y x =
        let y = Math.Clamp(y - 4, 0, shape.Height - 1)
        let x = Math.Clamp(x - 4, 0, shape.Width - 1)
        image[(c * shape.Height + y) * shape.Width + x]

    Array.zip (Array.chunkBySize shape.Size bytes) shifts
    |> Array.collect (fun (image, shift) -> [|
        for y in 0 .. shape.Height - 1 do
            for x in 0 .. shape.Width - 1 do
                for c in 0 .. shape.Channels - 1 do
                    float32 (padded image c (y + shift.Down) (x + shift.Right)) / 255.0f - 0.5f
    |])

let private shapes: ImageShape list = [
    for height, width, channels in [ 84, 84, 9; 7, 5, 3; 3, 4, 1; 1, 2, 6; 33, 20, 12 ] do
        {
            Height = height
            Width = width
            Channels = channels
        }
]

[<Tests>]
let tests =
    testList "Images" [
        for name, makeEngine in engines do
            testCase $"{name}: bytes become shifted floats" (fun () ->
                use engine = makeEngine ()

                for shape in shapes do
                    let rows = 9
                    let bytes = bytesOf shape rows

                    // All corners and edges, and places between.
                    let shifts: ImageShift[] = [|
                        for down in [ 0; 4; 8 ] do
                            for right in [ 0; 5; 8 ] do
                                { Down = down; Right = right }
                    |]

                    use images = engine.CreateImages(rows, shape)
                    images.Write(ReadOnlySpan bytes, ReadOnlySpan shifts)

                    let difference =
                        largestDifference (readMatrix images.Matrix) (expected shape bytes shifts)

                    // A GPU multiplies with 1 / 255.
                    Expect.isLessThan difference (if name = "CUDA" then 1e-7 else 1e-12) $"%A{shape}"
                    images.Write(ReadOnlySpan bytes, ReadOnlySpan [||])

                    let unmoved = Array.create rows ({ Down = 4; Right = 4 }: ImageShift)

                    let difference =
                        largestDifference (readMatrix images.Matrix) (expected shape bytes unmoved)

                    Expect.isLessThan difference (if name = "CUDA" then 1e-7 else 1e-12) $"%A{shape}, no shifts")

        testCase "the bits are the same for any number of threads" (fun () ->
            let shape, rows = shapes.Head, 7
            let bytes = bytesOf shape rows
            let shifts = Array.init rows (fun i -> ({ Down = i; Right = 8 - i }: ImageShift))

            let results = [
                for threads in 1..3 do
                    use engine = simdAt VectorWidth.Bits256 threads ()
                    use images = engine.CreateImages(rows, shape)
                    images.Write(ReadOnlySpan bytes, ReadOnlySpan shifts)
                    bits (readMatrix images.Matrix)
            ]

            Expect.allEqual results results.Head "bits")

        testCase "other sizes and shifts are refused" (fun () ->
            use engine = simdAt VectorWidth.Bits256 1 ()
            let shape = shapes[1]
            use images = engine.CreateImages(2, shape)

            let refuse (bytes: int) (shifts: ImageShift[]) part =
                Expect.throwsC (fun () -> images.Write(ReadOnlySpan(Array.zeroCreate bytes), ReadOnlySpan shifts)) (fun error ->
                    Expect.isTrue (error :? ArgumentException) "type"
                    Expect.stringContains error.Message part "message")

            let size = 2 * shape.Size
            refuse (size - 1) [||] "2 images of 105 bytes"
            refuse size [| { Down = 4; Right = 4 } |] "2 images, but 1 shifts"
            refuse size [| { Down = 4; Right = 4 }; { Down = 9; Right = 0 } |] "(9, 0)")
    ]
