/// The page of `ne serve` over a folder of many long runs: how soon it opens, and what it takes while it is looked at.
module NE.Benchmarks.PageBenchmark

open System
open System.Diagnostics
open System.IO
open System.Net.Http
open System.Text
open System.Text.RegularExpressions
open System.Threading
open System.Threading.Tasks
open NE.Actors.RunDirectory
open NE.Benchmarks.Report
open NE.Model

type Options = {
    /// Runs in the folder.
    Runs: int
    /// Environment steps of each, with a row of metrics per thousand.
    Steps: int64
    /// Seconds for which each page is looked at.
    Seconds: int64
    Output: string option
}

let defaults = {
    Runs = 100
    Steps = 1_000_000L
    Seconds = 20L
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.optionsOnly [
        Arguments.int64 "--runs" 1L (fun n options -> { options with Runs = int n })
        Arguments.int64 "--steps" 10_000L (fun n options -> { options with Steps = n })
        Arguments.int64 "--seconds" 5L (fun n options -> { options with Seconds = n })
        Arguments.json (fun file options -> { options with Output = Some file })
    ]

/// Seconds in which the page should open, and the share of a run's time that it may take.
let private mostToOpen, mostShare = 1.0, 0.01

let private columns = 56

let private metricsRow (random: Random) (step: int64) =
    let row = StringBuilder().Append(step)

    for _ in 1..columns do
        row.Append(',').Append(random.NextDouble()) |> ignore

    row.Append('\n').ToString()

let private write (folder: string) (name: string) (lines: string seq) =
    File.WriteAllText(Path.Combine(folder, name), String.Join("", lines))

/// A complete run of the form that `ne train` leaves, with numbers that mean nothing.
let private makeRun (runs: string) (steps: int64) (index: int) =
    let random = Random index
    let name = $"run-{index:D3}"
    let folder = Path.Combine(runs, name)
    Directory.CreateDirectory folder |> ignore

    let settings =
        BenchmarkRun.settings [
            "run.environment", [| "HalfCheetah-v4"; "Hopper-v4"; "Walker2d-v4"; "Ant-v4" |][index % 4]
            "run.method", (if index % 8 < 4 then "ne" else "td3")
            "run.seed", string (index / 8)
            "run.steps", string steps
        ]

    let stretch =
        RunStretch(DateTimeOffset.UtcNow, 0L, "host", 1, Collections.Generic.Dictionary<string, string>())

    RunInfo(
        RunInfo.CurrentFormat,
        name,
        name,
        RunState.Completed,
        null,
        settings.Run.Environment,
        Settings.agent settings,
        settings.Run.Seed,
        steps,
        1,
        "cpu",
        [| stretch |],
        "simd"
    )
        .Write(Path.Combine(folder, "run.json"))

    write folder "config.yaml" [ NE.Actors.Configuration.ConfigurationWriter.Yaml settings ]

    let named =
        [ "actor_fau"; "actor_density" ] @ [ for i in 3..columns -> $"metric_{i}" ]

    write folder "metrics.csv" [
        yield
            String.Join(",", "step" :: named)
            + "
"

        for row in 1L .. steps / 1000L do
            yield metricsRow random (1000L * row)
    ]

    write folder "eval.csv" [
        yield "step,mean,deviation,best,meanLength,return0\n"

        for row in 0L .. 60L do
            yield $"{row * steps / 60L},{random.NextDouble()},1,0,1000,1\n"
    ]

    write folder "timing.csv" [
        yield "step,time,elapsedSeconds,stepsPerSecond,updatesPerSecond,learnerWaiting,checkpointPauseMilliseconds,memoryBytes\n"

        for row in 1L .. steps / 5000L do
            yield $"{5000L * row},2026-01-01T00:00:00Z,{10L * row},500,500,0.01,12,300000000\n"
    ]

    folder

/// The table of a run that goes on.
type private Growth(folder: string, steps: int64) =
    let random = Random 1
    let gate = obj ()
    let mutable step = steps

    /// Appends a row.
    member _.Row() : unit =
        lock gate (fun () ->
            step <- step + 1000L
            File.AppendAllText(Path.Combine(folder, "metrics.csv"), metricsRow random step))

let private timed (work: unit -> unit) : float =
    let watch = Stopwatch.StartNew()
    work ()
    watch.Elapsed.TotalSeconds

/// `ne serve` in a process of its own, and what has been waited for it.
type private Serving(runs: string) =
    let started = NeProcess.start ignore [ "serve"; "--runs"; runs; "--port"; "0" ]

    let address =
        match started.StandardOutput.ReadLine() with
        | null -> raise (BenchmarkFailed "`ne serve` ended before it said its address")
        | line -> Uri(Regex.Match(line, "http://[^ ]+").Value)

    let client = new HttpClient(BaseAddress = address)

    member _.Get(path: string) : Task<byte[]> = client.GetByteArrayAsync path

    /// What the page asks for together.
    member this.Together(paths: string list) : unit =
        Task.WaitAll [| for path in paths -> this.Get path :> Task |]

    /// Seconds of processor time so far.
    member _.Processor: float =
        started.Refresh()
        started.TotalProcessorTime.TotalSeconds

    /// Listens to changes for a time; what the page does with them is done by `refresh`, as often as the page does it: at most every two
    /// seconds, and so seldom that it takes a two-hundredth of the time, unless that were more than ten. `grow` gives it something to do
    /// before that. Returns the share of a core that the server took.
    member this.Watch(seconds: int64, grow: unit -> unit, refresh: unit -> unit) : float =
        use stop = new CancellationTokenSource()

        use reader =
            new StreamReader(client.GetStreamAsync("api/changes", stop.Token).Result)

        // What is measured is a page that is looked at for long: the server's code has been compiled for good by then, which takes some
        // hundred answers and is done behind them, when they pause.
        for _ in 1..400 do
            grow ()
            refresh ()

        Thread.Sleep 10_000
        stop.CancelAfter(TimeSpan.FromSeconds(float seconds))
        let before, watch = this.Processor, Stopwatch.StartNew()
        let mutable next = DateTime.MinValue

        try
            while true do
                let line =
                    match reader.ReadLineAsync(stop.Token).AsTask().GetAwaiter().GetResult() with
                    | null -> raise (BenchmarkFailed "the page's server ended")
                    | line -> line

                if line.StartsWith "data: [{" && DateTime.UtcNow >= next then
                    let took = timed refresh
                    next <- DateTime.UtcNow + TimeSpan.FromSeconds(max 2.0 (min 10.0 (200.0 * took)))
        with :? OperationCanceledException ->
            ()

        (this.Processor - before) / watch.Elapsed.TotalSeconds

    interface IDisposable with
        member _.Dispose() =
            client.Dispose()
            started.Kill()
            started.WaitForExit()
            started.Dispose()

/// Every byte of the tables that the page opens with, its lines counted: what nobody can do without.
let private readAll (folders: string list) () =
    for folder in folders do
        for name in [ "eval.csv"; "metrics.csv"; "timing.csv" ] do
            let bytes = File.ReadAllBytes(Path.Combine(folder, name))

            if bytes.AsSpan().Count(byte '\n') = 0 then
                raise (BenchmarkFailed $"{folder} has an empty {name}")

let measure (options: Options) : unit =
    let report = Report options.Output
    let runs = Directory.CreateTempSubdirectory("ne-page-").FullName

    try
        let folders = [ for index in 0 .. options.Runs - 1 -> makeRun runs options.Steps index ]
        let reading = median [ for _ in 1..5 -> timed (readAll folders) ]

        let opening = [
            "api/overview"
            "api/curves?measure=return&points=200"
            "api/curves?measure=actor_fau&points=200"
        ]

        let watch = Stopwatch.StartNew()
        use serving = new Serving(runs)
        let started = watch.Elapsed.TotalSeconds
        let first = timed (fun () -> serving.Together opening)
        let again = median [ for _ in 1..5 -> timed (fun () -> serving.Together opening) ]

        // One of them goes on as a run does that takes 500 steps a second.
        use stopped = new CancellationTokenSource()
        let growth = Growth(folders.Head, options.Steps)

        let growing =
            Task.Run(fun () ->
                while not (stopped.Token.WaitHandle.WaitOne 2000) do
                    growth.Row())

        let all =
            serving.Watch(options.Seconds, growth.Row, (fun () -> serving.Together opening))

        let one =
            serving.Watch(
                options.Seconds,
                growth.Row,
                fun () ->
                    let names = String.Join(",", [ for i in 3..40 -> $"metric_{i}" ])

                    serving.Together [
                        "api/runs/run-000"
                        "api/runs/run-000/series?table=eval&columns=mean,deviation&points=800"
                        $"api/runs/run-000/series?table=metrics&columns={names}&points=800"
                        "api/runs/run-000/series?table=timing&columns=stepsPerSecond,updatesPerSecond,memoryBytes&points=800"
                    ]
            )

        stopped.Cancel()
        growing.Wait()

        let verdict value limit =
            if value <= limit then "reached" else "MISSED"

        printfn $"{options.Runs} runs of {options.Steps} steps"
        printfn $"their tables, read once              {reading, 8:F3} s"

        printfn
            $"opens, the first time                {first, 8:F3} s   {first / reading:F1} times that; to reach: {mostToOpen} s ({verdict first mostToOpen})"

        printfn $"opens again                          {again, 8:F3} s   {again / reading:F2} times that"
        printfn $"`ne serve` until it listens          {started, 8:F3} s"

        printfn
            $"a page of all runs, one of which grows  {100.0 * all, 5:F2} %% of a core; to reach: {100.0 * mostShare} %% ({verdict all mostShare})"

        printfn
            $"a page of the run that grows            {100.0 * one, 5:F2} %% of a core; to reach: {100.0 * mostShare} %% ({verdict one mostShare})"

        report.Write {|
            runs = options.Runs
            steps = options.Steps
            secondsToReadTables = Math.Round(reading, 3)
            secondsToOpen = Math.Round(first, 3)
            openOverReading = Math.Round(first / reading, 2)
            secondsToOpenAgain = Math.Round(again, 3)
            secondsToListen = Math.Round(started, 3)
            coreShareOfAllRuns = Math.Round(all, 4)
            coreShareOfOneRun = Math.Round(one, 4)
            targets = {|
                secondsToOpen = mostToOpen
                coreShare = mostShare
            |}
        |}
    finally
        Directory.Delete(runs, true)
