module NE.Benchmarks.Tests.RooflineTests

open System
open System.Diagnostics
open System.Reflection
open System.Runtime.Intrinsics
open Expecto
open NE.Benchmarks
open NE.Model.Networks.Simd

/// Argument of this program with which it prints the width of the vectors that a peak was measured in.
[<Literal>]
let Argument = "--width-of-the-peak"

let printWidth () =
    printf $"{int (Roofline.measure 0.01).Width}"
    0

/// What a process prints in which a switch of the runtime takes instructions away.
let private widthWithout (switch: string) =
    let own = Assembly.GetExecutingAssembly().Location

    let info =
        ProcessStartInfo("dotnet", [ "exec"; own; Argument ], RedirectStandardOutput = true)

    info.Environment[switch] <- "0"

    match Process.Start info with
    | null -> failtest "the child did not start"
    | child ->
        use child = child
        let printed = child.StandardOutput.ReadToEnd()
        child.WaitForExit()
        int printed

[<Tests>]
let tests =
    testList "the peak" [
        for width in Enum.GetValues<VectorWidth>() do
            test $"of {int width} bits: every lane of every sum is counted, and is computed" {
                // s * 0 + 1 in every lane.
                let lanes = Roofline.multiplyAdds width 3 0.0f 1.0f
                Expect.equal (Roofline.operations width 3) (3.0 * 2.0 * float lanes) "operations"
                Expect.equal lanes (float32 (12 * int width / 32)) "lanes"
            }

        test "is measured in vectors that the processor has, not in emulated ones" {
            let peak = Roofline.measure 0.01
            Expect.equal peak.Width (VectorWidth.best ()) "those of the engine"
            Expect.isGreaterThan peak.Registers 0.0 "registers"
            Expect.isGreaterThan peak.Product 0.0 "product"

            let is256 = Vector256.IsHardwareAccelerated
            Expect.equal (widthWithout "DOTNET_EnableAVX512") (if is256 then 256 else 128) "without AVX-512"
            Expect.equal (widthWithout "DOTNET_EnableAVX2") 128 "without AVX2"
        }
    ]
