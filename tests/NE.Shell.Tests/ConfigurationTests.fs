module NE.Shell.Tests.ConfigurationTests

open System
open System.Collections.Generic
open System.Text.Json
open Expecto
open FsCheck
open FsCheck.FSharp
open NE.Actors.Configuration
open NE.Actors.Environments
open NE.Model.Replay
open NE.Model
open NE.Shell.Configuration
open NE.Shell.Host
open NE.Shell.Tests.Support

let private known (id: string) : string | null =
    if id = "HalfCheetah-v4" || id = "Hopper-v4" || id.StartsWith "cycle:" then
        null
    else
        "there is no such task"

let private arguments (source: string option) (options: (string * string * string) list) (pairs: string list) =
    ConfigurationArguments(
        Option.toObj source,
        List<_>(options |> List.map (fun (key, value, option) -> struct (key, value, option))),
        List<string> pairs
    )

let private files (texts: (string * string) list) (name: string) : string | null =
    match texts |> List.tryFind (fun (file, _) -> file = name) with
    | Some(_, text) -> text
    | None -> null

let private build texts source options pairs =
    ConfigurationBuilder.Build(arguments source options pairs, files texts, known, Machine.Plain)

let private fails texts source options pairs =
    try
        build texts source options pairs |> ignore
        failtest "expected a user error"
    with :? ConfigurationException as problem ->
        problem.Message

let private problem expected texts source options pairs =
    Expect.stringContains (fails texts source options pairs) expected "message"

let private value (key: string) (settings: Settings) =
    (Settings.keys |> List.find (fun k -> k.Name = key)).Get settings

