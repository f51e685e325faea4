module NE.Model.Tests.Agents.Measurement.PlasticityProbeTests

open System
open Expecto
open NE.Benchmarks
open NE.Model
open NE.Model.Agents
open NE.Model.Networks
open NE.Model.Tests.Agents.AgentFixture

let private ofMethod name =
    match Method.parse name with
    | Ok method' -> fst (Settings.resolve { small with Run.Method = method' })
    | Error problem -> failtest problem

let private probe (agent: ILearner) =
    agent.Probe(replay.Value, replay.Value.Window)

/// Silences this share of every hidden layer.
let private silence (share: float) (group: NetworkGroup) =
    for slot in group.Layout.Slots do
        if slot.Layer < group.Layout.HiddenLayers then
            kill group slot.Stack slot.Layer [ 0 .. int (share * float slot.Outputs) - 1 ]

[<Tests>]
let tests =
    testList "The plasticity probe" [
        for name, settings in
            [
                for method' in [ "td3"; "ne"; "layer-norm"; "crelu"; "plasticity-injection" ] do
                    for engine, settings in onEachEngine (ofMethod method') do
                        $"{method'}, {engine}", settings
            ] do
            test $"{name}: fresh networks have the ratio 1 within its stated error" {
                let seeds = [ 1L .. 8L ]

                let results = [
                    for seed in seeds do
                        use agent = create { settings with Run.Seed = seed }
                        probe agent
                ]

                for network in 0..1 do
                    let found = results |> List.map (fun each -> each[network])
                    Expect.all found (fun result -> result.LearnedFresh > 0.05) "there is something to learn"

                    let within =
                        found
                        |> List.filter (fun result -> abs (result.Ratio - 1.0) < 3.0 * result.Error)
                    // The error rests on four repeats: 6 % of the networks lie outside.
                    Expect.isGreaterThanOrEqual within.Length (seeds.Length - 2) $"{found.Head.Network}: {found |> List.map _.Ratio}"
                    let error = found |> List.averageBy _.Error
                    let mean = found |> List.averageBy _.Ratio
                    Expect.isLessThan (abs (mean - 1.0)) (3.0 * error / sqrt (float seeds.Length)) $"{found.Head.Network}: no bias, {mean}"
            }

        test "networks whose hidden units were silenced learn clearly less, and the less the more are silent" {
            use agent = create td3
            let ratios () = probe agent |> Array.map _.Ratio
            let fresh = ratios ()
            groups agent |> List.iter (silence 0.75)
            let most = ratios ()
            groups agent |> List.iter (silence 1.0)
            let all = ratios ()

            for i in 0..1 do
                Expect.isLessThan most[i] (fresh[i] - 0.2) "three quarters"
                Expect.isLessThan all[i] (most[i] - 0.1) "all"
                // Only the output's bias still learns, and it learns the mean, which is 0.
                Expect.isLessThan (abs all[i]) 0.05 "nothing"
        }

        test "changes nothing, is the same every time, and asks for the same functions at every step" {
            use probed = create small
            use left = create small

            for _ in 1..3 do
                step probed 7
                step left 7
                Expect.equal (probe probed) (probe probed) "the same"

            Expect.equal (digest probed) (digest left) "state"

            use one = create td3
            let rows = replay.Value.Window
            let now = one.Probe(replay.Value, rows)
            step one 1
            let later = one.Probe(replay.Value, rows)

            for before, after in Array.zip now later do
                Expect.isLessThan
                    (abs (before.LearnedFresh - after.LearnedFresh))
                    0.1
                    "fresh networks are those of the step before, on other rows"
        }

        for engine, settings in onEachEngine (ofMethod "plasticity-injection") do
            test $"{engine}: a duplicate puts out what the networks do, bodies of an injection included" {
                use agent = create settings
                step agent 10
                let networks = agent.Networks
                networks.Actor.Inject(Draws.Of(3L, Purpose.PlasticityInjection))
                use batch = networks.Engine.CreateMinibatch(32, shape)
                use input = batch.View(0, shape.ObservationSize)
                batch.Gather(replay.Value, ReadOnlySpan [| 100L .. 131L |])

                let outputs (group: NetworkGroup) =
                    use pass = group.CreatePass(false, 1, input, Linear, NoGradient)
                    pass.Forward()
                    let values = Array.zeroCreate<float32>(32 * shape.ActionSize)
                    (pass.Output 0).Read(Span values)
                    values

                use copy = networks.Actor.Duplicate()
                Expect.equal (outputs copy) (outputs networks.Actor) "outputs"
            }

        test "a fresh network has the topology of the one that it is compared with" {
            use agent = create small
            use fresh = agent.Networks.Critics.Fresh(Draws.Of(8L, Purpose.Probe))
            let mask, weights = fresh.ReadOnline Field.Mask, fresh.ReadOnline Field.Weights
            Expect.equal mask (agent.Networks.Critics.ReadOnline Field.Mask) "mask"
            Expect.isTrue (Array.forall2 (fun m w -> m <> 0.0f || w = 0.0f) mask weights) "masked means zero"
            Expect.notEqual weights (agent.Networks.Critics.ReadOnline Field.Weights) "drawn anew"
        }
    ]
