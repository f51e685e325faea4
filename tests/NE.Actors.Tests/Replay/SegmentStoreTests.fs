module NE.Actors.Tests.Replay.SegmentStoreTests

#nowarn "9" // the replay memory is read through native pointers

open System
open System.IO
open System.Threading
open System.Threading.Tasks
open Expecto
open FsCheck
open NE.Actors.Checkpoints
open NE.Actors.Replay
open NE.Actors.Storage
open NE.Actors.Tests.DurableSupport

let private floats = 6

let private create (scratch: Scratch) capacity =
    SegmentStore.Create(scratch.Path, floats, capacity, 16)

let private files (scratch: Scratch) =
    Directory.GetFiles(scratch.Path)
    |> Array.map (fun f -> Path.GetFileName f |> there)
    |> Array.sort

let private damage (action: unit -> unit) =
    try
        action ()
        failtest "the damage was not noticed"
    with :? DamagedCheckpointException as error ->
        error

let private resume (scratch: Scratch) manifest capacity =
    SegmentStore.Resume(scratch.Path, manifest, capacity)

/// A store of 40 rows (two full segments and half of one) that was closed, and what a commit said of it.
let private closed (scratch: Scratch) =
    use store = create scratch 1000L
    append store 40
    describe store

[<Tests>]
let tests =
    testList "replay segments" [
        testProperty "every row is read back from the segment it was appended to"
        <| fun (batches: PositiveInt list) ->
            use scratch = new Scratch()
            use store = create scratch 1_000_000L

            for PositiveInt count in batches do
                append store count

            holdsItsRows store
            store.Head = List.sumBy (fun (PositiveInt n) -> int64 n) batches

        testCase "a memory that begins anew goes on counting, and never names a row from before"
        <| fun () ->
            use scratch = new Scratch()

            let manifest =
                use store = SegmentStore.Create(scratch.Path, floats, 1000L, 16, 40L)
                Expect.equal store.Cursor (ReplayCursor(40L, 40L)) "empty"
                append store 20
                Expect.equal store.Cursor (ReplayCursor(40L, 60L)) "its own rows"
                describe store

            Expect.equal (manifest.First, manifest.Head, manifest.Segments.Count) (40L, 60L, 2) "the commit"
            use again = resume scratch manifest 1000L
            Expect.equal again.Cursor (ReplayCursor(40L, 60L)) "also after a resume"
            append again 5
            Expect.equal again.First 40L "and later"

        testCase "a batch of repeated rows in any order is gathered with its stride"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 1000L
            append store 100
            let rows = [| 99L; 0L; 15L; 16L; 17L; 0L; 63L; 64L; 50L; 51L; 52L; 99L |]
            let stride = floats + 3
            let batch = Array.create (rows.Length * stride) -1f
            use place = fixed batch
            store.Gather(ReadOnlySpan<int64>(rows), place, stride)

            for i in 0 .. rows.Length - 1 do
                Expect.equal
                    batch[i * stride .. i * stride + stride - 1]
                    (Array.append (rowOf floats rows[i]) [| -1f; -1f; -1f |])
                    $"place {i}"

        testCase "gathering makes no garbage"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 1000L
            append store 100
            let rows = [| for i in 0L .. 63L -> i * 37L % 100L |]
            let batch = Array.zeroCreate<float32>(rows.Length * floats)
            use place = fixed batch
            store.Gather(ReadOnlySpan<int64>(rows), place, floats)
            let before = GC.GetAllocatedBytesForCurrentThread()

            for _ in 1..100 do
                store.Gather(ReadOnlySpan<int64>(rows), place, floats)

            Expect.equal (GC.GetAllocatedBytesForCurrentThread() - before) 0L "bytes allocated"

        testCase "the window is the newest rows up to the capacity, and rows outside it are refused"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 50L
            append store 30
            Expect.equal store.Cursor (ReplayCursor(0L, 30L)) "not full"
            append store 100
            Expect.equal store.Cursor (ReplayCursor(80L, 130L)) "full"
            store.ReleaseBefore store.First
            holdsItsRows store
            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> gather store [| 130L |] |> ignore) "at the head"
            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> gather store [| 79L |] |> ignore) "in a released segment"
            Expect.throwsT<ArgumentOutOfRangeException> (fun () -> gather store [| -1L |] |> ignore) "negative"

        testCase "half a row is refused"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 50L
            Expect.throwsT<ArgumentException> (fun () -> store.Append(ReadOnlySpan<float32>(Array.zeroCreate 7)) |> ignore) "7 floats"

        testCase "segments of usual rows have 8 to 16 MB"
        <| fun () ->
            for rowFloats in [ 3; 25; 42; 64; 113; 768; 100_000 ] do
                let bytes = int64 (SegmentStore.DefaultSegmentRows rowFloats) * int64 rowFloats * 4L
                Expect.isTrue (bytes > (8L <<< 20) && bytes <= (16L <<< 20)) $"{rowFloats} floats: {bytes} bytes"

        testCase "a reader gathers the window it was handed while a writer appends and releases"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 400L
            append store 400
            let rounds = 200
            let mutable handed = store.Cursor
            // As in a run: at the barrier the reader is handed a window, and the writer may evict what lies below it.
            use barrier = new Barrier(2, (fun _ -> handed <- store.Cursor))

            let writer =
                Task.Run(fun () ->
                    for _ in 1..rounds do
                        barrier.SignalAndWait()
                        store.ReleaseBefore handed.First
                        append store 33)

            let reader =
                Task.Run(fun () ->
                    for _ in 1..rounds do
                        barrier.SignalAndWait()
                        let window = handed
                        let rows = [| for i in 0L .. 99L -> window.First + i * 7919L % window.Count |]

                        for k, row in Array.zip rows (gather store rows) do
                            if row <> rowOf floats k then
                                failtestf "row %d holds %A" k row)

            Expect.isTrue (Task.WaitAll([| writer; reader |], 20_000)) "both end"

        testCase "a resumed memory holds the same rows and goes on in files of its own"
        <| fun () ->
            use scratch = new Scratch()
            let manifest = closed scratch
            let before = files scratch
            let copy = [ for file in before -> file, File.ReadAllBytes(scratch.Sub file) ]

            do
                use store = resume scratch manifest 1000L
                Expect.equal store.Cursor manifest.Cursor "cursor"
                append store 30
                holdsItsRows store

            for file, bytes in copy do
                Expect.equal (File.ReadAllBytes(scratch.Sub file)) bytes $"{file} is as it was"

            SegmentFiles.Verify(scratch.Path, manifest)

            Expect.equal
                (files scratch |> Array.except before)
                [|
                    "seg-00000002-e0001.bin"
                    "seg-00000003-e0001.bin"
                    "seg-00000004-e0001.bin"
                |]
                "new files"

        testCase "two resumes from one commit never share a file"
        <| fun () ->
            use scratch = new Scratch()
            let manifest = closed scratch
            use first = resume scratch manifest 1000L
            append first 3
            let afterFirst = describe first
            use second = resume scratch manifest 1000L
            second.Append(ReadOnlySpan<float32>(Array.create (3 * floats) 9f)) |> ignore
            SegmentFiles.Verify(scratch.Path, afterFirst)
            holdsItsRows first

        testCase "the replay digest does not tell a resumed run from one that never stopped"
        <| fun () ->
            use straight = new Scratch()
            use stopped = new Scratch()
            use store = create straight 50L
            append store 40
            append store 33
            let manifest = closed stopped
            use resumed = resume stopped manifest 50L
            append resumed 33
            let one, other = describe store, describe resumed
            Expect.notEqual (one.Segments |> Seq.map _.File |> List.ofSeq) (other.Segments |> Seq.map _.File |> List.ofSeq) "files differ"
            Expect.equal (StateDigest.OfReplay other) (StateDigest.OfReplay one) "digests agree"
            append resumed 1
            Expect.notEqual (StateDigest.OfReplay(describe resumed)) (StateDigest.OfReplay one) "one more row is another state"

        testCase "an empty memory can be committed and resumed"
        <| fun () ->
            use scratch = new Scratch()
            let manifest = (use store = create scratch 10L in describe store)
            Expect.isEmpty manifest.Segments "no segments"
            use store = resume scratch manifest 10L
            append store 20
            holdsItsRows store

        testCase "a memory whose head is at a segment's end resumes without a copy"
        <| fun () ->
            use scratch = new Scratch()

            let manifest =
                use store = create scratch 100L
                append store 32
                describe store

            let before = files scratch
            use store = resume scratch manifest 100L
            Expect.equal (files scratch) before "no new file yet"
            append store 1
            holdsItsRows store

        testCase "a commit sees its rows although later ones arrive and old ones are released"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 50L
            append store 60
            use capture = store.Capture()
            append store 200
            store.ReleaseBefore store.First
            store.Sweep [] |> ignore
            capture.Flush()
            let manifest = capture.Describe()
            Expect.equal manifest.Cursor (ReplayCursor(10L, 60L)) "its own window"
            SegmentFiles.Verify(scratch.Path, manifest)
            holdsItsRows store
            capture.Dispose()
            Expect.equal (store.Sweep []) 4 "its files go with it"

        testCase "the sweep deletes only what neither a retained checkpoint nor the window needs"
        <| fun () ->
            use scratch = new Scratch()
            use store = create scratch 32L
            append store 64
            let kept = describe store
            append store 200
            store.ReleaseBefore store.First
            let total = (files scratch).Length
            let deleted = store.Sweep [ kept ]
            SegmentFiles.Verify(scratch.Path, kept)
            holdsItsRows store
            Expect.equal (files scratch).Length (total - deleted) "as many as it says"
            Expect.equal (files scratch).Length (kept.Segments.Count + (describe store).Segments.Count) "all others are gone"
            store.Sweep [] |> ignore
            let missing = damage (fun () -> SegmentFiles.Verify(scratch.Path, kept))
            Expect.stringContains missing.Found "no such file" "swept once nothing names it"

        testCase "left-overs of a killed process are swept at the next start"
        <| fun () ->
            use scratch = new Scratch()
            let manifest = closed scratch
            (use store = resume scratch manifest 1000L in append store 300)
            Expect.isGreaterThan (SegmentFiles.Sweep(scratch.Path, [ manifest ])) 0 "swept"
            Expect.equal (files scratch) [| for s in manifest.Segments -> s.File |] "what the checkpoint names"

        testList "damage is named" [
            for what, act, expected, found in
                [
                    "missing", File.Delete, "384 bytes", "no such file"
                    "truncated", (fun file -> truncate file 100L), "at least 384 bytes", "100 bytes"
                    "bit-flipped", (fun file -> flipByte file 200L), "SHA-256 ", "SHA-256 "
                ] do
                testCase $"a {what} segment"
                <| fun () ->
                    use scratch = new Scratch()
                    let manifest = closed scratch
                    let file = scratch.Sub manifest.Segments[1].File
                    act file
                    let error = damage (fun () -> (resume scratch manifest 1000L).Dispose())
                    Expect.equal error.File file "file"
                    Expect.stringStarts error.Expected expected "expected"
                    Expect.stringStarts error.Found found "found"

            testCase "but bytes behind the rows in use are nobody's"
            <| fun () ->
                use scratch = new Scratch()
                let manifest = closed scratch
                flipByte (scratch.Sub manifest.Segments[2].File) (8L * int64 floats * 4L + 5L)
                use store = resume scratch manifest 1000L
                holdsItsRows store
        ]

        testCase "a full disk is one clear error, changes nothing, and the append can be repeated"
        <| fun () ->
            use disk = new SmallDisk(1L <<< 20)
            // 64 KB a segment.
            use store = SegmentStore.Create(disk.Path, 64, 1_000_000L, 256)
            append store 300
            let filler = disk.FillBut(100_000L)
            let rows = rowsOf 64 store.Head 1000

            let error =
                Expect.throwsC (fun () -> store.Append(ReadOnlySpan<float32> rows) |> ignore) id

            Expect.isTrue (error :? DiskFullException) $"{error}"
            Expect.stringContains error.Message "the disk is full" "reason"
            Expect.equal store.Head 300L "nothing appended"
            holdsItsRows store
            let manifest = describe store
            File.Delete filler
            Expect.equal (store.Append(ReadOnlySpan<float32> rows)) 1300L "repeated"
            holdsItsRows store
            SegmentFiles.Verify(disk.Path, manifest)

        testCase "a segment larger than the disk is refused before anything is written"
        <| fun () ->
            use scratch = new Scratch()
            use store = SegmentStore.Create(scratch.Path, 1 <<< 20, 10L, 1 <<< 30)

            Expect.throwsT<DiskFullException> (fun () -> store.Append(ReadOnlySpan<float32>(Array.zeroCreate (1 <<< 20))) |> ignore) "4 PB"
            Expect.isEmpty (files scratch) "no file is left"
    ]
