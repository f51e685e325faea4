module NE.Model.Tests.Fleet.EnvironmentPlacementTests

open System
open Expecto
open NE.Model.Fleet
open NE.Model.Tests.Fleet.PlacementWorld

let private config = {
    FsCheckConfig.defaultConfig with
        maxTest = 200
}

let private decide placement input =
    let struct (next, orders) = EnvironmentPlacement.decide placement input
    next, orders

/// After these inputs: where everything is, and what the last one ordered.
let private after (inputs: PlacementInput list) =
    ((EnvironmentPlacement.empty, []), inputs)
    ||> List.fold (fun (placement, _) input -> decide placement input)

let private up id capacity =
    PlacementInput.WorkerUp { Id = id; Capacity = capacity }

/// The environments that no worker holds.
let private homeless (placement: EnvironmentPlacement) : int list = [
    for KeyValue(number, environment) in placement.Environments do
        if environment.Worker.IsNone then
            number
]

/// The counts that are kept are those that there are.
let private isCounted (placement: EnvironmentPlacement) =
    let held =
        placement.Environments.Values
        |> Seq.choose _.Worker
        |> Seq.countBy id
        |> Map.ofSeq

    placement.Held = held && placement.Homeless = List.length (homeless placement)

/// Up to five environments, of which some cannot save their state, in so much trouble.
let private troubled (seed: int) =
    let random = Random seed
    let saves = [ for _ in 0 .. random.Next 5 -> random.NextDouble() < 0.7 ]

    World(
        seed,
        saves,
        {
            IsFleeting = true
            Losses = 0.3 * random.NextDouble()
            Doubles = 0.3 * random.NextDouble()
            Failures = 0.1 * random.NextDouble()
        }
    ),
    random

/// The calm world gets so many more rounds of every environment.
let private goOn (world: World) more =
    let limit = List.max world.Rounds + more
    world.Limit <- limit
    world.Nudge()
    world.Settle()
    // What was lost before the calm is said again.
    world.Nudge()
    world.Settle()
    limit

