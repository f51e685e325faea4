/// A run directory with its journal, for tests that drive the real actors on the real SQLite files.
module NE.Actors.Tests.Journal.JournalKit

open System
open System.Data.Common
open System.IO
open Akka.Actor
open Akka.Actor.Setup
open Akka.Configuration
open Akka.TestKit
open Expecto
open Microsoft.Data.Sqlite
open NE.Actors.Cast
open NE.Actors.Journal
open NE.Model.Runs
open NE.Actors.RunDirectory
open NE.Tests.ActorKit
open NE.Model.History

let private quick =
    JournalSettings(SmallestDelay = TimeSpan.FromMilliseconds 50., LargestDelay = TimeSpan.FromMilliseconds 400.)

/// One process that works on a run: an actor system with an outbox, whose listener is `kit.TestActor`.
type JournalProcess(paths: RunPaths, settings: JournalSettings, opened: Action<DbConnection> | null) =
    // TestKit's own logger prints every dead letter of a write that is made to fail.
    let config =
        ConfigurationFactory
            .ParseString(
                "akka.loggers = []\nakka.stdout-loglevel = OFF\nakka.test.default-timeout = 20s\nakka.test.single-expect-default = 20s"
            )
            .WithFallback(JournalConfig.For paths)
            .WithFallback(TestKitBase.DefaultConfig)

    let kit =
        new ActorKit(BootstrapSetup.Create().WithConfig(config).And(JournalConfig.Setup(paths, opened)))

    let outbox = kit.Sys.ActorOf(JournalOutbox.Props(paths, kit.TestActor, settings))

    new(paths) = new JournalProcess(paths, quick, null)
    new(paths, settings) = new JournalProcess(paths, settings, null)

    member _.Kit = kit
    member _.Outbox = outbox

    member _.Send<'T>(message: obj) =
        outbox.Ask<'T>(message, Nullable(TimeSpan.FromSeconds 20.))

    member this.Ask<'T>(message: obj) : 'T =
        this.Send(message).GetAwaiter().GetResult()

    member this.Recovered = this.Ask<Recovered>(GetRecovered())

    member this.Commit(id: int64, state, events: RunEvent list) =
        this.Ask<Committed>(Commit(id, state, events))

    member this.Record(id: int64, event: RunEvent) =
        this.Ask<Recorded>(RecordOperational(id, event))

    /// The failure that a message is answered with.
    member this.Refusal(message: obj) =
        try
            failtestf "expected a refusal, found %O" (this.Send<obj>(message).GetAwaiter().GetResult())
        with :? ArgumentException as error ->
            error.Message

    interface IDisposable with
        member _.Dispose() =
            (kit :> IDisposable).Dispose()
            JournalConfig.Release paths
            SqliteConnection.ClearAllPools()

let quickly giveUpAfter commitsPerSnapshot =
    JournalSettings(
        SmallestDelay = quick.SmallestDelay,
        LargestDelay = quick.LargestDelay,
        GiveUpAfter = giveUpAfter,
        CommitsPerSnapshot = commitsPerSnapshot
    )

let newRun (folder: string) =
    use run = RunFolder.Create(folder, "run")
    run.Paths

let sql (file: string) (statement: string) =
    use connection =
        new SqliteConnection($"Data Source={file};Pooling=False;Default Timeout=30")

    connection.Open()
    use command = connection.CreateCommand()
    command.CommandText <- statement
    command.ExecuteScalar()

let events paths =
    use reader = JournalReader.Open paths
    [ for stored in reader.Events() -> stored.Event ]

let ordinals paths =
    events paths
    |> List.choose (fun e -> RunEvents.ordinalOf e |> Option.ofNullable)

let blobCount (paths: RunPaths) = Directory.GetFiles(paths.Blobs).Length
