module NE.Model.Tests.Networks.OrthogonalTests

open System
open Expecto
open NE.Model.Networks
open NE.Model.Tests.Networks.EngineFixture

/// The largest deviation of the products of the vectors with each other from those of orthogonal ones of this length.
let private deviation (length: float) (vectors: float32[][]) =
    Seq.max [
        for i in 0 .. vectors.Length - 1 do
            for j in 0..i do
                let product =
                    Array.fold2 (fun sum (a: float32) (b: float32) -> sum + float a * float b) 0.0 vectors[i] vectors[j]

                abs (product - (if i = j then length * length else 0.0))
    ]

let private filled gain rows columns seed =
    let values = Array.zeroCreate<float32>(rows * columns)
    Orthogonal.fill gain rows columns (Span values) (draws seed)
    values

[<Tests>]
let tests =
    testList "Orthogonal" [
        test "the rows are orthogonal and of the gain's length, or the columns where there are more rows" {
            for rows, columns in [ 1, 1; 1, 7; 7, 1; 5, 5; 32, 81; 50, 1001; 70, 13; 128, 128 ] do
                for gain in [ 1.0; sqrt 2.0 ] do
                    let matrix = filled gain rows columns 4L |> Array.chunkBySize columns
                    let vectors = if rows <= columns then matrix else Array.transpose matrix
                    Expect.isLessThan (deviation gain vectors) 1e-6 $"{rows} x {columns}"
        }

        test "a stream of draws makes one matrix, and another stream another" {
            Expect.equal (bits (filled 1.0 9 20 1L)) (bits (filled 1.0 9 20 1L)) "the same"
            Expect.notEqual (filled 1.0 9 20 1L) (filled 1.0 9 20 2L) "another"
        }

        test "a network asks for it: sqrt 2 for convolutions, 1 for others, biases 0, gains 1" {
            let image: ImageShape = {
                Height = 13
                Width = 12
                Channels = 9
            }

            let check form gain =
                let layout = BlockLayout.OfForm(2, form)
                let values = layout.Initialise(draws 8L)

                for slot in layout.Slots do
                    let weights =
                        Array.sub values slot.Weights slot.WeightCount |> Array.chunkBySize slot.Inputs

                    Expect.isLessThan (deviation gain weights) 1e-6 $"layer {slot.Layer + 1}"

                    for parameter in slot.PerNeuron do
                        let found = Array.sub values parameter.First slot.Outputs
                        Expect.allEqual found parameter.Neutral parameter.Name

            check
                {
                    NetworkForms.encoder image 16 with
                        Layers = [ LayerForm.Conv(16, 2); LayerForm.Relu; LayerForm.Conv(24, 1); LayerForm.Relu ]
                }
                (sqrt 2.0)

            check (NetworkForms.trunk 300 50) 1.0

            check
                {
                    NetworkForm.Plain [ 60; 50; 6 ] with
                        Initialisation = Initialisation.Orthogonal
                }
                1.0
        }
    ]
