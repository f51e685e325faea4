module NE.Model.Tests.Networks.Simd.LanesTests

open System
open System.Diagnostics
open System.Threading
open Expecto
open NE.Model.Networks.Simd

/// A job of so many parts, shared out evenly.
let private job parts (work: int -> unit) = {
    new ILaneJob with
        member _.First(lane, lanes) = parts * lane / lanes
        member _.Do part = work part
}

[<Tests>]
let tests =
    testList "Lanes" [
        for count in [ 1; 2; 3; 5 ] do
            test $"on {count} lanes every part of every job is done once, and all are done when Run returns" {
                use lanes = new Lanes(count)

                for parts in [ 0; 1; 2; 7; 40 ] do
                    let done' = Array.zeroCreate<int> parts
                    let work = job parts (fun part -> Interlocked.Increment &done'[part] |> ignore)

                    for run in 1..500 do
                        lanes.Run work
                        Expect.equal done' (Array.create parts run) $"{parts} parts"
            }

        test "threads that have gone to sleep wake for the next job" {
            use lanes = new Lanes(3)

            for _ in 1..50 do
                let arrived = ref 0

                // No part ends before all have begun, so all three threads must come.
                lanes.Run(
                    job 3 (fun _ ->
                        Interlocked.Increment &arrived.contents |> ignore
                        SpinWait.SpinUntil(fun () -> Volatile.Read &arrived.contents = 3))
                )

                let start = Stopwatch.GetTimestamp()
                // Longer than any of them stays awake.
                SpinWait.SpinUntil(fun () -> Stopwatch.GetElapsedTime(start).TotalMicroseconds > 300.0)
        }

        test "what a thread cannot come to, the others do" {
            use lanes = new Lanes(2)
            let parts = 8

            for held in 0 .. parts - 1 do
                let finished = ref 0

                // One part lasts until all others are done, among them those of the same lane.
                lanes.Run(
                    job parts (fun part ->
                        if part = held then
                            SpinWait.SpinUntil(fun () -> Volatile.Read &finished.contents = parts - 1)

                        Interlocked.Increment &finished.contents |> ignore)
                )

                Expect.equal finished.Value parts "all parts"
        }

        test "what a part throws is thrown by Run, when all parts are done, and the next job runs" {
            for count in [ 2; 3 ] do
                use lanes = new Lanes(count)

                for thrower in 0..5 do
                    let arrived = ref 0

                    let failing =
                        job 6 (fun part ->
                            Interlocked.Increment &arrived.contents |> ignore

                            if part = thrower then
                                failwith "this part")

                    Expect.throwsC (fun () -> lanes.Run failing) (fun error -> Expect.equal error.Message "this part" "message")
                    Expect.equal arrived.Value 6 "every part"
                    let parts = ref 0
                    lanes.Run(job 6 (fun _ -> Interlocked.Increment &parts.contents |> ignore))
                    Expect.equal parts.Value 6 "the next job"
        }

        test "a job allocates nothing" {
            use lanes = new Lanes(2)
            let work = job 8 ignore

            let bytes () =
                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..1000 do
                    lanes.Run work

                GC.GetAllocatedBytesForCurrentThread() - before

            bytes () |> ignore
            Expect.equal (bytes ()) 0L "bytes"
        }

        test "a job of more parts than are counted is refused, and the next one runs" {
            use lanes = new Lanes(2)

            Expect.throwsC (fun () -> lanes.Run(job (1 <<< 20) ignore)) (fun error ->
                Expect.isTrue (error :? ArgumentException) "type"
                Expect.stringContains error.Message "has 1048576 parts, 1048575 are possible" "what is wrong"
                Expect.stringContains error.Message "learner.batchSize" "what to make smaller")

            let parts = ref 0
            lanes.Run(job 1_048_575 (fun _ -> Interlocked.Increment &parts.contents |> ignore))
            Expect.equal parts.Value 1_048_575 "the most that there can be"
        }

        test "no lane at all is refused" { Expect.throwsT<ArgumentException> (fun () -> new Lanes(0) |> ignore) "0 threads" }

        test "blocks of rows cover every row of every stack once, in whole multiples of eight but for the last" {
            for stacks in 1..3 do
                for rows in [ 1; 7; 8; 9; 64; 255; 256 ] do
                    for lanes in [ 1; 2; 3; 8 ] do
                        let blocks = RowBlocks(stacks, rows, lanes)
                        let seen = Array2D.zeroCreate<int> stacks rows

                        for part in 0 .. blocks.Count - 1 do
                            Expect.isTrue (blocks.From part % 8 = 0) "begins at a multiple of eight"

                            for row in blocks.From part .. blocks.UpTo part - 1 do
                                seen[blocks.Stack part, row] <- seen[blocks.Stack part, row] + 1

                        Expect.isTrue (seen |> Seq.cast<int> |> Seq.forall ((=) 1)) $"{stacks} x {rows}, {lanes} lanes"
        }
    ]
