/// Control steps per second of our environments, on one thread and on one per core, beside a plain C loop that makes the same physics
/// steps on the same library. The C loop has the physics alone: what our side does more (observation, reward, checks, random start
/// states) is what the ratio shows.
module NE.Benchmarks.EnvironmentBenchmark

open System
open System.IO
open NE.Actors.MuJoCo
open NE.Model.Tasks

type Options = {
    Tasks: string list
    /// About how long each contender plays in a round.
    SecondsPerRound: float
    Rounds: int
    /// Where the report is written, if anywhere.
    Output: string option
}

/// The tasks of the paper.
let defaults = {
    Tasks = [ "HalfCheetah-v4"; "Hopper-v4"; "Walker2d-v4"; "Ant-v4"; "Humanoid-v4" ]
    SecondsPerRound = 0.5
    Rounds = 15
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.namedTasks
        [
            Arguments.int "--rounds" 1 (fun n options -> { options with Rounds = n })
            Arguments.seconds (fun s options -> { options with SecondsPerRound = s })
            Arguments.json (fun file options -> { options with Output = Some file })
        ]
        defaults.Tasks
        (fun options -> options.Tasks)
        (fun tasks options -> { options with Tasks = tasks })

/// Control steps of a tape, at least.
[<Literal>]
let private TapeSteps = 4000

/// What the ratio and the scaling on two cores should be, for the tasks of the paper.
let private leastRatio, leastScaling = 0.95, 1.8

/// One round; every contender played the same control steps. Without a C compiler there are no figures of C.
type private Round = {
    C: Duration option
    Net: Duration
    CTogether: Duration option
    NetTogether: Duration
}

let private cores = Environment.ProcessorCount

/// Steps of a round: as many as one environment makes in that time. Takes processor time enough for the just-in-time compiler's second
/// tier; on a busy machine that is a while.
let private stepsOfRound (seconds: float) (tape: EnvironmentTape) (loop: EnvironmentLoop) =
    let mutable played = 0.0
    let mutable fastest = infinity

    while played < 1.5 do
        let duration = loop.Play tape.Steps
        played <- played + duration.Cpu
        fastest <- min fastest duration.Wall

    max 1 (int (seconds / fastest * float tape.Steps))

let private checkSameWork (tape: EnvironmentTape) (native: NativeLoop) =
    if native.FinalBits() <> tape.FinalBits then
        failwith $"{tape.Task.Info.Id}: the C loop ends in another state than the environment, so the two did not do the same work."

let private playRounds (options: Options) (tape: EnvironmentTape) (natives: NativeLoop[]) =
    let loops = Array.init cores (fun _ -> new EnvironmentLoop(tape))

    try
        let steps = stepsOfRound options.SecondsPerRound tape loops[0]
        Array.iter (checkSameWork tape) natives

        let native play =
            if natives.Length = 0 then None else Some(play natives)

        steps,
        [|
            for _ in 1 .. options.Rounds do
                {
                    C = native (fun loops -> loops[0].Play steps)
                    Net = loops[0].Play steps
                    CTogether = native (fun loops -> loops |> Array.map (fun loop () -> loop.Play steps) |> Together.play)
                    NetTogether = loops |> Array.map (fun loop () -> loop.Play steps) |> Together.play
                }
        |]
    finally
        for loop in loops do
            (loop :> IDisposable).Dispose()

/// Measures one task. Rounds alternate and quotients are of neighbours, so that they are less disturbed by a busy machine.
let private measureTask (options: Options) (folder: string) (compiler: Result<string, string>) (task: ITask) =
    let tape = EnvironmentTape.Record(task, TapeSteps)

    let natives =
        match compiler with
        | Ok program -> NativeLoop.Start(program, folder, tape, cores)
        | Error _ -> [||]

    try
        let steps, rounds = playRounds options tape natives
        let rate (count: int) (seconds: float) = float (count * steps) / seconds

        let figures (rates: float[]) = {|
            median = Math.Round(Report.median rates, 1)
            rounds = rates |> Array.map (fun value -> Math.Round(value, 1))
        |}

        // Nothing where a round lacks C.
        let optional (figure: Round -> float option) =
            match Array.choose figure rounds with
            | [||] -> None
            | found -> Some found

        let rounded (value: float) = Math.Round(value, 4)

        let quotient (figure: Round -> float option) =
            optional figure |> Option.map (Report.median >> rounded)

        let required (figure: Round -> float) =
            rounds |> Array.map figure |> Report.median |> rounded

        {|
            task = task.Info.Id
            physicsSteps = task.Info.FrameSkip
            stepsPerRound = steps
            meanEpisode = Math.Round(float tape.Steps / float tape.Lengths.Length, 1)
            c =
                optional (fun round -> round.C |> Option.map (fun c -> rate 1 c.Wall))
                |> Option.map figures
            dotnet = rounds |> Array.map (fun round -> rate 1 round.Net.Wall) |> figures
            ratio = quotient (fun round -> round.C |> Option.map (fun c -> c.Wall / round.Net.Wall))
            ratioOfProcessorTime = quotient (fun round -> round.C |> Option.map (fun c -> c.Cpu / round.Net.Cpu))
            cProcesses =
                optional (fun round -> round.CTogether |> Option.map (fun c -> rate cores c.Wall))
                |> Option.map figures
            dotnetThreads = rounds |> Array.map (fun round -> rate cores round.NetTogether.Wall) |> figures
            cScaling =
                quotient (fun round ->
                    Option.map2 (fun (one: Duration) (all: Duration) -> float cores * one.Wall / all.Wall) round.C round.CTogether)
            scaling = required (fun round -> float cores * round.Net.Wall / round.NetTogether.Wall)
            // What the scaling would be if every thread always had a core: only memory, locks and caches slow it down.
            scalingOfProcessorTime = required (fun round -> float (cores * cores) * round.Net.Cpu / round.NetTogether.Cpu)
        |}
    finally
        for native in natives do
            (native :> IDisposable).Dispose()

let measure (options: Options) =
    let tasks = options.Tasks |> List.map (Registry.find >> Result.defaultWith failwith)
    let library = MuJoCoLibrary.Current
    let report = Report.Report options.Output
    let folder = Directory.CreateTempSubdirectory("ne-benchmark-").FullName

    try
        let compiler = NativeLoop.Compile folder

        match compiler with
        | Ok _ -> ()
        | Error problem -> printfn $"without the C loop: {problem}"

        printfn
            $"control steps per second, medians of {options.Rounds} rounds; x{cores}: {cores} threads (C: processes); (CPU): by processor time"

        let together = $"x{cores}"

        printfn
            "%-32s %9s %9s %6s %6s %9s %9s %9s %7s %6s"
            "task"
            "C"
            ".NET"
            ".NET/C"
            "(CPU)"
            $"C {together}"
            $".NET {together}"
            "C scaling"
            "scaling"
            "(CPU)"

        let found = [
            for task in tasks do
                let result = measureTask options folder compiler task

                let show (format: string) (value: float option) =
                    match value with
                    | Some number -> number.ToString format
                    | None -> "-"

                printfn
                    "%-32s %9s %9.0f %6s %6s %9s %9.0f %9s %7.2f %6.2f"
                    result.task
                    (result.c |> Option.map _.median |> show "F0")
                    result.dotnet.median
                    (show "F3" result.ratio)
                    (show "F3" result.ratioOfProcessorTime)
                    (result.cProcesses |> Option.map _.median |> show "F0")
                    result.dotnetThreads.median
                    (show "F2" result.cScaling)
                    result.scaling
                    result.scalingOfProcessorTime

                result
        ]

        printfn $"to reach, for the tasks of the paper: .NET/C {leastRatio}, scaling {leastScaling} on two cores"

        report.Write {|
            mujoco = library.Version
            library = library.Path
            threads = cores
            c =
                match compiler with
                | Ok _ -> "gcc -O2, the physics alone: no observation, no reward, no random draws"
                | Error problem -> problem
            targets = {|
                ratio = leastRatio
                scalingOnTwoCores = leastScaling
            |}
            tasks = found
        |}
    finally
        Directory.Delete(folder, true)
