/// Real runs whose environments live on members of a fleet, which come, go and die. The run on local threads is what they are compared with.
module NE.Actors.Tests.Fleet.RemoteRunTests

open System
open System.Collections.Generic
open Akka.Actor
open Expecto
open NE.Actors.Conducting
open NE.Actors.Environments
open NE.Actors.Fleet
open NE.Actors.Fleet.Environments
open NE.Actors.Journal
open NE.Actors.Runs
open NE.Actors.Tests.Fleet.Between
open NE.Actors.Tests.Fleet.FleetKit
open NE.Actors.Tests.Runs.Training
open NE.Model.History
open NE.Tests.Repository
open NE.Tests.RunIdentity

let private ofRun schedule environments = [
    "schedule.kind", schedule
    "schedule.environments", string environments
    "run.steps", "400"
]

/// On threads of this process.
let private local changes folder =
    use created = create folder "local"
    let outcome = train toTheEnd (request created.Paths (settings changes))
    Expect.equal outcome.Phase RunPhase.Completed $"the local run completes: {outcome.Message}"
    identity created.Paths

/// In a fleet. At each number of rounds the run waits for what is to happen there, which opens the gate.
let private remoteWith drills changes folder (environments: RunEnvironments) (happenings: (int * (Gate -> unit)) list) =
    let gate = Gate(List.map fst happenings)
    let mutable next = List.map snd happenings
    use created = create folder "remote"

    let request =
        RunRequest(
            Paths = created.Paths,
            Settings = settings changes,
            ConfigurationText = "test",
            Versions = Dictionary(),
            Drills = drills,
            EnvironmentHosts =
                Func<_, _, _>(fun start listener -> new GatedHost(environments.Host(start, listener), gate) :> IEnvironmentHost)
        )

    let happen (_: TrainingRun) =
        if gate.IsHolding then
            let happening = next.Head
            next <- next.Tail
            happening gate

    let outcome = train happen request
    Expect.equal outcome.Phase RunPhase.Completed $"the run in the fleet completes: {outcome.Message}"
    Expect.isEmpty next "everything has happened"
    Expect.isGreaterThan environments.Counts.Rounds 0L "rounds in the fleet"

    use journal = JournalReader.Open created.Paths

    let restarts =
        journal.Events()
        |> Seq.filter (fun stored -> stored.Event.IsEnvironmentRestarted)
        |> Seq.length

    identity created.Paths, restarts

let private remote changes folder environments happenings =
    let found, restarts = remoteWith [||] changes folder environments happenings
    Expect.equal restarts 0 "no environment had to begin anew"
    found

/// The run's process, which trains and does not stay.
let private runs (seed: FleetMember) (environments: RunEnvironments) = {
    member' "run" [ seed.Address ] with
        Roles = [ FleetOptions.RunRole ]
        Parts = [ environments ]
}

/// It is gone without a word, and there again as another incarnation.
let private crash (crashed: FleetMember) =
    (crashed.Actors :?> ExtendedActorSystem).Abort()

let private eventuallyHeld (count: int) (offers: EnvironmentOffer list) =
    eventually $"{count} environments are held" (fun () -> offers |> List.sumBy _.Held.Count = count)

