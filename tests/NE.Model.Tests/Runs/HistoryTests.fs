module NE.Model.Tests.Runs.HistoryTests

open System
open System.IO
open System.Security.Cryptography
open Expecto
open NE.Model.History
open NE.Model.Runs

let private layer = {
    Network = "actor"
    Stack = 0
    Layer = 1
}

let private masksOf (active: bool[]) =
    PackedMasks.empty |> PackedMasks.add layer active

/// A topology event that touches this layer alone.
let private changed grown pruned active : TopologyChanged = {
    Step = 1L
    Network = layer.Network
    Layers = [|
        {
            Stack = layer.Stack
            Layer = layer.Layer
            Grown = grown
            Pruned = pruned
            Touched = [||]
            Dormant = 0
            Active = active
            Size = 10
            MinScore = nanf
            MaxScore = nanf
        }
    |]
    OutputShift = 0.0
}

[<Tests>]
let masks =
    testList "Packed masks" [
        testProperty "come back as they were stored"
        <| fun (first: bool[]) (second: bool[]) ->
            let other = {
                Network = "critic"
                Stack = 1
                Layer = 2
            }

            let packed = masksOf first |> PackedMasks.add other second
            let read = PackedMasks.ofBytes (PackedMasks.toBytes packed)

            read = packed
            && Array.mapi (fun i _ -> PackedMasks.isActive layer i read) first = first
            && Array.mapi (fun i _ -> PackedMasks.isActive other i read) second = second
            && PackedMasks.active other read = (second |> Array.filter id |> Array.length)

        testCase "a topology event activates what it grew and deactivates what it pruned"
        <| fun _ ->
            let before = masksOf [| for i in 0..9 -> i < 5 |]
            let after = before |> PackedMasks.apply (changed [| 7; 9 |] [| 0 |] 6)

            Expect.equal
                [ for i in 0..9 -> PackedMasks.isActive layer i after ]
                [ for i in 0..9 -> (i > 0 && i < 5) || i = 7 || i = 9 ]
                "active"

            Expect.equal before (masksOf [| for i in 0..9 -> i < 5 |]) "those before are what they were"

        testCase "a reverted event leaves what was before it"
        <| fun _ ->
            let before = masksOf [| for i in 0..9 -> i < 5 |]
            let change = changed [| 7; 9 |] [| 0 |] 6
            Expect.equal (before |> PackedMasks.apply change |> PackedMasks.revert change) before "before"
            Expect.throwsT<InvalidDataException> (fun () -> PackedMasks.revert change before |> ignore) "masks that the event did not leave"

        testCase "an event that does not fit is refused"
        <| fun _ ->
            let packed = masksOf (Array.create 10 true)

            Expect.throwsT<InvalidDataException> (fun () -> PackedMasks.apply (changed [||] [| 10 |] 10) packed |> ignore) "index outside"

            Expect.throwsT<InvalidDataException> (fun () -> PackedMasks.apply (changed [||] [| 1 |] 10) packed |> ignore) "wrong count"

        testCase "bytes that are cut or continue are refused"
        <| fun _ ->
            let bytes = PackedMasks.toBytes (masksOf (Array.create 100 true))

            for wrong in [ bytes[.. bytes.Length - 2]; Array.append bytes [| 0uy |]; [| 1uy |] ] do
                Expect.throwsT<InvalidDataException> (fun () -> PackedMasks.ofBytes wrong |> ignore) $"{wrong.Length} bytes"
    ]

type private TestCommit(id: int64, ordinal: int64, masks: PackedMasks) =
    interface ICommit with
        member _.CommitId = id
        member _.Step = id * 100L
        member _.HistoryOrdinal = ordinal
        member _.KeptOrdinals = [||]

        member _.MasksHash =
            Convert.ToHexStringLower(SHA256.HashData(PackedMasks.toBytes masks))

let private fold state entries =
    List.fold (fun state entry -> HistoryFold.apply entry state) state entries

let private begun =
    let masks = masksOf [| for i in 0..9 -> i < 5 |]

    HistoryFold.empty<TestCommit>
    |> HistoryFold.commitWithMasks (TestCommit(1L, 0L, masks)) (PackedMasks.toBytes masks)

