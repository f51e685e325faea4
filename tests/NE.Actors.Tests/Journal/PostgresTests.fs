module NE.Actors.Tests.Journal.PostgresTests

open System
open System.Threading.Tasks
open Expecto
open Npgsql
open NE.Actors.Cast
open NE.Actors.Journal
open NE.Actors.RunDirectory
open NE.Actors.Stores
open NE.Actors.Tests.DurableSupport
open NE.Actors.Tests.Journal.JournalKit
open NE.Model.History
open NE.Tests.PostgresServer

let private started = RunEvent.RunStarted("seed: 1", "ne 0.1.0")

let placeOf (url: string) =
    let parsed = there (JournalUrl.TryParse url)
    JournalLogins.Remember parsed
    parsed.Place

/// A new run whose run.json says where its journal is.
let describe (paths: RunPaths) (id: string) (place: JournalPlace | null) =
    RunInfo(1, id, paths.Name, RunState.Running, null, "Hopper-v4", "ne", 0L, 1000L, 1, "cpu", [||], null, null, place).Write paths.RunInfo

let runAt place folder =
    let paths = newRun folder
    describe paths (Guid.NewGuid().ToString "N") place
    paths

let commitSome (journal: JournalProcess) first last =
    for n in first..last do
        let ordinal = (n - 1L) * 2L

        journal.Commit(n, frozen (n * 100L) (ordinal + 2L) null, [ episode ordinal; episode (ordinal + 1L) ])
        |> ignore

let private retrying (journal: JournalProcess) =
    journal.Kit.FishForMessage((fun (m: obj) -> m :? CommitRetrying), Nullable(TimeSpan.FromSeconds 20.)) :?> CommitRetrying

let private refusal<'E when 'E :> exn> (action: unit -> unit) : string =
    try
        action ()
        failtest "expected a refusal"
    with :? 'E as error ->
        error.Message

/// The same run directory as another machine has it: another lock, the same journal.
let private elsewhere (scratch: Scratch) (paths: RunPaths) =
    let other = newRun (scratch.Sub "elsewhere")
    IO.File.Copy(paths.RunInfo, other.RunInfo)
    other

/// Ends the session that holds a run's lock, as a network that fails does.
let private cutLease database =
    (server ())
        .Sql(
            "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            database
        )
    |> ignore

let private idOf (paths: RunPaths) = RunInfo.Read(paths.RunInfo).Id