[<Tests>]
let layers =
    testList "configuration layers" [
        test "later layers win: defaults, file, options, key=value" {
            let file = "run:\n  seed: 1\n  steps: 5000\ntd3:\n  batchSize: 32\n"

            let built =
                build [ "a.yaml", file ] (Some "a.yaml") [ "run.seed", "2", "--seed"; "learner.batchSize", "64", "--x" ] [
                    "learner.batchSize=128"
                ]

            Expect.equal (value "run.steps" built.Settings) "5000" "from the file"
            Expect.equal (value "run.seed" built.Settings) "2" "from the option"
            Expect.equal (value "learner.batchSize" built.Settings) "128" "from key=value"
            Expect.equal (value "ne.omega" built.Settings) "0.4" "default"
        }

        test "sections and dotted keys, lists and scalars mean the same" {
            let nested =
                build [ "a", "network:\n  hidden: [64, 32]\n  weightClip: 2\n" ] (Some "a") [] []

            let dotted =
                build [ "a", "network.hidden: 64,32\nnetwork.weightClip: 2\n" ] (Some "a") [] []

            Expect.equal nested.Settings dotted.Settings "equal"
        }

        test "a preset is found by its name, and a file of that name wins" {
            Expect.equal (value "network.hidden" (build [] (Some "td3-anchor") [] []).Settings) "256,256" "preset"

            Expect.equal
                (value "network.hidden" (build [ "td3-anchor", "network.hidden: [8]" ] (Some "td3-anchor") [] []).Settings)
                "8"
                "file"
        }

        test "a variant lies below everything else that is given, and says where its values come from" {
            let built texts source pairs =
                let given =
                    ConfigurationArguments(Option.toObj source, List<_>(), List<string>(pairs: string list), Variant = "official")

                ConfigurationBuilder.Build(given, files texts, known, Machine.Plain)

            let plain = built [] None []

            for key in Variants.official do
                Expect.equal (value key.Key plain.Settings) key.Value key.Key
                Expect.equal plain.Origins[key.Key] "--variant official" key.Key

            let changed =
                built [ "a", "ne.omega: 0.1\nne.review: off\n" ] (Some "a") [ "ne.review=literal" ]

            Expect.equal (value "ne.omega" changed.Settings) "0.1" "a file wins"
            Expect.equal (value "ne.review" changed.Settings) "literal" "key=value wins"
            Expect.equal (value "ne.growth" changed.Settings) "uniform" "the rest is the variant's"
        }

        test "an unknown variant is refused with the names that there are" {
            let code, paper, _ = shell [ "config"; "show"; "--variant"; "paper" ]
            Expect.equal code ExitCode.Ok "paper"
            Expect.isMatch paper @"ne\.growInit +random +--variant paper" "says where the value comes from"
            let code, _, error = shell [ "config"; "show"; "--variant"; "offical" ]
            Expect.notEqual code ExitCode.Ok "refused"
            Expect.stringContains error "--variant offical: no such variant; there are paper and official" "message"
            let code, _, error = shell [ "train"; "--dry-run"; "--variant" ]
            Expect.notEqual code ExitCode.Ok "no value"
            Expect.stringContains error "--variant expects a value: --variant paper|official" "message"
        }

        test "td3-anchor is what its sources say" {
            let settings = (build [] (Some "td3-anchor") [] []).Settings

            for key, expected in
                [
                    "run.method", "td3"
                    "run.environment", "HalfCheetah-v4"
                    "schedule.kind", "serial"
                    "network.weightClip", "0"
                    "learner.bufferSize", "1000000"
                    "learner.startSteps", "25000"
                ] do
                Expect.equal (value key settings) expected key
        }

        test "an empty file and a file of comments change nothing" {
            for text in [ ""; "# nothing\n"; "run:\n" ] do
                Expect.equal (build [ "a", text ] (Some "a") [] []).Settings (build [] None [] []).Settings text
        }

        test "all problems of all layers at once, each with its place" {
            let message =
                fails [ "a.yaml", "run:\n  sed: 1\nne:\n  omega: 7\n" ] (Some "a.yaml") [
                    "run.steps", "x", "--steps"
                    "run.environment", "Hoper", "ENV"
                ] [ "td3.batchsize=1"; "ne.review=sometimes" ]

            let lines = message.Split '\n'
            Expect.equal lines[0] "the configuration has 6 problems:" "count"

            for expected in
                [
                    "a.yaml:2: run.sed = 1: unknown key; did you mean 'run.seed'?"
                    "a.yaml:4: ne.omega = 7: "
                    "--steps: run.steps = x: "
                    "  td3.batchsize = 1: unknown key; did you mean 'learner.batchSize'?"
                    "  ne.review = sometimes: "
                    "ENV: run.environment = Hoper: there is no such task"
                ] do
                Expect.stringContains message expected "problem"
        }

        test "a bad combination of values names both keys" {
            let message = fails [] None [] [ "ne.startDensity=0.5"; "ne.finalDensity=0.3" ]
            Expect.stringContains message "ne.finalDensity = 0.3" "key"
            Expect.stringContains message "ne.startDensity" "other key"
        }

        test "a bad combination of a key's old name says where that was given" {
            let message =
                fails [ "a", "ne.growGrad: full\nne.growInit: random\nne.eventBatch: training\n" ] (Some "a") [] []

            Expect.stringContains message "a:1: ne.growGrad = full: takes a pass of its own; it needs the rule eventBatch = fresh" "key"

            let message =
                fails [ "a", "run.method: naive-growth+continual-backprop\nne.halfBatchBelow: 0.5\n" ] (Some "a") [] []

            Expect.stringContains message "a:2: ne.rules = ours+halfBatchBelow=0.5: continual-backprop judges units" "the present name"
        }

        test "a key given twice" {
            problem "ne.omega was already given as 'ne.omega=0.1'" [] None [] [ "ne.omega=0.1"; "ne.omega=0.2" ]
            problem "a.yaml:3: ne.omega was already given in line 2" [ "a.yaml", "ne:\n  omega: 0.1\n  omega: 0.2\n" ] (Some "a.yaml") [] []
            problem "a.yaml:3: ne.omega was already given in line 2" [ "a.yaml", "ne:\n  omega: 0.1\nne.omega: 0.2\n" ] (Some "a.yaml") [] []
        }

        test "text that is not YAML names file and line" {
            problem "a.yaml:2: not valid YAML" [ "a.yaml", "run:\n  seed: [1\nne: 2\n" ] (Some "a.yaml") [] []
        }
        test "a list where sections are expected" {
            problem "a.yaml:1: expected `section:`" [ "a.yaml", "- 1\n- 2\n" ] (Some "a.yaml") [] []
        }
        test "an alias" {
            problem "anchors and aliases are not read" [ "a.yaml", "run:\n  seed: &s 1\n  steps: *s\n" ] (Some "a.yaml") [] []
        }
        test "a list of lists" {
            problem "expected a list of plain values" [ "a.yaml", "network:\n  hidden: [[1]]\n" ] (Some "a.yaml") [] []
        }
        test "a second document" { problem "expected one document" [ "a.yaml", "run.seed: 1\n---\nrun.seed: 2\n" ] (Some "a.yaml") [] [] }
        test "an empty value" { problem "run.seed = (nothing)" [ "a.yaml", "run:\n  seed:\n" ] (Some "a.yaml") [] [] }
        test "a missing file names the nearest preset" { problem "did you mean the preset 'td3-anchor'?" [] (Some "td3-anhor") [] [] }
    ]

