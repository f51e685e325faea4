module NE.Actors.Tests.Replay.StoredRowsTests

#nowarn "9" // the replay memory is read through a pointer

open System
open System.IO
open Expecto
open NE.Actors.Journal
open NE.Model.Runs
open NE.Actors.Replay
open NE.Actors.Runs
open NE.Actors.Storage
open NE.Model
open NE.Model.History
open NE.Actors.Tests.Runs.Training

[<Tests>]
let tests =
    testSequenced
    <| testList "Stored rows" [
        test "rows of a finished run are those of its memory, and nothing of its folder changes" {
            inFolder (fun folder ->
                use created = create folder "a"
                let paths = created.Paths
                let settings = settings [ "run.method", "td3"; "run.steps", "300" ]
                let outcome = train toTheEnd (request paths settings)
                Expect.equal outcome.Phase RunPhase.Completed "the run completes"

                let replay =
                    nonNull (CheckpointReader.LoadWithoutReplay(paths, CheckpointChoice.Last).Manifest.Replay)

                let before = Directory.GetFiles paths.Replay
                let rows = StoredRows.Sample(paths, replay, 50, Draws.Of(0L, Purpose.Statistics))
                Expect.sequenceEqual (Directory.GetFiles paths.Replay) before "no file more"

                Expect.isGreaterThan
                    (rows |> Array.chunkBySize replay.RowFloats |> Array.distinct |> Array.length)
                    30
                    "drawn from all of it"

                let draws = Draws.Of(0L, Purpose.Statistics)

                let numbers =
                    Array.init 50 (fun _ -> replay.First + draws.NextInt(replay.Head - replay.First))

                let expected = Array.zeroCreate<float32> rows.Length

                do
                    use store = SegmentStore.Resume(paths.Replay, replay, replay.Head - replay.First)
                    use target = fixed expected
                    store.Gather(ReadOnlySpan numbers, target, replay.RowFloats)

                Expect.sequenceEqual rows expected "the same numbers"

                use journal = JournalReader.Open paths
                let operational = [ for stored in journal.Operational() -> RunEvents.nameOf stored.Event ]
                let all = [ for stored in journal.Events() -> stored.Event ]

                Expect.equal
                    operational
                    [
                        for event in all do
                            if not (RunEvents.isHistory event) then
                                RunEvents.nameOf event
                    ]
                    "the operational events are those among all"

                Expect.isTrue
                    (all
                     |> List.exists (function
                         | EpisodeEnded _
                         | EvaluationEnded _ -> true
                         | _ -> false))
                    "which are not all of them"

                for file in before do
                    File.Delete file

                Expect.throwsT<DamagedCheckpointException>
                    (fun () -> StoredRows.Sample(paths, replay, 1, Draws.Of(0L, Purpose.Statistics)) |> ignore)
                    "a file that is gone is named")
        }
    ]
