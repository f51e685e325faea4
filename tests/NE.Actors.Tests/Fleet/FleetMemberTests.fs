module NE.Actors.Tests.Fleet.FleetMemberTests

open System
open System.Threading
open Akka.Actor
open Akka.Cluster
open Expecto
open NE.Actors.Fleet
open NE.Actors.Tests.Fleet.FleetKit

/// A process that lets one in, and is gone.
[<Sealed>]
type private Dying() =
    inherit UntypedActor()

    override this.OnReceive _ =
        this.Sender.Tell(Admitted true)
        // The answer has to be on its way.
        let system = UntypedActor.Context.System
        system.Scheduler.Advanced.ScheduleOnce(TimeSpan.FromSeconds 0.2, fun () -> (system :?> ExtendedActorSystem).Abort())

/// A process that lets one in by itself; the fleet does not.
[<Sealed>]
type private Promising() =
    inherit UntypedActor()

    override this.OnReceive _ = this.Sender.Tell(Admitted true)

/// With the address of one.
let private whilePromising (body: FleetAddress -> unit) =
    let promising =
        FleetMember.Open(options (member' "promising" []), [| NodeSerializer.Messages |])

    try
        promising.ActorOf(Props.Create(fun () -> Promising()), NodeActor.Name) |> ignore
        body (FleetAddress.Of(Cluster.Get(promising).SelfAddress))
    finally
        promising.Terminate().Wait()

[<Tests>]
let tests =
    // Each is several actor systems; beside each other they would wait for one another.
    testSequencedGroup "fleet"
    <| testList "A member of a fleet" [
        testCase "sees the others and is seen; one that leaves is gone"
        <| fun _ ->
            during (member' "first" []) (fun first ->
                let second = join (member' "second" [ first.Address ])
                eventually "both see both" (fun () -> names (describe first.Address) = ([ "first"; "second" ], 0))
                Expect.equal (names (describe second.Address)) ([ "first"; "second" ], 0) "from the other side"

                let card =
                    (describe first.Address).Nodes |> Seq.find (fun node -> node.Name = "second")

                Expect.equal card.Address second.Address "address"
                Expect.sequenceEqual card.Roles [ FleetOptions.NodeRole ] "roles"
                Expect.equal card.Build "test" "build"
                leave second
                Expect.isTrue second.Life.IsCompletedSuccessfully "its life is over"
                eventually "it is gone" (fun () -> names (describe first.Address) = ([ "first" ], 0)))

        testCase "joins by any of its seeds"
        <| fun _ ->
            during (member' "first" []) (fun first ->
                let nobody = FleetAddress("127.0.0.1", freePort ())

                during (member' "second" [ nobody; first.Address ]) (fun _ ->
                    eventually "it is there" (fun () -> names (describe first.Address) = ([ "first"; "second" ], 0))))

        testCase "with another key does not get in, nor does one without a fleet; both are told what to look at"
        <| fun _ ->
            let other = newKey ()

            during (member' "first" []) (fun first ->
                let before = first.Actors

                let message =
                    refusal {
                        member' "thief" [ first.Address ] with
                            Key = other
                            Patience = impatience
                    }

                Expect.stringContains message $"answers at {first.Address}" "where"
                Expect.stringContains message $"is its fleet key the same (this one is {other.Name})" "what to look at"

                try
                    describedWith other impatience first.Address |> ignore

                    failtest "it was answered"
                with :? FleetException as refused ->
                    Expect.stringContains refused.Message other.Name "a question, too"

                Expect.equal (names (describe first.Address)) ([ "first" ], 0) "nobody came in"
                Expect.isTrue (obj.ReferenceEquals(first.Actors, before)) "and it was not disturbed")

            let nobody = FleetAddress("127.0.0.1", freePort ())

            let message =
                refusal {
                    member' "lonely" [ nobody ] with
                        Patience = impatience
                }

            Expect.stringContains message $"no process of a fleet answers at {nobody}" "nobody"

        testCase "of another build is turned away, and both builds are named"
        <| fun _ ->
            during (member' "first" []) (fun first ->
                let message =
                    refusal {
                        member' "old" [ first.Address ] with
                            Build = "yesterday's"
                    }

                Expect.stringContains message "old has yesterday's" "its own"
                Expect.stringContains message "the fleet has test" "the fleet's"
                Expect.equal (names (describe first.Address)) ([ "first" ], 0) "it is not in")

        testCase "whose name is taken is turned away with who has it, whichever process it asks"
        <| fun _ ->
            during (member' "first" []) (fun first ->
                during (member' "second" [ first.Address ]) (fun second ->
                    eventually "both are there" (fun () -> names (describe first.Address) = ([ "first"; "second" ], 0))

                    for seed in [ first.Address; second.Address ] do
                        let message = refusal (member' "second" [ seed ])
                        Expect.stringContains message $"{second.Address} has the name second already" "who has it"
                        Expect.stringContains message "--name" "what to do"))

        testCase "that dies and is there again at once, with its name and at its port, is let in as another incarnation"
        <| fun _ ->
            during (member' "first" []) (fun first ->
                let again = {
                    member' "second" [ first.Address ] with
                        Port = freePort ()
                }

                during again (fun second ->
                    let incarnation () =
                        (describe first.Address).Nodes
                        |> Seq.tryFind (fun node -> node.Name = "second")
                        |> Option.map _.Incarnation

                    eventually "it is there" (fun () -> (incarnation ()).IsSome)
                    let before = incarnation ()
                    // Nobody is told.
                    (second.Actors :?> ExtendedActorSystem).Abort()

                    eventually "it is there again" (fun () ->
                        second.Life.IsCompleted || (incarnation ()).IsSome && incarnation () <> before)

                    Expect.isFalse second.Life.IsCompleted $"it was not turned away: {second.Life.Exception}"))

        testCase "is not kept by a process that says that one may join by it and then dies"
        <| fun _ ->
            let dying =
                FleetMember.Open(options (member' "dying" []), [| NodeSerializer.Messages |])

            dying.ActorOf(Props.Create(fun () -> Dying()), NodeActor.Name) |> ignore

            let message =
                refusal {
                    member' "second" [ FleetAddress.Of(Cluster.Get(dying).SelfAddress) ] with
                        Patience = impatience
                }

            Expect.isTrue dying.WhenTerminated.IsCompleted "it let it in, and died"
            Expect.stringContains message "no process of a fleet answers" "it asked again and went"

        testCase "that is told to join and is never let in gives up, and says what to look at"
        <| fun _ ->
            whilePromising (fun address ->
                let own = FleetAddress("127.0.0.1", freePort ())

                let message =
                    refusal {
                        member' "second" [ address ] with
                            Port = own.Port
                            Patience = impatience
                    }

                Expect.stringContains message $"{address} says that one may join by it" "who"
                Expect.stringContains message "has not let second in for 2 s" "what happened"
                Expect.stringContains message $"ne fleet {address}" "what to look at"
                Expect.stringContains message $"reach this one at {own}" "where it says that it is")

        testCase "that gives up while it joins is told that, and nothing else"
        <| fun _ ->
            whilePromising (fun address ->
                use giveUp = new CancellationTokenSource(TimeSpan.FromSeconds 2.0)

                try
                    joinUntil giveUp.Token (member' "second" [ address ]) |> leave
                    failtest "it was let in"
                with :? OperationCanceledException ->
                    ())

        testCase "that is no node waits for one when the last has left, and joins the fleet that the next one begins"
        <| fun _ ->
            let first = {
                member' "first" [] with
                    Port = freePort ()
            }

            let node = join first
            let address = node.Address

            let run = {
                member' "run" [ address ] with
                    Roles = [ FleetOptions.RunRole ]
            }

            during run (fun _ ->
                eventually "the run is there" (fun () -> names (describe address) = ([ "first"; "run" ], 0))
                leave node

                during first (fun again ->
                    eventually "it is there again" (fun () -> names (describe again.Address) = ([ "first"; "run" ], 0))))

        testCase "that must not be lost stays when all others die at once"
        <| fun _ ->
            during
                {
                    member' "first" [] with
                        OldestMayBeLost = false
                }
                (fun first ->
                    // Of two, Akka keeps the oldest one in any case.
                    let others = [
                        for name in [ "second"; "third" ] -> FleetMember.Open(options (member' name []), [| NodeSerializer.Messages |])
                    ]

                    for other in others do
                        Cluster.Get(other).Join first.Address.Akka

                    eventually "they are there, though they say nothing" (fun () -> names (describe first.Address) = ([ "first" ], 2))
                    let before = first.Actors

                    // Nobody is told.
                    for other in others do
                        (other :?> ExtendedActorSystem).Abort()

                    eventually "it is alone" (fun () -> names (describe first.Address) = ([ "first" ], 0))
                    Expect.isTrue (obj.ReferenceEquals(first.Actors, before)) "it did not end and begin anew")

        testCase "cannot listen where another one does"
        <| fun _ ->
            during (member' "first" []) (fun first ->
                let message =
                    refusal {
                        member' "second" [ first.Address ] with
                            Port = first.Address.Port
                    }

                Expect.stringContains message $"cannot listen on 127.0.0.1:{first.Address.Port}" "where")

        testCase "that begins a fleet with several seeds of which it is the first one begins it"
        <| fun _ ->
            let port = freePort ()

            let seeds = [ FleetAddress("127.0.0.1", port); FleetAddress("127.0.0.1", freePort ()) ]

            during
                {
                    member' "first" seeds with
                        Port = port
                        Patience = impatience
                }
                (fun first -> Expect.equal (names (describe first.Address)) ([ "first" ], 0) "it is a fleet")

        testCase "is found by HOST:PORT, by HOST alone, and by nothing else"
        <| fun _ ->
            Expect.equal (FleetAddress.Parse "a.example:80") (FleetAddress("a.example", 80)) "both"
            Expect.equal (FleetAddress.Parse "10.0.0.5") (FleetAddress("10.0.0.5", FleetAddress.DefaultPort)) "host"
            Expect.equal (FleetAddress("a", 80).ToString()) "a:80" "as text"

            for text in [ ""; ":"; "a:"; "a:0"; "a:70000"; "a:+1"; "::1"; "a b"; "a/b:80" ] do
                Expect.throwsT<FormatException> (fun () -> FleetAddress.Parse text |> ignore) text
    ]
