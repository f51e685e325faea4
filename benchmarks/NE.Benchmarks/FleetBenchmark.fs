/// Rounds of environments that live on nodes of a fleet, beside those on threads of one process: several processes of this machine stand for several
/// machines, behind the same encrypted connections.
module NE.Benchmarks.FleetBenchmark

open System
open System.Collections.Generic
open System.Diagnostics
open System.IO
open System.Threading
open NE.Actors.Environments
open NE.Actors.Environments.Catalogue
open NE.Actors.Fleet
open NE.Actors.Fleet.Environments
open NE.Benchmarks.Report
open NE.Model
open NE.Model.Networks
open NE.Model.Replay

/// What is measured.
type Part =
    | Physics
    | Slow
    | Way
    | Wire
    | Recovery
    | Cells

type Options = {
    Parts: Part list
    /// Whose physics is simulated.
    Tasks: string list
    /// Environments of the rounds of these.
    Environments: int
    /// Processes for the slow simulator; each holds as many environments.
    Workers: int list
    /// Turns of each contender.
    Turns: int
    SecondsPerTurn: float
    /// Environment steps of a sweep's cell.
    CellSteps: int
    Output: string option
}

let private parts = [
    "physics", Physics
    "slow", Slow
    "way", Way
    "wire", Wire
    "recovery", Recovery
    "cells", Cells
]

let defaults = {
    Parts = List.map snd parts
    Tasks = [ "HalfCheetah-v4"; "Humanoid-v4" ]
    Environments = 16
    Workers = [ 1; 2; 4 ]
    Turns = 5
    SecondsPerTurn = 2.0
    CellSteps = 5_000
    Output = None
}

let grammar: Arguments.Grammar<Options> =
    Arguments.namedTasks
        [
            Arguments.parts "--parts" parts (fun parts options -> { options with Parts = parts })
            Arguments.int "--environments" 1 (fun n options -> { options with Environments = n })
            Arguments.int "--rounds" 1 (fun n options -> { options with Turns = n })
            Arguments.int "--cell-steps" 2_000 (fun n options -> { options with CellSteps = n })
            Arguments.seconds (fun s options -> { options with SecondsPerTurn = s })
            Arguments.json (fun file options -> { options with Output = Some file })
        ]
        defaults.Tasks
        (fun options -> options.Tasks)
        (fun tasks options -> { options with Tasks = tasks })

let private patience = TimeSpan.FromSeconds 60.0

let private build = "the benchmark"

/// How many of a round have answered.
type private Listener() =
    let ready, stepped = new SemaphoreSlim(0), new SemaphoreSlim(0)
    let mutable failure: exn option = None

    member private _.Await(semaphore: SemaphoreSlim, count: int) =
        for _ in 1..count do
            if not (semaphore.Wait patience) then
                raise (BenchmarkFailed "an environment of the fleet did not answer for a minute")

            failure |> Option.iter raise

    member this.AwaitReady count = this.Await(ready, count)
    member this.AwaitStepped count = this.Await(stepped, count)

    interface IEnvironmentListener with
        member _.Ready _ = ready.Release() |> ignore
        member _.Stepped _ = stepped.Release() |> ignore
        member _.Captured _ = ()

        member _.Failed error =
            failure <- Some error
            ready.Release() |> ignore
            stepped.Release() |> ignore

