namespace NE.Benchmarks

open System
open System.Diagnostics
open System.Threading
open NE.Actors.Environments

/// What a turn took.
type Turn = {
    /// Environment steps, all environments together.
    Steps: int64
    Seconds: float
    /// Bytes of managed memory that the whole process asked for meanwhile.
    AllocatedBytes: int64
}

/// Holds a run's environments before a step until they are given a turn. A run in lockstep asks for a step of every environment, then for
/// the next one of each when the barrier between has passed. So the time from the first request of one round to the first request of a
/// later one is the time of whole rounds, learning included.
[<Sealed>]
type TurnGate(environments: int) =
    let monitor = obj ()
    let mutable requests = 0L
    // Requests up to this one are let through.
    let mutable limit = 0L
    let mutable first, last = Int64.MaxValue, Int64.MaxValue
    let mutable began, allocated = 0L, 0L
    let mutable result: Turn option = None

    /// Called before a step; returns when it is the caller's turn.
    member _.Pass() : unit =
        lock monitor (fun () ->
            requests <- requests + 1L
            let mine = requests

            if mine = first then
                allocated <- GC.GetTotalAllocatedBytes false
                began <- Stopwatch.GetTimestamp()

            if mine = last then
                result <-
                    Some {
                        Steps = last - first
                        Seconds = Stopwatch.GetElapsedTime(began).TotalSeconds
                        AllocatedBytes = GC.GetTotalAllocatedBytes false - allocated
                    }

                Monitor.PulseAll monitor

            while mine > limit do
                Monitor.Wait monitor |> ignore)

    /// Gives a turn of so many steps of each environment. One more is made before it, uncounted: while the gate was closed the learner
    /// of a pipelined run got ahead.
    member _.Open(stepsEach: int64) : unit =
        lock monitor (fun () ->
            let step = int64 environments
            result <- None
            first <- limit + step + 1L
            last <- first + stepsEach * step
            limit <- last - 1L
            Monitor.PulseAll monitor)

    /// Waits for the end of the turn; None when it is not over by then.
    member _.Wait(milliseconds: int) : Turn option =
        lock monitor (fun () ->
            if result.IsNone then
                Monitor.Wait(monitor, milliseconds) |> ignore

            result)

    /// An environment that waits at this gate before every step.
    member this.Around(inner: IEnvironment) : IEnvironment = {
        new IEnvironment with
            member _.Spec = inner.Spec
            member _.Reset(random, observation) = inner.Reset(random, observation)

            member _.Step(action, observation) =
                this.Pass()
                inner.Step(action, observation)

            member _.SaveState() = inner.SaveState()
            member _.RestoreState(state, observation) = inner.RestoreState(state, observation)
            member _.Dispose() = inner.Dispose()
    }
