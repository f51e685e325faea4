module NE.Model.Tests.MethodTests

open Expecto
open NE.Model

let private all = Method.names |> List.map fst

let private parsed text =
    match Method.parse text with
    | Ok method' -> method'
    | Error problem -> failtest problem

[<Tests>]
let tests =
    testList "Method" [
        test "every name is read as itself" {
            for name in "td3" :: all do
                Expect.equal (Method.show (parsed name)) name name
        }

        test "none is no technique, and cannot be composed" {
            Expect.equal (parsed "none") (parsed "td3") "the same"
            Expect.equal (Method.parse "none+redo") (Error "'none' is what all of them are composed onto; leave it out") "with another"
        }

        test "the order of a composition does not matter" {
            Expect.equal (parsed "layer-norm+redo") (parsed "redo + Layer-Norm") "equal"
            Expect.equal (Method.show (parsed "layer-norm+redo")) "redo+layer-norm" "one text"
        }

        test "pairs that make no sense are refused with a reason that names both, all others are composed" {
            let refused = [
                "ne",
                [
                    "naive-growth"
                    "reset"
                    "l2-init"
                    "plasticity-injection"
                    "crelu"
                    "continual-backprop"
                ]
                "naive-growth", [ "reset"; "l2-init"; "plasticity-injection"; "crelu" ]
                "reset", [ "l2-init"; "plasticity-injection"; "continual-backprop" ]
                "redo", [ "plasticity-injection"; "crelu"; "continual-backprop" ]
                "plasticity-injection", [ "shrink-and-perturb"; "l2-init"; "continual-backprop" ]
                "crelu", [ "continual-backprop" ]
            ]

            let isRefused a b =
                refused |> List.exists (fun (one, others) -> one = a && List.contains b others)

            for a in all do
                for b in all do
                    if a <> b then
                        match Method.parse $"{a}+{b}" with
                        | Ok method' ->
                            Expect.isFalse (isRefused a b || isRefused b a) $"{a}+{b} is composed"
                            Expect.equal method'.Techniques.Length 2 $"{a}+{b}"
                        | Error why ->
                            Expect.isTrue (isRefused a b || isRefused b a) $"{a}+{b} is refused"
                            Expect.stringContains why a "first"
                            Expect.stringContains why b "second"
                            Expect.stringContains why "cannot be composed: " "a reason"

            Expect.isError (Method.parse "redo+layer-norm+continual-backprop") "in a longer composition too"
        }

        test "an unknown name gets the nearest one, a repeated one is refused" {
            Expect.equal (Method.parse "layernorm") (Error "'layernorm' is unknown; did you mean 'layer-norm'?") "nearest"
            Expect.equal (Method.parse "redo+redo") (Error "'redo' is named twice") "twice"
            Expect.isError (Method.parse "td3+redo") "td3 is the base"
            Expect.isError (Method.parse "redo+") "an empty name"
            Expect.isError (Method.parse "") "nothing"
        }
    ]
