using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace NE.Actors.Stores;

/// <summary>A journal and its snapshots in two SQLite files of the run's folder. WAL gives every reader the state of the last transaction.</summary>
internal sealed class SqliteStore(string journal, string snapshots) : JournalStore
{
    /// <summary>In all files of all runs; a file has one run.</summary>
    internal const string Id = "run";

    /// <summary>SQLITE_READONLY and SQLITE_CANTOPEN.</summary>
    private const int ReadOnlyError = 8, CannotOpen = 14;

    internal override string Where => journal;

    internal override string PersistenceId => Id;

    internal override string Journal => "journal";

    internal override string Snapshots => "snapshot";

    internal override bool MayExist => File.Exists(journal);

    internal override DbConnection OpenJournal() => Open(journal);

    internal override DbConnection? TryOpenSnapshots() => File.Exists(snapshots) ? Open(snapshots) : null;

    internal override DbTransaction BeginRead(DbConnection connection) => ((SqliteConnection)connection).BeginTransaction(deferred: true);

    internal override bool HasTables(DbConnection connection)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name IN ('journal', 'snapshot')";
        return command.ExecuteScalar() is > 0L;
    }

    internal override Exception Unreadable(DbException error) => new InvalidDataException($"The journal {journal} cannot be read: {error.Message}", error);

    private static SqliteConnection Open(string file)
    {
        if (!File.Exists(file))
        {
            throw new FileNotFoundException($"Expected a journal at {file}, found none: the run never started, or its directory is incomplete.", file);
        }
        try
        {
            try
            {
                return Connect(file);
            }
            catch (SqliteException error) when (error.SqliteErrorCode is ReadOnlyError or CannotOpen && !File.Exists(file + "-wal"))
            {
                // Without its log a database in WAL mode is complete, but SQLite wants to make a new one beside it: not in a folder of another
                // user, or on a medium that cannot be written.
                return Connect($"file:{Uri.EscapeDataString(file)}?immutable=1");
            }
        }
        catch (SqliteException error)
        {
            throw new InvalidDataException($"Expected a journal at {file}, but it cannot be opened: {error.Message}", error);
        }
    }

    private static SqliteConnection Connect(string source)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = source,
            Mode = SqliteOpenMode.ReadOnly,
            Pooling = false,
            DefaultTimeout = 5,
        }.ToString());
        try
        {
            connection.Open();
            // The first read is what opens the log.
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA schema_version";
            command.ExecuteScalar();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }
}
