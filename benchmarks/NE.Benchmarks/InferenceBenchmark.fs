/// One action for one observation: our host copy of the actor (Policy.Act) beside PyTorch's actor, in alternating rounds.
module NE.Benchmarks.InferenceBenchmark

open System
open System.Diagnostics
open NE.Benchmarks.Report
open NE.Model.Networks
open NE.Model.Random

type Options = {
    Observation: int
    Action: int
    Hidden: int list
    Rounds: int
    SecondsPerRound: float
    Output: string option
}

let defaults = {
    Observation = 17
    Action = 6
    Hidden = [ 256; 128 ]
    Rounds = 15
    SecondsPerRound = 0.5
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.optionsOnly [
        Arguments.int "--observation" 1 (fun n options -> { options with Observation = n })
        Arguments.int "--action" 1 (fun n options -> { options with Action = n })
        Arguments.widths "--hidden" (fun widths options -> { options with Hidden = widths })
        Arguments.int "--rounds" 1 (fun n options -> { options with Rounds = n })
        Arguments.seconds (fun s options -> { options with SecondsPerRound = s })
        Arguments.json (fun file options -> { options with Output = Some file })
    ]

/// Actions of one batch of measurement.
[<Literal>]
let private Batch = 256

/// A policy with random weights and everything that acting needs. Gives a function that acts `Batch` times.
let private player (options: Options) : unit -> unit =
    let widths = [| options.Observation; yield! options.Hidden; options.Action |]
    let layout = BlockLayout.Create(1, widths)
    let draws = stream 1L Purpose.Initialisation
    let parameters = Array.zeroCreate<float32> layout.Length
    draws.FillUniform(Span parameters, 0.1f)
    let policy = Policy.OfBlock(layout, ReadOnlySpan parameters, 1.0f, 0L)
    let scratch = policy.CreateScratch()
    let observations = Array.zeroCreate<float32>(Batch * options.Observation)
    draws.FillNormal(Span observations, 1.0f)
    let action = Array.zeroCreate<float32> options.Action

    fun () ->
        for i in 0 .. Batch - 1 do
            policy.Act(ReadOnlySpan(observations, i * options.Observation, options.Observation), Span action, scratch)

/// Microseconds of one action: the median of as many batches as fit into the seconds.
let private microseconds (seconds: float) (play: unit -> unit) : float =
    let whole = Stopwatch.StartNew()
    let batches = ResizeArray<float>()

    while whole.Elapsed.TotalSeconds < seconds do
        let began = Stopwatch.GetTimestamp()
        play ()
        batches.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds / float Batch)

    median batches

let measure (options: Options) : unit =
    let report = Report options.Output
    let play = player options
    use _ = PeerProcess.KillAllOnSignals()

    let torch =
        PyTorchPeer.Start {
            Work = Act
            Observation = options.Observation
            Action = options.Action
            Hidden = options.Hidden
            Batch = Batch
            MaxAction = 1.0
            ReplayRows = Batch
            Threads = 1
        }

    try
        microseconds 1.0 play |> ignore
        let before = GC.GetAllocatedBytesForCurrentThread()

        for _ in 1..100 do
            play ()

        let bytes =
            float (GC.GetAllocatedBytesForCurrentThread() - before) / float (100 * Batch)

        let torchMicroseconds (peer: PyTorchPeer) =
            1e6 / (peer.Round options.SecondsPerRound).StepsPerSecond

        torch |> Result.iter (fun peer -> torchMicroseconds peer |> ignore)

        let ours, theirs = ResizeArray<float>(), ResizeArray<float>()

        for _ in 1 .. options.Rounds do
            ours.Add(microseconds options.SecondsPerRound play)
            torch |> Result.iter (fun peer -> theirs.Add(torchMicroseconds peer))

        let ratio =
            if theirs.Count = 0 then
                None
            else
                Some(Math.Round(Seq.map2 (/) theirs ours |> median, 2))

        let widths =
            [ options.Observation; yield! options.Hidden; options.Action ]
            |> List.map string
            |> String.concat "-"

        printfn $"one action for one observation, {widths}, one thread, medians of {options.Rounds} rounds"
        printfn $"ours    {median ours, 8:F2} us, {bytes:F0} bytes allocated"

        match torch, ratio with
        | Ok _, Some ratio -> printfn $"PyTorch {median theirs, 8:F2} us = {ratio} times ours"
        | Error problem, _ -> printfn $"PyTorch        -    {problem}"
        | _ -> ()

        report.Write {|
            pytorch =
                match torch with
                | Ok peer -> box peer.Versions
                | Error problem -> problem
            widths = widths
            microseconds = figures 4 ours
            bytesPerAction = bytes
            pytorchMicroseconds = if theirs.Count = 0 then null else box (figures 3 theirs)
            pytorchOverOurs = ratio
        |}
    finally
        torch |> Result.iter (fun peer -> (peer :> IDisposable).Dispose())
