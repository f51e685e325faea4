namespace NE.Benchmarks

open System
open System.Diagnostics
open System.Runtime.InteropServices
open System.Threading
open NE.Actors.Environments

[<Struct; StructLayout(LayoutKind.Sequential)>]
type private Timespec =
    val Seconds: int64
    val Nanoseconds: int64

/// The processor time of the calling thread; .NET has no call for it.
module private ThreadClock =
    [<Literal>]
    let private ThisThread = 3 // CLOCK_THREAD_CPUTIME_ID

    [<DllImport("libc")>]
    extern int private clock_gettime(int clock, Timespec& time)

    /// Seconds.
    let now () : float =
        let mutable time = Timespec()
        clock_gettime (ThisThread, &time) |> ignore
        float time.Seconds + 1e-9 * float time.Nanoseconds

/// One of our environments that plays a tape: the whole of what a worker asks of it, resets with their random draws included.
[<Sealed>]
type EnvironmentLoop(tape: EnvironmentTape) =
    let environment: IEnvironment = new MuJoCoEnvironment(tape.Task)
    let observation = Array.zeroCreate<float32> environment.Spec.ObservationSize
    let actions, size = tape.Actions, tape.ActionSize

    /// Control steps from the tape's beginning, which begins again at its end.
    let play (steps: int) =
        let mutable episode, first, last = 0, 0, true

        for _ in 1..steps do
            if last then
                if episode = tape.Lengths.Length then
                    episode <- 0
                    first <- 0

                environment.Reset(tape.ResetDraws episode, Span observation)
                episode <- episode + 1

            let result = environment.Step(ReadOnlySpan(actions, first, size), Span observation)

            first <- first + size
            last <- result.IsLast

    /// Plays this many control steps from the tape's beginning.
    member _.Play(steps: int) : Duration =
        let wall, cpu = Stopwatch.GetTimestamp(), ThreadClock.now ()
        play steps

        {
            Cpu = ThreadClock.now () - cpu
            Wall = Stopwatch.GetElapsedTime(wall).TotalSeconds
        }

    interface IDisposable with
        member _.Dispose() = environment.Dispose()

module Together =
    /// Runs every player on a thread of its own, all released at once: the seconds until the last one is done, and the sum of
    /// their processor times.
    let play (players: (unit -> Duration)[]) : Duration =
        use gate = new Barrier(players.Length)
        let found = Array.zeroCreate<Duration> players.Length

        let threads =
            players
            |> Array.mapi (fun i player ->
                let body () =
                    gate.SignalAndWait()
                    found[i] <- player ()

                Thread(body, IsBackground = true))

        for thread in threads do
            thread.Start()

        for thread in threads do
            thread.Join()

        {
            Wall = found |> Seq.map _.Wall |> Seq.max
            Cpu = found |> Seq.sumBy _.Cpu
        }
