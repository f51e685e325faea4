module NE.Actors.Tests.Journal.JournalTests

open System
open System.Collections.Concurrent
open System.Data.Common
open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open Microsoft.Data.Sqlite
open NE.Actors.Cast
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Model.Runs
open NE.Actors.Replay
open NE.Actors.RunDirectory
open NE.Actors.Storage
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Journal.JournalKit
open NE.Model.History

let private started = RunEvent.RunStarted("seed: 1", "ne 0.1.0")

let private evaluated ordinal step =
    RunEvent.EvaluationEnded(
        ordinal,
        {
            Step = step
            Returns = [| float step |]
            Lengths = [| 1 |]
            IsBest = true
        }
    )

let private restarted n =
    RunEvent.EnvironmentRestarted(int64 n, n, "test")

/// Commits 1..count, each with two episodes, at steps 100, 200 ...
let private commitSome (journal: JournalProcess) count =
    for n in 1L .. count do
        let first = (n - 1L) * 2L

        journal.Commit(n, frozen (n * 100L) (first + 2L) null, [ episode first; episode (first + 1L) ])
        |> ignore

let private retrying (journal: JournalProcess) =
    journal.Kit.FishForMessage((fun (m: obj) -> m :? CommitRetrying), Nullable(TimeSpan.FromSeconds 20.)) :?> CommitRetrying

