/// The operations of all engines that losses are written over, entry by entry.
module NE.Model.Tests.Networks.OperationTests

open System
open Expecto
open NE.Model.Networks
open NE.Model.Tests.Networks.EngineFixture

let private rows, columns = 37, 6

/// One operation on a matrix of random numbers and up to two others, and what it makes of an entry of each.
type private Operation = {
    Name: string
    Do: IEngine -> IMatrix -> IMatrix -> IMatrix -> unit
    Entry: float32 -> float32 -> float32 -> float32
}

let private operations = [
    {
        Name = "Copy"
        Do = fun engine m a _ -> engine.Copy(a, m)
        Entry = fun _ a _ -> a
    }
    {
        Name = "Fill"
        Do = fun engine m _ _ -> engine.Fill(m, -0.5f)
        Entry = fun _ _ _ -> -0.5f
    }
    {
        Name = "Scale"
        Do = fun engine m _ _ -> engine.Scale(m, 0.3f)
        Entry = fun m _ _ -> 0.3f * m
    }
    {
        Name = "Clamp"
        Do = fun engine m _ _ -> engine.Clamp(m, 0.5f)
        Entry = fun m _ _ -> Math.Clamp(m, -0.5f, 0.5f)
    }
    {
        Name = "Minimum"
        Do = fun engine m a _ -> engine.Minimum(m, a)
        Entry = fun m a _ -> min m a
    }
    {
        Name = "Add"
        Do = fun engine m a _ -> engine.Add(m, -0.7f, a)
        Entry = fun m a _ -> m - 0.7f * a
    }
    {
        Name = "AddDifference"
        Do = fun engine m a b -> engine.AddDifference(m, 0.7f, a, b)
        Entry = fun m a b -> m + 0.7f * (a - b)
    }
    {
        Name = "AddProduct"
        Do = fun engine m a b -> engine.AddProduct(m, 0.7f, a, b)
        Entry = fun m a b -> m + 0.7f * a * b
    }
    {
        Name = "HeadForward, linear"
        Do = fun engine m _ _ -> engine.HeadForward(m, Linear)
        Entry = fun m _ _ -> m
    }
    {
        Name = "HeadForward, tanh"
        Do = fun engine m _ _ -> engine.HeadForward(m, ScaledTanh 0.4f)
        Entry = fun m _ _ -> 0.4f * tanh m
    }
    {
        Name = "HeadBackward, linear"
        Do = fun engine m a _ -> engine.HeadBackward(m, a, Linear)
        Entry = fun m _ _ -> m
    }
    {
        Name = "HeadBackward, tanh"
        Do = fun engine m a _ -> engine.HeadBackward(m, a, ScaledTanh 0.4f)
        Entry = fun m a _ -> m * (0.4f - a * a / 0.4f)
    }
]

/// A view of some columns of a wider matrix, so that rows do not lie side by side.
let private view (engine: IEngine) (values: float32[]) =
    let batch =
        engine.CreateMinibatch(
            rows,
            {
                ObservationSize = 2 * columns
                ActionSize = 1
            }
        )

    let matrix = batch.View(3, columns)
    writeMatrix matrix values
    matrix

[<Tests>]
let tests =
    testList "Operations" [
        for engineName, makeEngine in engines do
            for operation in operations do
                testCase $"{engineName}: {operation.Name}" (fun () ->
                    use engine = makeEngine ()
                    let draws = draws 3L
                    let random () = normals draws (rows * columns)
                    let m, a, b = random (), random (), random ()
                    let expected = Array.map3 operation.Entry m a b

                    for make in [ matrixOf engine rows columns; view engine ] do
                        let matrix, first, second = make m, make a, make b
                        operation.Do engine matrix first second
                        Expect.isLessThan (largestDifference (readMatrix matrix) expected) 1e-5 "entries")

            testCase $"{engineName}: a NaN is neither clamped away nor smaller than a number" (fun () ->
                use engine = makeEngine ()

                let matrix () =
                    matrixOf engine 1 3 [| Single.NaN; 1.0f; Single.NaN |]

                let clamped, least, other = matrix (), matrix (), matrix ()
                engine.Clamp(clamped, 0.5f)
                Expect.equal (readMatrix clamped |> Array.map Single.IsNaN) [| true; false; true |] "clamped"
                engine.Minimum(least, matrixOf engine 1 3 [| 0.0f; Single.NaN; Single.NaN |])
                Expect.all (readMatrix least) Single.IsNaN "least"
                engine.Fill(other, 0.0f)
                engine.Minimum(other, matrix ())
                Expect.equal (readMatrix other |> Array.map Single.IsNaN) [| true; false; true |] "least of the other")

            testCase $"{engineName}: the difference of equal matrices adds not even a rounding error" (fun () ->
                use engine = makeEngine ()
                let draws = draws 4L
                let m, a = normals draws (rows * columns), normals draws (rows * columns)
                let matrix = matrixOf engine rows columns m

                engine.AddDifference(matrix, 1.0f, matrixOf engine rows columns a, matrixOf engine rows columns a)
                Expect.equal (bits (readMatrix matrix)) (bits m) "bits")

            testCase $"{engineName}: means, and sums of mean squares" (fun () ->
                use engine = makeEngine ()
                let draws = draws 5L
                let wide, column = normals draws (rows * columns), normals draws rows
                let wideMatrix, columnMatrix = view engine wide, matrixOf engine rows 1 column

                let meanSquare (values: float32[]) =
                    values |> Array.averageBy (fun x -> float x * float x)

                let close found expected title =
                    Expect.isLessThan (abs (found - expected)) 1e-5 title

                close (engine.Mean wideMatrix) (wide |> Array.averageBy float) "mean"
                use sum = engine.CreateSum()
                Expect.equal sum.Value 0.0 "at first"
                sum.AddMeanSquare columnMatrix
                close sum.Value (meanSquare column) "of a column"
                sum.AddMeanSquare wideMatrix
                close sum.Value (meanSquare column + meanSquare wide) "of both"
                sum.Clear()
                Expect.equal sum.Value 0.0 "cleared"
                sum.AddMeanSquare wideMatrix
                close sum.Value (meanSquare wide) "begun again")

            testCase $"{engineName}: an operation over a whole block reaches every parameter" (fun () ->
                use engine = makeEngine ()
                let layout = BlockLayout.Create(2, [ 5; 37; 1 ])
                use block = engine.CreateBlock(layout, true)
                use anchor = engine.CreateBlock(layout, false)
                let draws = draws 6L

                let values () =
                    Array.init layout.Length (fun i ->
                        if i < layout.ParameterCount then
                            draws.NextSingle()
                        else
                            0.0f)

                let w, g, a = values (), values (), values ()
                write block Field.Weights w
                write block Field.Gradients g
                write anchor Field.Weights a
                engine.AddDifference(block.Flat Field.Gradients, 0.02f, block.Flat Field.Weights, anchor.Flat Field.Weights)
                let expected = Array.map3 (fun g w a -> g + 0.02f * (w - a)) g w a
                Expect.isLessThan (largestDifference (read block Field.Gradients) expected) 1e-6 "gradients"
                Expect.throwsT<InvalidOperationException> (fun () -> anchor.Flat Field.Gradients |> ignore) "a target has no gradients")
    ]
