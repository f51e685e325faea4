using System.Data.Common;
using Microsoft.Data.Sqlite;
using NE.Actors.RunDirectory;
using NE.Actors.Storage;

namespace NE.Actors.Stores;

/// <summary>What a copy of a journal did.</summary>
/// <param name="Records">Rows of the journal.</param>
/// <param name="Snapshots">Rows of the snapshots.</param>
/// <param name="From">Where the run had its journal.</param>
/// <param name="To">Where it has it now.</param>
public sealed record JournalCopied(long Records, long Snapshots, string From, string To);

/// <summary>
/// Copies a run's journal and snapshots between its folder and a server, row by row with number and time, and reads them back. run.json is
/// replaced last and as a whole: the run has its journal where it was, or all of it where it is to be. What it leaves behind stays: on a server
/// as it was, in the folder under other names.
/// </summary>
public static class JournalCopy
{
    /// <summary>Ends the names of the files of a journal that has gone to a server.</summary>
    public const string LeftSuffix = ".copied";

    private const string PartialSuffix = ".partial";

    // As Akka.Persistence.Sql makes them.
    private const string JournalTables = """
        CREATE TABLE [journal]
        (
        	[ordering]        INTEGER        NOT NULL PRIMARY KEY AUTOINCREMENT,
        	[created]         INTEGER        NOT NULL,
        	[deleted]         Bit            NOT NULL,
        	[persistence_id]  NVarChar(255)  NOT NULL,
        	[sequence_number] INTEGER        NOT NULL,
        	[message]         VarBinary      NOT NULL,
        	[manifest]        NVarChar(500)      NULL,
        	[identifier]      INTEGER            NULL,
        	[writer_uuid]     NVarChar(128)      NULL
        );
        CREATE UNIQUE INDEX journal_uq ON journal (persistence_id, sequence_number);
        CREATE INDEX journal_created_idx ON journal (created);
        CREATE INDEX journal_sequence_number_idx ON journal (sequence_number);
        CREATE TABLE [tags]
        (
        	[ordering_id]    INTEGER       NOT NULL,
        	[tag]            NVarChar(64)  NOT NULL,
        	[sequence_nr]    INTEGER       NOT NULL,
        	[persistence_id] NVarChar(255) NOT NULL,

        	CONSTRAINT [PK_tags] PRIMARY KEY ([ordering_id], [tag])
        );
        CREATE INDEX tags_persistence_id_sequence_nr_idx ON tags (persistence_id, sequence_nr);
        CREATE INDEX tags_tag_idx ON tags (tag);
        """;

    private const string SnapshotTables = """
        CREATE TABLE [snapshot]
        (
        	[persistence_id]  NVarChar(255) NOT NULL,
        	[sequence_number] INTEGER       NOT NULL,
        	[created]         INTEGER       NOT NULL,
        	[snapshot]        VarBinary         NULL,
        	[manifest]        NVarChar(500)     NULL,
        	[serializer_id]   INTEGER           NULL,

        	CONSTRAINT [PK_snapshot] PRIMARY KEY ([persistence_id], [sequence_number])
        );
        CREATE INDEX snapshot_sequence_number_idx ON snapshot (sequence_number);
        CREATE INDEX snapshot_created_idx ON snapshot (created);
        """;

    /// <summary>Moves a run's journal; nothing has changed when it throws.</summary>
    /// <param name="run">Its lock is held by this process.</param>
    /// <param name="to">A server's place; null for the run's folder.</param>
    /// <exception cref="RunFolderException">It is there already, has no journal yet, another process works on it, or the place has another journal of this run.</exception>
    /// <exception cref="JournalUnavailableException">A server cannot be used.</exception>
    /// <exception cref="InvalidDataException">The journal cannot be read, or was not read back as it was written.</exception>
    public static JournalCopied Copy(RunPaths run, JournalPlace? to)
    {
        var info = RunInfo.Read(run.RunInfo);
        var source = JournalStore.Of(run);
        if (info.Journal == to)
        {
            throw new RunFolderException($"The journal of the run '{run.Name}' is at {source.Where} already.");
        }
        using var lease = info.Journal is { } from ? PostgresLease.Take(from, info.Id) : null;
        RequireJournal(run, source);
        var target = to is null ? ToFiles(run, source) : ToServer(run, to, info, source);
        var result = new JournalCopied(
            RequireSame(RowForm.Journal, source, target.Written), RequireSame(RowForm.Snapshots, source, target.Written), source.Where, target.Final.Where);
        if (to is null)
        {
            Put(run.Journal, PartialSuffix, "");
            Put(run.Snapshots, PartialSuffix, "");
            DurableFile.SyncFolder(run.Root);
        }
        (info with { Journal = to }).Write(run.RunInfo);
        if (to is not null)
        {
            SetAside(run);
        }
        return result;
    }

