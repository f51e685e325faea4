using Microsoft.Data.Sqlite;
using NE.Actors.RunDirectory;

namespace NE.Actors.Stores;

/// <summary>
/// What a killed process left of its SQLite files, made whole before anybody reads them. The index of the write-ahead log (`-shm`) is shared
/// memory, not data, and has no checksum over what it says: one that is wrong hides commits. So it is not believed: a connection that holds the
/// file alone reads the log itself, moves it into the database, and the index is gone.
/// </summary>
public static class SqliteRecovery
{
    private const int Busy = 5, Locked = 6;

    private const int Attempts = 10;

    private static readonly TimeSpan BetweenAttempts = TimeSpan.FromMilliseconds(100);

    /// <summary>For whoever holds the run's lock. Waits for nobody: while others read, the index is theirs and in use.</summary>
    /// <exception cref="InvalidDataException">A file is no database.</exception>
    public static void Recover(RunPaths run)
    {
        Recover(run.Journal);
        Recover(run.Snapshots);
    }

    /// <summary>The same for whoever copies or counts on the files as they are: all commits are in them, and no log is beside them.</summary>
    /// <exception cref="InvalidDataException">A file is no database.</exception>
    /// <exception cref="IOException">Another program has one open and keeps its log.</exception>
    public static void RecoverAll(RunPaths run)
    {
        for (var attempt = 1; ; attempt++)
        {
            Recover(run);
            var open = new[] { run.Journal, run.Snapshots }.FirstOrDefault(file => new FileInfo(file + "-wal") is { Exists: true, Length: > 0 });
            if (open is null)
            {
                return;
            }
            if (attempt == Attempts)
            {
                throw new IOException($"{open} is open in another program, so its last commits are not in it yet. Close that program, then try again.");
            }
            Thread.Sleep(BetweenAttempts);
        }
    }

    /// <summary>What SQLite finds wrong with a file's pages; null when nothing.</summary>
    internal static string? PageProblem(string file)
    {
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = file,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
            }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "PRAGMA integrity_check(1)";
            return command.ExecuteScalar() is string problem && problem != "ok" ? $"SQLite says: {problem}" : null;
        }
        catch (SqliteException error)
        {
            return $"SQLite says: {error.Message}";
        }
    }

    private static void Recover(string file)
    {
        if (!File.Exists(file))
        {
            return;
        }
        try
        {
            using (var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false, DefaultTimeout = 1 }.ToString()))
            {
                connection.Open();
                // Before the first read of the log, exclusive means: without an index in shared memory.
                Execute(connection, "PRAGMA locking_mode=EXCLUSIVE");
                Execute(connection, "SELECT COUNT(*) FROM sqlite_master");
                Execute(connection, "PRAGMA wal_checkpoint(TRUNCATE)");
            }
            if (!File.Exists(file + "-wal"))
            {
                File.Delete(file + "-shm");
            }
        }
        catch (SqliteException error) when (error.SqliteErrorCode is Busy or Locked)
        {
        }
        catch (SqliteException error)
        {
            throw new InvalidDataException($"{file} is damaged: {error.Message.TrimEnd('.')}. Restore it from a copy.", error);
        }
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteScalar();
    }
}
