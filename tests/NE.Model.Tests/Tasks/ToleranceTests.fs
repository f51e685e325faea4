module NE.Model.Tests.Tasks.ToleranceTests

open System
open Expecto
open Expecto.ExpectoFsCheck
open FsCheck
open NE.Model.Tasks.ControlSuite

let private sigmoids = [
    Sigmoid.Gaussian
    Sigmoid.Hyperbolic
    Sigmoid.LongTail
    Sigmoid.Reciprocal
    Sigmoid.Cosine
    Sigmoid.Linear
    Sigmoid.Quadratic
    Sigmoid.TanhSquared
]

let private refused (action: unit -> float) (part: string) =
    try
        failtest $"expected an ArgumentException, got {action ()}"
    with :? ArgumentException as e ->
        Expect.stringContains e.Message part "the reason"

/// A number in [low, high) made from any float.
let private within (low: float) (high: float) (NormalFloat f) = low + (high - low) * (f - floor f)

/// A law for bounds in [0, 10], margins from 0.1 to 5, values at the margin from 0.05 to 0.95 and points in [-10, 20].
let private law name (holds: Sigmoid -> struct (float * float) -> float -> float -> float -> bool) =
    testList name [
        for sigmoid in sigmoids do
            testProperty $"{sigmoid}"
            <| fun a b margin v x ->
                let a, b = within 0.0 10.0 a, within 0.0 10.0 b
                holds sigmoid (struct (min a b, max a b)) (within 0.1 5.0 margin) (within 0.05 0.95 v) (within -10.0 20.0 x)
    ]

[<Tests>]
let tests =
    testList "tolerance" [
        law "lies between 0 and 1, and is 1 exactly inside the bounds" (fun sigmoid bounds margin v x ->
            let value = Tolerance.tolerance bounds margin sigmoid v x
            let struct (lower, upper) = bounds
            let inside = lower <= x && x <= upper
            0.0 <= value && value <= 1.0 && (not inside || value = 1.0))

        law "has the given value one margin away on both sides" (fun sigmoid bounds margin v _ ->
            let struct (lower, upper) = bounds

            let at x =
                Tolerance.tolerance bounds margin sigmoid v x

            abs (at (lower - margin) - v) < 1e-9 && abs (at (upper + margin) - v) < 1e-9)

        law "never rises with the distance" (fun sigmoid bounds margin v x ->
            let struct (_, upper) = bounds

            let at d =
                Tolerance.tolerance bounds margin sigmoid v (upper + d)

            let d = abs x
            at (d + 0.5) <= at d + 1e-12)

        test "without a margin the bounds are hard, and inclusive" {
            let at = Tolerance.gaussian (struct (1.0, 2.0)) 0.0
            Expect.equal [ at 1.0; at 2.0; at 0.999; at 2.001 ] [ 1.0; 1.0; 0.0; 0.0 ] "values"
        }

        test "an upper bound may be infinite" { Expect.equal (Tolerance.gaussian (struct (1.0, infinity)) 1.0 1e300) 1.0 "far above" }

        test "impossible arguments are refused" {
            refused (fun () -> Tolerance.gaussian (struct (2.0, 1.0)) 1.0 0.0) "bounds in order"
            refused (fun () -> Tolerance.gaussian (struct (0.0, 1.0)) -1.0 5.0) "at least 0"
            refused (fun () -> Tolerance.gaussian (struct (0.0, 1.0)) nan 5.0) "at least 0"

            for sigmoid in sigmoids do
                refused (fun () -> Tolerance.tolerance (struct (0.0, 1.0)) 1.0 sigmoid 1.0 5.0) "at its margin"

                match sigmoid with
                | Sigmoid.Cosine
                | Sigmoid.Linear
                | Sigmoid.Quadratic -> Expect.equal (Tolerance.tolerance (struct (0.0, 1.0)) 1.0 sigmoid 0.0 2.0) 0.0 "0 is possible"
                | _ -> refused (fun () -> Tolerance.tolerance (struct (0.0, 1.0)) 1.0 sigmoid 0.0 5.0) "at its margin"
        }
    ]
