using System.Data.Common;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Persistence.Sql;
using Akka.Persistence.Sql.Config;
using LinqToDB;
using LinqToDB.Interceptors;
using Microsoft.Data.Sqlite;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;
using NE.Actors.Stores;

namespace NE.Actors.Cast;

/// <summary>How Akka.Persistence.Sql reaches a run's journal: two SQLite files of its folder, or a PostgreSQL server.</summary>
public static class JournalConfig
{
    const string JournalPlugin = "akka.persistence.journal.sql";
    const string SnapshotPlugin = "akka.persistence.snapshot-store.sql";

    // Bounds how long one statement waits for another process's lock; longer waits are the outbox's, which tells why.
    const int LockTimeoutSeconds = 2;

    /// <summary>
    /// HOCON for an actor system that holds this run's journal. Also puts both files into WAL mode, which the plugin does not do and which
    /// stays in the files, or takes the run for this process on its server, until <see cref="Release"/>. Use it together with
    /// <see cref="Setup"/>, or take <see cref="SystemSetup(RunPaths, Config?)"/>, which is both.
    /// </summary>
    /// <exception cref="IOException">A file is there and is not a database, or another process locks it; or the server cannot be used.</exception>
    /// <exception cref="RunFolderException">Another process has the run on its server.</exception>
    public static Config For(RunPaths run) => For(run, JournalStore.Of(run));

    private static Config For(RunPaths run, JournalStore at)
    {
        if (at is PostgresStore store)
        {
            PostgresSchema.Prepare(store.Place);
            PostgresLease.Hold(run, store.Place, store.PersistenceId);
            // The place alone: what the plug-in is told here can turn up in its messages. Setup has the login.
            return Common(store.Place.ToString(), store.Place.ToString(), ProviderName.PostgreSQL15, autoInitialize: false, store.Place.Schema);
        }
        EnableWal(run.Journal);
        EnableWal(run.Snapshots);
        return Common(ConnectionString(run.Journal), ConnectionString(run.Snapshots), ProviderName.SQLiteMS, autoInitialize: true, schema: null);
    }

    /// <summary>Ends this process's right to write a journal on a server; nothing for one in files.</summary>
    public static void Release(RunPaths run) => PostgresLease.Release(run);

    private static Config Common(string journal, string snapshots, string provider, bool autoInitialize, string? schema)
    {
        var tables = schema is null ? "" : $"default.schema-name = \"{schema}\"";
        return ConfigurationFactory.ParseString($$"""
            akka.coordinated-shutdown.run-by-clr-shutdown-hook = off
            # A write that fails stops the journal actor, and the answers for each of its rows become dead letters.
            akka.log-dead-letters = 5
            akka.actor {
              serializers.ne-journal = "{{typeof(JournalSerializer).AssemblyQualifiedName}}"
              serialization-bindings {
                "{{typeof(JournalEntry).AssemblyQualifiedName}}" = ne-journal
                "{{typeof(JournalSnapshot).AssemblyQualifiedName}}" = ne-journal
              }
            }
            akka.persistence {
              journal.plugin = "{{JournalPlugin}}"
              journal.sql {
                connection-string = {{Hocon.Quoted(journal)}}
                provider-name = "{{provider}}"
                auto-initialize = {{(autoInitialize ? "true" : "false")}}
                # One journal, one actor: a commit's rows go in one statement after the other, in one transaction.
                parallelism = 1
                # The outbox decides when to try again; an open breaker would only hide the reason.
                circuit-breaker { max-failures = 1000000, call-timeout = 60s, reset-timeout = 1s }
                {{tables}}
              }
              snapshot-store.plugin = "{{SnapshotPlugin}}"
              snapshot-store.sql {
                connection-string = {{Hocon.Quoted(snapshots)}}
                provider-name = "{{provider}}"
                auto-initialize = {{(autoInitialize ? "true" : "false")}}
                circuit-breaker { max-failures = 1000000, call-timeout = 60s, reset-timeout = 1s }
                {{tables}}
              }
            }
            """).WithFallback(SqlPersistence.DefaultConfiguration);
    }

