module NE.Model.Tests.Networks.Simd.LanesTests

open System
open System.Diagnostics
open System.Threading
open Expecto
open Expecto.ExpectoFsCheck
open NE.Model.Networks.Simd

let private job (work: int -> int -> unit) = {
    new ILaneJob with
        member _.Work(lane, lanes) = work lane lanes
}

[<Tests>]
let tests =
    testList "Lanes" [
        for count in [ 1; 2; 3; 5 ] do
            test $"each of {count} lanes does its share of every job once, and all are done when Run returns" {
                use lanes = new Lanes(count)
                let done' = Array.zeroCreate<int> count

                let work =
                    job (fun lane total ->
                        if total <> count then
                            failwith "the number of lanes"

                        done'[lane] <- done'[lane] + 1)

                for run in 1..2000 do
                    lanes.Run work
                    Expect.equal done' (Array.create count run) "shares done"
            }

        test "threads that have gone to sleep wake for the next job" {
            use lanes = new Lanes(3)
            let mutable shares = 0
            let work = job (fun _ _ -> Interlocked.Increment &shares |> ignore)

            for _ in 1..50 do
                lanes.Run work
                let start = Stopwatch.GetTimestamp()
                // Longer than any of them stays awake.
                SpinWait.SpinUntil(fun () -> Stopwatch.GetElapsedTime(start).TotalMicroseconds > 300.0)

            Expect.equal shares 150 "all shares"
        }

        test "what a lane throws is thrown by Run, when all lanes are done, and the next job runs" {
            use lanes = new Lanes(3)

            for thrower in 0..2 do
                let mutable arrived = 0

                let failing =
                    job (fun lane _ ->
                        Interlocked.Increment &arrived |> ignore

                        if lane = thrower then
                            failwith "this lane")

                Expect.throwsC (fun () -> lanes.Run failing) (fun error -> Expect.equal error.Message "this lane" "message")
                Expect.equal arrived 3 "every lane"
                let mutable shares = 0
                lanes.Run(job (fun _ _ -> Interlocked.Increment &shares |> ignore))
                Expect.equal shares 3 "the next job"
        }

        test "a job allocates nothing" {
            use lanes = new Lanes(2)
            let work = job (fun _ _ -> ())

            let bytes () =
                let before = GC.GetAllocatedBytesForCurrentThread()

                for _ in 1..1000 do
                    lanes.Run work

                GC.GetAllocatedBytesForCurrentThread() - before

            bytes () |> ignore
            Expect.equal (bytes ()) 0L "bytes"
        }

        test "no lane at all is refused" { Expect.throwsT<ArgumentException> (fun () -> new Lanes(0) |> ignore) "0 threads" }

        testProperty "the shares of all lanes are the whole, in order, in whole grains" (fun (total: uint16) (grain: byte) (count: byte) ->
            let total, grain, count = int total, int grain % 16 + 1, int count % 9 + 1

            let shares = [
                for lane in 0 .. count - 1 ->
                    let struct (first, last) = Lanes.Share(total, grain, lane, count)
                    first, last
            ]

            fst shares.Head = 0
            && snd (List.last shares) = total
            && shares |> List.pairwise |> List.forall (fun ((_, a), (b, _)) -> a = b)
            && shares
               |> List.forall (fun (first, last) -> first <= last && (first % grain = 0 || first = total)))
    ]
