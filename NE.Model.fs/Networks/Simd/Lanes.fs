namespace NE.Model.Networks.Simd

open System
open System.Diagnostics
open System.Runtime.ExceptionServices
open System.Threading

/// Work that several threads do together. No lane's share may touch memory that another lane's share writes.
type internal ILaneJob =
    /// Does the share of a lane, 0 .. lanes - 1.
    abstract Work: lane: int * lanes: int -> unit

module private Patience =
    /// How long a thread looks for what it waits for before it sleeps: longer than the serial parts of a gradient step (drawing noise,
    /// reading the batch), short enough that the core is free while the learner waits for the environments.
    let ticks = Stopwatch.Frequency * 50L / 1_000_000L

/// Where the calling thread waits until the workers are done.
[<Sealed>]
type private Gate() =
    let opened = new AutoResetEvent false
    let mutable waiting = 0
    let mutable pending = 0
    let mutable failure: exn | null = null

    member _.Close(workers: int) =
        failure <- null
        Volatile.Write(&pending, workers)

    /// A worker is done; `problem` is what it threw.
    member _.Arrive(problem: exn | null) =
        if not (isNull problem) then
            Volatile.Write(&failure, problem)

        if Interlocked.Decrement &pending = 0 && Interlocked.Exchange(&waiting, 0) <> 0 then
            opened.Set() |> ignore

    member _.Await() =
        let start = Stopwatch.GetTimestamp()

        while Volatile.Read &pending > 0 && Stopwatch.GetTimestamp() - start < Patience.ticks do
            Thread.SpinWait 4

        while Volatile.Read &pending > 0 do
            // The exchange is a full fence: whoever arrives last after the check below sees that we sleep, and wakes us.
            Interlocked.Exchange(&waiting, 1) |> ignore

            if Volatile.Read &pending > 0 then
                opened.WaitOne() |> ignore

            Interlocked.Exchange(&waiting, 0) |> ignore

    member _.Failure = failure

    interface IDisposable with
        member _.Dispose() = opened.Dispose()

/// One thread that does its share of every job posted to it.
[<Sealed>]
type private Worker(lane: int, lanes: int, gate: Gate) =
    let wake = new AutoResetEvent false
    let mutable job: ILaneJob | null = null
    let mutable posted = 0
    let mutable sleeping = 0

    let await (seen: int) =
        let start = Stopwatch.GetTimestamp()

        while Volatile.Read &posted = seen
              && Stopwatch.GetTimestamp() - start < Patience.ticks do
            Thread.SpinWait 4

        while Volatile.Read &posted = seen do
            // As in Gate.Await.
            Interlocked.Exchange(&sleeping, 1) |> ignore

            if Volatile.Read &posted = seen then
                wake.WaitOne() |> ignore

            Interlocked.Exchange(&sleeping, 0) |> ignore

    let loop () =
        let mutable seen = 0
        let mutable running = true

        while running do
            await seen
            seen <- seen + 1

            match job with
            | null -> running <- false
            | work ->
                let problem: exn | null =
                    try
                        work.Work(lane, lanes)
                        null
                    with failure ->
                        failure

                gate.Arrive problem

    let thread = Thread(loop, IsBackground = true, Name = $"ne-lane-{lane}")
    do thread.Start()

    /// Hands over the next job, or null to end the thread. The one before must have been done.
    member _.Post(next: ILaneJob | null) =
        job <- next
        Interlocked.Increment &posted |> ignore

        if Interlocked.Exchange(&sleeping, 0) <> 0 then
            wake.Set() |> ignore

    interface IDisposable with
        member this.Dispose() =
            this.Post null
            thread.Join()
            wake.Dispose()

/// A fixed number of threads that do jobs together; the calling one is lane 0. Owned by one thread at a time.
[<Sealed>]
type internal Lanes(count: int) =
    do
        if count < 1 then
            invalidArg (nameof count) $"At least one thread is needed, {count} were asked for."

    let gate = new Gate()
    let workers = Array.init (count - 1) (fun i -> new Worker(i + 1, count, gate))

    member _.Count = count

    /// Does a job on all lanes and returns when every share is done. Allocates nothing. Rethrows what a lane threw.
    member _.Run(job: ILaneJob) : unit =
        if count = 1 then
            job.Work(0, 1)
        else
            gate.Close(count - 1)

            for worker in workers do
                worker.Post job

            try
                job.Work(0, count)
            finally
                gate.Await()

            match gate.Failure with
            | null -> ()
            | problem -> ExceptionDispatchInfo.Throw problem

    /// The part [first, last) of `total` that is a lane's, in whole multiples of `grain` but for the end.
    static member Share(total: int, grain: int, lane: int, lanes: int) : struct (int * int) =
        let grains = (int64 total + int64 grain - 1L) / int64 grain

        let inline at lane =
            int (min (int64 total) (grains * int64 lane / int64 lanes * int64 grain))

        struct (at lane, at (lane + 1))

    interface IDisposable with
        member _.Dispose() =
            for worker in workers do
                (worker :> IDisposable).Dispose()

            (gate :> IDisposable).Dispose()