    /// <summary>
    /// Makes every connection that the plugin opens durable: synchronous=FULL, whatever SQLite was compiled with; synchronous_commit=on and this
    /// process's epoch on a server.
    /// </summary>
    /// <param name="run">The run whose journal it is, after <see cref="For(RunPaths)"/>.</param>
    /// <param name="opened">Called with each connection to a file that was made durable; for tests.</param>
    public static Setup Setup(RunPaths run, Action<DbConnection>? opened = null)
    {
        var setup = new MultiDataOptionsSetup();
        if (PostgresLease.Of(run) is { } lease)
        {
            var options = new DataOptions().UseConnectionString(ProviderName.PostgreSQL15, lease.WriterString);
            setup.AddDataOptions(JournalPlugin, options);
            setup.AddDataOptions(SnapshotPlugin, options);
            return setup;
        }
        setup.AddDataOptions(JournalPlugin, Options(run.Journal, opened));
        setup.AddDataOptions(SnapshotPlugin, Options(run.Snapshots, opened));
        return setup;
    }

    /// <summary>Everything that ActorSystem.Create needs for this run's journal, before the caller's own configuration.</summary>
    public static ActorSystemSetup SystemSetup(RunPaths run, Config? own = null)
    {
        var config = own is null ? For(run) : own.WithFallback(For(run));
        return BootstrapSetup.Create().WithConfig(config).And(Setup(run));
    }

    /// <summary>The same for a journal that is no run's: in the two files of a folder, or at a place of a server.</summary>
    /// <param name="folder">Has the files; and names the right to write at a server, until <see cref="Release"/>.</param>
    /// <param name="place">Null for the files.</param>
    /// <param name="persistenceId">Of its one actor.</param>
    /// <param name="own">Has precedence.</param>
    internal static ActorSystemSetup SystemSetup(RunPaths folder, JournalPlace? place, string persistenceId, Config own)
    {
        JournalStore at = place is null ? new SqliteStore(folder.Journal, folder.Snapshots) : new PostgresStore(place, persistenceId);
        return BootstrapSetup.Create().WithConfig(own.WithFallback(For(folder, at))).And(Setup(folder));
    }

    internal static string ConnectionString(string file) => new SqliteConnectionStringBuilder
    {
        DataSource = file,
        DefaultTimeout = LockTimeoutSeconds,
    }.ToString();

    private static DataOptions Options(string file, Action<DbConnection>? opened) => new DataOptions()
        .UseConnectionString(ProviderName.SQLiteMS, ConnectionString(file))
        .UseInterceptor(new Durability(opened));

    private static void EnableWal(string file)
    {
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder(ConnectionString(file)) { Pooling = false }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA journal_mode=WAL";
            if (command.ExecuteScalar() is not "wal")
            {
                throw new IOException($"Expected {file} to go into write-ahead mode, but its file system does not allow that. Put the run on a local disk.");
            }
        }
        catch (SqliteException error)
        {
            throw new IOException(
                $"Expected {file} to be a database that this process can open, but SQLite says: {error.Message} "
                + "Close what else has it open, or restore the file from a copy.", error);
        }
    }

    /// <summary>A WAL commit is on disk when it returns only with synchronous=FULL; the setting belongs to the connection, not to the file.</summary>
    private sealed class Durability(Action<DbConnection>? opened) : ConnectionInterceptor
    {
        public override void ConnectionOpened(ConnectionEventData eventData, DbConnection connection) => this.Make(connection);

        public override Task ConnectionOpenedAsync(ConnectionEventData eventData, DbConnection connection, CancellationToken cancellationToken)
        {
            this.Make(connection);
            return Task.CompletedTask;
        }

        private void Make(DbConnection connection)
        {
            Faults.Call("journal.open", connection.DataSource);
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA synchronous=FULL";
            command.ExecuteNonQuery();
            opened?.Invoke(connection);
        }
    }
}