/// Environments that take rounds together, as a run lets them.
[<Sealed>]
type private Rounds
    (hosts: EnvironmentStart -> IEnvironmentListener -> IEnvironmentHost, task: string, count: int, steps: int, acts: bool, learns: bool) =
    let settings =
        BenchmarkRun.settings [
            "run.environment", task
            "schedule.environments", string count
            "schedule.roundSteps", string steps
            "run.steps", "1000000000"
        ]

    let spec = EnvironmentFactory.Describe task
    let layout = TransitionRows.create spec.Observation spec.ActionSize
    let listener = Listener()

    let network =
        BlockLayout.Create(1, [| spec.ObservationSize; 256; 256; spec.ActionSize |])

    let parameters = Array.zeroCreate<float32> network.Length
    do (Draws.Of(1L, Purpose.Initialisation)).FillUniform(Span parameters, 0.05f)

    let policy () =
        Policy.OfBlock(network, ReadOnlySpan parameters, spec.ActionHigh[0], 0L).Exploring(Exploration.Gaussian 0.1f)

    let all = [|
        for index in 0 .. count - 1 ->
            hosts
                (EnvironmentStart(
                    index,
                    settings,
                    (fun () -> EnvironmentFactory.Create(settings, task)),
                    Task = task,
                    Spec = spec,
                    RandomUntil = (if acts then 0L else Int64.MaxValue)
                ))
                listener
    |]

    let blocks = [| for index in 0 .. count - 1 -> TransitionBlock(index, layout, steps) |]
    let mutable step = 0L
    let mutable acting = policy ()

    do
        for environment in all do
            environment.Begin()

        listener.AwaitReady count

    member _.Round() : unit =
        // A new one for every round, as where a gradient step follows every environment step.
        if learns then
            acting <- policy ()

        for index in 0 .. count - 1 do
            all[index].Step(StepRound(step + int64 index, count, steps, acting, blocks[index]))

        listener.AwaitStepped count
        step <- step + int64 (count * steps)

    /// Rounds per second.
    member this.Turn(seconds: float) : float =
        let watch = Stopwatch.StartNew()
        let mutable rounds = 0

        while watch.Elapsed.TotalSeconds < seconds do
            this.Round()
            rounds <- rounds + 1

        float rounds / watch.Elapsed.TotalSeconds

    interface IDisposable with
        member _.Dispose() =
            for host in all do
                host.Dispose()

/// A fleet of this process, which has the rounds, and of nodes in processes of their own.
[<Sealed>]
type private Fleet(workers: int, capacity: int) =
    let folder = Directory.CreateTempSubdirectory("ne-fleet-").FullName
    let keyFile = Path.Combine(folder, "fleet.pem")
    let key = FleetKey.Create keyFile
    let environments = RunEnvironments("the benchmark", null)

    let join (parts: IFleetPart list) roles seeds : FleetMember =
        FleetMember
            .Join(
                FleetOptions(
                    Key = key,
                    Name = build,
                    Build = NE.Shell.Fleet.FleetBuild.Text,
                    Roles = roles,
                    Seeds = seeds,
                    OldestMayBeLost = false,
                    Loggers = [| $"{typeof<BenchmarkRun.Silent>.FullName}, NE.Benchmarks" |]
                ),
                (fun card -> card),
                DateTimeOffset.UtcNow,
                List.toArray parts
            )
            .GetAwaiter()
            .GetResult()

    let joined =
        join [ environments ] [| FleetOptions.RunRole; FleetOptions.NodeRole |] [||]

    let start number =
        new FleetNode(
            keyFile,
            $"worker-{number}",
            [
                "--seed-node"
                string joined.Address
                "--slots"
                "0"
                "--environments"
                string capacity
                "--runs"
                folder
            ]
        )

    let nodes = List<FleetNode>(List.init workers start)

    member _.Hosts: EnvironmentStart -> IEnvironmentListener -> IEnvironmentHost =
        fun start listener -> environments.Host(start, listener)

    /// Ends a worker as by kill -9.
    member _.Kill() : unit =
        let victim = nodes[0]
        nodes.RemoveAt 0
        victim.Kill()

    interface IDisposable with
        member _.Dispose() =
            for node in nodes do
                (node :> IDisposable).Dispose()

            joined.DisposeAsync().AsTask().Wait()
            Directory.Delete(folder, true)

let private local (start: EnvironmentStart) (listener: IEnvironmentListener) : IEnvironmentHost = new ThreadHost(start, listener)

let private plugin (name: string) =
    let dll = Reflection.Assembly.GetExecutingAssembly().Location
    $"plugin:{dll}#NE.Benchmarks.{name}"

/// Rounds per second of each contender, in turns.
let private turns (options: Options) (contenders: Rounds list) : float list =
    for contender in contenders do
        contender.Turn 1.0 |> ignore

    [
        for _ in 1 .. options.Turns -> [ for contender in contenders -> contender.Turn options.SecondsPerTurn ]
    ]
    |> List.transpose
    |> List.map median

