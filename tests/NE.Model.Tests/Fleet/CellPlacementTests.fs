module NE.Model.Tests.Fleet.CellPlacementTests

open Expecto
open FsCheck
open FsCheck.FSharp
open NE.Model.Fleet

let private ended code = {
    ExitCode = code
    ProcessId = 7
    LastWords = ""
}

let private node slots = { Slots = slots; IsLeaving = false }

/// Hears one input after the other, storing every event, and gives all of them.
let private hear (placement: CellPlacement) (inputs: CellInput list) : CellPlacement * FleetEvent list =
    ((placement, []), inputs)
    ||> List.fold (fun (placement, events) input ->
        let struct (known, more) = CellPlacement.decide placement input
        List.fold CellPlacement.apply known more, events @ more)

let private placeOf cell (placement: CellPlacement) =
    match placement.Cells[cell].Place with
    | Some(struct (node, epoch)) -> Some(node, epoch)
    | None -> None

let private cells = [ "a"; "b"; "c"; "d" ]
let private nodes = [ "x"; "y"; "z" ]

/// What anybody could say, true or not.
let private input: Gen<CellInput> =
    let epoch = Gen.choose (0, 8) |> Gen.map int64

    Gen.oneof [
        Gen.elements cells |> Gen.map (fun cell -> CellInput.Want(cell, "work"))
        Gen.elements cells |> Gen.map CellInput.Stop
        Gen.map2
            (fun node (slots, leaves) -> CellInput.NodeLives(node, { Slots = slots; IsLeaving = leaves }))
            (Gen.elements nodes)
            (Gen.zip (Gen.choose (0, 2)) (Gen.frequency [ 4, Gen.constant false; 1, Gen.constant true ]))
        Gen.elements nodes |> Gen.map (fun node -> CellInput.NodeLost(node, "it died"))
        Gen.map2 (fun cell epoch -> CellInput.Returned(cell, epoch, "it leaves")) (Gen.elements cells) epoch
        Gen.map3
            (fun cell epoch code -> CellInput.Ended(cell, epoch, ended code))
            (Gen.elements cells)
            epoch
            (Gen.elements [ 0; 2; 3; 137 ])
    ]

let private inputs = Arb.fromGen (Gen.listOf input)

/// Every state on the way, with what led to it.
let private steps (given: CellInput list) =
    (CellPlacement.empty, given)
    ||> List.scan (fun placement input -> fst (hear placement [ input ]))
    |> List.pairwise
    |> List.zip given

let private property name (holds: CellInput list -> bool) =
    testCase name (fun () -> Check.One(Config.QuickThrowOnFailure.WithMaxTest(500).WithQuietOnSuccess true, Prop.forAll inputs holds))

[<Tests>]
let tests =
    testList "which node works on which cell" [
        property "no epoch is given twice, and each is later than those before" (fun given ->
            let epochs =
                hear CellPlacement.empty given
                |> snd
                |> List.choose (function
                    | FleetEvent.CellPlaced(_, _, epoch) -> Some epoch
                    | _ -> None)

            epochs = List.sort epochs && epochs = List.distinct epochs)

        property "no node gets more cells than it has slots for" (fun given ->
            steps given
            |> List.forall (fun (_, (before, after)) ->
                nodes
                |> List.forall (fun name ->
                    let held placement =
                        List.length (CellPlacement.heldBy name placement)
                    // A node that takes back what it offered keeps what it has.
                    held after <= held before
                    || (match after.Nodes.TryFind name with
                        | Some known -> not known.IsLeaving && held after <= known.Slots
                        | None -> false))))

        property "no cell waits where there is room, the first wanted goes first" (fun given ->
            steps given
            |> List.forall (fun (_, (_, after)) ->
                let room =
                    after.Nodes
                    |> Map.exists (fun name known ->
                        not known.IsLeaving
                        && known.Slots > List.length (CellPlacement.heldBy name after))

                let ranks = CellPlacement.waiting after |> List.map (fun (_, cell) -> cell.Rank)
                ranks = List.sort ranks && (ranks.IsEmpty || not room)))

        property "the events alone give who works on what" (fun given ->
            let placement, events = hear CellPlacement.empty given
            let again = List.fold CellPlacement.apply CellPlacement.empty events

            again.Cells = placement.Cells
            && again.Epoch = placement.Epoch
            && again.LastRank = placement.LastRank)

        property "whoever does not have a cell now says nothing of it" (fun given ->
            steps given
            |> List.forall (fun (input, (before, after)) ->
                match input with
                | CellInput.Ended(cell, epoch, _)
                | CellInput.Returned(cell, epoch, _) when
                    before.Cells.ContainsKey cell
                    && (placeOf cell before |> Option.map snd) <> Some epoch
                    ->
                    after.Cells.ContainsKey cell && placeOf cell after = placeOf cell before
                | _ -> true))

        test "a lost node's cell goes on elsewhere, before those that never began" {
            let placement, _ =
                hear CellPlacement.empty [
                    CellInput.NodeLives("x", node 1)
                    CellInput.Want("a", "work on a")
                    CellInput.Want("b", "work on b")
                    CellInput.NodeLost("x", "it died")
                    CellInput.NodeLives("y", node 1)
                ]

            Expect.equal (placeOf "a" placement) (Some("y", 2L)) "the first wanted"
            Expect.isNone (placeOf "b" placement) "waits"
            Expect.equal placement.Cells["a"].Order "work on a" "the same work"
        }

        test "a cell that is stopped while it waits has ended; one that works ends when its node says so" {
            let placement, events =
                hear CellPlacement.empty [
                    CellInput.NodeLives("x", node 1)
                    CellInput.Want("a", "")
                    CellInput.Want("b", "")
                    CellInput.Stop "b"
                    CellInput.Stop "a"
                ]

            Expect.contains events (FleetEvent.CellEnded("b", 0L, { ended 3 with ProcessId = 0 })) "interrupted"
            Expect.isTrue placement.Cells["a"].IsStopping "asked to stop"
            let after, _ = hear placement [ CellInput.Ended("a", 1L, ended 3) ]
            Expect.isEmpty after.Cells "over"
        }

        test "a stopped cell whose node is lost is not begun again" {
            let placement, events =
                hear CellPlacement.empty [
                    CellInput.NodeLives("x", node 1)
                    CellInput.NodeLives("y", node 1)
                    CellInput.Want("a", "")
                    CellInput.Stop "a"
                    CellInput.NodeLost("x", "it died")
                ]

            Expect.isEmpty placement.Cells "nothing is wanted of it"
            Expect.equal (List.last events) (FleetEvent.CellEnded("a", 0L, { ended 3 with ProcessId = 0 })) "interrupted"
        }

        test "a node that leaves gets no more, and what it gives back goes elsewhere" {
            let placement, _ =
                hear CellPlacement.empty [
                    CellInput.NodeLives("x", node 1)
                    CellInput.Want("a", "")
                    CellInput.NodeLives("x", { Slots = 1; IsLeaving = true })
                    CellInput.Returned("a", 1L, "it leaves")
                ]

            Expect.isNone (placeOf "a" placement) "nobody else is there"
            let after, _ = hear placement [ CellInput.NodeLives("y", node 1) ]
            Expect.equal (placeOf "a" after) (Some("y", 2L)) "the one that came"
        }
    ]
