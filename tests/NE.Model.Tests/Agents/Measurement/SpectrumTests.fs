module NE.Model.Tests.Agents.Measurement.SpectrumTests

open System
open Expecto
open Expecto.Flip
open MathNet.Numerics.LinearAlgebra
open NE.Model.Agents

/// ReLU outputs of random neurons; every fifth neuron is silent, every seventh repeats another.
let private activations rows columns (seed: int) =
    let random = Random seed

    let values =
        Array.init (rows * columns) (fun _ -> max 0.0f (float32 (random.NextDouble() - 0.5)))

    for row in 0 .. rows - 1 do
        for column in 0 .. columns - 1 do
            if column % 5 = 4 then
                values[row * columns + column] <- 0.0f
            elif column % 7 = 6 then
                values[row * columns + column] <- values[row * columns + column - 6]

    values

let private singularValues (spectrum: Spectrum) rows columns (values: float32[]) =
    spectrum.SingularValues(rows, columns, ReadOnlySpan values)

/// MathNet's, largest first.
let private reference rows columns (values: float32[]) =
    let matrix =
        Matrix<float>.Build.Dense(rows, columns, (fun row column -> float values[row * columns + column]))

    matrix.Svd(false).S.ToArray()

let private ranks (values: float list) =
    FeatureRank.ofSingularValues (Array.ofList values)

let private isNear expected message actual =
    Expect.floatClose message Accuracy.high actual expected

[<Tests>]
let tests =
    testList "The spectrum of features" [
        for rows, columns in
            [
                1, 1
                1, 9
                9, 1
                2, 2
                3, 2
                16, 16
                40, 17
                17, 40
                256, 24
                128, 128
                256, 130
                256, 300
            ] do
            test $"of {rows} x {columns} activations is MathNet's" {
                let values = activations rows columns (rows + columns)
                let found = singularValues (Spectrum()) rows columns values
                let expected = reference rows columns values
                Expect.equal "number" expected.Length found.Length
                let largest = max 1e-30 expected[0]

                for k in 0 .. found.Length - 1 do
                    // A square root of rounding errors: what is below 1e-6 of the largest is not resolved.
                    if expected[k] > 1e-5 * largest then
                        isNear (expected[k] / largest) $"value {k}" (found[k] / largest)
                    else
                        Expect.isLessThan $"value {k}" (found[k] / largest, 1.1e-5)
            }

        test "has no more values than the matrix has independent columns" {
            let random = Random 3
            let left = Array.init (256 * 5) (fun _ -> random.NextDouble() - 0.5)
            let right = Array.init (5 * 64) (fun _ -> random.NextDouble() - 0.5)

            let values =
                Array.init (256 * 64) (fun i ->
                    let row, column = i / 64, i % 64
                    // Small whole numbers, so that float32 holds the product exactly.
                    Seq.sum [
                        for k in 0..4 -> Math.Round(8.0 * left[row * 5 + k]) * Math.Round(8.0 * right[k * 64 + column])
                    ]
                    |> float32)

            let found = singularValues (Spectrum()) 256 64 values
            Expect.equal "values above 0" 5 (found |> Array.filter (fun value -> value > 0.0) |> Array.length)
        }

        test "is the same bits whatever was measured before" {
            let spectrum = Spectrum()
            let values = activations 40 17 1
            let fresh = singularValues spectrum 40 17 values
            singularValues spectrum 64 70 (activations 64 70 2) |> ignore
            Expect.equal "again" fresh (singularValues spectrum 40 17 values)
        }

        test "of activations that are no numbers is not a number, and takes no time" {
            for bad in [ nanf; infinityf ] do
                let values = activations 32 16 1
                values[100] <- bad
                Expect.all "all NaN" Double.IsNaN (singularValues (Spectrum()) 32 16 values)
        }

        test "of silent neurons is 0" {
            Expect.all "all 0" (fun value -> value = 0.0) (singularValues (Spectrum()) 32 16 (Array.zeroCreate (32 * 16)))
        }

        test "of fewer values than rows x columns is refused" {
            Expect.throwsT<ArgumentException> "too few" (fun () -> singularValues (Spectrum()) 4 4 (Array.zeroCreate 15) |> ignore)
        }
    ]

[<Tests>]
let ranksTests =
    testList "The rank of features" [
        test "is that of the formulas, for values counted by hand" {
            let found = ranks [ 4.0; 3.0 ]
            // p = 4/7, 3/7
            let entropy = -(4.0 / 7.0 * log (4.0 / 7.0) + 3.0 / 7.0 * log (3.0 / 7.0))
            isNear (exp entropy) "effective" found.Effective
            isNear (25.0 / 16.0) "stable" found.Stable
            isNear 2.0 "srank" found.Truncated
        }

        test "is the number of values when they are equal; srank leaves out a hundredth" {
            let found = ranks (List.replicate 200 3.0)
            isNear 200.0 "effective" found.Effective
            isNear 200.0 "stable" found.Stable
            isNear 198.0 "srank" found.Truncated
        }

        test "is 1 for one direction, and 0 for a silent layer" {
            for values, expected in [ [ 2.0; 0.0; 0.0 ], 1.0; [ 0.0; 0.0 ], 0.0 ] do
                let found = ranks values
                isNear expected "effective" found.Effective
                isNear expected "stable" found.Stable
                isNear expected "srank" found.Truncated
        }

        test "srank counts a direction only when those before it leave more than a hundredth" {
            isNear 1.0 "99.1 %" (ranks [ 99.1; 0.9 ]).Truncated
            isNear 2.0 "98.9 %" (ranks [ 98.9; 1.1 ]).Truncated
        }

        test "is not a number for values that are none" {
            let found = ranks [ nan; nan ]
            Expect.all "all NaN" Double.IsNaN [ found.Effective; found.Stable; found.Truncated ]
        }
    ]