[<Tests>]
let tests =
    testSequenced
    <| testList "a journal in PostgreSQL" [
        testCase "gives back after a restart what was committed, for readers and for its own process, as one in files does"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let place = placeOf ((server ()).Url database)

            let used where (place: JournalPlace | null) =
                let paths = runAt place (scratch.Sub where)

                do
                    use journal = new JournalProcess(paths)
                    Expect.equal journal.Recovered.NextId 1L "empty"
                    commitSome journal 1L 2L
                    journal.Record(3L, started) |> ignore

                use journal = new JournalProcess(paths)
                let recovered = journal.Recovered
                use reader = JournalReader.Open paths
                let summary = reader.Summary()

                let facts =
                    [ for m in recovered.Manifests -> m.Step, m.CommitId, m.HistoryOrdinal ],
                    [ for c in recovered.EventCounts -> c.Key, c.Value ],
                    recovered.Masks.Value.ToArray(),
                    recovered.NextId,
                    [ for c in summary.EventCounts -> c.Key, c.Value ] |> List.sort,
                    (there summary.LastOperational).Event,
                    [
                        for stored in reader.Events() -> stored.SequenceNr, stored.CommitId, string stored.Event
                    ]

                Expect.equal (CheckpointReader.Load(paths, CheckpointChoice.Last)).Manifest.Step 200L "a checkpoint"
                Expect.isTrue ((DateTimeOffset.UtcNow - summary.CommittedAt.Value).Duration() < TimeSpan.FromHours 1.) "when"
                facts

            // Two runs share the database.
            let mine = used "mine" place
            Expect.equal mine (used "files" null) "as in files"
            Expect.equal (used "other" place) mine "each run has its own"
            Expect.isFalse (IO.File.Exists(IO.Path.Combine(scratch.Sub "mine", "run", "journal.db"))) "no file"

        testCase "stores history and manifest in one transaction, however many events there are"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let paths = runAt (placeOf ((server ()).Url database)) scratch.Path
            use journal = new JournalProcess(paths)
            journal.Record(1L, started) |> ignore

            (server ())
                .Sql(
                    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE EXCEPTION ''no manifest today''; END'; "
                    + "CREATE TRIGGER refuse BEFORE INSERT ON ne.journal FOR EACH ROW WHEN (NEW.manifest LIKE 'checkpoint-committed%') EXECUTE FUNCTION refuse()",
                    database
                )
            |> ignore

            let answer =
                journal.Send<Committed>(Commit(2L, frozen 100L 2_500L null, [ for n in 0L .. 2_499L -> episode n ]))

            Expect.stringContains (retrying journal).Reason "no manifest today" "reason"
            Expect.equal ((server ()).Sql("SELECT count(*) FROM ne.journal", database)) (box 1L) "only the start"
            (server ()).Sql("DROP TRIGGER refuse ON ne.journal", database) |> ignore
            Expect.equal (answer.GetAwaiter().GetResult()).Id 2L "committed in the end"
            Expect.equal (ordinals paths) [ 0L .. 2_499L ] "each once, in order"

        testCase "writes with synchronous_commit, whatever the database's default is"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()

            (server ()).Sql $"ALTER DATABASE {database} SET synchronous_commit = off"
            |> ignore

            let paths = runAt (placeOf ((server ()).Url database)) scratch.Path

            (server ()).Sql("CREATE SCHEMA ne; CREATE TABLE public.seen (setting text)", database)
            |> ignore

            use journal = new JournalProcess(paths)
            journal.Recovered |> ignore

            (server ())
                .Sql(
                    "CREATE FUNCTION look() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO public.seen VALUES (current_setting(''synchronous_commit'')); RETURN NEW; END'; "
                    + "CREATE TRIGGER look BEFORE INSERT ON ne.journal FOR EACH ROW EXECUTE FUNCTION look()",
                    database
                )
            |> ignore

            commitSome journal 1L 2L
            Expect.equal ((server ()).Sql("SELECT string_agg(DISTINCT setting, ',') FROM public.seen", database)) (box "on") "on"

        testCase "survives a server that is killed amid commits: nothing is lost and nothing doubled"
        <| fun () ->
            use scratch = new Scratch()
            let own = server ()
            let paths = runAt (placeOf (own.Url(own.NewDatabase()))) scratch.Path
            use journal = new JournalProcess(paths)
            journal.Record(1L, started) |> ignore

            let commits =
                Task.Run(fun () ->
                    for n in 2L .. 40L do
                        let ordinal = (n - 2L) * 50L

                        journal.Commit(n, frozen (n * 100L) (ordinal + 50L) null, [ for k in ordinal .. ordinal + 49L -> episode k ])
                        |> ignore)

            eventually "some are stored" (fun () -> (ordinals paths).Length > 100)
            own.Kill()
            let notice = retrying journal
            Expect.stringContains notice.Reason "PostgreSQL" $"why: {notice.Reason}"
            Expect.isFalse commits.IsCompleted "it waits"
            own.Start()
            commits.GetAwaiter().GetResult()
            Expect.equal (ordinals paths) [ 0L .. 39L * 50L - 1L ] "each once, in order"
            Expect.equal (there (PostgresLease.Of paths)).Epoch 1L "nobody took it over"

        testCase "is refused to a second process while the first one lives, and free when it is gone"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let paths = runAt (placeOf ((server ()).Url database)) scratch.Path
            let other = elsewhere scratch paths

            do
                use journal = new JournalProcess(paths)
                commitSome journal 1L 1L

                let message =
                    refusal<RunFolderException>(fun () -> (JournalServer.Hold other).Dispose())

                Expect.stringContains message $"process {Environment.ProcessId} on {Environment.MachineName}" "who"
                Expect.isFalse (message.Contains user || message.Contains password) "no login"
                commitSome journal 2L 2L

            use journal = new JournalProcess(other)
            Expect.equal journal.Recovered.NextId 3L "goes on"
            Expect.equal (there (PostgresLease.Of other)).Epoch 2L "the second to have it"

        testCase "is taken again by the process whose session was cut while nobody else took it"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let paths = runAt (placeOf ((server ()).Url database)) scratch.Path
            use journal = new JournalProcess(paths)
            commitSome journal 1L 1L
            cutLease database
            commitSome journal 2L 2L
            Expect.equal (there (PostgresLease.Of paths)).Epoch 1L "the same epoch"

            Expect.stringContains
                (refusal<RunFolderException>(fun () -> (JournalServer.Hold(elsewhere scratch paths)).Dispose()))
                "in use"
                "locked again"

        testCase "takes nothing more from a writer that was cut off while another process took the run over"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let paths = runAt (placeOf ((server ()).Url database)) scratch.Path
            use old = new JournalProcess(paths)
            commitSome old 1L 1L
            cutLease database
            use successor = new JournalProcess(elsewhere scratch paths)
            Expect.equal successor.Recovered.NextId 2L "where the old one was"
            // An event goes to the database without a look at the lock: the server itself refuses it. A commit looks first.
            old.Outbox.Tell(RecordOperational(2L, started), old.Kit.TestActor)

            let gone id =
                let failed =
                    old.Kit.FishForMessage((fun (m: obj) -> m :? CommitFailed), Nullable(TimeSpan.FromSeconds 20.)) :?> CommitFailed

                Expect.equal failed.Id id "which"
                Expect.stringContains failed.Reason "taken this run over" "why"

            gone 2L
            old.Outbox.Tell(Commit(3L, frozen 200L 4L null, [ episode 2L; episode 3L ]), old.Kit.TestActor)
            gone 3L
            commitSome successor 2L 3L
            Expect.equal (ordinals paths) [ 0L .. 5L ] "the successor's history alone"

            Expect.equal
                ((server ()).Sql($"SELECT count(DISTINCT writer_uuid) FROM ne.journal WHERE persistence_id = '{idOf paths}'", database))
                (box 2L)
                "two writers"

        testCase "lets a transaction end before the run changes hands, and none of the old epoch after that"
        <| fun () ->
            use scratch = new Scratch()
            let database = (server ()).NewDatabase()
            let place = placeOf ((server ()).Url database)
            let paths = runAt place scratch.Path
            use _ = JournalServer.Hold paths
            let id = idOf paths

            let insert (session: NpgsqlConnection) number =
                PostgresConnections.Execute(
                    session,
                    $"INSERT INTO ne.journal (created, deleted, persistence_id, sequence_number, message) VALUES (0, false, '{id}', {number}, '')"
                )
                |> ignore

            use session = PostgresConnections.Open(place, Nullable 1L)
            use transaction = session.BeginTransaction()
            insert session 1
            cutLease database
            let taking = Task.Run(fun () -> PostgresLease.Take(place, id))

            eventually "the successor waits" (fun () ->
                (server ())
                    .Sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", database)
                    =
                    box 1L)

            Expect.isFalse taking.IsCompleted "until the transaction has ended"
            transaction.Commit()
            use successor = taking.GetAwaiter().GetResult()
            Expect.equal successor.Epoch 2L "then it has the run"

            let refused =
                Expect.throwsC (fun () -> insert session 2) (fun error -> (error :?> PostgresException).SqlState)

            Expect.equal refused "NE001" "the old one no more"
            // Without an epoch nobody writes; nor is anything deleted or changed.
            use stranger = PostgresConnections.Open place

            for statement in [ "UPDATE ne.journal SET created = 1"; "DELETE FROM ne.journal" ] do
                Expect.throwsT<PostgresException> (fun () -> PostgresConnections.Execute(stranger, statement) |> ignore) statement

            Expect.equal ((server ()).Sql("SELECT count(*) FROM ne.journal WHERE created = 0", database)) (box 1L) "the one row"

        testCase "that cannot be had is one sentence, without any login"
        <| fun () ->
            let database = (server ()).NewDatabase()

            let sql text =
                (server ()).Sql(text, database) |> ignore

            sql "CREATE ROLE poor7f3 LOGIN PASSWORD 'poor7f3'"

            let prepare url () = JournalServer.Prepare(placeOf url)

            let closed = $"postgres://tester7f3:7f3@127.0.0.1:1/{database}"

            for url, part in
                [
                    closed, "does not answer"
                    (server ()).UrlAs(user, "7f3", database), "refused the login"
                    (server ()).UrlAs("tester7f3-too", "7f3", database), "refused the login"
                    (server ()).Url "d7f3-missing", "has no database"
                    (server ()).UrlAs("poor7f3", "poor7f3", database), "rights that a journal needs (permission denied for database"
                    "postgres://tester7f3:7f3@no-such-host.invalid/d", "cannot be found"
                ] do
                let message = refusal<JournalUnavailableException>(prepare url)
                Expect.stringContains message part url

                Expect.isFalse
                    (message.Contains "tester7f3"
                     || message.Contains "poor7f3"
                     || message.Contains '\n')
                    message

            // Tables that are there, but for others.
            prepare ((server ()).Url database) ()

            Expect.stringContains
                (refusal<JournalUnavailableException>(prepare ((server ()).UrlAs("poor7f3", "poor7f3", database))))
                "permission denied for table ne.journal"
                "rights on tables"

            sql "GRANT USAGE ON SCHEMA ne TO poor7f3; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA ne TO poor7f3"
            prepare ((server ()).UrlAs("poor7f3", "poor7f3", database)) ()
    ]

