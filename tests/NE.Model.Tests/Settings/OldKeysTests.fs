module NE.Model.Tests.Settings.OldKeysTests

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
    testList "keys of older versions" [
        testCase "the names of rules that were keys are read as parts of ne.rules"
        <| fun _ ->
            let old = [
                "ne.densityScope", "gains"
                "ne.initialMask", "magnitude"
                "ne.restCapacity", "sparsity"
                "ne.rateScale", "event"
                "ne.growCarry", "off"
                "ne.densityCap", "network"
                "ne.reviveRows", "off"
                "ne.eventBatch", "training"
                "ne.actorClock", "own"
                "ne.rewireShare", "0.2"
                "ne.halfBatchBelow", "0.36"
                "ne.awaken", "0.4"
            ]

            Expect.equal (applied old) (applied [ "ne.rules", "official" ]) "all that the official variant once set"

            for name, value in old do
                Expect.isNull (Settings.tryFind name) $"{name} is no key"
                Expect.equal (Settings.presentName name) "ne.rules" name

                Expect.equal (applied [ name, value ]).Ne.Rules (applied [ "ne.rules", $"ours+{name.Split('.')[1]}={value}" ]).Ne.Rules name

            Expect.equal (Settings.presentName "ne.omega") "ne.omega" "another key"

            Expect.equal
                (applied [ "ne.rules", "official"; "ne.eventBatch", "fresh" ]).Ne.Rules
                (applied [ "ne.rules", "official+eventBatch=fresh" ]).Ne.Rules
                "onto rules that were given before"

            match Settings.apply (pairs [ "ne.eventBatch", "some"; "ne.evenBatch", "fresh" ]) Settings.defaults with
            | Ok _ -> failtest "accepted"
            | Error errors ->
                Expect.stringContains errors[0].Problem "allowed: fresh, training" "a bad value"
                Expect.stringContains errors[1].Problem "unknown key" "another name"

        testCase "the keys that td3 shares with other learners are read by the names that they had as its own"
        <| fun _ ->
            let old = [
                for key in Settings.keys do
                    if key.Name.StartsWith "learner." then
                        key.Name.Replace("learner.", "td3."), key.Name, key.Get Settings.defaults
            ]

            Expect.hasLength old 14 "keys"

            for name, now, value in old do
                Expect.isNull (Settings.tryFind name) $"{name} is no key"
                Expect.equal (Settings.presentName name) now name
                Expect.equal (applied [ name, value ]) Settings.defaults name

            Expect.equal (applied [ "td3.batchSize", "32" ]) (applied [ "learner.batchSize", "32" ]) "a value"
            Expect.equal (Settings.presentName "td3.policyDelay") "td3.policyDelay" "what is td3's own stays"

            Expect.equal
                (Settings.present (pairs [ "td3.startSteps", "auto"; "run.seed", "1"; "td3.discount", "0.9" ]))
                (pairs [ "run.seed", "1"; "learner.discount", "0.9"; "learner.startSteps", "auto" ])
                "as this version says them"

            match Settings.apply (pairs [ "td3.batchSize", "many" ]) Settings.defaults with
            | Ok _ -> failtest "accepted"
            | Error errors -> Expect.stringContains errors[0].Problem "allowed: a whole number" "a bad value"

        testCase "a key that is gone is read where it changed nothing, and says what to take instead where it did"
        <| fun _ ->
            Expect.equal (applied [ "ne.decayWeight", "1" ]) Settings.defaults "as it was by default"
            Expect.isNull (Settings.presentName "ne.decayWeight") "no key"

            match Settings.apply (pairs [ "ne.decayWeight", "0.5" ]) Settings.defaults with
            | Ok _ -> failtest "accepted"
            | Error errors -> Expect.stringContains errors[0].Problem "ne.finalDensity" "instead"

        testCase "keys and values of an older version are said as this version says them"
        <| fun _ ->
            let present list = Settings.present (pairs list)

            Expect.equal
                (present [
                    "ne.omega", "0.1"
                    "ne.growCarry", "off"
                    "run.seed", "1"
                    "ne.eventBatch", "training"
                    "ne.decayWeight", "1"
                ])
                (pairs [
                    "ne.omega", "0.1"
                    "run.seed", "1"
                    "ne.rules", "ours+growCarry=off+eventBatch=training"
                ])
                "parts of one key"

            Expect.equal
                (present [ "ne.rules", "official"; "ne.reviveRows", "on" ])
                (pairs [ "ne.rules", "official+reviveRows=on" ])
                "with that key"

            Expect.equal (present [ "ne.rules", "paper"; "of.others", "1" ]) (pairs [ "ne.rules", "paper"; "of.others", "1" ]) "nothing old"
            Expect.equal (present [ "ne.eventBatch", "some" ]) (pairs [ "ne.eventBatch", "some"; "ne.rules", "auto" ]) "what is not read"
    ]
