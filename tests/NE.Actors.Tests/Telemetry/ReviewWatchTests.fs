module NE.Actors.Tests.Telemetry.ReviewWatchTests

open Expecto
open NE.Actors.Telemetry
open NE.Model

let private watch pairs =
    let given =
        [ "ne.reviewFirstStep", "100"; "ne.reviewWindow", "50"; "run.steps", "100000" ]
        @ pairs
        |> List.map (fun (key, value) -> struct (key, value))

    match Settings.apply given Settings.defaults with
    | Ok settings -> ReviewWatch.Of(fst (Settings.resolve settings))
    | Error errors -> failtestf "%A" errors

/// The gradient steps of the rows at which the watch speaks, of one row every 10 steps.
let private speaks (watch: ReviewWatch) (probability: int64 -> float) = [
    for step in 0L..10L..5000L do
        if watch.HasNeverMoved(step, probability step) then
            step
]

[<Tests>]
let tests =
    testList "The watch over experience review" [
        test "speaks once when the probability is the same in the first rows since the guard, whatever it was before" {
            let stuck step = if step <= 100L then 0.0 else 0.25
            let expected = [ 100L + 10L * int64 ReviewWatch.Rows ]
            Expect.equal (speaks (watch []) stuck) expected "pinned by the floor"
            Expect.equal (speaks (watch [ "ne.review", "literal" ]) (fun _ -> 1.0)) expected "always"

            Expect.equal
                (speaks (watch [ "ne.reviewWindow", "500" ]) stuck)
                [ 500L + 10L * int64 ReviewWatch.Rows ]
                "the window fills first"
        }

        test "is silent where the probability moves, and where none is meant to" {
            Expect.isEmpty (speaks (watch []) (fun step -> if step < 600L then 0.1 else 0.2)) "it moved"

            for pairs in
                [
                    [ "ne.review", "off" ]
                    [ "ne.review", "official" ]
                    [ "run.method", "td3" ]
                    [ "run.method", "ne+swd" ]
                ] do
                Expect.isEmpty (speaks (watch pairs) (fun _ -> 0.0)) $"{pairs}"
        }
    ]
