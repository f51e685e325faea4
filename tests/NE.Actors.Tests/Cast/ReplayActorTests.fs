module NE.Actors.Tests.Cast.ReplayActorTests

open System
open System.IO
open Akka.Actor
open Expecto
open NE.Actors.Cast
open NE.Actors.Environments
open NE.Actors.Replay
open NE.Actors.Tests.DurableSupport
open NE.Model.Replay
open NE.Model.Runs
open NE.Tests.ActorKit

let private layout = TransitionRows.create (ObservationForm.Vector 30) 2
let private floats = layout.RowFloats

/// `count` rows of an environment, the first of which is row `first` of the memory.
let private block environment (first: int64) count =
    let block = TransitionBlock(environment, layout, count)

    for k in 0 .. count - 1 do
        let row = rowOf floats (first + int64 k)
        block.Add(k, ReadOnlySpan(row, 0, 30), ReadOnlySpan(row, 30, 2), row[32], row[33], ReadOnlySpan(row, 34, 30))

    block

[<Tests>]
let tests =
    testList "the replay actor" [
        testCase "rounds of several environments that meet a full disk are all appended, in their order, when there is room again"
        <| fun () ->
            use disk = new SmallDisk(1L <<< 20)
            // 64 KB a segment.
            use store = SegmentStore.Create(disk.Path, floats, 1_000_000L, 256)
            append store 250
            let filler = disk.FillBut 10_000L
            use kit = new ActorKit("")

            let replay =
                kit.Sys.ActorOf(Props.Create<ReplayActor>(store, layout.CreateLinker(store, { First = 0L; Head = store.Head }, 3)))

            for environment in 0..2 do
                let first = 250L + int64 environment * 16L
                replay.Tell(AppendRound(OfEnvironment environment, [| block environment first 16 |], 0L), kit.TestActor)

            kit.ExpectMsg<StorageRetrying>(TimeSpan.FromSeconds 10.0) |> ignore
            File.Delete filler

            for environment in 0..2 do
                let isAppended (message: obj) = message :? RoundAppended

                let appended =
                    kit.FishForMessage(isAppended, Nullable(TimeSpan.FromSeconds 20.0)) :?> RoundAppended

                Expect.equal appended.Rows (OfEnvironment environment) "in order"
                Expect.equal appended.Head (266L + int64 environment * 16L) "head"

            holdsItsRows store
    ]