let private grown = masksOf [| for i in 0..9 -> i < 5 || i = 7 |]

let private growth =
    HistoryEntry.Happened(2L, true, TopologyChanged(0L, changed [| 7 |] [||] 6))

[<Tests>]
let history =
    testList "The fold of a history" [
        testCase "masks of a commit are those of the one before with the events in between"
        <| fun _ ->
            let state = fold begun [ growth; HistoryEntry.Committed(TestCommit(2L, 1L, grown)) ]
            Expect.equal state.MasksProblem null "no problem"
            Expect.equal state.Retained.Head.Masks (PackedMasks.toBytes grown) "folded"
            Expect.equal (HistoryFold.nextOrdinal state) 1L "ordinal"

        testCase "masks that the events do not lead to are a problem that is said"
        <| fun _ ->
            let state = fold begun [ HistoryEntry.Committed(TestCommit(2L, 0L, grown)) ]
            Expect.stringContains (string state.MasksProblem) "differ from the checkpoint's" "problem"
            Expect.equal state.Retained.Head.Masks null "no masks"

        testCase "a rewind voids history behind its commit, but not what the operator did"
        <| fun _ ->
            let state =
                fold begun [
                    growth
                    HistoryEntry.Committed(TestCommit(2L, 1L, grown))
                    HistoryEntry.Happened(3L, false, RunInterrupted(200L, "test"))
                    HistoryEntry.Rewound(4L, 1L)
                ]

            Expect.equal (state.Retained |> List.map (fun kept -> (kept.Manifest :> ICommit).CommitId)) [ 1L ] "retained"
            Expect.equal state.EventCounts["TopologyChanged"] 0L "void"
            Expect.equal state.EventCounts["RunInterrupted"] 1L "kept"
            Expect.equal (state.LastCommitId, state.LastOperationalId) (4L, 3L) "ids rise"

        testCase "many episodes count like as many events"
        <| fun _ ->
            let state =
                fold begun [ HistoryEntry.EpisodesEnded 7L; HistoryEntry.EpisodesEnded 5L ]

            Expect.equal state.EventCounts["EpisodeEnded"] 12L "together"

        test "what a commit brings must continue the history, and fill what was kept" {
            let problem next kept brought nextAfter keptAfter =
                HistoryFold.ordinalsProblem next kept brought nextAfter keptAfter

            for next, kept, brought, nextAfter, keptAfter in
                [
                    5L, [], [ 5L; 6L ], 7L, []
                    5L, [], [], 5L, []
                    // 6 and 8 are kept.
                    5L, [], [ 5L; 7L ], 9L, [ 6L; 8L ]
                    // One comes, the other is still late.
                    9L, [ 6L; 8L ], [ 6L; 9L ], 10L, [ 8L ]
                    10L, [ 8L ], [ 10L; 8L ], 11L, []
                ] do
                Expect.isNull (problem next kept brought nextAfter keptAfter) $"{brought} after {next} and {kept}"

            for next, kept, brought, nextAfter, keptAfter, part in
                [
                    5L, [], [ 6L ], 7L, [], "ordinal 5"
                    5L, [], [ 5L; 5L ], 6L, [], "brings 5"
                    5L, [], [ 4L ], 5L, [], "brings 4"
                    5L, [], [ 5L ], 8L, [], "lead to 6"
                    9L, [ 6L ], [ 9L ], 10L, [], "ordinal 6"
                    9L, [ 6L ], [ 6L; 6L ], 9L, [], "brings 6"
                    9L, [], [ 9L ], 10L, [ 4L ], "keeps ordinal 4"
                    9L, [], [ 9L ], 10L, [ 12L ], "keeps ordinal 12"
                ] do
                match problem next kept brought nextAfter keptAfter with
                | null -> failtest $"{brought} after {next} and {kept} was taken"
                | text -> Expect.stringContains text part $"{brought} after {next} and {kept}"
        }

        testCase "a rewind to a commit that is not there is refused"
        <| fun _ -> Expect.throwsT<InvalidDataException> (fun () -> fold begun [ HistoryEntry.Rewound(4L, 3L) ] |> ignore) "refused"
    ]
