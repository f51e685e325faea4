namespace NE.Model.Networks.Simd

open System
open System.Diagnostics
open System.Runtime.ExceptionServices
open System.Threading

/// Work in parts that several threads do together. A part touches no memory that another part writes, and its result does not depend on
/// who does it.
type internal ILaneJob =
    /// The first part that a lane should do; of the lane after the last, the number of parts. Neighbouring lanes have neighbouring parts.
    abstract First: lane: int * lanes: int -> int
    abstract Do: part: int -> unit

/// The parts of the current job that no thread has taken yet, a range for every lane.
///
/// A range is one 64-bit number, so that a part is taken in one step: the job's number, the next part, the end. A thread that comes late,
/// for a job that is over, finds another number and takes nothing.
[<Sealed>]
type private Ranges(lanes: int) =
    // A cache line each: lanes would take it from one another at every part.
    let line = 8
    let ranges = Array.zeroCreate<int64>(lanes * line)

    static member MostParts = (1 <<< 20) - 1
    static member private Epoch(job: int) = int64 (job &&& 0xFFFFFF) <<< 40

    member _.Set(lane: int, job: int, first: int, last: int) =
        Volatile.Write(&ranges[lane * line], Ranges.Epoch job ||| (int64 first <<< 20) ||| int64 last)

    /// The next part of a lane's range; -1 when there is none left.
    member _.Take(lane: int, job: int) : int =
        let mutable part = -2

        while part = -2 do
            let range = Volatile.Read &ranges[lane * line]

            let next, last =
                int (range >>> 20) &&& Ranges.MostParts, int range &&& Ranges.MostParts

            if range >>> 40 <<< 40 <> Ranges.Epoch job || next >= last then
                part <- -1
            elif Interlocked.CompareExchange(&ranges[lane * line], range + (1L <<< 20), range) = range then
                part <- next

        part

/// What the threads of a team share.
[<Sealed>]
type private Team(lanes: int) =
    let ranges = Ranges lanes
    let mutable job = Unchecked.defaultof<ILaneJob>
    let mutable number = 0
    let mutable unfinished = 0
    let mutable waiting = 0
    let mutable failure: exn | null = null
    let finished = new AutoResetEvent false

    /// How long a thread looks for what it waits for before it sleeps: longer than the serial parts of a gradient step (drawing noise,
    /// reading the batch), short enough that the core is free while the learner waits for the environments.
    static member val Patience = Stopwatch.Frequency * 50L / 1_000_000L

    /// Rises by one with every job.
    member _.Number = Volatile.Read &number
    member _.Failure = failure

    /// Raises ArgumentException for a job of more parts than a range counts.
    member _.Begin(next: ILaneJob) =
        let parts = next.First(lanes, lanes)

        if parts > Ranges.MostParts then
            invalidArg
                (nameof next)
                $"A job of several threads has {parts} parts, {Ranges.MostParts} are possible; make the batch smaller (learner.batchSize)."

        job <- next
        failure <- null
        Volatile.Write(&unfinished, parts)

        for lane in 0 .. lanes - 1 do
            ranges.Set(lane, number + 1, next.First(lane, lanes), next.First(lane + 1, lanes))

        Interlocked.Increment &number |> ignore

    /// Does parts of the numbered job while there are any: first the lane's own, then those that others have not come to.
    member _.Help(lane: int, numbered: int) =
        let current = job
        let mutable turn = 0

        while turn < lanes do
            match ranges.Take((lane + turn) % lanes, numbered) with
            | -1 -> turn <- turn + 1
            | part ->
                try
                    current.Do part
                with problem ->
                    Volatile.Write(&failure, problem)

                if Interlocked.Decrement &unfinished = 0 && Interlocked.Exchange(&waiting, 0) <> 0 then
                    finished.Set() |> ignore

    /// Returns when every part is done.
    member _.Await() =
        let start = Stopwatch.GetTimestamp()

        while Volatile.Read &unfinished > 0
              && Stopwatch.GetTimestamp() - start < Team.Patience do
            Thread.SpinWait 4

        while Volatile.Read &unfinished > 0 do
            // The exchange is a full fence: whoever finishes last after the check below sees that we sleep, and wakes us.
            Interlocked.Exchange(&waiting, 1) |> ignore

            if Volatile.Read &unfinished > 0 then
                finished.WaitOne() |> ignore

            Interlocked.Exchange(&waiting, 0) |> ignore

    interface IDisposable with
        member _.Dispose() = finished.Dispose()

/// A thread that helps with every job it comes to in time.
[<Sealed>]
type private Worker(team: Team, lane: int) =
    let wake = new AutoResetEvent false
    let mutable sleeping = 0
    let mutable stopping = false

    let await (seen: int) =
        let start = Stopwatch.GetTimestamp()

        while team.Number = seen && Stopwatch.GetTimestamp() - start < Team.Patience do
            Thread.SpinWait 4

        while team.Number = seen && not (Volatile.Read &stopping) do
            // As in Team.Await.
            Interlocked.Exchange(&sleeping, 1) |> ignore

            if team.Number = seen && not (Volatile.Read &stopping) then
                wake.WaitOne() |> ignore

            Interlocked.Exchange(&sleeping, 0) |> ignore

    let loop () =
        let mutable seen = 0

        while not (Volatile.Read &stopping) do
            await seen
            seen <- team.Number
            team.Help(lane, seen)

    let thread = Thread(loop, IsBackground = true, Name = $"ne-lane-{lane}")
    do thread.Start()

    /// To be called after a job has begun.
    member _.Wake() =
        Interlocked.MemoryBarrier()

        if Volatile.Read &sleeping <> 0 && Interlocked.Exchange(&sleeping, 0) <> 0 then
            wake.Set() |> ignore

    interface IDisposable with
        member this.Dispose() =
            Volatile.Write(&stopping, true)
            this.Wake()
            thread.Join()
            wake.Dispose()

/// A fixed number of threads that do jobs together, the calling one among them. Owned by one thread at a time.
///
/// Every lane has its parts, so that it finds in its cache what it had there before; but what a lane has not begun when another has
/// nothing left, the other takes. A thread that the system lets wait, on a machine with other work, holds up one part at most.
[<Sealed>]
type internal Lanes(count: int) =
    do
        if count < 1 then
            invalidArg (nameof count) $"At least one thread is needed, {count} were asked for."

    let team = new Team(count)
    let workers = Array.init (count - 1) (fun i -> new Worker(team, i + 1))

    member _.Count = count

    /// Does a job and returns when every part is done. Allocates nothing. Rethrows what a part threw.
    member _.Run(job: ILaneJob) : unit =
        if count = 1 then
            for part in 0 .. job.First(1, 1) - 1 do
                job.Do part
        else
            team.Begin job

            for worker in workers do
                worker.Wake()

            team.Help(0, team.Number)
            team.Await()

            match team.Failure with
            | null -> ()
            | problem -> ExceptionDispatchInfo.Throw problem

    interface IDisposable with
        member _.Dispose() =
            for worker in workers do
                (worker :> IDisposable).Dispose()

            (team :> IDisposable).Dispose()