    private static void RequireJournal(RunPaths run, JournalStore source)
    {
        if (!source.MayExist)
        {
            throw new RunFolderException($"The run '{run.Name}' has no journal yet: there is nothing to copy.");
        }
        using var connection = source.OpenJournal();
        if (!source.HasTables(connection))
        {
            throw new RunFolderException($"The run '{run.Name}' has no journal yet: there is nothing to copy.");
        }
    }

    private static (JournalStore Written, JournalStore Final) ToFiles(RunPaths run, JournalStore source)
    {
        // Files of this name are what an earlier copy to the server had no time to rename.
        SetAside(run);
        var partial = new SqliteStore(run.Journal + PartialSuffix, run.Snapshots + PartialSuffix);
        Write(run.Journal + PartialSuffix, JournalTables, RowForm.Journal, source);
        Write(run.Snapshots + PartialSuffix, SnapshotTables, RowForm.Snapshots, source);
        return (partial, new SqliteStore(run.Journal, run.Snapshots));
    }

    private static void Write(string file, string tables, RowForm form, JournalStore source)
    {
        File.Delete(file);
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA synchronous=FULL;" + tables;
        command.ExecuteNonQuery();
        using var transaction = connection.BeginTransaction();
        form.Write(connection, transaction, SqliteStore.Id, form.Read(source));
        transaction.Commit();
    }

    private static (JournalStore Written, JournalStore Final) ToServer(RunPaths run, JournalPlace to, RunInfo info, JournalStore source)
    {
        // The files are what is set aside afterwards: all of the journal has to be in them, and none in a log that another program keeps open.
        SqliteRecovery.RecoverAll(run);
        PostgresSchema.Prepare(to);
        var target = new PostgresStore(to, info.Id);
        using var lease = PostgresLease.Take(to, info.Id);
        using var connection = PostgresConnections.Open(to, lease.Epoch, pooled: false);
        PostgresConnections.Saying(to, () =>
        {
            RequirePast(target, source);
            using var transaction = connection.BeginTransaction();
            foreach (var form in (RowForm[])[RowForm.Journal, RowForm.Snapshots])
            {
                connection.DeleteRun(form.TableOf(target), info.Id);
                form.Write(connection, to, info.Id, form.Read(source));
            }
            transaction.Commit();
            return true;
        });
        return (target, target);
    }

    /// <summary>A run that was here before has left its past, which the copy has too. Anything else is the journal of a copied run directory.</summary>
    private static void RequirePast(PostgresStore target, JournalStore source)
    {
        using var rows = RowForm.Journal.Read(source).GetEnumerator();
        foreach (var there in RowForm.Journal.Read(target))
        {
            if (!rows.MoveNext() || !RowForm.AreSame(rows.Current, there))
            {
                throw new RunFolderException(
                    $"{target.Where} has another journal of this run (from its record {there[0]} on), so it is not replaced. "
                    + "Two run directories have the same id in run.json: one is a copy of the other. Give another database or ?schema=.");
            }
        }
    }

    /// <returns>Rows that are the same.</returns>
    private static long RequireSame(RowForm form, JournalStore source, JournalStore target)
    {
        try
        {
            using var expected = form.Read(source).GetEnumerator();
            using var found = form.Read(target).GetEnumerator();
            for (long rows = 0; ; rows++)
            {
                var (more, moreFound) = (expected.MoveNext(), found.MoveNext());
                if (!more && !moreFound)
                {
                    return rows;
                }
                if (!more || !moreFound || !RowForm.AreSame(expected.Current, found.Current))
                {
                    throw new InvalidDataException($"The copy at {target.Where} was not read back as {source.Where} has it (row {rows + 1}). The run keeps its journal where it is; copy it again.");
                }
            }
        }
        catch (DbException error)
        {
            throw target.Unreadable(error);
        }
    }

    /// <summary>Gives the files of a journal that is on a server now other names, complete without their logs.</summary>
    private static void SetAside(RunPaths run)
    {
        SqliteRecovery.RecoverAll(run);
        foreach (var file in (string[])[run.Journal, run.Snapshots])
        {
            if (!File.Exists(file))
            {
                continue;
            }
            Put(file, "", LeftSuffix);
            File.Delete(file + "-wal");
            File.Delete(file + "-shm");
        }
        DurableFile.SyncFolder(run.Root);
    }

    private static void Put(string file, string from, string to) => File.Move(file + from, file + to, overwrite: true);
}
