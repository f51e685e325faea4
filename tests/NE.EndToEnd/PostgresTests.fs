module NE.EndToEnd.PostgresTests

open System
open System.IO
open System.Threading
open Expecto
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Stores
open NE.EndToEnd.Executable
open NE.Tests
open NE.Tests.RunIdentity

/// How long the server is away; the outbox's pauses grow to 8 s.
let private seconds =
    match Int32.TryParse(Environment.GetEnvironmentVariable "NE_SERVER_AWAY") with
    | true, seconds -> seconds
    | _ -> 5

let private keys = [
    "network.hidden=48,48"
    "learner.batchSize=64"
    "learner.startSteps=200"
    "learner.bufferSize=1200"
    "ne.growInterval=80"
    "ne.pruneBatch=64"
    "ne.reviewFirstStep=100"
    "evaluation.episodes=1"
    "evaluation.every=130"
    "checkpoint.every=200"
    "log.metricsEvery=100"
]

let private train runs name =
    [
        "train"
        "HalfCheetah-v4"
        "--steps"
        "1400"
        "--seed"
        "3"
        "--name"
        name
        "--runs"
        runs
        "--plain"
    ]
    @ keys

/// A process's arguments, as anybody on the machine can read them; nothing when it is gone.
let private argumentsOf (pid: int) =
    try
        File.ReadAllText($"/proc/{pid}/cmdline").Replace('\000', ' ')
    with _ ->
        ""

let private hasLogin (text: string) =
    text.Contains PostgresServer.user
    || text.Contains PostgresServer.password
    || text.Contains(Uri.EscapeDataString PostgresServer.password)

[<Tests>]
let tests =
    testSequencedGroup "PostgreSQL"
    <| testList "a run with its journal in PostgreSQL" [
        testCase "whose server is killed ends as the run with a journal in files"
        <| fun _ ->
            inRuns (fun runs ->
                let server = PostgresServer.server ()
                let url = server.Url(server.NewDatabase())

                match JournalUrl.TryParse url with
                | null -> failtest "the address"
                | parsed -> JournalLogins.Remember parsed

                let paths = RunPaths.Of(runs, "killed")
                let whole = ne (train runs "whole")
                Expect.equal whole.ExitCode 0 whole.Error

                let execution =
                    use running = new Running([ "NE_JOURNAL", url ], train runs "killed")

                    waitUntil "a commit in the middle" (fun () ->
                        if File.Exists paths.RunInfo then
                            use journal = JournalReader.Open paths
                            journal.Manifests() |> Seq.exists (fun manifest -> manifest.Step >= 400L)
                        else
                            false)

                    server.Kill()
                    Thread.Sleep(TimeSpan.FromSeconds(float seconds))
                    Expect.isFalse running.HasExited "it waits"
                    server.Start()
                    running.Wait(TimeSpan.FromMinutes 3.)

                Expect.equal execution.ExitCode 0 execution.Error
                Expect.stringContains (File.ReadAllText paths.Log) "PostgreSQL" "its log says why it waited"
                expectSame (identity paths) (identity (RunPaths.Of(runs, "whole"))) "the server was killed"

                for text in
                    execution.Output
                    :: execution.Error
                    :: [
                        for file in Directory.GetFiles(paths.Root, "*", SearchOption.AllDirectories) -> File.ReadAllText file
                    ] do
                    Expect.isFalse (hasLogin text) $"a login in: {text}")

        testCase "that is attacked ends as the run that was left alone, and nothing of both is left on the server"
        <| fun _ ->
            let server = PostgresServer.server ()
            let database = server.NewDatabase()

            use running =
                new Running(
                    [ "NE_JOURNAL", server.Url database ],
                    [ "torture"; "--scenario"; "PostgreSQL"; "--only"; "place"; "--attacks"; "1" ]
                )

            let execution = running.Wait(TimeSpan.FromMinutes 3.)
            Expect.equal execution.ExitCode 0 $"{execution.Output}{execution.Error}"
            Expect.stringContains execution.Output "1 of 1 survived" "the last line"
            Expect.isFalse (hasLogin execution.Output) "a login"

            let schemas =
                server.Sql("SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname LIKE 'ne%'", database)

            Expect.equal (string schemas) "0" "schemas"

        testCase "that a sweep starts gets its login where nobody else can read it, and keeps it to itself"
        <| fun _ ->
            inRuns (fun runs ->
                let server = PostgresServer.server ()
                let url = server.Url(server.NewDatabase())
                let file = Path.Combine(runs, "small.yaml")

                File.WriteAllText(
                    file,
                    "name: small\nenvironments: [InvertedPendulum-v4]\nmethods: [ne]\nseeds: 0\nkeys:\n  run.steps: 600\n"
                    + "  network.hidden: [16, 16]\n  learner: {batchSize: 16, startSteps: 50}\n  evaluation.episodes: 1\n"
                )

                use running =
                    new Running([], [ "sweep"; file; "--runs"; runs; "--plain"; "--journal"; url ])

                let seen = ResizeArray<string>()

                waitUntil "the sweep has ended" (fun () ->
                    for child in childrenOf running.Id do
                        seen.Add(argumentsOf child)

                    running.HasExited)

                let execution = running.Wait(TimeSpan.FromMinutes 1.)
                Expect.equal execution.ExitCode 0 execution.Error

                Expect.exists
                    seen
                    (fun arguments -> arguments.Contains $"--journal postgres://127.0.0.1:{server.Port}/")
                    "the place is an argument"

                let cell = RunPaths.Of(runs, "small-InvertedPendulum-v4-ne-s0")

                match RunInfo.Read(cell.RunInfo).Journal with
                | null -> failtest "its journal is in files"
                | place -> Expect.equal (place.Host, place.Port, place.Schema) ("127.0.0.1", server.Port, "ne") "run.json says where it is"

                Expect.isFalse (File.Exists cell.Journal) "no file"

                for text in
                    Seq.append seen [
                        for file in Directory.GetFiles(runs, "*", SearchOption.AllDirectories) -> File.ReadAllText file
                    ] do
                    Expect.isFalse (hasLogin text) $"a login in: {text}"

                // A login on the command line is not in what is kept of it.
                let named =
                    ne [
                        "train"
                        "InvertedPendulum-v4"
                        "--steps"
                        "100"
                        "--name"
                        "named"
                        "--runs"
                        runs
                        "--journal"
                        url
                        "learner.startSteps=50"
                    ]

                Expect.equal named.ExitCode 0 named.Error

                Expect.stringContains
                    (File.ReadAllText(RunPaths.Of(runs, "named").Command))
                    $"--journal postgres://127.0.0.1:{server.Port}/"
                    "command.txt")
    ]
