/// Actions of our host copy of the actor (Policy.Act) beside those of PyTorch's actor, for one observation at a time and for several at
/// once; and what the latter is worth where it is used: the episodes of an evaluation in step instead of one after the other.
module NE.Benchmarks.InferenceBenchmark

open System
open System.Diagnostics
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Evaluation
open NE.Benchmarks.Report
open NE.Model.Networks
open NE.Model
open NE.Model.Tasks

type Options = {
    Observation: int
    Action: int
    Hidden: int list
    /// Observations at once, and episodes in step.
    Rows: int
    /// Whose episodes are played.
    Tasks: string list
    Rounds: int
    SecondsPerRound: float
    Output: string option
}

/// From a task whose physics takes long, as physics goes, to one whose physics is next to nothing.
let defaults = {
    Observation = 17
    Action = 6
    Hidden = [ 256; 128 ]
    Rows = 10
    Tasks = [ "HalfCheetah-v4"; "dmc/cartpole-swingup"; "dmc/pendulum-swingup" ]
    Rounds = 15
    SecondsPerRound = 0.5
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.namedTasks
        [
            Arguments.int "--observation" 1 (fun n (options: Options) -> { options with Observation = n })
            Arguments.int "--action" 1 (fun n options -> { options with Action = n })
            Arguments.widths "--hidden" (fun widths options -> { options with Hidden = widths })
            Arguments.int "--rows" 2 (fun n options -> { options with Rows = n })
            Arguments.int "--rounds" 1 (fun n options -> { options with Rounds = n })
            Arguments.seconds (fun s options -> { options with SecondsPerRound = s })
            Arguments.json (fun file options -> { options with Output = Some file })
        ]
        defaults.Tasks
        (fun options -> options.Tasks)
        (fun tasks options -> { options with Tasks = tasks })

let private policyOf (observation: int) (action: int) (hidden: int list) : Policy =
    let layout = BlockLayout.Create(1, [| observation; yield! hidden; action |])
    let parameters = Array.zeroCreate<float32> layout.Length
    (Draws.Of(1L, Purpose.Initialisation)).FillUniform(Span parameters, 0.1f)
    Policy.OfBlock(layout, ReadOnlySpan parameters, 1.0f, 0L)

/// Calls of one timing.
[<Literal>]
let private Calls = 256

/// One thread that acts on so many observations at a time.
[<Sealed>]
type private Player(options: Options, rows: int) =
    let policy = policyOf options.Observation options.Action options.Hidden
    let scratch = policy.CreateScratch rows
    let size = rows * options.Observation
    let observations = Array.zeroCreate<float32>(Calls * size)
    do (Draws.Of(2L, Purpose.Initialisation)).FillNormal(Span observations, 1.0f)
    let actions = Array.zeroCreate<float32>(rows * options.Action)

    let play () =
        for call in 0 .. Calls - 1 do
            policy.Act(ReadOnlySpan(observations, call * size, size), Span actions, scratch)

    /// Microseconds of one action: the median of as many timings as fit into the seconds.
    member _.Round(seconds: float) : float =
        let whole = Stopwatch.StartNew()
        let timings = ResizeArray<float>()

        while whole.Elapsed.TotalSeconds < seconds do
            let began = Stopwatch.GetTimestamp()
            play ()
            timings.Add(Stopwatch.GetElapsedTime(began).TotalMicroseconds / float (Calls * rows))

        median timings

    /// Bytes of garbage of one action.
    member _.Garbage: float =
        let before = GC.GetAllocatedBytesForCurrentThread()
        play ()

        float (GC.GetAllocatedBytesForCurrentThread() - before) / float (Calls * rows)

let private peer (options: Options) (rows: int) =
    PyTorchPeer.Start {
        Work = Act rows
        Observation = options.Observation
        Action = options.Action
        Hidden = options.Hidden
        Batch = 256
        MaxAction = 1.0
        ReplayRows = 256
        Threads = 1
        Device = "cpu"
        Python = PyTorchPeer.Python
    }

/// Acting, one at a time or several at once: ours, and PyTorch's where it is.
type private Acting = {
    Ours: float list
    Garbage: float
    PyTorch: float list
    Versions: Result<PyTorchVersions, string>
}

/// Rounds of ours and of PyTorch take turns.
let private act (options: Options) (rows: int) : Acting =
    let ours = Player(options, rows)
    let torch = peer options rows

    let torchRound () =
        match torch with
        | Ok peer -> [ 1e6 / (peer.Round options.SecondsPerRound).StepsPerSecond ]
        | Error _ -> []

    try
        ours.Round 1.0 |> ignore
        torchRound () |> ignore

        let rounds =
            List.init options.Rounds (fun _ -> ours.Round options.SecondsPerRound, torchRound ())

        {
            Ours = List.map fst rounds
            Garbage = ours.Garbage
            PyTorch = List.collect snd rounds
            Versions = torch |> Result.map _.Versions
        }
    finally
        torch |> Result.iter (fun peer -> (peer :> IDisposable).Dispose())

let private ratio (slow: float list) (fast: float list) : float option =
    if slow.IsEmpty then
        None
    else
        Some(Math.Round(List.map2 (/) slow fast |> median, 2))

/// Seconds of an evaluation whose episodes come one after the other, and of one whose episodes go in step.
let private evaluate (options: Options) (task: string) : (float * float) list =
    let environments = Array.init options.Rows (fun _ -> EnvironmentFactory.Create task)

    try
        let spec = environments[0].Spec
        let policy = policyOf spec.ObservationSize spec.ActionSize options.Hidden

        let seconds (players: IEnvironment[]) =
            let began = Stopwatch.GetTimestamp()
            let results = EpisodeRunner.Run(players, policy, 1L, options.Rows)
            results.Returns, Stopwatch.GetElapsedTime(began).TotalSeconds

        let round () =
            let returns, inTurn = seconds environments[..0]
            let others, inStep = seconds environments

            if returns <> others then
                failwith $"{task}: the episodes in step have other returns than those one after the other."

            inTurn, inStep

        round () |> ignore
        List.init options.Rounds (fun _ -> round ())
    finally
        for environment in environments do
            environment.Dispose()

let measure (options: Options) : unit =
    let report = Report options.Output
    use _ = PeerProcess.KillAllOnSignals()
    let one = act options 1
    let atOnce = act options options.Rows

    let widths =
        [ options.Observation; yield! options.Hidden; options.Action ]
        |> List.map string
        |> String.concat "-"

    printfn $"us of one action, {widths}, one thread, medians of {options.Rounds} rounds"
    printfn $"""          {"one at a time", 16} {$"{options.Rows} at once", 16}"""
    printfn $"ours      {median one.Ours, 16:F2} {median atOnce.Ours, 16:F2}    {max one.Garbage atOnce.Garbage:F0} bytes allocated"

    match one.Versions with
    | Error problem -> printfn $"PyTorch                  -                -    {problem}"
    | Ok _ ->
        printfn $"PyTorch   {median one.PyTorch, 16:F2} {median atOnce.PyTorch, 16:F2}"
        let first, second = ratio one.PyTorch one.Ours, ratio atOnce.PyTorch atOnce.Ours
        printfn $"""ratio     {$"{first.Value}x", 16} {$"{second.Value}x", 16}"""

    let evaluations = [
        for task in options.Tasks do
            let inTurn, inStep = evaluate options task |> List.unzip
            let gain = (ratio inTurn inStep).Value
            printfn $"{options.Rows} episodes of {task}: {median inTurn:F3} s one after the other, {median inStep:F3} s in step = {gain}x"

            {|
                task = task
                secondsInTurn = figures 4 inTurn
                secondsInStep = figures 4 inStep
                inTurnOverInStep = gain
            |}
    ]

    let torchFigures (values: float list) =
        if values.IsEmpty then null else box (figures 3 values)

    report.Write {|
        pytorch =
            match one.Versions with
            | Ok versions -> box versions
            | Error problem -> problem
        widths = widths
        rows = options.Rows
        microseconds = figures 4 one.Ours
        microsecondsAtOnce = figures 4 atOnce.Ours
        bytesPerAction = max one.Garbage atOnce.Garbage
        pytorchMicroseconds = torchFigures one.PyTorch
        pytorchMicrosecondsAtOnce = torchFigures atOnce.PyTorch
        pytorchOverOurs = ratio one.PyTorch one.Ours
        pytorchOverOursAtOnce = ratio atOnce.PyTorch atOnce.Ours
        oneOverAtOnce = ratio one.Ours atOnce.Ours
        evaluations = evaluations
    |}
