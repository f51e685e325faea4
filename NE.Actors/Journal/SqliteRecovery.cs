using Microsoft.Data.Sqlite;
using NE.Actors.RunDirectory;

namespace NE.Actors.Journal;

/// <summary>
/// What a killed process left of its SQLite files, made whole before anybody reads them. The index of the write-ahead log (`-shm`) is shared
/// memory, not data, and has no checksum over what it says: one that is wrong hides commits. So it is not believed: a connection that holds the
/// file alone reads the log itself, moves it into the database, and the index is gone.
/// </summary>
public static class SqliteRecovery
{
    private const int Busy = 5, Locked = 6;

    /// <summary>For whoever holds the run's lock. Waits for nobody: while others read, the index is theirs and in use.</summary>
    /// <exception cref="InvalidDataException">A file is no database.</exception>
    public static void Recover(RunPaths run)
    {
        Recover(run.Journal);
        Recover(run.Snapshots);
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