[<Tests>]
let tests =
    testSequencedGroup "fleet"
    <| testList "A run in a fleet" [
        for schedule, environments, nodes in [ "serial", 2, 1; "pipelined", 3, 2 ] do
            testCase $"{schedule}, with {environments} environments on nodes ({nodes}), is the run on local threads"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = ofRun schedule environments
                    let offers: EnvironmentOffer list = [ for _ in 1..nodes -> EnvironmentOffer() ]
                    let run = RunEnvironments("remote", null)

                    during (holder "first" [] offers.Head) (fun first ->
                        let others = [
                            for number, offer in List.indexed offers.Tail -> join (holder $"other-{number}" [ first.Address ] offer)
                        ]

                        let held (gate: Gate) =
                            eventually "both hold some" (fun () -> offers |> List.forall (fun offer -> offer.Held.Count > 0))

                            Expect.containsAll
                                (offers |> Seq.collect (fun offer -> offer.Held :> seq<string>))
                                [ "remote 0"; "remote 1" ]
                                "which"

                            gate.Open()

                        let found =
                            during (runs first run) (fun _ -> remote changes folder run [ 50, held ])

                        eventuallyHeld 0 offers
                        List.iter leave others
                        expectSame found (local changes folder) "the run"))

        testCase "whose nodes join, leave and crash is the run on local threads"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = ofRun "pipelined" 3
                let run = RunEnvironments("remote", null)
                let offers = [ for _ in 1..3 -> EnvironmentOffer() ]

                // Of two nodes alone the older one stays, even when it is the one that has crashed; so there is a third one, which holds nothing.
                during (member' "stays" []) (fun stays ->
                    let first = join (holder "first" [ stays.Address ] offers[0])
                    let second = join (holder "second" [ stays.Address ] offers[1])
                    let mutable third = None

                    let firstLeaves (gate: Gate) =
                        third <- Some(join (holder "third" [ stays.Address ] offers[2]))
                        let leaving = first.DisposeAsync().AsTask()
                        gate.Open()
                        leaving.Wait()

                    let crashed (who: unit -> FleetMember) (gate: Gate) =
                        gate.Open()
                        crash (who ())

                        eventually "the fleet is whole again" (fun () ->
                            names (describe stays.Address) = ([ "run"; "second"; "stays"; "third" ], 0))

                    let found =
                        during (runs stays run) (fun _ ->
                            remote changes folder run [
                                40, firstLeaves
                                100, crashed (fun () -> second)
                                200, crashed (fun () -> third.Value)
                                300, crashed (fun () -> second)
                            ])

                    Expect.isGreaterThan run.Counts.Moves 0L "environments have moved"
                    leave third.Value
                    leave second
                    expectSame found (local changes folder) "the run"))

        testCase "whose own process crashes in the fleet goes on where it was"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = ofRun "serial" 2
                let run = RunEnvironments("remote", null)
                let offer = EnvironmentOffer()

                during (holder "first" [] offer) (fun first ->
                    during (runs first run) (fun own ->
                        let crashed (gate: Gate) =
                            gate.Open()
                            crash own

                        let found = remote changes folder run [ 50, crashed; 120, crashed ]
                        expectSame found (local changes folder) "the run")))

        testCase "whose placer fails begins anew in the fleet and goes on where it was"
        <| fun _ ->
            inFolder (fun folder ->
                let changes = ofRun "serial" 2
                let run = RunEnvironments("remote", null)

                during (holder "first" [] (EnvironmentOffer())) (fun first ->
                    during (runs first run) (fun own ->
                        let fails (gate: Gate) =
                            let system = own.Actors
                            // No node sends such a message, so it stands for a mistake of ours.
                            system.ActorSelection($"/user/{EnvironmentPlacer.Name}").Tell(EnvironmentsStepped Unchecked.defaultof<_>)
                            eventually "its actor system ends" (fun () -> system.WhenTerminated.IsCompleted)
                            gate.Open()

                        let found = remote changes folder run [ 50, fails; 120, fails ]
                        expectSame found (local changes folder) "the run")))

        for schedule, seed in [ "serial", 1; "pipelined", 2 ] do
            testCase $"{schedule}: messages that are lost, doubled, late and out of order do not show"
            <| fun _ ->
                inFolder (fun folder ->
                    let changes = ofRun schedule 2
                    let run = RunEnvironments("remote", null)
                    let between = Mislaying seed

                    let node name seeds = {
                        member' name seeds with
                            Capacity = 1
                            Parts = [ MislayingOffer between ]
                    }

                    let impatient =
                        FleetPatience(
                            Heartbeat = patience.Heartbeat,
                            Silence = patience.Silence,
                            Stable = patience.Stable,
                            Answer = patience.Answer,
                            Repeat = TimeSpan.FromSeconds 0.05
                        )

                    during (node "first" []) (fun first ->
                        during (node "second" [ first.Address ]) (fun _ ->
                            let found =
                                during
                                    {
                                        runs first run with
                                            Patience = impatient
                                    }
                                    (fun _ -> remote changes folder run [])

                            Expect.isGreaterThan between.Lost 20 "messages were lost"
                            expectSame found (local changes folder) "the run")))

        testCase "whose environment cannot save its state records a lost node as a restart of the environment, and completes"
        <| fun _ ->
            inFolder (fun folder ->
                let plugin = built "tests/NE.TestPlugin" "NE.TestPlugin.dll"

                let changes =
                    ofRun "pipelined" 2
                    @ [ "run.environment", $"plugin:{plugin}#NE.TestPlugin.Forgetful" ]

                let run = RunEnvironments("remote", null)
                let offers = [ EnvironmentOffer(); EnvironmentOffer() ]

                during (member' "first" []) (fun first ->
                    let lost = join (holder "lost" [ first.Address ] offers[0])

                    during (runs first run) (fun _ ->
                        let loses (gate: Gate) =
                            Expect.equal offers[0].Held.Count 2 "both are there"
                            let other = join (holder "other" [ first.Address ] offers[1])
                            leave lost
                            eventuallyHeld 2 [ offers[1] ]
                            gate.Open()
                            ignore other

                        let _, restarts = remoteWith [||] changes folder run [ 60, loses ]
                        // On a busy machine a node that is late counts as lost, too.
                        Expect.isGreaterThanOrEqual restarts 2 "restarts in the history")))

        testCase "whose own process crashes in the fleet records the loss of episodes that cannot be saved"
        <| fun _ ->
            inFolder (fun folder ->
                let plugin = built "tests/NE.TestPlugin" "NE.TestPlugin.dll"

                let changes =
                    ofRun "serial" 2
                    @ [ "run.environment", $"plugin:{plugin}#NE.TestPlugin.Forgetful" ]

                let run = RunEnvironments("remote", null)

                during (holder "first" [] (EnvironmentOffer())) (fun first ->
                    during (runs first run) (fun own ->
                        let crashed (gate: Gate) =
                            gate.Open()
                            crash own

                        let _, restarts = remoteWith [||] changes folder run [ 60, crashed ]
                        Expect.isGreaterThanOrEqual restarts 2 "restarts in the history")))

        testCase "has an environment whose state is too large to cross: it fails, with a sentence, instead of being waited for"
        <| fun _ ->
            inFolder (fun folder ->
                let plugin = built "tests/NE.TestPlugin" "NE.TestPlugin.dll"
                let run = RunEnvironments("remote", null)

                during (holder "first" [] (EnvironmentOffer())) (fun first ->
                    during (runs first run) (fun _ ->
                        use created = create folder "remote"

                        let request =
                            RunRequest(
                                Paths = created.Paths,
                                Settings = settings (ofRun "serial" 1 @ [ "run.environment", $"plugin:{plugin}#NE.TestPlugin.Heavy" ]),
                                ConfigurationText = "test",
                                Versions = Dictionary(),
                                EnvironmentHosts = Func<_, _, _>(fun start listener -> run.Host(start, listener))
                            )

                        let stopAtFailure (run: TrainingRun) =
                            if
                                run.Status.Environments
                                |> Seq.exists (fun environment -> environment.Restarts > 0)
                            then
                                run.RequestStop "it failed"

                        train stopAtFailure request |> ignore
                        use journal = JournalReader.Open created.Paths

                        let reasons = [
                            for stored in journal.Events() do
                                match stored.Event with
                                | RunEvent.EnvironmentRestarted(_, _, reason) -> reason
                                | _ -> ()
                        ]

                        Expect.isNonEmpty reasons "it failed"
                        Expect.stringContains reasons.Head "environment 0 and its state are 9.0 MB" "why"
                        Expect.stringContains reasons.Head "without --fleet and schedule.workers" "what to do")))

        testCase "has an environment that fails as on local threads: it is restarted, and the run goes on"
        <| fun _ ->
            inFolder (fun folder ->
                let run = RunEnvironments("remote", null)
                let offer = EnvironmentOffer()

                during (holder "first" [] offer) (fun first ->
                    during (runs first run) (fun _ ->
                        let _, restarts =
                            remoteWith [| FaultDrill(1, 200L) |] (ofRun "pipelined" 2) folder run []

                        Expect.equal restarts 1 "restarts in the history")))
    ]