[<Tests>]
let tests =
    testList "The placement of environments" [
        // The world refuses what must not happen: a round delivered twice or unasked, two workers of one epoch, a loss of what could be saved.
        testPropertyWithConfig config "whatever is lost, doubled, late or dead: with one worker in the end every round is delivered, once"
        <| fun (seed: int) ->
            let world, random = troubled seed

            for _ in 1 .. random.Next 1_500 do
                world.Step()

            world.Calm()

            for worker in world.Workers do
                world.Kill(worker, true)

            world.Join(1 + random.Next 2)
            let limit = goOn world 5
            Expect.all world.Rounds (fun rounds -> rounds = limit) $"rounds {world.Rounds}, {world.Placement}"

        testCase "the worlds lose environments, and move others"
        <| fun _ ->
            // Otherwise the property above says little.
            let losses, epochs =
                [ 1..20 ]
                |> List.map (fun seed ->
                    let world, _ = troubled seed

                    for _ in 1..1_500 do
                        world.Step()

                    world.Losses, world.Placement.Epoch)
                |> List.unzip

            Expect.isGreaterThan (List.sum losses) 20 "losses"
            Expect.isGreaterThan (List.sum epochs) 500L "placements"

        testCase "an environment that fails twice in a row at a worker is another's, as long as there is another"
        <| fun _ ->
            // Each incarnation has a number of its own; the environment is the run's third.
            let wanted number = PlacementInput.Wanted(number, 3, true)

            let round number epoch = [
                PlacementInput.Opened(number, epoch)
                PlacementInput.RoundAsked number
                PlacementInput.Stepped(number, epoch)
            ]

            let at (inputs: PlacementInput list) = [
                for environment in (fst (after inputs)).Environments.Values -> environment.Worker
            ]

            let failing = [
                up "sick" 4
                up "well" 1
                wanted 7
                PlacementInput.Failed(7, 1L)
                PlacementInput.GivenUp 7
                wanted 8
            ]

            Expect.equal (at failing) [ Some "sick" ] "once may be its own fault: it has the most room"

            let again =
                failing @ [ PlacementInput.Failed(8, 2L); PlacementInput.GivenUp 8; wanted 9 ]

            Expect.equal (at again) [ Some "well" ] "twice may not"
            let working = again @ round 9 3L
            Expect.equal (at working) [ Some "well" ] "it does not go back for the room there"
            let alone = working @ [ PlacementInput.WorkerGone "well" ]
            Expect.equal (at alone) [ Some "sick" ] "better than nowhere"

            let forgiven =
                alone
                @ round 9 4L
                @ [
                    PlacementInput.Failed(9, 4L)
                    PlacementInput.GivenUp 9
                    wanted 10
                    up "well" 1
                ]

            Expect.equal (at forgiven) [ Some "sick" ] "a round that it delivered there is a new beginning"

            Expect.equal
                (at (
                    again
                    @ [ PlacementInput.Opened(9, 3L); PlacementInput.WorkerGone "sick"; up "sick" 4 ]
                ))
                [ Some "sick" ]
                "a machine that came again, too, once there is more room"

        testPropertyWithConfig
            config
            "after a worker has joined none has two environments more than another, and then nothing moves any more"
        <| fun (seed: int) ->
            let random = Random seed
            let count, workers = 1 + random.Next 12, 1 + random.Next 4
            let world = World(seed, List.replicate count true, noTroubles)

            for _ in 1..workers do
                world.Join 4
                // Environments are in the middle of whatever they do.
                for _ in 1 .. random.Next 60 do
                    world.Step()

            world.Calm()
            world.Join 4
            goOn world 3 |> ignore
            let loads = List.map fst world.Loads
            Expect.isLessThanOrEqual (List.max loads - List.min loads) 1 $"loads {loads}"
            let epoch = world.Placement.Epoch
            goOn world 10 |> ignore
            Expect.equal world.Placement.Epoch epoch "nothing moves"

        testPropertyWithConfig config "workers are as full as what they offer allows, and then nothing moves any more"
        <| fun (seed: int) ->
            let random = Random seed
            let world = World(seed, List.replicate (1 + random.Next 12) true, noTroubles)

            for _ in 1 .. 1 + random.Next 4 do
                world.Join(1 + random.Next 5)
                goOn world 1 |> ignore

            goOn world 3 |> ignore

            for held, capacity in world.Loads do
                for other, room in world.Loads do
                    if held > 0 then
                        Expect.isLessThanOrEqual
                            (float held / float capacity)
                            (float (other + 1) / float room)
                            $"one of {held} of {capacity} would be better off with the {other} of {room}"

            let epoch = world.Placement.Epoch
            goOn world 10 |> ignore
            Expect.equal world.Placement.Epoch epoch "nothing moves"

        testPropertyWithConfig config "what each worker has is counted as it changes"
        <| fun (seed: int) ->
            let world, random = troubled seed

            for _ in 1 .. random.Next 300 do
                world.Step()
                Expect.isTrue (isCounted world.Placement) "after each event"

        testCase "without a worker an environment waits, and the first one gets it"
        <| fun _ ->
            let placement, orders =
                after [ PlacementInput.Wanted(1, 1, true); PlacementInput.Wanted(2, 2, false) ]

            Expect.isEmpty orders "nobody is there"
            Expect.equal (homeless placement) [ 1; 2 ] "both wait"
            let placement, orders = decide placement (up "a" 1)
            Expect.equal orders [ PlacementOrder.Open(1, "a", 1L); PlacementOrder.Open(2, "a", 2L) ] "both, though it offers one"
            Expect.isEmpty (homeless placement) "none waits"

        testCase "one that offers nothing gets nothing"
        <| fun _ ->
            let placement, orders = after [ PlacementInput.Wanted(1, 1, true); up "a" 0 ]
            Expect.isEmpty orders "nothing"
            Expect.equal (homeless placement) [ 1 ] "it waits"

        testCase "a round whose worker is gone is taken elsewhere, and what the gone one says of it is stale"
        <| fun _ ->
            let placement, orders =
                after [
                    up "a" 1
                    PlacementInput.Wanted(1, 1, true)
                    PlacementInput.Opened(1, 1L)
                    PlacementInput.RoundAsked 1
                    up "b" 1
                    PlacementInput.WorkerGone "a"
                ]

            Expect.equal orders [ PlacementOrder.Open(1, "b", 2L) ] "elsewhere"
            Expect.equal (decide placement (PlacementInput.Stepped(1, 1L)) |> snd) [] "stale"
            let placement, orders = decide placement (PlacementInput.Opened(1, 2L))
            Expect.equal orders [ PlacementOrder.Send(1, "b", 2L) ] "the round, and no second announcement"
            let placement, orders = decide placement (PlacementInput.Stepped(1, 2L))
            Expect.equal orders [ PlacementOrder.Deliver 1 ] "delivered"
            Expect.equal (decide placement (PlacementInput.Stepped(1, 2L)) |> snd) [] "once"

        testCase "an environment that its worker does not hold is begun again from the round's start, or is lost when it saves no state"
        <| fun _ ->
            let inputs saves = [
                up "a" 1
                PlacementInput.Wanted(1, 1, saves)
                PlacementInput.Opened(1, 1L)
                PlacementInput.RoundAsked 1
                PlacementInput.Missing(1, 1L)
            ]

            let placement, orders = after (inputs true)
            Expect.equal orders [ PlacementOrder.Open(1, "a", 2L) ] "again"
            Expect.equal (decide placement (PlacementInput.Missing(1, 1L)) |> snd) [] "what is late"
            Expect.equal (after (inputs false) |> snd) [ PlacementOrder.ReportLoss(1, "a") ] "lost"

        testCase "what may have been lost is said again: an opening, a round"
        <| fun _ ->
            let opening, _ = after [ up "a" 1; PlacementInput.Wanted(1, 1, true) ]
            Expect.equal (decide opening PlacementInput.Nudged |> snd) [ PlacementOrder.Open(1, "a", 1L) ] "opening"
            let waiting, _ = decide opening (PlacementInput.Opened(1, 1L))
            Expect.equal (decide waiting PlacementInput.Nudged |> snd) [] "nothing is on its way"
            let sent, _ = decide waiting (PlacementInput.RoundAsked 1)
            Expect.equal (decide sent PlacementInput.Nudged |> snd) [ PlacementOrder.Send(1, "a", 1L) ] "round"
    ]