[<Tests>]
let addresses =
    testList "the address of a journal" [
        testCase "has a login and a place, and the place alone is ever shown"
        <| fun () ->
            let url =
                there (JournalUrl.TryParse "postgresql://u%40x:p%2F%3Aq@db.example:5433/runs%201?schema=mine&sslmode=require")

            Expect.equal url.Place (JournalPlace("postgresql", "db.example", 5433, "runs 1", "mine", "require")) "place"
            Expect.equal (there url.Login).User "u@x" "user"
            Expect.equal (there url.Login).Password "p/:q" "password"
            Expect.equal (string url) "postgres://db.example:5433/runs%201?schema=mine&sslmode=require" "shown"
            Expect.equal (string (there url.Login)) "(login)" "nor this"
            Expect.equal (there (JournalUrl.TryParse url.Secret)) url "the whole, for a child"
            let plain = there (JournalUrl.TryParse "postgres://[::1]/ne")
            Expect.equal (plain.Place, plain.Login) (JournalPlace("postgresql", "::1", 5432, "ne", "ne", null), null) "defaults"
            Expect.equal (there (JournalUrl.TryParse(string plain))) plain "read again"

        testCase "is refused when it could be read in two ways"
        <| fun () ->
            for text in
                [
                    "postgres://u:p@ss@host/db"
                    "postgres://u:p/w@host/db"
                    "postgres://host"
                    "postgres://host/"
                    "postgres:///db"
                    "postgres://host:99999/db"
                    "postgres://host/db?password=x"
                    "postgres://host/db?schema=a;b"
                    "mysql://host/db"
                    "postgres://ho st/db"
                ] do
                Expect.isNull (JournalUrl.TryParse text) text

        testCase "loses its login in any text"
        <| fun () ->
            for text in
                [
                    "postgres://u:p@h/d"
                    "--journal=postgresql://u:p@ss w/x@h/d"
                    "no environment 'postgres://u@h/d'"
                ] do
                let shown = JournalUrl.WithoutLogin text
                Expect.stringContains shown "://h/d" text
                Expect.isFalse (shown.Contains '@') shown

            Expect.equal (JournalUrl.WithoutLogin $"such as {JournalUrl.Form}") $"such as {JournalUrl.Form}" "the form has none"
    ]
