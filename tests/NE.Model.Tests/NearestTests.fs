module NE.Model.Tests.NearestTests

open System
open Expecto
open NE.Model

[<Tests>]
let tests =
    testList "the nearest known name" [
        test "single edits and swaps of neighbours count one" {
            Expect.equal (Nearest.distance "density" "density") 0 "equal"
            Expect.equal (Nearest.distance "densty" "density") 1 "insertion"
            Expect.equal (Nearest.distance "dennsity" "density") 1 "deletion"
            Expect.equal (Nearest.distance "dencity" "density") 1 "replacement"
            Expect.equal (Nearest.distance "desnity" "density") 1 "swap"
            Expect.equal (Nearest.distance "DENSITY" "density") 0 "case does not count"
            Expect.equal (Nearest.distance "" "abc") 3 "from nothing"
        }

        test "a near name is suggested, a far one is not" {
            let known = [ "batchSize"; "bufferSize"; "discount" ]
            Expect.equal (Nearest.suggest "batchsise" known) (Some "batchSize") "near"
            Expect.equal (Nearest.suggest "temperature" known) None "far"
            Expect.equal (Nearest.suggest "x" [ "a"; "b" ]) None "nothing in common"
        }

        test "a part of a name is enough" {
            Expect.equal
                (Nearest.ranked 3 "cheetah" [ "Hopper-v4"; "HalfCheetah-v5"; "HalfCheetah-v4" ])
                [ "HalfCheetah-v4"; "HalfCheetah-v5" ]
                "both"
        }

        testProperty "the distance is symmetric, zero to itself and at most the longer length" (fun (left: char list) (right: char list) ->
            let a, b = String.Concat left, String.Concat right

            Nearest.distance a b = Nearest.distance b a
            && Nearest.distance a a = 0
            && Nearest.distance a b <= max a.Length b.Length)
    ]
