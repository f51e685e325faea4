using Microsoft.Data.Sqlite;
using NE.Actors.Journal;
using NE.Actors.RunDirectory;

namespace NE.Actors.Integrity;

/// <summary>snapshots.db only saves a start the folding of the whole journal, so a damaged one is put away.</summary>
internal static class SnapshotFile
{
    /// <summary>What is wrong with it; null when it is whole, or not there.</summary>
    /// <param name="run">The run.</param>
    /// <param name="journal">Its journal.</param>
    internal static string? Problem(RunPaths run, JournalReader journal)
    {
        if (!File.Exists(run.Snapshots))
        {
            return null;
        }
        var last = journal.NewestRecord();
        try
        {
            using var connection = new SqliteConnection(new SqliteConnectionStringBuilder
            {
                DataSource = run.Snapshots,
                Mode = SqliteOpenMode.ReadOnly,
                Pooling = false,
                DefaultTimeout = 5,
            }.ToString());
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT COUNT(*) FROM sqlite_master WHERE type = 'table' AND name = 'snapshot'";
            if (command.ExecuteScalar() is 0L)
            {
                return null;
            }
            command.CommandText = "SELECT manifest, snapshot, sequence_number FROM snapshot ORDER BY sequence_number";
            using var rows = command.ExecuteReader();
            var newest = 0L;
            while (rows.Read())
            {
                JournalCodec.Decode(rows.GetString(0), rows.GetFieldValue<byte[]>(1));
                newest = Math.Max(newest, rows.GetInt64(2));
            }
            if (newest > 0 && last == 0)
            {
                throw new InvalidDataException($"{run.Journal} has no records, and its snapshots say that there were {newest:N0}. Restore it from a copy.");
            }
            // A journal that lost its last records goes on without them, and must not be told by a snapshot what it does not have.
            return newest > last ? $"They are of record {newest:N0}, and the journal ends with {last:N0}: it has lost what was committed behind that." : null;
        }
        catch (Exception error) when (error is SqliteException or InvalidCastException || (error is InvalidDataException && last > 0))
        {
            return $"The journal's snapshots cannot be read: {error.Message}";
        }
    }

    /// <summary>Keeps the damaged file beside; the next start folds the journal and makes another.</summary>
    internal static void PutAway(RunPaths run)
    {
        File.Move(run.Snapshots, run.Snapshots + ".damaged", overwrite: true);
        File.Delete(run.Snapshots + "-wal");
        File.Delete(run.Snapshots + "-shm");
    }
}
