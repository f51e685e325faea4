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

        test "the order of a composition does not matter" {
            Expect.equal (parsed "layer-norm+redo") (parsed "redo + Layer-Norm") "equal"
            Expect.equal (Method.show (parsed "layer-norm+redo")) "redo+layer-norm" "one text"
        }

        test "every pair is composed or refused with a reason that names both" {
            for a in all do
                for b in all do
                    if a <> b then
                        match Method.parse $"{a}+{b}" with
                        | Ok method' -> Expect.equal method'.Techniques.Length 2 $"{a}+{b}"
                        | Error why ->
                            Expect.stringContains why a "first"
                            Expect.stringContains why b "second"
                            Expect.stringContains why "cannot be composed: " "a reason"
        }

        test "two that own the topology are refused" {
            Expect.isError (Method.parse "ne+naive-growth") "ne+naive-growth"
            Expect.isError (Method.parse "reset+ne") "reset+ne"
            Expect.isError (Method.parse "redo+layer-norm+continual-backprop") "in a longer composition too"
        }

        test "a technique that keeps books of units, or of initial values, is refused with one that draws them anew behind its back" {
            for refused in [ "ne+continual-backprop"; "reset+continual-backprop"; "reset+l2-init" ] do
                Expect.isError (Method.parse refused) refused

            for composed in
                [
                    "naive-growth+continual-backprop"
                    "shrink-and-perturb+l2-init"
                    "ne+redo"
                    "reset+redo"
                ] do
                Expect.isOk (Method.parse composed) composed
        }

        test "an unknown name gets the nearest one, a repeated one is refused" {
            Expect.equal (Method.parse "layernorm") (Error "'layernorm' is unknown; did you mean 'layer-norm'?") "nearest"
            Expect.equal (Method.parse "redo+redo") (Error "'redo' is named twice") "twice"
            Expect.isError (Method.parse "td3+redo") "td3 is the base"
            Expect.isError (Method.parse "redo+") "an empty name"
            Expect.isError (Method.parse "") "nothing"
        }
    ]