let private together (makers: (unit -> Rounds) list) (work: Rounds list -> 'T) : 'T =
    let made = [ for make in makers -> make () ]

    try
        work made
    finally
        for rounds in made do
            (rounds :> IDisposable).Dispose()

/// A task's rounds on threads of one process, and at one and two workers. With a new policy for every round, or with the same.
let private physics (options: Options) (task: string) =
    let count = options.Environments
    use one = new Fleet(1, count)
    use two = new Fleet(2, (count + 1) / 2)

    let measure learns =
        let makers = [
            for hosts in [ local; one.Hosts; two.Hosts ] -> fun () -> new Rounds(hosts, task, count, 1, true, learns)
        ]

        match together makers (turns options) with
        | [ threads; oneWorker; twoWorkers ] ->
            let overhead = 1e6 / oneWorker - 1e6 / threads

            let policy =
                if learns then
                    "a new policy for every round"
                else
                    "the same policy"

            printfn
                $"{task}, {count} environments, {policy}: {threads:F0} rounds/s on threads, {oneWorker:F0} at one worker (x{oneWorker / threads:F2}), {twoWorkers:F0} at two (x{twoWorkers / threads:F2}); a round at one worker takes {overhead:F0} us more"

            {|
                roundsPerSecond = {|
                    threads = threads
                    oneWorker = oneWorker
                    twoWorkers = twoWorkers
                |}
                overOneWorker = Math.Round(oneWorker / threads, 3)
                overTwoWorkers = Math.Round(twoWorkers / threads, 3)
                overheadMicroseconds = Math.Round overhead
            |}
        | other -> failwith $"three contenders gave {other.Length} figures"

    {|
        task = task
        environments = count
        newPolicyEachRound = measure true
        samePolicy = measure false
    |}

/// Control steps per second of a simulator that sleeps 5 ms, with four environments on threads and at each worker.
let private slow (options: Options) =
    let each = 4

    let rate hosts count =
        together
            [
                fun () -> new Rounds(hosts, plugin "SleepingEnvironment", count, 1, true, true)
            ]
            (turns options)
        |> List.head
        |> (*) (float count)

    let onThreads = rate local each

    let rates = [
        for workers in options.Workers ->
            use fleet = new Fleet(workers, each)
            workers, rate fleet.Hosts (each * workers)
    ]

    let first = snd rates.Head
    printfn $"a simulator that sleeps 5 ms, {each} environments on threads: {onThreads:F0} steps/s"

    for workers, rate in rates do
        printfn $"a simulator that sleeps 5 ms, {each} environments at each of {workers} workers: {rate:F0} steps/s (x{rate / first:F2})"

    {|
        onThreads = Math.Round onThreads
        atWorkers = [|
            for workers, rate in rates ->
                {|
                    workers = workers
                    stepsPerSecond = Math.Round rate
                    ratio = Math.Round(rate / first, 2)
                |}
        |]
    |}

/// Transitions per second through the connection, when simulators take no time.
let private wire (options: Options) =
    let count, steps = 8, 256
    use fleet = new Fleet(1, count)

    let rate =
        together
            [
                fun () -> new Rounds(fleet.Hosts, plugin "IdleEnvironment", count, steps, false, false)
            ]
            (turns options)
        |> List.head
        |> (*) (float (count * steps))

    printfn
        $"transitions of 172 bytes over an encrypted connection, {steps} in a round of each of {count} environments: {rate:F0} per second"

    Math.Round rate

/// Microseconds of a round of so many environments when simulators take no time: what the way there and back costs.
let private way (options: Options) = [|
    for count in [ 1; 4; 16; 64 ] ->
        use fleet = new Fleet(1, count)

        let rate =
            together
                [
                    fun () -> new Rounds(fleet.Hosts, plugin "IdleEnvironment", count, 1, false, false)
                ]
                (turns options)
            |> List.head

        printfn $"a round of {count} environments whose simulators take no time: {1e6 / rate:F0} us"

        {|
            environments = count
            microseconds = Math.Round(1e6 / rate)
        |}
|]

/// Seconds from kill -9 of one of two workers until the round that was under way is complete.
let private recovery (options: Options) =
    let seconds = [
        for _ in 1 .. options.Turns ->
            use fleet = new Fleet(2, options.Environments)

            together
                [
                    fun () -> new Rounds(fleet.Hosts, options.Tasks.Head, options.Environments, 1, true, true)
                ]
                (fun rounds ->
                    let rounds = rounds.Head
                    rounds.Turn 1.0 |> ignore
                    let watch = Stopwatch.StartNew()
                    fleet.Kill()
                    // The first may have been answered before the worker died.
                    rounds.Round()
                    rounds.Round()
                    watch.Elapsed.TotalSeconds)
    ]

    printfn
        $"from kill -9 of a worker to the end of the next round: {median seconds:F2} s, at most {List.max seconds:F2} s of {seconds.Length}"

    {|
        medianSeconds = Math.Round(median seconds, 2)
        mostSeconds = Math.Round(List.max seconds, 2)
        kills = seconds.Length
    |}

/// What a sweep took.
type private SweepTime = {
    /// From the command to its first cell.
    Begin: float
    /// From there to the end of its last cell.
    Work: float
}

/// Cells per hour of a sweep over a node, beside the sweep that works on this machine as always, with as many cells at a time, in turns.
let private cells (options: Options) =
    let folder = Directory.CreateTempSubdirectory("ne-fleet-").FullName
    let inFolder name = Path.Combine(folder, name)
    let keyFile, parallel' = inFolder "fleet.pem", Environment.ProcessorCount
    let count = 3 * parallel'

    let sweep (name: string) (runs: string) (arguments: string list) : SweepTime =
        let file = inFolder $"{name}.yaml"

        File.WriteAllText(
            file,
            $"name: {name}\nenvironments: [Hopper-v4]\nmethods: [td3]\nseeds: 1-{count}\n"
            + $"keys: {{run.steps: {options.CellSteps}, learner.startSteps: 1000, evaluation.every: {options.CellSteps}, compute.threads: 1}}\n"
        )

        let commanded = DateTime.UtcNow

        use started =
            NeProcess.start (fun info -> info.RedirectStandardError <- true) [ "sweep"; file; "--plain"; "--runs"; runs; yield! arguments ]

        let errors = started.StandardError.ReadToEndAsync()
        started.StandardOutput.ReadToEnd() |> ignore
        started.WaitForExit()

        if started.ExitCode <> 0 then
            raise (BenchmarkFailed $"`ne sweep` ended with {started.ExitCode}: {errors.Result}")

        // Whoever watches a fleet looks once a second; the files of the runs say it to the millisecond.
        let written file = [
            for run in Directory.GetDirectories(runs, $"{name}-*") -> File.GetLastWriteTimeUtc(Path.Combine(run, file))
        ]

        let first = List.min (written "config.yaml")

        {
            Begin = (first - commanded).TotalSeconds
            Work = (List.max (written "run.json") - first).TotalSeconds
        }

    try
        FleetKey.Create keyFile |> ignore

        use node =
            new FleetNode(
                keyFile,
                "machine",
                [
                    "--slots"
                    string parallel'
                    "--environments"
                    "0"
                    "--runs"
                    inFolder "fleet"
                ]
            )

        let turns = [
            for turn in 1 .. options.Turns ->
                sweep $"plain{turn}" (inFolder "plain") [ "--parallel"; string parallel' ],
                sweep $"fleet{turn}" (inFolder "fleet") [ "--fleet"; node.Address; "--fleet-key"; keyFile ]
        ]

        let plain, fleet = List.unzip turns

        let perHour sweeps =
            median [ for sweep in sweeps -> 3600.0 * float count / sweep.Work ]

        let beginning sweeps =
            median [ for sweep in sweeps -> sweep.Begin ]

        let ratios = [ for plain, fleet in turns -> plain.Work / fleet.Work ]

        printfn
            $"{count} cells, {parallel'} at a time, {options.Turns} turns: {perHour plain:F0} an hour on this machine, {perHour fleet:F0} at a node of it (x{median ratios:F3}, from {List.min ratios:F3} to {List.max ratios:F3}); the first begins after {beginning plain:F1} s and {beginning fleet:F1} s"

        {|
            cells = count
            secondsPerCell = Math.Round(3600.0 * float parallel' / perHour plain, 1)
            plainPerHour = Math.Round(perHour plain, 1)
            fleetPerHour = Math.Round(perHour fleet, 1)
            ratio = Math.Round(median ratios, 3)
            leastRatio = Math.Round(List.min ratios, 3)
            mostRatio = Math.Round(List.max ratios, 3)
            plainBeginsAfterSeconds = Math.Round(beginning plain, 1)
            fleetBeginsAfterSeconds = Math.Round(beginning fleet, 1)
        |}
    finally
        Directory.Delete(folder, true)

let measure (options: Options) : unit =
    let report = Report options.Output

    let part which (measured: Options -> 'Figures) : 'Figures option =
        if List.contains which options.Parts then
            Some(measured options)
        else
            None

    report.Write {|
        physics = part Physics (fun options -> [| for task in options.Tasks -> physics options task |])
        slowSimulator = part Slow slow
        way = part Way way
        transitionsPerSecond = part Wire wire
        recovery = part Recovery recovery
        cells = part Cells cells
    |}
