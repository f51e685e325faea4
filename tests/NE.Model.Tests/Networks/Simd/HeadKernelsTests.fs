module NE.Model.Tests.Networks.Simd.HeadKernelsTests

open System
open Expecto
open FSharp.NativeInterop
open NE.Model.Networks.ElementwiseKernels
open NE.Model.Networks.Simd
open NE.Model.Tests.Networks.EngineFixture

let private row (memory: AlignedMemory) columns : Strided = {
    Memory = memory.Address
    Rows = 1
    Columns = columns
    Stride = columns
}

let private tanh (values: float32[]) scale =
    use memory = new AlignedMemory(PanelLayout.Padded values.Length)
    ReadOnlySpan(values).CopyTo memory.Span
    HeadKernels.scaledTanh (row memory values.Length) scale 0 1
    memory.Span.Slice(0, values.Length).ToArray()

[<Tests>]
let tests =
    testList "Head kernels" [
        test "tanh is the nearest float to the true value, from the tiny to the saturated" {
            let values = [|
                for exponent in -40.0 .. 0.25..6.0 do
                    for sign in [ 1.0; -1.0 ] -> float32 (sign * 2.0 ** exponent)
            |]

            for x, y in Array.zip values (tanh values 1.0f) do
                let expected = float32 (Math.Tanh(float x))
                let ulp = MathF.BitIncrement(abs expected) - abs expected
                Expect.isLessThanOrEqual (abs (y - expected)) ulp $"tanh {x}"
        }

        test "tanh keeps zeros, infinities and NaN, and stays within the scale" {
            let found =
                tanh [| 0.0f; Single.PositiveInfinity; Single.NegativeInfinity; Single.NaN; 100.0f |] 0.4f

            Expect.equal found[0] 0.0f "0"
            Expect.equal (found[1], found[2], found[4]) (0.4f, -0.4f, 0.4f) "saturated"
            Expect.isTrue (Single.IsNaN found[3]) "NaN"
        }

        test "tanh of some rows of a column leaves all others as they are, with the same bits" {
            let values = normals (draws 3L) 32
            let expected = tanh values 0.4f

            for first, last in [ 0, 32; 3, 4; 5, 18; 31, 32; 7, 7 ] do
                use memory = new AlignedMemory(values.Length)
                ReadOnlySpan(values).CopyTo memory.Span

                let column: Strided = {
                    Memory = memory.Address
                    Rows = values.Length
                    Columns = 1
                    Stride = 1
                }

                HeadKernels.scaledTanh column 0.4f first last

                let wanted =
                    Array.init values.Length (fun row ->
                        if row >= first && row < last then
                            expected[row]
                        else
                            values[row])

                Expect.equal (bits (memory.Span.ToArray())) (bits wanted) $"rows {first} to {last - 1}"
        }

        test "the dot product of every row is that of double precision" {
            let rows, columns = 9, 40
            let padded = PanelLayout.Padded columns
            use x = new AlignedMemory(rows * padded)
            use w = new AlignedMemory(padded)
            use y = new AlignedMemory(16)

            let values, weights =
                normals (draws 1L) (rows * columns), normals (draws 2L) columns

            ReadOnlySpan(weights).CopyTo w.Span

            for r in 0 .. rows - 1 do
                ReadOnlySpan(values, r * columns, columns).CopyTo(x.Span.Slice(r * padded))

            let matrix: Strided = {
                Memory = x.Address
                Rows = rows
                Columns = columns
                Stride = padded
            }

            let column: Strided = {
                Memory = y.Address
                Rows = rows
                Columns = 1
                Stride = 1
            }

            y.Span.Fill -1.0f
            HeadKernels.dotRows matrix w.Address 0.5f column 2 7

            for r in 0 .. rows - 1 do
                let expected =
                    Seq.init columns (fun c -> float values[r * columns + c] * float weights[c])
                    |> Seq.sum

                let found = NativePtr.get y.Address r

                if r >= 2 && r < 7 then
                    Expect.isLessThan (abs (float found - expected - 0.5)) 1e-5 $"row {r}"
                else
                    Expect.equal found -1.0f "other rows are left alone"
        }
    ]