let private anySettings =
    gen {
        let! seed = Gen.choose (-1000, 1000)
        let! steps = Gen.choose (1_000, 5_000_000)
        let! hidden = Gen.nonEmptyListOf (Gen.choose (1, 512))
        let! density = Gen.choose (1, 99) |> Gen.map (fun n -> float n / 100.0)
        let! review = Gen.elements [ "slope"; "off"; "literal"; "official" ]
        let! rate = Gen.choose (1, 999) |> Gen.map (fun n -> float n * 1e-6)

        return [
            $"run.seed={seed}"
            $"run.steps={steps}"
            $"""network.hidden={String.Join(',', hidden)}"""
            $"ne.startDensity={density.ToString(Globalization.CultureInfo.InvariantCulture)}"
            $"ne.review={review}"
            $"learner.actorLearningRate={rate.ToString(Globalization.CultureInfo.InvariantCulture)}"
        ]
    }

[<Tests>]
let writer =
    testList "written configurations" [
        testPropertyWithConfig
            {
                FsCheckConfig.defaultConfig with
                    maxTest = 50
            }
            "config.yaml reads back to the same configuration"
            (Prop.forAll (Arb.fromGen anySettings) (fun pairs ->
                let settings = (build [] None [] pairs).Settings
                let yaml = ConfigurationWriter.Yaml settings

                (build [ "config.yaml", yaml ] (Some "config.yaml") [] []).Settings = settings
                && ConfigurationLayers.Read(yaml, "config.yaml") = settings))

        test "config.yaml has every key with its sentence" {
            let yaml = ConfigurationWriter.Yaml((build [] None [] []).Settings)

            for key in Settings.keys do
                Expect.stringContains yaml key.Sentence key.Name
        }

        test "config.diff.yaml has only what differs, and reads back" {
            let built = build [] (Some "td3-anchor") [] [ "learner.batchSize=64" ]
            let yaml = built.DifferenceYaml()
            golden "config-difference" yaml
            Expect.equal (value "learner.batchSize" (build [ "d", yaml ] (Some "d") [] []).Settings) "64" "reads back"
        }

        test "config.diff.yaml of the defaults names nothing" {
            Expect.isFalse
                ((build [] None [] [ "run.steps=300000" ]).DifferenceYaml().Contains "bufferSize")
                "derived values follow the length"
        }

        test "config show" {
            let code, output, _ =
                shell [
                    "config"
                    "show"
                    "--steps"
                    "300000"
                    "--config"
                    "td3-anchor"
                    "ne.omega=0.1"
                ]

            Expect.equal code ExitCode.Ok "exit code"
            golden "config-show" output
        }

        test "config show --yaml is what train writes" {
            let _, output, _ = shell [ "config"; "show"; "--yaml" ]
            golden "config-yaml" output
        }

        test "config show --json has numbers and lists" {
            let _, output, _ = shell [ "config"; "show"; "--json" ]
            let json = JsonDocument.Parse(output).RootElement
            Expect.equal (json.GetProperty("run.steps").GetInt64()) 1_000_000L "number"
            Expect.equal (json.GetProperty("network.hidden").GetArrayLength()) 2 "list"
        }

        test "config schema" {
            let _, output, _ = shell [ "config"; "schema" ]
            golden "config-schema" output
        }

        test "config schema --json has every key" {
            let _, output, _ = shell [ "config"; "schema"; "--json" ]
            Expect.equal (JsonDocument.Parse(output).RootElement.GetArrayLength()) Settings.keys.Length "length"
        }
    ]

