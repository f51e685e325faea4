/// What the shell's tests share: a host whose console is text, a run that does what the test says, golden files.
module NE.Shell.Tests.Support

open System
open System.Collections.Generic
open System.IO
open System.Net
open System.Net.Sockets
open System.Threading
open System.Threading.Tasks
open Expecto
open Microsoft.Data.Sqlite
open NE.Actors.Checkpoints
open NE.Actors.Journal
open NE.Actors.Hosting
open NE.Actors.RunDirectory
open NE.Actors.Runs
open NE.Actors.Storage
open NE.Shell
open NE.Shell.Host

/// A folder that is gone after the test.
type TemporaryFolder() =
    let path = Directory.CreateTempSubdirectory("ne-shell-").FullName
    member _.Path = path
    member _.File(name: string) = Path.Combine(path, name)

    interface IDisposable with
        member _.Dispose() =
            // A log whose closing was given up after its patience may still write a last file.
            let rec delete attempts =
                try
                    Directory.Delete(path, true)
                with :? IOException when attempts > 1 ->
                    Thread.Sleep 50
                    delete (attempts - 1)

            delete 20

/// Writes run.json anew as that of another run, or with another state of its last process.
let rewriteInfo (paths: RunPaths) (id: string) (status: RunState) (reason: string | null) : unit =
    let info = RunInfo.Read paths.RunInfo

    RunInfo(
        info.FormatVersion,
        id,
        info.Name,
        status,
        reason,
        info.Environment,
        info.Method,
        info.Seed,
        info.TotalSteps,
        info.Threads,
        info.Device,
        info.Stretches,
        info.Engine
    )
        .Write
        paths.RunInfo

/// A server of HTTP at a port of its own on this machine, which answers as the test says; it does not wait for an answer before it takes the next request.
type HttpStandIn(answer: HttpListenerContext -> Task) =
    let port =
        use probe = new TcpListener(IPAddress.Loopback, 0)
        probe.Start()
        (probe.LocalEndpoint :?> IPEndPoint).Port

    let listener = new HttpListener()

    do
        listener.Prefixes.Add $"http://127.0.0.1:{port}/"
        listener.Start()

        let loop =
            task {
                try
                    while true do
                        let! context = listener.GetContextAsync()
                        answer context |> ignore
                with
                | :? HttpListenerException
                | :? ObjectDisposedException -> ()
            }

        ignore loop

    member _.Url = $"http://127.0.0.1:{port}"

    interface IDisposable with
        member _.Dispose() = listener.Close()

/// A run that ends when the test, or a request to stop, says so.
type FakeRun(status: RunStatus) =
    let completion =
        TaskCompletionSource<RunOutcome>(TaskCreationOptions.RunContinuationsAsynchronously)

    member val Reasons = List<string>()

    member _.End(outcome: RunOutcome) =
        completion.TrySetResult outcome |> ignore

    interface ITrainingRun with
        member _.Status = status
        member _.Completion = completion.Task

        member this.RequestStop reason =
            this.Reasons.Add reason

            completion.TrySetResult(RunOutcome(RunPhase.Interrupted, reason, 500L))
            |> ignore

        member _.DisposeAsync() = ValueTask()

let private versions (pairs: (string * string) list) =
    Dictionary<string, string>(dict pairs) :> IReadOnlyDictionary<string, string>

/// A host without terminal or a real run; `prepare` stands for the native libraries of a run with these settings, which sees pictures or not.
let hostPreparing prepare (runs: string) (start: RunRequest -> ITrainingRun) : ShellHost =
    ShellHost(
        Output = new StringWriter(NewLine = "\n"),
        Error = new StringWriter(NewLine = "\n"),
        DefaultRuns = runs,
        FleetKey = "/nonexistent/fleet.pem",
        Width = 160,
        StartRun = Func<_, _> start,
        HasCuda = (fun () -> false),
        Processors = 1,
        Prepare = Preparation(fun compute draws -> versions (prepare compute draws))
    )

/// A host without terminal, native libraries or a real run.
let host: string -> (RunRequest -> ITrainingRun) -> ShellHost =
    hostPreparing (fun _ _ -> [ "ne", "test" ])

let noRun (_: RunRequest) : ITrainingRun =
    failtest "this command must not start a run"

/// Exit code, standard output and standard error of a command line.
let execute (host: ShellHost) (arguments: string list) : ExitCode * string * string =
    let code = Shell.Run(List<string> arguments, host).GetAwaiter().GetResult()
    code, string host.Output, string host.Error

/// Runs a command line that starts no run, with runs in a folder that does not exist.
let shell (arguments: string list) : ExitCode * string * string =
    execute (host "/nonexistent/runs" noRun) arguments

/// A commit of that number and step, before so many events of history, whose tables have so many bytes.
let commitOf (id: int64) (step: int64) (ordinal: int64) (tables: (string * int64) list) : JournalEntry =
    JournalEntry.CheckpointCommitted(
        CheckpointManifest(
            CheckpointManifest.CurrentFormat,
            id,
            step,
            step,
            step,
            true,
            Dictionary<string, ComponentRef>(),
            null,
            Dictionary<string, FileMark>(dict [ for name, bytes in tables -> name, FileMark bytes ]),
            null,
            ordinal
        )
    )

/// Appends to a run's journal what a run would.
let appendToJournal (paths: RunPaths) (entries: JournalEntry list) =
    use connection = new SqliteConnection($"Data Source={paths.Journal};Pooling=False")

    connection.Open()

    let execute (text: string) (values: obj list) =
        use command = connection.CreateCommand()
        command.CommandText <- text

        values
        |> List.iteri (fun i value -> command.Parameters.AddWithValue($"$v{i}", value) |> ignore)

        command.ExecuteNonQuery() |> ignore

    execute
        "CREATE TABLE IF NOT EXISTS journal (persistence_id TEXT, sequence_number INTEGER PRIMARY KEY, created INTEGER, deleted INTEGER, manifest TEXT, message BLOB)"
        []

    for entry in entries do
        execute "INSERT INTO journal (persistence_id, created, deleted, manifest, message) VALUES ('run', 0, 0, $v0, $v1)" [
            JournalCodec.ManifestOf entry
            JournalCodec.Encode entry
        ]

let private goldenFolder = Path.Combine(__SOURCE_DIRECTORY__, "golden")

/// Compares with golden/NAME.txt. NE_UPDATE_GOLDEN=1 writes the file instead, to be reviewed as a diff.
let golden (name: string) (actual: string) =
    let file = Path.Combine(goldenFolder, name + ".txt")

    if Environment.GetEnvironmentVariable "NE_UPDATE_GOLDEN" = "1" then
        Directory.CreateDirectory goldenFolder |> ignore
        File.WriteAllText(file, actual)
    else
        Expect.isTrue (File.Exists file) $"golden/{name}.txt is missing; NE_UPDATE_GOLDEN=1 writes it"
        Expect.equal actual (File.ReadAllText file) $"golden/{name}.txt; NE_UPDATE_GOLDEN=1 rewrites it when the change is meant"

/// Waits until a condition holds; fails after a time that no passing test comes near.
let eventually (what: string) (condition: unit -> bool) =
    let until = DateTime.UtcNow.AddSeconds 60.0

    while not (condition ()) do
        if DateTime.UtcNow > until then
            failtest $"never: {what}"

        Threading.Thread.Sleep 5
