module NE.Benchmarks.Tests.FigureTests

open System
open System.IO
open System.Runtime.InteropServices
open Expecto
open NE.Actors.Replay
open NE.Benchmarks

[<Tests>]
let tests =
    testList "figures" [
        test "the median of an even number of values is the mean of the middle two" {
            Expect.equal (Report.median [ 9.0; 1.0; 3.0 ]) 3.0 "odd"
            Expect.equal (Report.median [ 9.0; 1.0; 3.0; 5.0 ]) 4.0 "even"
        }

        test "overlap can at most hide the shorter part" {
            Expect.floatClose Accuracy.high (TaskReport.overlapBound 100.0 100.0) 2.0 "equal parts"
            Expect.floatClose Accuracy.high (TaskReport.overlapBound 40.0 1000.0) 1.04 "a small part"

            Expect.floatClose
                Accuracy.high
                (TaskReport.overlapBound 1000.0 40.0)
                (TaskReport.overlapBound 40.0 1000.0)
                "whichever part is the shorter"
        }

        test "resident memory of mappings is summed over the files that are meant" {
            let smaps = [
                "7f1000000000-7f1001000000 r--s 00000000 08:01 42                         /tmp/x/run/replay/seg-00000000-e0000.bin"
                "Size:              16384 kB"
                "Rss:                1000 kB"
                "Pss:                 900 kB"
                "VmFlags: rd sh mr mw me ms sd"
                "7f1001000000-7f1002000000 r-xp 00000000 08:01 43                         /usr/lib/libm.so.6"
                "Rss:                 500 kB"
                "7f1002000000-7f1003000000 rw-p 00000000 00:00 0"
                "Rss:                 700 kB"
                "7f1003000000-7f1004000000 r--s 00000000 08:01 44                         /tmp/x/run/replay/seg-00000001-e0000.bin"
                "Rss:                   4 kB"
            ]

            Expect.floatClose Accuracy.high (ProcessMemory.mapped "/replay/seg-" smaps) 1.028096 "1004 kB"
            Expect.equal (ProcessMemory.mapped "/replay/seg-" []) 0.0 "nothing mapped"
        }

        test "rows that are read from the replay memory count as mapped, not as the rest" {
            let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName

            try
                use store = SegmentStore.Create(Path.Combine(folder, "replay"), 256, 100_000L)
                // 40 MB, in pieces.
                let rows = Array.create (256 * 1000) 1.0f

                for _ in 1..40 do
                    store.Append(ReadOnlySpan rows) |> ignore

                let before = ProcessMemory.ofProcess Environment.ProcessId
                let mutable sum = 0.0f

                for row in 0L .. store.Head - 1L do
                    sum <- sum + store.Row(row)[0]

                let after = ProcessMemory.ofProcess Environment.ProcessId
                Expect.equal sum 40_000.0f "every row was read"
                Expect.isGreaterThan after.Replay 40.0 "the mapping"
                Expect.isLessThan before.Replay after.Replay "before"
                Expect.isGreaterThan after.Whole after.Replay "the rest is more than nothing"
                Expect.floatClose Accuracy.high (after.Anonymous + after.File + after.Shared) after.Whole "the parts make up the whole"
            finally
                Directory.Delete(folder, true)
        }

        test "a report that cannot be written is known before the measurement" {
            Expect.throwsT<UnauthorizedAccessException> (fun () -> Report.requireWritable "/proc") "a folder"
        }
    ]