[<Tests>]
let resume =
    let stored = (build [] None [] [ "run.steps=100000" ]).Settings

    let change options pairs =
        ConfigurationBuilder.Change(stored, arguments None options pairs, Machine.Plain)

    testList "a resumed run's configuration" [
        test "extending a run leaves derived values as they were" {
            let changed = change [ "run.steps", "200000", "--steps" ] []
            let names = [ for struct (name, _, _) in Settings.difference stored changed -> name ]
            Expect.equal names [ "run.steps" ] "only the length"
        }

        test "a run from before there were engines goes on with torch" {
            let yaml =
                ConfigurationWriter.Yaml(stored).Split('\n')
                |> Array.filter (fun line -> not (line.Contains "engine"))
                |> String.concat "\n"

            let old = ConfigurationLayers.Read(yaml, "config.yaml")
            Expect.equal (value "compute.engine" stored) "simd" "a new run"
            Expect.equal (value "compute.engine" old) "torch" "an old one"

            Expect.equal
                (value "compute.engine" (ConfigurationBuilder.Change(old, arguments None [] [ "checkpoint.every=7" ], Machine.Plain)))
                "torch"
                "resumed"
        }

        test "a run of a version that had a key per rule goes on with the rules that it had" {
            let stored (name: string) =
                let file =
                    IO.Path.Combine(__SOURCE_DIRECTORY__, "../data/configurations", name + ".yaml")

                ConfigurationLayers.Read(IO.File.ReadAllText file, file)

            let official =
                ConfigurationArguments(null, List<_>(), List<string>(), Variant = "official")

            let built =
                (ConfigurationBuilder.Build(official, files [], known, Machine.Plain)).Settings

            // An old run's evaluations had the bound of their environment, its convolutions were computed product by product, and resets and new units
            // were what they were: it keeps all of that.
            let old (settings: Settings) = {
                settings with
                    Evaluation.MaxSteps = Some 0L
                    Compute.Convolutions = ConvolutionKind.Direct
                    Reset.Temperature = false
                    ContinualBackprop.Maturity = 100L
            }

            Expect.equal (stored "official") (old built) "the official variant"

            let single =
                (build [] None [] [
                    "ne.rules=ours+densityScope=elastic+growCarry=off+eventBatch=training+rewireShare=0.1"
                ])
                    .Settings

            Expect.equal (stored "single-rules") (old single) "rules by themselves"
            Expect.equal (ConfigurationLayers.Read(ConfigurationWriter.Yaml single, "config.yaml")) single "and stored anew"

            try
                ConfigurationBuilder.Change(stored "official", arguments None [] [ "ne.eventBatch=fresh" ], Machine.Plain)
                |> ignore

                failtest "expected a user error"
            with :? ConfigurationException as problem ->
                Expect.stringContains
                    problem.Message
                    "ne.rules: is part of what the run is and stays official (found official+eventBatch=fresh)"
                    "a rule may not change"
        }

        test "threads that are to be derived anew are those of the machine that goes on" {
            let machine = { Machine.Plain with Cores = 2 }

            let changed =
                ConfigurationBuilder.Change(stored, arguments None [] [ "compute.threads=auto" ], machine)

            Expect.equal (value "compute.threads" stored, value "compute.threads" changed) ("1", "2") "threads"
        }

        test "the threads may change with the simd engine only, the engine never" {
            let refusal stored pairs =
                try
                    ConfigurationBuilder.Change(stored, arguments None [] pairs, Machine.Plain)
                    |> ignore

                    ""
                with :? ConfigurationException as problem ->
                    problem.Message

            let torch = (build [] None [] [ "compute.engine=torch" ]).Settings
            Expect.equal (refusal stored [ "compute.threads=2" ]) "" "simd"

            Expect.stringContains
                (refusal torch [ "compute.threads=2" ])
                "compute.threads: is part of what the run is and stays 1 (found 2)"
                "torch"

            for pair in [ "compute.engine=torch"; "compute.engine=auto" ] do
                Expect.stringContains (refusal stored [ pair ]) "compute.engine: is part of what the run is and stays simd" pair

            Expect.stringContains (refusal stored [ "compute.device=cuda" ]) "it must be torch" "a device that the engine cannot use"
        }

        test "what the run is cannot change" {
            try
                change [] [ "run.seed=9"; "network.hidden=8"; "nonsense=1" ] |> ignore
                failtest "expected a user error"
            with :? ConfigurationException as problem ->
                for expected in
                    [
                        "run.seed: is part of what the run is"
                        "network.hidden: is part"
                        "nonsense = 1: unknown key"
                    ] do
                    Expect.stringContains problem.Message expected "problem"
        }
    ]

