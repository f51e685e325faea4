module NE.EndToEnd.DurabilityTests

open System.IO
open Expecto
open NE.Actors.RunDirectory
open NE.EndToEnd.Executable
open NE.Tests.RunIdentity

let private train runs name = [
    "train"
    "Hopper-v4"
    "--steps"
    "1500"
    "--name"
    name
    "--runs"
    runs
    "network.hidden=32,32"
    "learner.batchSize=32"
    "learner.startSteps=100"
    "evaluation.episodes=1"
    "evaluation.every=200"
    "checkpoint.every=200"
    "log.metricsEvery=100"
]

let private succeeds (execution: Execution) =
    Expect.equal execution.ExitCode 0 $"{execution.Output}{execution.Error}"

[<Tests>]
let tests =
    testSequenced
    <| testList "damage and attacks" [
        testCase "a few attacks of every kind are survived"
        <| fun _ ->
            let execution =
                ne [
                    "torture"
                    "--seed"
                    "1"
                    "--attacks"
                    "4"
                    "--scenario"
                    "async"
                    "--scenario"
                    "td3"
                ]

            succeeds execution
            Expect.stringContains execution.Output "is never the same run twice" "what is asked of async"
            Expect.stringContains execution.Output "4 of 4 survived" "the last line"

            for kind in [ "kill"; "place"; "storage"; "damage" ] do
                Expect.stringContains execution.Output kind "the kinds"

        testCase "wrong options of the torture are refused"
        <| fun _ ->
            let wrong = ne [ "torture"; "--only"; "kill,fire" ]
            Expect.equal wrong.ExitCode 1 "an unknown kind"
            Expect.stringContains wrong.Error "found 'fire'" "what was found"

            for option in
                [
                    [ "--attacks"; "0" ]
                    [ "--attack"; "-1" ]
                    [ "--minutes"; "x" ]
                    [ "--parallel"; "0" ]
                    [ "--scenario"; "fire" ]
                    [ "--scenario"; "plug-in" ]
                    [ "--plugin"; "nowhere.dll" ]
                ] do
                Expect.equal (ne ("torture" :: option)).ExitCode 1 $"{option}"

        testCase "lost and damaged files are made anew, that is said, and the run is the one that was left alone"
        <| fun _ ->
            inRuns (fun runs ->
                succeeds (ne (train runs "whole"))
                let paths = RunPaths.Of(runs, "damaged")

                using (new Running(train runs "damaged")) (fun running ->
                    waitUntil "a commit in the middle" (fun () -> KillPhase.hasCommitted 600L paths.Log)
                    running.Kill())

                succeeds (ne [ "verify"; "--deep"; "--runs"; runs ])
                File.Delete paths.RunInfo
                File.WriteAllLines(paths.Configuration, Array.truncate 30 (File.ReadAllLines paths.Configuration))
                File.WriteAllText(paths.Topology, (File.ReadAllText paths.Topology).Replace('1', '2'))
                let damaged = [ "run.json"; "config.yaml"; "topology.csv" ]
                let verified = ne [ "verify"; "damaged"; "--runs"; runs ]
                Expect.equal verified.ExitCode 2 verified.Output
                let resumed = ne [ "resume"; "damaged"; "--runs"; runs ]
                succeeds resumed

                for file in damaged do
                    Expect.stringContains verified.Output file "verify says it"
                    Expect.stringContains resumed.Error file "resume says it"

                succeeds (ne [ "verify"; "--deep"; "--runs"; runs ])
                expectSame (identity paths) (identity (RunPaths.Of(runs, "whole"))) "the run")
    ]
