/// Folders of runs as a run writes them, with numbers that the test knows.
module NE.Shell.Tests.Compare.RunFiles

open System
open System.IO
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Model.History
open NE.Shell.Sweeps.Planning
open NE.Shell.Tests.Support

/// What a run's folder is to hold.
type RunFile = {
    Name: string
    Environment: string
    Method: string
    Seed: int64
    Steps: int64
    State: RunState
    /// Step and mean return of the evaluations.
    Returns: (int64 * float) list
    /// Keys beside those above.
    Keys: (string * string) list
    /// Where it was resumed.
    Resumes: int64 list
    /// Step and task of the phases of a cycle.
    Phases: (int64 * string) list
    /// Versions by name, of every process.
    Versions: (string * string) list
}

let run = {
    Name = "a"
    Environment = "Hopper-v4"
    Method = "td3"
    Seed = 0L
    Steps = 1000L
    State = RunState.Completed
    Returns = [ for step in 0L..100L..1000L -> step, float step ]
    Keys = []
    Resumes = []
    Phases = []
    Versions = [ "ne", "test"; "engine", "simd" ]
}

let private lines (header: string) (rows: string seq) =
    String.concat "\n" (Seq.append [ header ] rows) + "\n"

/// Writes run.json, config.yaml, command.txt, eval.csv, metrics.csv, topology.csv and, for a cycle, phases.csv.
let write (runs: string) (file: RunFile) : string =
    let folder = Path.Combine(runs, file.Name)
    Directory.CreateDirectory folder |> ignore

    let stretch (step: int64) =
        RunStretch(
            DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.Zero),
            step,
            "host",
            1,
            Collections.Generic.Dictionary<string, string>(dict file.Versions),
            "a processor, 2 cores"
        )

    let info =
        RunInfo(
            1,
            "id",
            file.Name,
            file.State,
            null,
            file.Environment,
            file.Method,
            file.Seed,
            file.Steps,
            1,
            "cpu",
            [| for step in 0L :: file.Resumes -> stretch step |],
            "simd"
        )

    info.Write(Path.Combine(folder, "run.json"))

    let keys =
        [
            "run.environment", file.Environment
            "run.method", file.Method
            "run.seed", string file.Seed
        ]
        @ file.Keys

    let text (name: string) (content: string) =
        File.WriteAllText(Path.Combine(folder, name), content)

    text "config.yaml" (lines "# resolved" [ for key, value in keys -> $"{key}: {value}" ])
    text "command.txt" $"ne train {file.Environment} --name {file.Name}\n"

    text
        "eval.csv"
        (lines "step,mean,deviation,best,meanLength,return0,inverted0,inverted1" [
            for step, value in file.Returns ->
                let upside = if value > 500.0 then 100 else 99
                $"{step},{value},0,0,1,{value},{upside},0"
        ])

    text
        "metrics.csv"
        (lines "step,gradientStep,actor_anr_0,critic_anr_0,actor_fau,critic_fau,review_epsilon,review_probability,review_fraction" [
            for step, _ in file.Returns -> $"{step},{step},1,0.5,0.4,0.3,0.25,0.75,0.1"
        ])

    text
        "topology.csv"
        (lines "gradientStep,network,stack,layer,active,size,density,grown,pruned,touched,dormant,minScore,maxScore,outputShift" [
            for step, _ in file.Returns do
                $"{step},actor,0,0,100,100,1,0,0,0,0,,,0"
                $"{step},actor,0,1,50,100,0.5,4,1,0,3,,,0"
        ])

    if file.Phases.Length > 0 then
        text
            "phases.csv"
            (lines "step,gradientStep,phase,cycle,task" [
                for index, (step, task) in List.indexed file.Phases -> $"{step},{step},{index},0,{task}"
            ])

    file.Name

/// Runs of one arm: seed i has the returns of `run` times `scale i`.
let arm (runs: string) (name: string) (settings: RunFile) (seeds: int64 seq) (scale: int64 -> float) : string list = [
    for seed in seeds ->
        write runs {
            settings with
                Name = $"{name}-s{seed}"
                Seed = seed
                Returns = settings.Returns |> List.map (fun (step, value) -> step, value * scale seed)
        }
]

/// Appends these events to the journal of a run.
let happened (runs: string) (name: string) (events: RunEvent list) =
    let noted (event: RunEvent) : JournalEntry =
        JournalEntry.EventStored(1L, false, event)

    appendToJournal (RunPaths.Of(runs, name)) (List.map noted events)

/// A sweep over runs: (name, environment, label, seed).
let sweepOf (smoke: bool) (runs: string) (name: string) (text: string) (cells: (string * string * string * int64) seq) =
    let paths = SweepPaths.Of(runs, name)
    Directory.CreateDirectory paths.Root |> ignore
    File.WriteAllText(paths.Description, text)

    let cells = [|
        for cell, environment, label, seed in cells -> SweepCell(cell, environment, label, "td3", seed, readOnlyDict [])
    |]

    StoredSweep(name, "", smoke, Nullable(), cells).Write paths

/// The same, of runs that are evidence.
let sweep runs name text (cells: (string * string * string * int64) list) = sweepOf false runs name text cells