[<Tests>]
let commits =
    testList "the journal" [
        testCase "begins anew in one process without a sweep of before touching what is new"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            let before = CommitWriter.Of paths
            let old = before.Enter()
            use store = SegmentStore.Create(paths.Replay, 4, 64L, 16)
            append store 8
            let now = (CommitWriter.Of(RunPaths paths.Root)).Enter()
            let blob = Path.Combine(paths.Blobs, "of-the-next-commit")
            File.WriteAllText(blob, "")
            let segments () = Directory.GetFiles(paths.Replay).Length

            // As the run before left it: it knows neither the blob nor the segment.
            use elsewhere = SegmentStore.Create(paths.Replay, 4, 64L, 16)
            before.Sweep(old, [||], elsewhere)
            Expect.equal (File.Exists blob, segments ()) (true, 1) "nothing is touched"
            before.Sweep(now, [||], elsewhere)
            Expect.equal (File.Exists blob, segments ()) (false, 0) "those who are on may"

        testCase "gives back after a restart what was committed"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path

            do
                use journal = new JournalProcess(paths)
                let empty = journal.Recovered
                Expect.isEmpty empty.Manifests "no manifest yet"
                Expect.equal empty.NextId 1L "first id"
                journal.Record(1L, started) |> ignore
                let done' = journal.Commit(2L, frozen 100L 2L null, [ episode 0L; episode 1L ])
                Expect.equal (done'.Id, done'.Step) (2L, 100L) "acknowledged"

            use journal = new JournalProcess(paths)
            let recovered = journal.Recovered
            let manifest = Seq.exactlyOne recovered.Manifests
            Expect.equal (manifest.Step, manifest.GradientStep, manifest.Round, manifest.CommitId) (100L, 50L, 10L, 2L) "manifest"
            Expect.equal recovered.HistoryOrdinal 2L "ordinal"
            Expect.equal recovered.NextId 3L "next id"
            Expect.equal [ for c in recovered.EventCounts -> c.Key, c.Value ] [ "EpisodeEnded", 2L; "RunStarted", 1L ] "counts"
            Expect.isNull recovered.MasksProblem "masks agree"
            Expect.equal (recovered.Masks.Value.ToArray()) (PackedMasks.toBytes (masksOf [| for i in 0..99 -> i % 3 = 0 |])) "masks"
            let loaded = CheckpointReader.Load(paths, CheckpointChoice.Last)
            Expect.equal loaded.Components["parameters"] (contentOf 100L 5_000) "parameters"
            Expect.equal (events paths) [ started; episode 0L; episode 1L ] "events"

        testCase "does not mind what its folder is called"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun (scratch.Sub """lr=3e-4 "quoted"; it's \ here""")

            do
                use journal = new JournalProcess(paths)
                commitSome journal 2L

            use journal = new JournalProcess(paths)
            Expect.equal journal.Recovered.Manifests.Count 2 "commits"
            Expect.isTrue (File.Exists paths.Journal && File.Exists paths.Snapshots) "in that folder"

        testCase "stores history and manifest in one transaction, however many events there are"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use journal = new JournalProcess(paths)
            journal.Record(1L, started) |> ignore
            // Without the manifest's row none of the 2,500 rows before it may stay: more than fit in one statement.
            sql
                paths.Journal
                "CREATE TRIGGER refuse BEFORE INSERT ON journal WHEN NEW.manifest = 'checkpoint-committed:1' BEGIN SELECT RAISE(ABORT, 'no manifest today'); END"
            |> ignore

            let answer =
                journal.Send<Committed>(Commit(2L, frozen 100L 2_500L null, [ for n in 0L .. 2_499L -> evaluated n n ]))

            let notice = retrying journal
            Expect.stringContains notice.Reason "no manifest today" "reason"
            Expect.equal (sql paths.Journal "SELECT COUNT(*) FROM journal") (box 1L) "only the start"
            sql paths.Journal "DROP TRIGGER refuse" |> ignore
            Expect.equal (answer.GetAwaiter().GetResult()).Id 2L "committed in the end"
            Expect.equal (ordinals paths) [ 0L .. 2_499L ] "each once, in order"

        testCase "stores the episodes of a commit as one record, and tells them as if each were one"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path

            let summary () =
                use reader = JournalReader.Open paths
                let summary = reader.Summary()
                summary.EventCounts["EpisodeEnded"], summary.EventCounts["TopologyChanged"]

            let grown ordinal =
                topology ordinal [| int ordinal |] [||] 35 100

            // A topology event in the middle of them.
            let history first = [
                for n in first .. first + 99L -> if n = first + 50L then grown n else episode n
            ]

            let masks = PackedMasks.toBytes (masksOf [| for i in 0..99 -> i % 3 = 0 |])

            let state step ordinal =
                frozenWith step ordinal [ "masks", masks ] null null

            do
                use journal = new JournalProcess(paths)
                journal.Commit(1L, state 100L 100L, started :: history 0L) |> ignore

                journal.Commit(2L, state 200L 200L, history 100L @ [ RunEvent.RunInterrupted(200L, "test") ])
                |> ignore

            Expect.equal (sql paths.Journal "SELECT COUNT(*) FROM journal WHERE manifest LIKE 'episode%'") (box 2L) "records"

            // As text: a NaN is not equal to itself.
            Expect.equal
                (events paths |> List.map string)
                (started :: history 0L @ history 100L @ [ RunEvent.RunInterrupted(200L, "test") ]
                 |> List.map string)
                "events"

            Expect.equal (summary ()) (198L, 2L) "counts"

            do
                use journal = new JournalProcess(paths)
                Expect.equal journal.Recovered.EventCounts["EpisodeEnded"] 198L "recovered"
                journal.Ask<Recorded>(Rewind(3L, 1L)) |> ignore
                Expect.equal journal.Recovered.EventCounts["EpisodeEnded"] 99L "rewound"
                Expect.equal (summary ()) (99L, 1L) "to a reader"

                journal.Commit(4L, state 300L 150L, [ for n in 100L .. 149L -> episode n ])
                |> ignore

            Expect.equal (summary ()) (149L, 1L) "and after that"
            Expect.equal (ordinals paths) [ 0L .. 149L ] "in order"

        testCase "has a late evaluation where it would have been"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path

            let without ordinal kept =
                keeping kept (frozen (ordinal * 10L) ordinal null)

            do
                use journal = new JournalProcess(paths)

                journal.Commit(1L, without 5L [ 2L; 3L ], [ episode 0L; episode 1L; episode 4L ])
                |> ignore

            do
                // The snapshot knows what is kept, and so does the manifest.
                use journal = new JournalProcess(paths)

                for message, reason in
                    [
                        Commit(2L, without 6L [], [ episode 5L ]), "ordinal 2"
                        Commit(3L, without 6L [ 3L; 4L ], [ evaluated 2L 20L; episode 5L ]), "ordinal 4"
                    ] do
                    Expect.stringContains (journal.Refusal message) reason "refused"

                journal.Commit(4L, without 6L [ 3L ], [ evaluated 2L 20L; episode 5L ])
                |> ignore

                journal.Commit(5L, without 8L [], [ evaluated 3L 30L; evaluated 6L 40L; episode 7L ])
                |> ignore

            Expect.equal
                (events paths)
                [
                    episode 0L
                    episode 1L
                    evaluated 2L 20L
                    evaluated 3L 30L
                    episode 4L
                    episode 5L
                    evaluated 6L 40L
                    episode 7L
                ]
                "in the order of the run"

            use reader = JournalReader.Open paths
            Expect.equal (there (reader.Summary()).LastEvaluation).Step 40L "the newest"

        testCase "runs every connection in WAL mode with synchronous=FULL"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            let seen = ConcurrentBag<string * string * string>()

            let look (connection: DbConnection) =
                let pragma name =
                    use command = connection.CreateCommand()
                    command.CommandText <- $"PRAGMA {name}"
                    string (command.ExecuteScalar())

                seen.Add((Path.GetFileName connection.DataSource |> there, pragma "journal_mode", pragma "synchronous"))

            use journal = new JournalProcess(paths, JournalSettings(), Action<_> look)
            journal.Record(1L, started) |> ignore
            journal.Commit(2L, frozen 100L 0L null, []) |> ignore
            // The snapshot's connection comes after the acknowledgement.
            eventually "a snapshot was saved" (fun () -> seen |> Seq.exists (fun (file, _, _) -> file = "snapshots.db"))

            Expect.equal
                (seen |> Seq.distinct |> Seq.sort |> List.ofSeq)
                [ "journal.db", "wal", "2"; "snapshots.db", "wal", "2" ]
                "2 is FULL"

        testCase "keeps two checkpoints and the best parameters, two snapshots, and all events"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use store = SegmentStore.Create(paths.Replay, 4, 64L, 16)
            use journal = new JournalProcess(paths)
            let best = FrozenBest(150L, ReadOnlyMemory<byte>(contentOf 999L 100))

            for n in 1L .. 6L do
                append store 40
                store.ReleaseBefore store.First

                let state =
                    frozenWith
                        (n * 100L)
                        n
                        [ "parameters", contentOf n 1_000; "masks", [| 1uy |] ]
                        (store.Capture())
                        (if n = 2L then best else null)

                journal.Commit(n, state, [ episode (n - 1L) ]) |> ignore

            eventually "the sweep is done: two parameters, one mask, one best" (fun () -> blobCount paths = 4)
            let manifests = [ for m in journal.Recovered.Manifests -> m ]
            Expect.equal [ for m in manifests -> m.Step ] [ 600L; 500L ] "two, newest first"
            Expect.equal (there manifests[0].Best).Step 150L "the best is carried along"
            let struct (bestStep, bestParameters) = CheckpointReader.LoadBest paths
            Expect.equal (bestStep, bestParameters) (150L, contentOf 999L 100) "its parameters"

            for choice, head in
                [
                    CheckpointChoice.Last, 240L
                    CheckpointChoice.Previous, 200L
                    CheckpointChoice.At 500L, 200L
                ] do
                Expect.equal (there (CheckpointReader.Load(paths, choice)).Manifest.Replay).Head head "every file is there"

            let named =
                [
                    for m in manifests do
                        for s in (there m.Replay).Segments -> s.File
                ]
                |> List.distinct
                |> List.sort

            eventually "no other segment is left" (fun () ->
                (Directory.GetFiles paths.Replay
                 |> Array.map (fun f -> Path.GetFileName f |> there)
                 |> Array.sort
                 |> List.ofArray)
                    =
                    named)

            eventually "older snapshots are deleted" (fun () -> sql paths.Snapshots "SELECT COUNT(*) FROM snapshot" :?> int64 <= 2L)
            Expect.equal (ordinals paths) [ 0L .. 5L ] "events stay"

        testCase "answers while a commit is being written"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use journal = new JournalProcess(paths)
            journal.Record(1L, started) |> ignore
            use blocker = new SqliteConnection($"Data Source={paths.Journal};Pooling=False")
            blocker.Open()
            use transaction = blocker.BeginTransaction()
            let commit = journal.Send<Committed>(Commit(2L, frozen 100L 0L null, []))
            Expect.isEmpty journal.Recovered.Manifests "answered, and nothing is claimed early"
            transaction.Rollback()
            Expect.equal (commit.GetAwaiter().GetResult()).Step 100L "committed"

        testCase "folds masks from an older snapshot and the topology events since"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            let weights = Array.create 100 false

            let state step ordinal =
                frozenWith step ordinal [ "masks", PackedMasks.toBytes (masksOf weights) ] null null

            do
                // The snapshot is made at the first commit only.
                use journal = new JournalProcess(paths, quickly (TimeSpan.FromMinutes 1.) 100)
                journal.Commit(1L, state 100L 0L, []) |> ignore

                for n in 0..4 do
                    weights[n * 10] <- true
                    weights[n * 10 + 1] <- true
                    let grown = topology (int64 n * 2L) [| n * 10; n * 10 + 1 |] [||] (n + 2) 100
                    weights[n * 10 + 1] <- false
                    let pruned = topology (int64 n * 2L + 1L) [||] [| n * 10 + 1 |] (n + 1) 100

                    journal.Commit(int64 n + 2L, state (int64 n * 100L + 200L) (int64 n * 2L + 2L), [ grown; pruned ])
                    |> ignore

            Directory.Delete(paths.Blobs, true)
            Expect.equal (sql paths.Snapshots "SELECT COUNT(*) FROM snapshot") (box 1L) "one snapshot"
            use journal = new JournalProcess(paths)
            Expect.isNull journal.Recovered.MasksProblem "no problem"
            Expect.equal (journal.Recovered.Masks.Value.ToArray()) (PackedMasks.toBytes (masksOf weights)) "folded"

        testCase "says so when the folded masks are not the checkpoint's"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path

            do
                use journal = new JournalProcess(paths, quickly (TimeSpan.FromMinutes 1.) 100)

                for n in 1L .. 2L do
                    let masks = PackedMasks.toBytes (masksOf [| n = 1L; true |])
                    journal.Commit(n, frozenWith n 0L [ "masks", masks ] null null, []) |> ignore

            use journal = new JournalProcess(paths)
            Expect.isFalse journal.Recovered.Masks.HasValue "none, although the blob is there"
            Expect.stringContains (nonNull journal.Recovered.MasksProblem) "differ from the checkpoint's" "a reason"

        testCase "goes on from the previous checkpoint as if the newer one had never been"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path

            do
                use journal = new JournalProcess(paths)
                commitSome journal 3L
                journal.Record(4L, restarted 1) |> ignore

            do
                use journal = new JournalProcess(paths)
                let before = journal.Recovered
                Expect.equal before.NextId 5L "next id"
                journal.Ask<Recorded>(Rewind(5L, before.Manifests[1].CommitId)) |> ignore
                let after = journal.Recovered
                Expect.equal (after.HistoryOrdinal, after.Manifests.Count) (4L, 1) "rewound"
                Expect.equal after.EventCounts["EpisodeEnded"] 4L "history is taken back"
                Expect.equal after.EventCounts["EnvironmentRestarted"] 1L "operations are not"
                Expect.equal (ordinals paths) [ 0L .. 3L ] "a reader agrees"
                journal.Commit(6L, frozen 300L 6L null, [ episode 4L; episode 5L ]) |> ignore

            use journal = new JournalProcess(paths)
            Expect.equal [ for m in journal.Recovered.Manifests -> m.CommitId ] [ 6L; 2L ] "the voided one is gone"
            Expect.equal (ordinals paths) [ 0L .. 5L ] "none doubled"
            use reader = JournalReader.Open paths
            Expect.equal [ for m in reader.Manifests() -> m.CommitId ] [ 6L; 2L ] "a reader agrees"
            let summary = reader.Summary()
            Expect.equal summary.EventCounts["EpisodeEnded"] 6L "counts"
            eventually "its blobs are swept" (fun () -> blobCount paths = 3)
            CheckpointReader.Load(paths, CheckpointChoice.Previous) |> ignore

        testCase "refuses what would lose or double history"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use journal = new JournalProcess(paths)
            commitSome journal 1L

            for what, message, reason in
                [
                    "history outside a commit", RecordOperational(9L, episode 2L) :> obj, "with a commit"
                    "a gap", Commit(10L, frozen 200L 4L null, [ episode 3L ]), "ordinal 2"
                    "an event again", Commit(11L, frozen 200L 2L null, [ episode 1L ]), "ordinal 2"
                    "events that do not lead to the state's ordinal", Commit(12L, frozen 200L 9L null, [ episode 2L ]), "next ordinal"
                    "an id again", Commit(1L, frozen 200L 2L null, []), "above every one"
                    "a rewind to nowhere", Rewind(13L, 77L), "commit 77"
                ] do
                Expect.stringContains (journal.Refusal message) reason what

            Expect.equal (ordinals paths) [ 0L; 1L ] "nothing was stored"
            journal.Commit(20L, frozen 200L 3L null, [ episode 2L ]) |> ignore

        testCase "refuses ids that an earlier process used"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            (use journal = new JournalProcess(paths) in commitSome journal 3L)
            use journal = new JournalProcess(paths)
            Expect.stringContains (journal.Refusal(Commit(2L, frozen 400L 6L null, []))) "found 2" "reason"
    ]

