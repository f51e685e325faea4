module NE.Model.Tests.Settings.NeRulesTests

open Expecto
open NE.Model

let private pairs list =
    list |> List.map (fun (key: string, value: string) -> struct (key, value))

let private applied list =
    match Settings.apply (pairs list) Settings.defaults with
    | Ok settings -> settings
    | Error errors -> failtestf "%A" errors

[<Tests>]
let tests =
    testList "ne.rules" [
        testCase "the rules are a name, and those that differ from it; whatever they are, they read what they write"
        <| fun _ ->
            let shown text =
                (nonNull (Settings.tryFind "ne.rules")).Get(applied [ "ne.rules", text ])

            Expect.equal (shown "official") "official" "a name"
            Expect.equal (shown " Official + eventBatch=fresh ") "official+eventBatch=fresh" "one that differs"
            Expect.equal (shown "ours+reviveRows=off") "paper" "the paper's"
            Expect.equal (shown "paper+reviveRows=on+awaken=0.25") "ours+awaken=0.25" "the nearest name"

            for _, named in NeRules.named do
                for rule in NeRules.rules do
                    for text in
                        [
                            "0.5"
                            "on"
                            "off"
                            "elastic"
                            "magnitude"
                            "current"
                            "event"
                            "network"
                            "training"
                            "own"
                        ] do
                        match rule.Set text named with
                        | Error _ -> ()
                        | Ok changed -> Expect.equal (NeRules.kind.Parse(NeRules.kind.Show changed)) (Ok changed) $"{rule.Name} = {text}"

            for text, why in
                [
                    "theirs", "'theirs' is no name of rules; there are ours, paper, official"
                    "oficial", "did you mean 'official'?"
                    "eventBatch=training", "'eventBatch=training' is no name of rules"
                    "ours+evenBatch=training", "did you mean 'eventBatch'?"
                    "ours+eventBatch=trainin", "eventBatch: did you mean 'training'?; allowed: fresh, training"
                    "ours+awaken=2", "awaken: out of range; allowed: a number in [0, 1]"
                    "ours+rewireShare=0.99999999", "rewireShare: rounds to 1 in single precision"
                    "ours+", "'' is no rule; there are densityScope, initialMask, "
                ] do
                match Settings.apply (pairs [ "ne.rules", text ]) Settings.defaults with
                | Ok _ -> failtestf "%s was accepted" text
                | Error errors -> Expect.stringContains errors[0].Problem why text
    ]
