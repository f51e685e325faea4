module NE.Model.Tests.Statistics.DownsamplingTests

open System
open Expecto
open NE.Model.Statistics

[<Tests>]
let tests =
    testList "Downsampling" [
        testProperty "keeps the ends, the extremes, the order, and no more than asked for"
        <| fun (values: float list) (more: byte) ->
            let most = 4 + int more % 40
            let values = Array.ofList (values @ values @ values)
            let kept = Downsampling.extremes most values
            let finite = values |> Array.filter Double.IsFinite
            let shown = kept |> Array.map (fun i -> values[i]) |> Array.filter Double.IsFinite

            kept.Length <= most
            && (values.Length = 0 || (kept[0] = 0 && Array.last kept = values.Length - 1))
            && (values.Length > most || kept.Length = values.Length)
            && Array.pairwise kept |> Array.forall (fun (a, b) -> a < b)
            && (finite.Length = 0
                || (Array.min finite = Array.min shown && Array.max finite = Array.max shown))

        test "a peak of one point in a million survives" {
            let values =
                Array.init 1_000_000 (fun i -> if i = 654_321 then 9.0 else sin (float i / 1e5))

            let kept = Downsampling.extremes 500 values
            Expect.isLessThanOrEqual kept.Length 500 "points"
            Expect.contains kept 654_321 "the peak"
        }

        test "a gap stays a gap, and a short curve is itself" {
            let values = Array.init 1000 (fun i -> if i > 300 && i < 700 then nan else 1.0)
            let kept = Downsampling.extremes 40 values
            Expect.isTrue (kept |> Array.exists (fun i -> Double.IsNaN values[i])) "the gap"
            Expect.sequenceEqual (Downsampling.extremes 4 [| 1.0; nan; 3.0 |]) [ 0; 1; 2 ] "short"
            Expect.throwsT<ArgumentException> (fun () -> Downsampling.extremes 3 values |> ignore) "too few"
        }
    ]