[<Tests>]
let outages =
    testList "the outbox" [
        testCase "delivers everything once through a locked database"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use journal = new JournalProcess(paths)
            journal.Record(1L, started) |> ignore
            use blocker = new SqliteConnection($"Data Source={paths.Journal};Pooling=False")
            blocker.Open()
            use transaction = blocker.BeginTransaction()
            let answers = ConcurrentBag<int64>()

            let waiting = [|
                for n in 0..9 do
                    let record =
                        journal.Send<Recorded>(RecordOperational(int64 (n * 2 + 2), restarted n))

                    let commit =
                        journal.Send<Committed>(Commit(int64 (n * 2 + 3), frozen (int64 n) (int64 n + 1L) null, [ episode (int64 n) ]))

                    record.ContinueWith(fun (t: Task<Recorded>) -> answers.Add t.Result.Id)
                    commit.ContinueWith(fun (t: Task<Committed>) -> answers.Add t.Result.Id)
            |]

            let notice = retrying journal
            Expect.stringContains notice.Reason "locked" "reason"
            // Longer than one time-out: the actor is stopped and started again while the lock is still held.
            Expect.isGreaterThan (retrying journal).Attempt notice.Attempt "tried again"
            transaction.Rollback()
            Expect.isTrue (Task.WaitAll(waiting, 60_000)) "all answered"
            Expect.equal (answers |> Seq.sort |> List.ofSeq) [ 2L .. 21L ] "each answered once"
            Expect.equal (ordinals paths) [ 0L .. 9L ] "history once, in order"

            let operational =
                events paths
                |> List.filter (fun e -> RunEvents.nameOf e = "EnvironmentRestarted")

            Expect.equal operational [ for n in 0..9 -> restarted n ] "operations once, in order"
            CheckpointReader.Load(paths, CheckpointChoice.Last) |> ignore

        testCase "a commit whose files lie there already keeps them through the sweep of a start"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path

            for id in 1L .. 20L do
                let commit = Commit(id, frozen (id * 100L) id null, [ episode (id - 1L) ])
                // As a process leaves them that SQL failed, or that was killed, before the manifest.
                CommitWriter.Of(paths).Write(commit, null) |> ignore
                use journal = new JournalProcess(paths)
                journal.Ask<Committed> commit |> ignore
                let committed = CheckpointReader.Load(paths, CheckpointChoice.Last)
                Expect.equal committed.Manifest.CommitId id "it is whole"

        testCase "waits out a full disk, and the last commit stays good"
        <| fun () ->
            use disk = new SmallDisk(8L <<< 20)
            let paths = newRun disk.Path
            use journal = new JournalProcess(paths)
            commitSome journal 2L
            let filler = disk.FillBut(700_000L)
            let state = frozenWith 300L 5L [ "parameters", contentOf 3L 1_500_000 ] null null
            let commit = journal.Send<Committed>(Commit(3L, state, [ episode 4L ]))
            let notice = retrying journal
            Expect.equal notice.Id 3L "which"
            Expect.stringContains notice.Reason "the disk is full" "reason"
            Expect.equal (CheckpointReader.Load(paths, CheckpointChoice.Last)).Manifest.Step 200L "the last commit"
            Expect.equal (ordinals paths) [ 0L .. 3L ] "no history past it"
            File.Delete filler
            Expect.equal (commit.GetAwaiter().GetResult()).Step 300L "committed"
            Expect.equal (CheckpointReader.Load(paths, CheckpointChoice.Last)).Components["parameters"] (contentOf 3L 1_500_000) "whole"

        testCase "gives up after the allowed time, tells so, and lets the replay files go"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use store = SegmentStore.Create(paths.Replay, 4, 16L, 16)
            append store 16
            use journal = new JournalProcess(paths, quickly (TimeSpan.FromMilliseconds 500.) 1)
            journal.Record(1L, started) |> ignore
            Directory.Delete(paths.Blobs, true)
            File.WriteAllText(paths.Blobs, "in the way")

            let state =
                frozenWith 100L 0L [ "parameters", contentOf 1L 100 ] (store.Capture()) null

            journal.Outbox.Tell(Commit(2L, state, []), journal.Kit.TestActor)
            append store 32
            store.ReleaseBefore store.First

            let failed =
                journal.Kit.FishForMessage((fun (m: obj) -> m :? CommitFailed), Nullable(TimeSpan.FromSeconds 20.)) :?> CommitFailed

            Expect.equal failed.Id 2L "which"
            Expect.equal (store.Sweep []) 2 "its files are free"
            File.Delete paths.Blobs
            Expect.equal (journal.Commit(3L, frozen 100L 0L null, [])).Id 3L "the next one works"

        testCase "reports a journal that is no database"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            File.WriteAllText(paths.Journal, String('x', 5_000))
            Expect.throwsT<IOException> (fun () -> JournalConfig.For paths |> ignore) "at the start"
            Expect.throwsT<InvalidDataException> (fun () -> (use r = JournalReader.Open paths in r.Manifests() |> ignore)) "to a reader"
    ]

