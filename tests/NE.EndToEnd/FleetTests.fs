/// Runs whose environments live in other processes of this machine, which are killed, leave and come.
module NE.EndToEnd.FleetTests

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open System.Text.RegularExpressions
open Expecto
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Tests.RunIdentity

let private train runs name steps = [
    yield! [
        "train"
        "HalfCheetah-v4"
        "--steps"
        string steps
        "--seed"
        "3"
        "--name"
        name
    ]
    yield! [ "--runs"; runs; "--envs"; "2"; "--schedule"; "pipelined"; "--plain" ]
    "network.hidden=32,32"
    "learner.batchSize=32"
    "learner.startSteps=200"
    "evaluation.episodes=1"
    "evaluation.every=500"
    "checkpoint.every=300"
    "log.metricsEvery=50"
]

let private local runs steps =
    let whole = ne (train runs "local" steps)
    Expect.equal whole.ExitCode 0 whole.Error
    identity (RunPaths.Of(runs, "local"))

/// Rows of metrics that are written.
let private rows runs name =
    let file = (RunPaths.Of(runs, name)).Metrics

    if File.Exists file then
        File.ReadAllLines(file).Length - 1
    else
        0

/// Where a node says that it is.
let private address (node: Running) =
    let found () =
        Regex.Match(node.Printed, @" is at (127\.0\.0\.1:\d+),")

    waitUntil "the node is there" (fun () -> node.HasExited || (found ()).Success)
    Expect.isFalse node.HasExited $"it goes on: {node.Printed}"
    (found ()).Groups[1].Value

[<Tests>]
let tests =
    testSequencedGroup "fleet"
    <| testList "A run over a fleet" [
        testCase "workers that are killed again and again do not show in the run"
        <| fun _ ->
            inRuns (fun runs ->
                let expected = local runs 1200

                use running =
                    new Running([ "NE_FLEET_KEY", Path.Combine(runs, "fleet.pem") ], train runs "workers" 1200 @ [ "schedule.workers=2" ])

                let mutable killed = 0

                for moment in [ 2; 6; 10; 14 ] do
                    waitUntil "the run goes on" (fun () -> running.HasExited || rows runs "workers" >= moment)

                    match childrenOf running.Id with
                    | worker :: _ when not running.HasExited ->
                        use process' = Process.GetProcessById worker
                        process'.Kill()
                        killed <- killed + 1
                    | _ -> ()

                let ended = running.Wait(TimeSpan.FromMinutes 3.0)
                Expect.equal ended.ExitCode 0 $"the run completes: {ended.Output} {ended.Error}"
                Expect.isGreaterThanOrEqual killed 2 "workers were killed"
                expectSame (identity (RunPaths.Of(runs, "workers"))) expected "the run")

        testCase "nodes show themselves, and when one is stopped the run goes on at the other"
        <| fun _ ->
            inRuns (fun runs ->
                let key = Path.Combine(runs, "fleet.pem")
                Expect.equal (ne [ "fleet"; "key"; key ]).ExitCode 0 "the key is made"

                let node name more =
                    new Running(
                        [
                            "node"
                            "--port"
                            "0"
                            "--name"
                            name
                            "--environments"
                            "2"
                            "--slots"
                            "0"
                            "--fleet-key"
                            key
                        ]
                        @ more
                    )

                use one = node "one" []
                let first = address one
                use two = node "two" [ "--seed-node"; first ]
                let second = address two

                use running =
                    new Running(train runs "far" 1200 @ [ "--fleet"; first; "--fleet-key"; key ])

                waitUntil "the run goes on" (fun () -> running.HasExited || rows runs "far" >= 2)
                let shown = ne [ "fleet"; second; "--fleet-key"; key; "--json" ]
                one.Terminate()
                Expect.equal shown.ExitCode 0 shown.Error
                let fleet = (JsonDocument.Parse shown.Output).RootElement

                let names = [
                    for node in fleet.GetProperty("nodes").EnumerateArray() -> node.GetProperty("name").GetString()
                ]

                Expect.equal names [ "one"; "two"; "run far" ] "who is there"
                Expect.equal (fleet.GetProperty("silent").GetArrayLength()) 0 "all answer"
                let left = one.Wait(TimeSpan.FromMinutes 1.0)
                Expect.equal left.ExitCode 0 $"it leaves: {left.Error}"
                Expect.stringContains left.Output "node one leaves" "and says so"
                let expected = local runs 1200
                let ended = running.Wait(TimeSpan.FromMinutes 3.0)
                Expect.equal ended.ExitCode 0 $"the run completes: {ended.Output} {ended.Error}"
                two.Terminate()
                Expect.equal (two.Wait(TimeSpan.FromMinutes 1.0)).ExitCode 0 "the other one leaves, too"
                expectSame (identity (RunPaths.Of(runs, "far"))) expected "the run")
    ]