/// An environment of such observations and so many action components.
let private seen (observation: ObservationForm) actions =
    EnvironmentSpec("Sized", observation, actions, Array.create actions -1f, Array.create actions 1f, 1000)

/// An environment of so many numbers and action components.
let private sized observations actions =
    seen (ObservationForm.Vector observations) actions

[<Tests>]
let plan =
    testList "what a run takes" [
        test "what does not fit on the machine is said, with what to do" {
            let plan =
                RunPlan.Create((build [] None [] [ "learner.bufferSize=1000000" ]).Settings, sized 15_876 6)

            let misfits memory disk = List.ofSeq (plan.Misfits(memory, disk))

            Expect.isEmpty (misfits Int64.MaxValue Int64.MaxValue) "room enough"
            Expect.stringContains (List.exactlyOne (misfits (8L <<< 30) Int64.MaxValue)) "learner.bufferSize" "the replay is too large"
            Expect.stringContains (List.exactlyOne (misfits (1L <<< 20) Int64.MaxValue)) "ended by the system" "nothing fits"
            Expect.stringContains (List.exactlyOne (misfits Int64.MaxValue (1L <<< 30))) "on disk" "the disk"
        }

        test "a picture that is sent as a vector is warned of: what does not fit, the days, and what to do" {
            let picture = sized 21_168 2

            let plan =
                RunPlan.Create((build [] None [] [ "learner.bufferSize=1000000" ]).Settings, picture)

            let warnings = plan.Warnings(24L <<< 30, 100L <<< 30) |> String.concat "\n"
            Expect.stringContains warnings "this machine has 24.0 GiB of memory" "memory"
            Expect.stringContains warnings "on disk, and 100 GiB are free" "disk"
            Expect.stringContains warnings "gradient steps take about" "time"
            Expect.stringContains warnings "a vector of 21,168 numbers" "the cause"
            Expect.stringContains warnings "--pixels" "what to do"

            let buffer =
                System.Text.RegularExpressions.Regex.Match(warnings, "learner\\.bufferSize=(\\d+) fits").Groups[1].Value

            let smaller =
                RunPlan.Create((build [] None [] [ $"learner.bufferSize={buffer}" ]).Settings, picture)

            Expect.isLessThan smaller.MemoryBytes (24L <<< 30) "the size that was advised"
            Expect.isGreaterThan smaller.MemoryBytes (20L <<< 30) "and no needlessly small one"

            let small =
                RunPlan.Create((build [] None [] [ "run.steps=50000" ]).Settings, sized 17 6)

            Expect.isEmpty (small.Warnings(24L <<< 30, 100L <<< 30)) "nothing for a common run"
        }

        test "counts are in the singular and in the plural" {
            Expect.equal (Format.Counted(1L, "action"), Format.Counted(1_000L, "action")) ("1 action", "1,000 actions") "words"
            let _, output, _ = shell [ "train"; "InvertedPendulum-v4"; "--dry-run" ]
            Expect.stringContains output "for 4 observations and 1 action" "one action"
            Expect.isFalse (System.Text.RegularExpressions.Regex.IsMatch(output, @"\b1 (actions|observations|episodes|steps)\b")) output
        }

        test "parameters as the paper counts them" {
            let settings = (build [] None [] []).Settings

            let total (plan: RunPlan) = plan.Learner.Parameters

            Expect.equal (total (RunPlan.Create(settings, sized 17 6))) 116_616L "HalfCheetah, Table 1"
            Expect.equal (total (RunPlan.Create(settings, sized 376 17))) 399_379L "Humanoid, Table 1"
            let anchor = (build [] (Some "td3-anchor") [] []).Settings
            Expect.equal (total (RunPlan.Create(anchor, sized 17 6))) 216_328L "HalfCheetah, 256-256"
        }

        test "LayerNorm, CReLU and scale-ups are counted, and a scale-up says how much larger it is" {
            let plan preset pairs =
                RunPlan.Create((build [] (Some preset) [] pairs).Settings, sized 17 6)

            let official = plan "officialCode" []
            Expect.equal official.Learner.Actor 71_942L "the official code's actor"
            // 24 x 256, twice 257 x 256, a LayerNorm of 2 x 256, 257.
            Expect.equal official.Learner.Critics (2L * (6_144L + 131_584L + 512L + 257L)) "and critics"
            Expect.equal official.ScaleRatio 1.0 "no scale-up"
            let scaled = plan "official256" [ "network.scale=1" ]
            Expect.floatClose Accuracy.low scaled.ScaleRatio 1.91239 "the paper's 1.8 x is 1.91 here"
            Expect.equal (plan "official256" [ "run.method=td3"; "network.activation=crelu" ]).Learner.Actor 36_742L "CReLU"

            let lines pairs =
                let _, output, _ =
                    shell ([ "train"; "--dry-run"; "--config"; "official256"; "--steps"; "300000" ] @ pairs)

                output

            Expect.stringContains (lines [ "network.scale=1" ]) "1: 1.91 times the parameters of scale 0" "printed"
            Expect.isFalse ((lines []).Contains "times the parameters") "only of scale-ups"
        }

        test "of pictures a scale-up is compared by all parameters, and heads read every shifted copy" {
            let plan pairs =
                let settings =
                    (build [] None [] ([ "run.learner=drq"; "run.method=none" ] @ pairs)).Settings

                RunPlan.Create(settings, seen (ObservationForm.Pixels settings.Pixels.Shape) 3)

            let plain, scaled = plan [], plan [ "network.scale=2" ]
            Expect.isGreaterThan scaled.ScaleRatio 1.0 "two layers more"

            Expect.floatClose
                Accuracy.high
                scaled.ScaleRatio
                (float scaled.Learner.Parameters / float plain.Learner.Parameters)
                "all parameters"

            Expect.floatClose
                Accuracy.high
                (plan [ "pixels.shifts=4" ]).Seconds
                (4.0 * (plan [ "pixels.shifts=1" ]).Seconds)
                "convolutions and heads"
        }

        test "of runs at a time only so many fit in the memory" {
            let plan =
                RunPlan.Create((build [] None [] [ "run.steps=50000" ]).Settings, sized 17 6)

            let plans = [| plan; plan; plan |]

            let misfit count memory =
                match RunPlan.MisfitTogether(plans, count, memory) with
                | null -> ""
                | text -> text

            let one = plan.MemoryBesideReplay
            Expect.isLessThan one plan.MemoryBytes "the pages of the replay do not count"
            Expect.equal (RunPlan.FitTogether(plans, 2L * one + 1L)) 2 "two"
            Expect.equal (RunPlan.FitTogether(plans, one - 1L)) 1 "at least one"
            Expect.equal (RunPlan.FitTogether(Array.empty<RunPlan>, one)) Int32.MaxValue "nothing is known"
            Expect.equal (misfit 2 (2L * one)) "" "they fit"
            Expect.equal (misfit 5 (3L * one)) "" "there are no more"
            Expect.stringContains (misfit 3 (2L * one)) "3 runs at a time take up to" "too many"
            Expect.stringContains (misfit 3 (one - 1L)) "the run takes up to" "not even one"
        }

        test "a transition has two observations, an action, a reward and a flag" {
            let settings = (build [] None [] [ "learner.bufferSize=1000" ]).Settings
            Expect.equal (RunPlan.Create(settings, sized 17 6).ReplayBytes) (1000L * 4L * 42L) "bytes"
        }

        test "evaluations are said with their share, and what would make it a tenth" {
            let words pairs =
                let _, output, _ = shell ([ "train"; "--dry-run" ] @ pairs)
                output.Split '\n' |> Array.find (fun line -> line.StartsWith "evaluation ")

            Expect.stringContains
                (words [ "HalfCheetah-v4"; "--steps"; "300000" ])
                "every 10,000 steps, 10 episodes each: up to 310,000 control steps, at most 1.5 % of the processor time"
                "HalfCheetah"

            for task in [ "Walker2d-v4"; "Ant-v4"; "Humanoid-v4"; "dmc/walker-walk" ] do
                for steps in [ "100000"; "300000"; "1000000" ] do
                    Expect.isFalse
                        ((words [ task; "--steps"; steps ]).Contains "makes it a tenth")
                        $"{task}, {steps}: under a tenth by default"

            let often = [ "Ant-v4"; "--steps"; "300000"; "evaluation.every=1000" ]
            Expect.stringContains (words often) "evaluation.every=" "too often"
            let every = (words often).Split("evaluation.every=")[1]

            let less =
                words [ "Ant-v4"; "--steps"; "300000"; "evaluation.every=" + every.Split(' ')[0] ]

            Expect.isFalse (less.Contains "makes it a tenth") "what it says is so"

            for steps in [ "1"; "2000"; "3000"; "5000" ] do
                let few = words [ "Hopper-v4"; "--steps"; steps ]
                Expect.isFalse (few.Contains "makes it a tenth") $"no interval of {steps} steps does: {few}"
                Expect.stringContains few "fewer evaluation.episodes make it less" $"what does, at {steps} steps"

            Expect.stringContains
                (words [ "cycle:HalfCheetah-v4,Hopper-v4"; "--steps"; "60000" ])
                "of the processor time"
                "the mean over the tasks of a cycle"
        }

        for width in [ 80; 100 ] do
            test $"labels stay whole in a terminal of {width} columns, and so do keys" {
                let narrow = host "/nonexistent/runs" noRun

                let code, output, errors =
                    execute
                        (ShellHost(
                            Output = narrow.Output,
                            Error = narrow.Error,
                            DefaultRuns = narrow.DefaultRuns,
                            HasCuda = narrow.HasCuda,
                            Processors = 1,
                            Prepare = narrow.Prepare,
                            Width = width
                        ))
                        [ "train"; "Hopper-v4"; "--dry-run" ]

                Expect.equal (code, errors) (ExitCode.Ok, "") "exit code"
                let words = output.Split([| ' '; '\n' |])

                for label in
                    [
                        "duration"
                        "parameters"
                        "evaluation"
                        "checkpoints"
                        "external.startTimeout"
                        "continualBackprop.replacementRate"
                    ] do
                    Expect.contains words label "a label"
            }

        test "a dry run creates nothing" {
            let code, output, errors = shell [ "train"; "--dry-run"; "--steps"; "300000" ]
            Expect.equal (code, errors) (ExitCode.Ok, "") "exit code"
            golden "dry-run" output
            Expect.isFalse (IO.Directory.Exists "/nonexistent/runs") "no folder"
        }

        test "a dry run says that a network cannot be built" {
            let code, _, errors =
                shell [
                    "train"
                    "--dry-run"
                    "network.hidden=65536,65536"
                    "network.criticHidden=8,8"
                ]

            Expect.equal code ExitCode.UserError errors
            Expect.stringContains errors "make the layers narrower" "what to do"
            Expect.isFalse (errors.Contains "(Parameter") $"no name of the code: {errors}"
        }

        test "a dry run of a long cycle lists its first phases" {
            let _, output, errors =
                shell [
                    "train"
                    "cycle:HalfCheetah-v4,Hopper-v4"
                    "--cycles"
                    "1000000000"
                    "cycle.steps=50000"
                    "--dry-run"
                ]

            Expect.stringContains output "and 1,999,999,900 more" errors
        }

        test "a dry run of a cycle lists its phases" {
            let phases arguments =
                let code, output, errors =
                    shell (
                        "train"
                        :: "cycle:HalfCheetah-v4,Hopper-v4"
                        :: "--cycles"
                        :: "2"
                        :: "--dry-run"
                        :: arguments
                    )

                Expect.equal (code, errors) (ExitCode.Ok, "") "exit code"

                let lines =
                    output.Split '\n'
                    |> Array.map (fun line -> System.Text.RegularExpressions.Regex.Replace(line.Trim(), " +", " "))

                lines[Array.IndexOf(lines, "PHASE CYCLE TASK FROM STEP TO STEP") + 1 ..]
                |> Array.filter (fun line -> line <> "")

            Expect.equal
                (phases [ "cycle.steps=50000" ])
                [|
                    "1 1 HalfCheetah-v4 0 50,000"
                    "2 1 Hopper-v4 50,000 100,000"
                    "3 2 HalfCheetah-v4 100,000 150,000"
                    "4 2 Hopper-v4 150,000 200,000"
                |]
                "in steps"

            Expect.equal
                (phases [ "cycle.episodes=1000" ])
                [|
                    "1 1 HalfCheetah-v4 1,000 episodes"
                    "2 1 Hopper-v4 1,000 episodes"
                    "3 2 HalfCheetah-v4 1,000 episodes"
                    "4 2 Hopper-v4 1,000 episodes"
                |]
                "in episodes"
        }

        test "a cycle is stored as one text, which reads back, and its phases with it" {
            let built =
                build [] None [] [ "run.environment=cycle:HalfCheetah-v4,Hopper-v4"; "cycle.steps=5000" ]

            let yaml = ConfigurationWriter.Yaml built.Settings
            Expect.stringContains yaml "environment: cycle:HalfCheetah-v4,Hopper-v4\n" "one text"
            Expect.equal (ConfigurationLayers.Read(yaml, "config.yaml")) built.Settings "read back"
            Expect.equal (string (ConfigurationWriter.Json(built.Settings)["run.environment"])) "cycle:HalfCheetah-v4,Hopper-v4" "in JSON"
        }
    ]
