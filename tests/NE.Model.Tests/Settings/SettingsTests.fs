module NE.Model.Tests.Settings.SettingsTests

open Expecto
open FSharp.Reflection
open NE.Model
open NE.Model.Replay

let private pairs list =
    list |> List.map (fun (key: string, value: string) -> struct (key, value))

let private applied list =
    match Settings.apply (pairs list) Settings.defaults with
    | Ok settings -> settings
    | Error errors -> failtestf "%A" errors

[<Tests>]
let tests =
    testList "Settings" [
        testCase "every key reads what it writes"
        <| fun _ ->
            for key in Settings.keys do
                let text = key.Get Settings.defaults

                match key.Set text Settings.defaults with
                | Ok settings -> Expect.equal settings Settings.defaults $"{key.Name} = {text}"
                | Error problem -> failtestf "%s refuses its own default %s: %s" key.Name text problem

        testCase "every key has a section, a camelCase name, a sentence and a home of its own"
        <| fun _ ->
            let names = Settings.keys |> List.map _.Name
            Expect.equal (List.distinct names) names "no name twice"

            for key in Settings.keys do
                Expect.isMatch key.Name @"^[a-z][a-zA-Z0-9]*\.[a-z][a-zA-Z0-9]*$" "name"
                Expect.isTrue (key.Sentence.EndsWith '.') $"{key.Name} has a sentence"

        testCase "every field of a section has a key of its name, and every key a field"
        <| fun _ ->
            let sections =
                Settings.keys
                |> List.groupBy (fun key -> key.Name.Split '.' |> Array.head)
                |> List.map (snd >> List.map (fun key -> key.Name.Split('.')[1]))

            let records =
                FSharpType.GetRecordFields typeof<Settings>
                |> Array.map (fun section -> [ for field in FSharpType.GetRecordFields section.PropertyType -> field.Name ])
                |> List.ofArray

            Expect.equal sections.Length records.Length "as many sections"

            for keys, fields in List.zip sections records do
                let lower (names: string list) =
                    names |> List.map _.ToLowerInvariant() |> Set
                // One value is all that there is.
                Expect.equal (Set.remove "buffer" (lower keys)) (lower fields) $"{fields}"

        testCase "a key concerns a run whose method has its technique or whose learner it is about, and a cycle's key a cycle"
        <| fun _ ->
            let concerns agent environment key =
                let learner, method =
                    match agent with
                    | "sac"
                    | "drq"
                    | "drqv2" -> agent, "none"
                    | "sac+reset" -> "sac", "reset"
                    | "drqv2+reset" -> "drqv2", "reset"
                    | method -> "td3", method

                Settings.concerns (applied [ "run.learner", learner; "run.method", method; "run.environment", environment ]) key

            let table = [
                "td3", "Hopper-v4", "learner.batchSize", true
                "td3", "Hopper-v4", "network.layerNorm", true
                "td3", "Hopper-v4", "td3.policyDelay", true
                "td3", "Hopper-v4", "sac.temperature", false
                "sac", "Hopper-v4", "learner.batchSize", true
                "sac", "Hopper-v4", "td3.policyDelay", false
                "sac", "Hopper-v4", "sac.temperature", true
                "drq", "Hopper-v4", "sac.temperature", true
                "drq", "Hopper-v4", "pixels.size", true
                "drq", "Hopper-v4", "drqv2.lastNoise", false
                "drqv2", "Hopper-v4", "drqv2.lastNoise", true
                "sac", "Hopper-v4", "pixels.size", false
                "td3", "Hopper-v4", "ne.omega", false
                "ne", "Hopper-v4", "ne.omega", true
                "naive-growth", "Hopper-v4", "ne.startDensity", true
                "redo+layer-norm", "Hopper-v4", "redo.every", true
                "redo+layer-norm", "Hopper-v4", "reset.every", false
                "sac+reset", "Hopper-v4", "reset.temperature", true
                "drqv2+reset", "Hopper-v4", "reset.temperature", false
                "reset", "Hopper-v4", "reset.temperature", false
                "reset", "Hopper-v4", "reset.every", true
                "td3", "Hopper-v4", "cycle.warmUp", false
                "td3", "cycle:Hopper-v4,Ant-v4", "cycle.warmUp", true
            ]

            for method, environment, key, expected in table do
                Expect.equal (concerns method environment key) expected $"{key} with {method} on {environment}"

            let everything =
                [ "sac"; "drq"; "drqv2"; "sac+reset" ] @ List.map fst Method.names
                |> List.collect (fun method ->
                    Settings.keys
                    |> List.map _.Name
                    |> List.filter (concerns method "cycle:Hopper-v4,Ant-v4"))

            Expect.isEmpty (Settings.keys |> List.map _.Name |> List.except everything) "every key concerns some run"

        testCase "how convolutions are computed concerns learners from pictures on the engine simd"
        <| fun _ ->
            for learner, engine, expected in
                [
                    "td3", "simd", false
                    "sac", "simd", false
                    "drq", "simd", true
                    "drqv2", "simd", true
                    "drq", "torch", false
                    "drq", "auto", true
                ] do
                let settings = applied [ "run.learner", learner; "compute.engine", engine ]

                Expect.equal (Settings.concerns settings "compute.convolutions") expected $"{learner} on {engine}"

        testCase "an agent is called after its learner and its techniques"
        <| fun _ ->
            for learner, method, shown, called in
                [
                    "td3", "td3", "td3", "td3"
                    "td3", "none", "td3", "td3"
                    "td3", "layer-norm+redo", "redo+layer-norm", "redo+layer-norm"
                    "sac", "td3", "none", "sac"
                    "sac", "none", "none", "sac"
                    "sac", "ne", "ne", "sac+ne"
                    "sac", "redo+layer-norm", "redo+layer-norm", "sac+redo+layer-norm"
                ] do
                let settings = applied [ "run.learner", learner; "run.method", method ]
                Expect.equal (Settings.agent settings) called $"{learner}, {method}"
                Expect.equal ((nonNull (Settings.tryFind "run.method")).Get settings) shown $"run.method of {learner}, {method}"

        testCase "all problems are returned at once, an unknown key with the nearest known one"
        <| fun _ ->
            match
                Settings.apply
                    (pairs [
                        "ne.omga", "0.2"
                        "learner.batchSize", "many"
                        "ne.startDensity", "2"
                        "ne.review", "slop"
                    ])
                    Settings.defaults
            with
            | Ok _ -> failtest "four bad values were accepted"
            | Error errors ->
                Expect.equal (errors |> List.map _.Key) [ "ne.omga"; "learner.batchSize"; "ne.startDensity"; "ne.review" ] "keys"
                Expect.stringContains errors[0].Problem "ne.omega" "nearest key"
                Expect.stringContains errors[2].Problem "(0, 1]" "what is allowed"
                Expect.stringContains errors[3].Problem "'slope'" "nearest value"

        testCase "a fraction below 1 is below 1 in single precision, too"
        <| fun _ ->
            for key in [ "learner.adamBeta1"; "learner.adamBeta2"; "continualBackprop.utilityDecay" ] do
                Expect.isOk (Settings.apply (pairs [ key, "0.99999997" ]) Settings.defaults) $"{key}: the largest"
                Expect.isOk (Settings.apply (pairs [ key, "0" ]) Settings.defaults) $"{key}: the least"

                for value, why in [ "0.99999999", "rounds to 1"; "1", "out of range"; "-0.1", "out of range" ] do
                    match Settings.apply (pairs [ key, value ]) Settings.defaults with
                    | Ok _ -> failtestf "%s = %s was accepted" key value
                    | Error errors -> Expect.stringContains errors[0].Problem why $"{key} = {value}"

        testCase "a replay ratio is a decimal number that reads as it was written"
        <| fun _ ->
            let key = nonNull (Settings.tryFind "learner.updatesPerStep")

            for text, shown in
                [
                    "1", "1"
                    "0.5", "0.5"
                    "0.50", "0.5"
                    "1.125", "1.125"
                    "1e3", "1000"
                    "0.001", "0.001"
                ] do
                Expect.equal (key.Get(applied [ key.Name, text ])) shown text

            for value, why in
                [
                    "0", "out of range"
                    "0.0009", "out of range"
                    "1000.001", "out of range"
                    "0.3333", "too many decimals"
                    "1/2", "a number"
                    "nan", "a number"
                ] do
                match Settings.apply (pairs [ key.Name, value ]) Settings.defaults with
                | Ok _ -> failtestf "%s was accepted" value
                | Error errors -> Expect.stringContains errors[0].Problem why value

            let endStep ratio =
                fst(Settings.resolve (applied [ key.Name, ratio; "run.steps", "4001"; "learner.startSteps", "100" ])).Ne.EndStep

            Expect.equal (endStep "0.5") (Is 1_950L) "3,901 steps owe 1,950.5"
            Expect.equal (endStep "2") (Is 7_802L) "more than one"

        testCase "a replay ratio that owes nothing is refused"
        <| fun _ ->
            let problems list =
                let settings =
                    fst (Settings.resolve (applied ([ "learner.startSteps", "100"; "run.method", "td3" ] @ list)))

                Settings.validate settings
                |> List.map (fun problem -> problem.Key, problem.Found)

            let ratio value = "learner.updatesPerStep", value
            let found = [ "learner.updatesPerStep", "0.001" ]
            Expect.equal (problems [ "run.steps", "1099"; ratio "0.001" ]) found "999 steps"
            Expect.isEmpty (problems [ "run.steps", "1100"; ratio "0.001" ]) "1,000 steps"

            let cycle = [
                "run.environment", "cycle:Ant-v4,Hopper-v4"
                "cycle.steps", "1199"
                "cycle.warmUp", "200"
            ]

            Expect.equal (problems (ratio "0.001" :: cycle)) found "in each phase after the first"
            Expect.isEmpty (problems (ratio "0.002" :: cycle)) "one in each"

        testCase "a number of steps may be written as people write it"
        <| fun _ ->
            Expect.equal (applied [ "run.steps", "300_000" ]).Run.Steps 300_000L "underscore"
            Expect.equal (applied [ "run.steps", "3e5" ]).Run.Steps 300_000L "exponent"

        testCase "a number of steps beyond any run is refused, before products with it overflow"
        <| fun _ ->
            let longest, _ =
                Settings.resolve (applied [ "run.steps", "1e15"; "learner.updatesPerStep", "1000" ])

            Expect.isGreaterThan longest.Ne.EndStep.Value 900_000_000_000_000_000L "a product"
            Expect.equal (Settings.apply (Settings.values longest) Settings.defaults) (Ok longest) "which is read again as it was written"

            match Settings.apply (pairs [ "run.steps", "1000000000000001" ]) Settings.defaults with
            | Ok _ -> failtest "accepted"
            | Error errors -> Expect.stringContains errors[0].Problem "beyond any run" "why"

            Expect.equal (applied [ "run.seed", "1000000000001" ]).Run.Seed 1_000_000_000_001L "a seed counts nothing"

        testCase "derived values at the paper's length"
        <| fun _ ->
            let settings, derivations = Settings.resolve (applied [ "run.steps", "3000000" ])
            Expect.equal settings.Ne.GrowInterval (Is 10_000L) "growInterval"
            Expect.equal settings.Learner.BufferSize (Is 1_000_000L) "bufferSize"
            Expect.equal settings.Learner.StartSteps (Is 25_000L) "startSteps"
            Expect.equal settings.Ne.EndStep (Is 2_975_000L) "endStep"
            Expect.equal settings.Evaluation.Every (Is 10_000L) "evaluation"
            Expect.equal settings.Reset.Every (Is 200_000L) "reset"
            Expect.equal settings.ReDo.Every (Is 1_000L) "redo"
            Expect.equal (derivations |> List.map _.Key |> List.distinct |> List.length) derivations.Length "one rule a key"

        testCase "a shorter run keeps TD3's buffer and random steps, and the ratios of growth"
        <| fun _ ->
            let settings, _ = Settings.resolve (applied [ "run.steps", "300000" ])
            Expect.equal settings.Ne.GrowInterval (Is 1_000L) "growInterval"
            Expect.equal settings.Learner.BufferSize (Is 1_000_000L) "bufferSize"
            Expect.equal settings.Learner.StartSteps (Is 25_000L) "startSteps"
            Expect.equal settings.Ne.ReviewFirstStep (Is 27_500L) "reviewFirstStep"
            Expect.equal settings.Ne.ReviewWindow (Is 13_750L) "reviewWindow"
            Expect.equal settings.SampleWeightDecay.Horizon (Is 300_000L) "swd.horizon"

            for ratio, interval in [ "8", 8_000L; "0.5", 500L ] do
                let replayed, _ =
                    Settings.resolve (applied [ "run.steps", "300000"; "learner.updatesPerStep", ratio ])

                Expect.equal replayed.Ne.GrowInterval (Is interval) $"as many events at replay ratio {ratio}"

            for steps, start in [ "249999", 10_000L; "40000", 8_000L; "2000", 400L; "4", 0L ] do
                let short, _ = Settings.resolve (applied [ "run.steps", steps ])
                Expect.equal short.Learner.StartSteps (Is start) $"startSteps of {steps}"

        testCase "evaluations take at most one step per step of the run"
        <| fun _ ->
            for steps, episodes, every in
                [
                    "3000000", "10", 10_000L
                    "30000", "10", 10_000L
                    "30000", "2", 2_000L
                    "500", "10", 500L
                ] do
                let settings, _ =
                    Settings.resolve (applied [ "run.steps", steps; "evaluation.episodes", episodes ])

                Expect.equal settings.Evaluation.Every (Is every) $"{steps} steps, {episodes} episodes"

        testCase "every automatic period acts several times in a run of 2,000 steps or more"
        <| fun _ ->
            for steps in [ 2_000L; 12_345L; 50_000L; 999_999L; 3_000_000L ] do
                for method' in [ "reset"; "shrink-and-perturb"; "redo" ] do
                    let settings =
                        fst (Settings.resolve (applied [ "run.steps", string steps; "run.method", method' ]))

                    Expect.isEmpty (Settings.validate settings) $"{method'} in {steps} steps"

                    let length, period =
                        match method' with
                        | "reset" -> steps, settings.Reset.Every.Value
                        | "redo" -> Settings.gradientSteps settings, settings.ReDo.Every.Value
                        | _ -> steps, settings.ShrinkAndPerturb.Every.Value

                    Expect.isGreaterThanOrEqual (length / period) 4L $"{method'} every {period} in {steps}"

            let refused =
                fst (Settings.resolve (applied [ "run.steps", "50000"; "run.method", "reset"; "reset.every", "100000" ]))

            Expect.equal (Settings.validate refused |> List.map _.Key) [ "reset.every" ] "a period that was given may be refused"

        testCase "the learner's threads follow the cores where that changes no bits"
        <| fun _ ->
            let threads cores list =
                let machine = { Machine.Plain with Cores = cores }
                (fst (Settings.resolveOn machine (applied list))).Compute.Threads

            Expect.equal (threads 1 []) (Is 1) "one core"
            Expect.equal (threads 2 []) (Is 2) "two cores"
            Expect.equal (threads 64 []) (Is 2) "as many as were measured to help"
            Expect.equal (threads 64 [ "compute.engine", "torch" ]) (Is 1) "torch's bits depend on them"
            Expect.equal (threads 64 [ "compute.threads", "5" ]) (Is 5) "given"

        testCase "sample weight decay switches NE's review off, and contradicts one that is asked for"
        <| fun _ ->
            let settings, derivations = Settings.resolve (applied [ "run.method", "ne+swd" ])

            Expect.equal settings.Ne.Review ReviewMode.Off "off"
            Expect.contains (derivations |> List.map _.Key) "ne.review" "and said"

            let literal =
                fst (Settings.resolve (applied [ "run.method", "ne+swd"; "ne.review", "literal" ]))

            Expect.equal (Settings.validate literal |> List.map (fun error -> error.Key, error.Found)) [ "ne.review", "literal" ] "literal"

        testProperty "given values stay, and resolving twice changes nothing"
        <| fun (length: uint16) (interval: uint16) ->
            let steps, interval = 1_000L + int64 length, 1L + int64 interval

            let once, _ =
                Settings.resolve (applied [ "run.steps", string steps; "ne.growInterval", string interval ])

            let twice, derivations = Settings.resolve once
            once.Ne.GrowInterval = Is interval && twice = once && derivations.IsEmpty

        testCase "a longer run leaves what was derived from the shorter one"
        <| fun _ ->
            let settings, _ = Settings.resolve (applied [ "run.steps", "300000" ])
            let longer, _ = Settings.resolve { settings with Run.Steps = 600_000L }
            Expect.equal longer.Ne.EndStep settings.Ne.EndStep "endStep"

        testCase "the engine is torch on CUDA and simd elsewhere, and the machine is asked only when that decides"
        <| fun _ ->
            let resolved list hasCuda =
                let asked = ref false

                let answer =
                    System.Func<bool>(fun () ->
                        asked.Value <- true
                        hasCuda)

                let settings, _ = Settings.resolveOn { HasCuda = answer; Cores = 1 } (applied list)
                settings.Compute.Engine.Value, asked.Value

            Expect.equal (resolved [] true) (EngineKind.Torch, true) "auto on a machine with CUDA"
            Expect.equal (resolved [] false) (EngineKind.Simd, true) "auto on one without"
            Expect.equal (resolved [ "compute.device", "cpu" ] true) (EngineKind.Simd, false) "the CPU was asked for"
            Expect.equal (resolved [ "compute.device", "cuda:1" ] false) (EngineKind.Torch, false) "CUDA was asked for"
            Expect.equal (resolved [ "compute.engine", "torch" ] false) (EngineKind.Torch, false) "torch was asked for"
            Expect.equal (resolved [ "compute.engine", "simd" ] true) (EngineKind.Simd, false) "simd was asked for"

        testCase "a resumed run may change its threads when the engine gives the same bits, and never its engine"
        <| fun _ ->
            let mayChange name engine =
                match Settings.tryFind name with
                | null -> failtest "no such key"
                | key -> key.MayChange(applied [ "compute.engine", engine ])

            Expect.isTrue (mayChange "compute.threads" "simd") "threads of simd"
            Expect.isFalse (mayChange "compute.threads" "torch") "threads of torch"
            Expect.isFalse (mayChange "compute.engine" "simd" || mayChange "compute.engine" "torch") "engine"

        testCase "values of the networks that are not there are refused, and no resumed run may change its networks"
        <| fun _ ->
            for key, value in
                [
                    "network.layerNorm", "some"
                    "network.activation", "tanh"
                    "network.scale", "6"
                    "network.scale", "-1"
                    "network.criticHidden", "256,0"
                    "network.hidden", "-5,3"
                    "network.hidden", "5,,3"
                    "network.hidden", "5,"
                ] do
                Expect.isError (Settings.apply (pairs [ key, value ]) Settings.defaults) $"{key} = {value}"

            for key in Settings.keys do
                if key.Name.StartsWith "network." then
                    Expect.isFalse (key.MayChange Settings.defaults) key.Name

        testCase "a run that was stored before there were forms of networks has the networks that it had"
        <| fun _ ->
            match Settings.apply (pairs [ "network.hidden", "64,31"; "network.weightClip", "3" ]) Settings.ofOldRuns with
            | Error errors -> failtestf "%A" errors
            | Ok settings ->
                let network = settings.Network
                Expect.equal (network.CriticHidden, network.Scale) (Auto, 0) "sizes"
                Expect.equal (network.LayerNorm, network.Activation) (LayerNorm.Off, Activation.Relu) "form"

        testCase "learners from pictures commit often, look at fewer rows, count elastic layers alone and are reset more often"
        <| fun _ ->
            let resolved learner steps =
                fst (Settings.resolve (applied [ "run.learner", learner; "run.method", "none"; "run.steps", steps ]))

            for learner, every, rows, scope, period in
                [
                    "sac", 25_000L, 4096, Topology.DensityScope.Network, 20_000L
                    "drq", 1_000L, 1024, Topology.DensityScope.Elastic, 10_000L
                    "drqv2", 1_000L, 1024, Topology.DensityScope.Elastic, 10_000L
                ] do
                let settings = resolved learner "100000"
                Expect.equal settings.Checkpoint.Every (Is every) $"{learner}: commits"
                Expect.equal settings.Ne.PruneBatch (Is rows) $"{learner}: rows"
                Expect.equal settings.Ne.Rules.Value.DensityScope scope $"{learner}: density"
                Expect.equal settings.Reset.Every (Is period) $"{learner}: resets"

            Expect.equal (resolved "drq" "2000").Checkpoint.Every (Is 200L) "at most a tenth of the run"
            Expect.equal (resolved "drq" "2").Checkpoint.Every (Is 1L) "of any run"
            Expect.equal (resolved "sac" "100000").Sac.LogDeviation (Is LogDeviation.Clamped) "sac"
            Expect.equal (resolved "drq" "100000").Sac.LogDeviation (Is LogDeviation.Tanh) "drq"

            match Settings.tryFind "run.method" with
            | null -> failtest "no such key"
            | key ->
                Expect.equal
                    [
                        for learner in [ "td3"; "sac"; "drq"; "drqv2" ] -> key.Get(resolved learner "1000")
                    ]
                    [ "td3"; "none"; "none"; "none" ]
                    "names"

        testCase "a run that was stored before pictures had values of their own keeps the old ones"
        <| fun _ ->
            let old = fst (Settings.resolve Settings.ofOldRuns)
            Expect.equal old.Checkpoint.Every (Is 25_000L) "commits"
            Expect.equal old.Ne.PruneBatch (Is 4096) "rows"
            Expect.equal old.Ne.Rules (Is NeRules.ours) "rules"
            Expect.equal old.Sac.LogDeviation (Is LogDeviation.Clamped) "log sigma"

        testProperty "the last evaluation of a run falls within its last tenth, at steps of at most ten thousand"
        <| fun (length: uint32) ->
            let steps = 2_000L + int64 (length % 3_000_000u)
            let settings = fst (Settings.resolve (applied [ "run.steps", string steps ]))
            let every = settings.Evaluation.Every.Value
            every <= 10_000L && steps - steps / every * every < steps / 10L

        testProperty "an automatic period acts at least twice, however late learning begins"
        <| fun (length: uint16) (start: uint16) ->
            let steps = 2_000L + int64 length
            let start = int64 start % (steps - 100L)

            let settings =
                fst (
                    Settings.resolve (
                        applied [
                            "run.method", "reset"
                            "run.steps", string steps
                            "learner.startSteps", string start
                        ]
                    )
                )

            let every = settings.Reset.Every.Value
            let first = (start / every + 1L) * every
            Settings.validate settings = [] && first + every <= steps - every / 2L

        testCase "sample weight decay of a cycle reaches over a phase, whose rows are all that is there"
        <| fun _ ->
            let horizon keys =
                (fst (Settings.resolve (applied ([ "run.method", "swd" ] @ keys)))).SampleWeightDecay.Horizon

            Expect.equal (horizon [ "run.steps", "300000" ]) (Is 300_000L) "one task"
            Expect.equal (horizon [ "run.steps", "3000000" ]) (Is 1_000_000L) "the buffer"
            Expect.equal (horizon [ "run.environment", "cycle:Hopper-v4,Walker2d-v4"; "cycle.steps", "40000" ]) (Is 40_000L) "a phase"

        testCase "contradictions between values are found"
        <| fun _ ->
            let found list =
                Settings.validate (fst (Settings.resolve (applied list))) |> List.map _.Key

            Expect.equal (found []) [] "the defaults are fine"
            Expect.equal (found [ "learner.bufferSize", "100" ]) [ "learner.bufferSize" ] "less than a batch"

            Expect.equal (found [ "learner.adamEpsilon", "1e-13" ]) [ "learner.adamEpsilon" ] "an epsilon that decides nothing"

            let early starts =
                found [
                    "run.learner", "drq"
                    "schedule.environments", "2"
                    "learner.startSteps", starts
                ]

            Expect.equal (early "5") [ "pixels.returnSteps" ] "no transition of three steps in each of two environments"
            Expect.equal (early "6") [] "one in each"

            let small buffer =
                found [
                    "run.learner", "drq"
                    "schedule.environments", "128"
                    "learner.batchSize", "64"
                    "learner.bufferSize", buffer
                ]

            Expect.equal (small "767") [ "pixels.returnSteps" ] "three steps between three frames, of each of 128 environments"
            Expect.equal (small "768") [] "just as many"
            Expect.equal (found [ "compute.engine", "simd"; "compute.device", "cuda" ]) [ "compute.engine" ] "simd on CUDA"
            Expect.equal (found [ "compute.engine", "torch"; "compute.device", "cuda" ]) [] "torch on CUDA"
            Expect.equal (found [ "ne.finalDensity", "0.1" ]) [ "ne.finalDensity" ] "networks only grow"
            Expect.equal (found [ "network.activation", "crelu"; "run.method", "td3" ]) [] "crelu on even widths"
            Expect.equal (found [ "network.activation", "crelu" ]) [ "network.activation" ] "ne prunes single neurons"

            Expect.equal
                (found [
                    "network.activation", "crelu"
                    "run.method", "td3"
                    "network.hidden", "64,31"
                    "network.criticHidden", "7"
                ])
                [ "network.hidden"; "network.criticHidden" ]
                "odd widths"

            Expect.equal (found [ "network.hidden", "64,31"; "network.layerNorm", "all" ]) [] "odd widths without crelu"
            Expect.equal (found [ "run.steps", "1000"; "learner.startSteps", "1000" ]) [ "learner.startSteps" ] "nothing to learn"

            Expect.equal (found [ "ne.growUnit", "neuron" ]) [ "ne.growUnit" ] "a unit of random growth"
            Expect.equal (found [ "ne.growUnit", "neuron"; "ne.criterion", "random" ]) [] "with random growth"
            Expect.equal (found [ "ne.growGrad", "full" ]) [ "ne.growGrad" ] "grown weights keep values"

            Expect.equal
                (found [
                    "ne.growGrad", "full"
                    "ne.growInit", "random"
                    "ne.growAccum", "2"
                    "ne.rules", "ours+eventBatch=training"
                ])
                [ "ne.growGrad"; "ne.growAccum" ]
                "passes that the training batch has none of"

            Expect.equal (found [ "ne.rules", "ours+halfBatchBelow=0.5"; "learner.batchSize", "1" ]) [ "ne.rules" ] "half of one"

            Expect.equal
                (found [
                    "ne.rules", "ours+halfBatchBelow=0.5"
                    "run.method", "naive-growth+continual-backprop"
                ])
                [ "ne.rules" ]
                "a technique that reads whole batches"

            Expect.equal
                (found [
                    "run.steps", "1000"
                    "schedule.environments", "4"
                    "schedule.roundSteps", "500"
                ])
                [ "schedule.roundSteps" ]
                "a round longer than the run"

        testCase "a technique whose time never comes is refused"
        <| fun _ ->
            let found method' list =
                Settings.validate (fst (Settings.resolve (applied ([ "run.method", method'; "learner.startSteps", "1000" ] @ list))))

            let keys method' list =
                found method' list |> List.map (fun error -> error.Key, error.Found)

            for method', key in [ "reset", "reset.every"; "shrink-and-perturb", "shrinkAndPerturb.every" ] do
                Expect.equal
                    (keys method' [ "run.steps", "120000"; key, "100000" ])
                    [ key, "100000" ]
                    $"{method'}: later than half a period before the end"

                Expect.equal (keys method' [ "run.steps", "150000"; key, "100000" ]) [] $"{method'}: just in time"
                Expect.equal (keys method' [ "run.steps", "5000"; key, "2000" ]) [] $"{method'}: a period of a short run"

                Expect.equal
                    (keys method' [ "run.steps", "5000"; key, "1000" ])
                    []
                    $"{method'}: the second multiple is the first to be seen"

                Expect.equal (keys method' [ "run.steps", "2000"; key, "1000" ]) [ key, "1000" ] $"{method'}: the end"
                Expect.equal (keys "td3" [ "run.steps", "120000" ]) [] "another method"

            Expect.equal (keys "reset" [ "reset.every", "0" ]) [ "reset.every", "0" ] "a run of one task has no switches"
            Expect.equal (keys "redo" [ "run.steps", "5000" ]) [] "redo"
            Expect.equal (keys "redo" [ "run.steps", "5000"; "redo.every", "4000" ]) [] "redo at the last update"
            Expect.equal (keys "redo" [ "run.steps", "5000"; "redo.every", "4001" ]) [ "redo.every", "4001" ] "redo after it"

            let words =
                found "reset" [ "run.steps", "120000"; "reset.every", "100000" ]
                |> List.exactlyOne
                |> _.Problem

            Expect.stringContains words "nothing would be reset" "what it means"

            // Of 80,000 steps in four phases 65,000 are learned from.
            let cycle = [
                "run.environment", "cycle:Hopper-v4,Walker2d-v4"
                "cycle.cycles", "2"
                "cycle.steps", "20000"
                "cycle.warmUp", "5000"
                "learner.startSteps", "1000"
            ]

            let inCycle method' list = keys method' (cycle @ list)

            Expect.equal (inCycle "shrink-and-perturb" []) [] "a fifth of the cycle"

            Expect.equal
                (inCycle "shrink-and-perturb" [ "shrinkAndPerturb.every", "100000" ])
                [ "shrinkAndPerturb.every", "100000" ]
                "never in this cycle"

            Expect.equal (inCycle "shrink-and-perturb" [ "shrinkAndPerturb.every", "50000" ]) [] "in time"
            Expect.equal (inCycle "redo" [ "redo.every", "64001" ]) [ "redo.every", "64001" ] "redo in a cycle"
            Expect.equal (inCycle "redo" [ "redo.every", "64000" ]) [] "redo in time"

        testCase "in a cycle reset.every is 0 unless it is given, and the switches are enough"
        <| fun _ ->
            let cycle list =
                fst (
                    Settings.resolve (
                        applied (
                            [
                                "run.environment", "cycle:Ant-v4,Hopper-v4"
                                "run.method", "reset"
                                "cycle.steps", "2000"
                            ]
                            @ list
                        )
                    )
                )

            Expect.equal (cycle []).Reset.Every (Is 0L) "auto"
            Expect.isEmpty (Settings.validate (cycle [])) "valid"
            Expect.equal (cycle []).Learner.StartSteps (Is 400L) "random steps are a part of the first phase"
            Expect.equal (cycle [ "reset.every", "500" ]).Reset.Every (Is 500L) "given"
            Expect.equal (fst (Settings.resolve (cycle []))) (cycle []) "resolved once"

        testCase "every key of a variant is a key, given once, that a run can be made of"
        <| fun _ ->
            for name, keys in Variants.all do
                let names = keys |> List.map _.Key
                Expect.equal (List.distinct names) names $"{name}: no key twice"

                for key in keys do
                    match Settings.tryFind key.Key with
                    | null -> failtestf "%s: %s is no key" name key.Key
                    | known -> Expect.isOk (known.Set key.Value Settings.defaults) $"{name}: {key.Key} = {key.Value}"

                let settings = applied [ for key in keys -> key.Key, key.Value ]
                Expect.isEmpty (Settings.validate (fst (Settings.resolve settings))) $"{name}: no contradiction"

            let changed =
                Settings.difference Settings.defaults (applied [ for key in Variants.paper -> key.Key, key.Value ])

            Expect.equal
                changed
                [
                    struct ("network.weightClip", "0", "3")
                    struct ("network.clipOutput", "off", "on")
                    struct ("ne.growInterval", "auto", "10000")
                    struct ("ne.growInit", "zero", "random")
                    struct ("ne.reviewThreshold", "0.75", "0")
                    struct ("ne.reviewWindow", "auto", "10000")
                    struct ("ne.rules", "auto", "paper")
                    struct ("redo.every", "auto", "200000")
                    struct ("redo.threshold", "0.1", "0")
                ]
                "where the defaults differ from the paper"
    ]