[<Tests>]
let readers =
    testList "a reader of the journal" [
        testCase "sees whole commits while another connection writes"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use journal = new JournalProcess(paths)
            journal.Record(1L, started) |> ignore
            use stop = new CancellationTokenSource()
            let seen = ref 0L

            let looking =
                Task.Run(fun () ->
                    let mutable last = 0L

                    while not stop.IsCancellationRequested do
                        use reader = JournalReader.Open paths
                        let summary = reader.Summary()

                        let history =
                            if summary.EventCounts.ContainsKey "EpisodeEnded" then
                                summary.EventCounts["EpisodeEnded"]
                            else
                                0L

                        let committed =
                            if summary.Manifests.Count = 0 then
                                0L
                            else
                                summary.Manifests[0].HistoryOrdinal

                        if history <> committed then
                            failtestf "%d events of history, but the commit has %d" history committed

                        if committed < last then
                            failtestf "went back from %d to %d" last committed

                        last <- committed
                        Volatile.Write(&seen.contents, committed)

                    last)

            for n in 1L .. 20L do
                journal.Commit(n + 1L, frozen (n * 10L) (n * 5L) null, [ for k in n * 5L - 5L .. n * 5L - 1L -> episode k ])
                |> ignore

            // On a busy machine the reader may not have had its turn yet.
            eventually "the reader saw a commit, or failed" (fun () -> Volatile.Read(&seen.contents) > 0L || looking.IsCompleted)
            stop.Cancel()
            Expect.isGreaterThan (looking.GetAwaiter().GetResult()) 0L "saw some"
            use reader = JournalReader.Open paths
            let summary = reader.Summary()
            Expect.equal summary.EventCounts["EpisodeEnded"] 100L "all"
            Expect.equal (there summary.LastOperational).Event started "the newest operation"
            Expect.isTrue ((DateTimeOffset.UtcNow - summary.CommittedAt.Value).Duration() < TimeSpan.FromHours 1.) $"{summary.CommittedAt}"

        testCase "tells the last evaluation"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use journal = new JournalProcess(paths)

            let evaluation n = {
                Step = n
                Returns = [| float n |]
                Lengths = [| 1 |]
                IsBest = true
            }

            journal.Commit(
                1L,
                frozen 100L 2L null,
                [
                    RunEvent.EvaluationEnded(0L, evaluation 50L)
                    RunEvent.EvaluationEnded(1L, evaluation 100L)
                ]
            )
            |> ignore

            use reader = JournalReader.Open paths
            Expect.equal (reader.Summary()).LastEvaluation (evaluation 100L) "the last"

        testCase "finds nothing in a journal without tables and says so for one that is not there"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            Expect.throwsT<FileNotFoundException> (fun () -> (JournalReader.Open paths).Dispose()) "no file"
            Expect.throwsT<RunFolderException> (fun () -> CheckpointReader.Load(paths, CheckpointChoice.Last) |> ignore) "no checkpoint"
            JournalConfig.For paths |> ignore
            use reader = JournalReader.Open paths
            Expect.isEmpty (reader.Events()) "no events"
            Expect.isEmpty (reader.Summary()).Manifests "no manifests"

        testCase "offers the previous checkpoint when the newest is damaged, and never takes it by itself"
        <| fun () ->
            use scratch = new Scratch()
            let paths = newRun scratch.Path
            use store = SegmentStore.Create(paths.Replay, 4, 100L, 16)
            use journal = new JournalProcess(paths)

            for n in 1L .. 2L do
                append store 20

                let state =
                    frozenWith (n * 100L) 0L [ "parameters", contentOf n 1_000 ] (store.Capture()) null

                journal.Commit(n, state, []) |> ignore

            let newest = journal.Recovered.Manifests[0]

            let damage () =
                try
                    CheckpointReader.Load(paths, CheckpointChoice.Last) |> ignore
                    failtest "the damage was not noticed"
                with :? DamagedCheckpointException as error ->
                    error

            for file, at in
                [
                    Path.Combine(paths.Blobs, newest.Components["parameters"].Sha256), 10L
                    // Row 39, which only the newest names.
                    Path.Combine(paths.Replay, (there newest.Replay).Segments[2].File), 7L * 16L
                ] do
                flipByte file at
                let error = damage ()
                Expect.equal error.File file "named"
                Expect.equal error.PreviousStep (Nullable 100L) "offered"
                Expect.stringContains error.Message "--checkpoint previous" "how"
                Expect.equal (CheckpointReader.Load(paths, CheckpointChoice.Previous)).Manifest.Step 100L "the previous one is whole"
                flipByte file at

            Expect.equal (CheckpointReader.Digest(paths, CheckpointChoice.Last)).State (StateDigest.Of newest).State "digest"
    ]
