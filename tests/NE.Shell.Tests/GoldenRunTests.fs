/// Runs that programs of the past stopped in the middle end as they did then. See docs/adr/005-golden-runs.md.
module NE.Shell.Tests.GoldenRunTests

open System
open System.Formats.Tar
open System.IO
open System.IO.Compression
open System.Runtime.Intrinsics.X86
open System.Security.Cryptography
open Expecto
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Shell.Host
open NE.Shell.Tests.Support

let private folder =
    Path.GetFullPath(Path.Combine(__SOURCE_DIRECTORY__, "../data/golden/runs"))

/// A run of a folder in tests/data/golden/runs.
type GoldenRun = {
    /// Name of the folder: date and commit of the program that made the run.
    Format: string
    Name: string
    /// SHA-256 in hexadecimal of the state, of each of its components and of each table at the end of the run.
    End: (string * string) list
} with

    member this.Archive = Path.Combine(folder, this.Format, this.Name + ".tar.gz")

/// All golden runs, the oldest format first.
let runs: GoldenRun list = [
    for format in Directory.GetDirectories folder |> Array.sort do
        let lines =
            File.ReadAllLines(Path.Combine(format, "digests.txt"))
            |> Array.map _.Split(' ')
            |> Array.groupBy Array.head

        for name, lines in lines do
            {
                Format = string (Path.GetFileName format)
                Name = name
                End = [ for line in lines -> line[1], line[2] ]
            }
]

/// Of every run the one of the newest format.
let newest = runs |> List.groupBy _.Name |> List.map (snd >> List.last)

/// The stored run directory, unpacked into a folder.
let unpack (run: GoldenRun) (target: string) =
    use file = File.OpenRead run.Archive
    use unzipped = new GZipStream(file, CompressionMode.Decompress)
    TarFile.ExtractToDirectory(unzipped, target, overwriteFiles = false)

/// Executes a command line with real runs. Without FMA the C library's functions, which MuJoCo calls, have other last bits.
let really (runs: string) (arguments: string list) =
    if not Fma.IsSupported then
        skiptest "the digests are those of processors with FMA"

    let host =
        ShellHost(
            Output = new StringWriter(),
            Error = new StringWriter(),
            DefaultRuns = runs,
            FleetKey = "/nonexistent/fleet.pem",
            HasCuda = (fun () -> false),
            Processors = 2
        )

    let code, output, errors = execute host arguments
    Expect.equal code ExitCode.Ok $"{arguments}: {output}{errors}"

/// Bytes of a table, of which no value has a comma, without the columns that another one lacks.
let private withColumnsOf (before: string) (table: string) : byte[] =
    match File.ReadLines before |> Seq.tryHead, File.ReadAllLines table with
    | Some names, lines when lines.Length > 0 && lines[0] <> names ->
        let present = lines[0].Split ','

        let kept =
            names.Split ',' |> Array.map (fun name -> present |> Array.findIndex ((=) name))

        let cut (line: string) =
            let values = line.Split ','
            (kept |> Array.map (fun i -> values[i]) |> String.concat ",") + "\n"

        lines |> Array.map cut |> String.concat "" |> Text.Encoding.UTF8.GetBytes
    | _ -> File.ReadAllBytes table

/// Fails with the names of what is other than it was. `stored`: the folder with the run as that program left it, whose tables say which columns
/// there were; one that a later version added is no other end.
let expectEnd (run: GoldenRun) (runs: string) (stored: string) =
    let paths, before = RunPaths.Of(runs, run.Name), RunPaths.Of(stored, run.Name)
    let digest = CheckpointReader.Digest(paths, CheckpointChoice.Last)

    let found (name: string) =
        if name = "state" then
            digest.State
        elif name.EndsWith ".csv" then
            withColumnsOf (Path.Combine(before.Root, name)) (Path.Combine(paths.Root, name))
            |> SHA256.HashData
            |> Convert.ToHexStringLower
        else
            match digest.Components.TryGetValue name with
            | true, sha -> sha
            | false, _ -> "missing"

    let other = [
        for name, sha in run.End do
            if found name <> sha then
                name
    ]

    Expect.equal other [] $"what is not as the program of {run.Format} had it at the end of {run.Name}"

// The log of a run is the process's only one.
[<Tests>]
let tests =
    testSequenced
    <| testList "golden runs" [
        for run in runs do
            testCase $"{run.Format}: {run.Name}, stopped by that program, is resumed to the end that it had there"
            <| fun _ ->
                use folder = new TemporaryFolder()
                unpack run folder.Path
                really folder.Path [ "resume"; run.Name ]
                expectEnd run folder.Path folder.Path

        // A key that an older format lacks has today's default in a new run, so this is asked of the newest alone.
        for run in newest do
            testCase $"{run.Format}: {run.Name}, begun anew with its configuration, has the end that it had there"
            <| fun _ ->
                use folder = new TemporaryFolder()
                let stored = folder.File "stored"
                Directory.CreateDirectory stored |> ignore
                unpack run stored
                let configuration = RunPaths.Of(stored, run.Name).Configuration
                really folder.Path [ "train"; "--config"; configuration; "--name"; run.Name ]
                expectEnd run folder.Path stored

        test "every archive is of a run with an end, and all are small together" {
            let archives = Directory.GetFiles(folder, "*.tar.gz", SearchOption.AllDirectories)
            Expect.equal (List.sort [ for run in runs -> run.Archive ]) (List.sort (List.ofArray archives)) "archives"

            for run in runs do
                let names = List.map fst run.End

                for name in [ "state"; "parameters"; "moments"; "replay"; "metrics.csv"; "eval.csv" ] do
                    Expect.contains names name $"{run.Format}: {run.Name}"

            Expect.isLessThan (archives |> Array.sumBy (fun file -> FileInfo(file).Length)) 2_000_000L "bytes"
        }
    ]
