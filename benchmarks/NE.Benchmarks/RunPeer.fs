namespace NE.Benchmarks

open System
open System.Diagnostics
open System.IO
open System.Text.Json
open NE.Actors.Conducting
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Benchmarks.Report
open NE.Model

/// One turn of a run.
type RunRound = {
    /// Environment steps, all environments together.
    Steps: int64
    Seconds: float
    UpdatesPerStep: float
    /// Share of the learner's time spent waiting; None when the turn was too short to have been published.
    LearnerWaiting: float option
    /// How long the learner stood still for the last checkpoint.
    PauseMilliseconds: float
    AllocatedBytes: int64
} with

    member this.StepsPerSecond = float this.Steps / this.Seconds
    member this.UpdatesPerSecond = this.UpdatesPerStep * this.StepsPerSecond
    member this.BytesPerStep = float this.AllocatedBytes / float this.Steps

/// The child's side: a real run (journal, checkpoints, replay files, telemetry) that takes turns.
module RunServer =

    /// Seconds of learning before the first turn: the just-in-time compiler's second tier takes them.
    [<Literal>]
    let WarmUp = 6.0

    /// Keys and values from key=value.
    let changes (pairs: string list) : (string * string) list =
        pairs
        |> List.map (fun pair ->
            match pair.IndexOf '=' with
            | -1 -> raise (BenchmarkFailed $"expected key=value, found '{pair}'")
            | at -> pair.Substring(0, at), pair.Substring(at + 1))

    let private failIfEnded (run: TrainingRun) =
        if run.Completion.IsCompleted then
            let outcome = run.Completion.Result
            raise (BenchmarkFailed $"The run ended as {outcome.Phase}: {outcome.Message}")

    /// Waits for the end of a turn and hands out every status that is published meanwhile.
    let rec private await (run: TrainingRun) (gate: TurnGate) (watch: RunStatus -> unit) =
        failIfEnded run

        match gate.Wait 20 with
        | Some turn -> turn
        | None ->
            watch run.Status
            await run gate watch

    /// A turn of so many steps of each environment.
    let private play (run: TrainingRun) (gate: TurnGate) (stepsEach: int64) : RunRound =
        let before = run.Status
        let waiting = ResizeArray<float>()
        let mutable seen = before
        let mutable published = 0

        let watch (status: RunStatus) =
            if status.ElapsedSeconds <> seen.ElapsedSeconds then
                seen <- status
                published <- published + 1
                // In the first one is the time before the turn.
                if published > 1 then
                    waiting.Add status.LearnerWaiting

        gate.Open stepsEach
        let turn = await run gate watch
        // The counters of the turn's end are published within half a second. The one step before the turn is in them, too.
        let target = before.Step + turn.Steps

        while run.Status.Step < target do
            failIfEnded run
            Threading.Thread.Sleep 10

        watch run.Status
        let after = run.Status

        {
            Steps = turn.Steps
            Seconds = turn.Seconds
            UpdatesPerStep =
                float (after.GradientStep - before.GradientStep)
                / float (after.Step - before.Step)
            LearnerWaiting =
                if waiting.Count = 0 then
                    None
                else
                    Some(Seq.average waiting)
            PauseMilliseconds = after.CheckpointPauseMilliseconds
            AllocatedBytes = turn.AllocatedBytes
        }

    /// Answers until the input ends: a line is a number of steps of each environment.
    let serve (warmUp: float) (input: TextReader) (output: TextWriter) (folder: string) (changes: (string * string) list) : unit =
        let settings = BenchmarkRun.settings changes
        let gate = TurnGate settings.Schedule.Environments
        use created = RunFolder.Create(folder, "run")
        let run = BenchmarkRun.start created.Paths settings (Some gate.Around)

        let say (value: obj) =
            output.WriteLine(JsonSerializer.Serialize value)
            output.Flush()

        try
            let environments = int64 settings.Schedule.Environments
            play run gate (settings.Learner.StartSteps.Value / environments + 1L) |> ignore
            let watch = Stopwatch.StartNew()

            while watch.Elapsed.TotalSeconds < warmUp do
                play run gate (max 1L (200L / environments)) |> ignore

            say {| step = run.Status.Step |}
            let mutable line = input.ReadLine()

            while not (isNull line) do
                say (play run gate (Int64.Parse(string line)))
                line <- input.ReadLine()
        finally
            run.RequestStop "the benchmark is over"
            // One more round, so that the stop's barrier comes.
            gate.Open 1L
            run.Completion.Wait 10_000 |> ignore
            run.DisposeAsync().AsTask().Wait()

/// The measuring side: a run in a process of its own, so that memory and compiled code are its own.
[<Sealed>]
type RunPeer(name: string, folder: string, changes: (string * string) list) =
    let peer =
        let pairs = changes |> List.map (fun (key, value) -> $"{key}={value}")
        let words = "contender" :: folder :: pairs
        let program = nonNull Environment.ProcessPath

        let words =
            // Started as `dotnet NE.Benchmarks.dll`, or as the program itself.
            if Path.GetFileNameWithoutExtension program = "dotnet" then
                Path.Combine(AppContext.BaseDirectory, "NE.Benchmarks.dll") :: words
            else
                words

        PeerProcess.Start(name, ProcessStartInfo(program, words))

    let ready = lazy (peer.Read() |> ignore)

    /// Starts the program and waits until it is warm, which takes about ten seconds.
    member this.WarmUp() : unit = ready.Force()

    member _.Name = name

    /// A turn of so many steps of each environment.
    member _.Round(stepsEach: int64) : RunRound =
        ready.Force()
        nonNull (JsonSerializer.Deserialize<RunRound>(peer.Ask(string stepsEach)))

    /// The process's memory now.
    member _.Memory = ProcessMemory.ofProcess peer.Id

    interface IDisposable with
        member _.Dispose() = (peer :> IDisposable).Dispose()
