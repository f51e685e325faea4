using System.Data.Common;
using NE.Actors.RunDirectory;

namespace NE.Actors.Stores;

/// <summary>A database that has a run's journal and its snapshots, for those who read rows without the plug-in that writes them.</summary>
internal abstract class JournalStore
{
    /// <summary>As messages name it.</summary>
    internal abstract string Where { get; }

    /// <summary>Of the one persistent actor whose rows are the run's.</summary>
    internal abstract string PersistenceId { get; }

    /// <summary>The journal's table as a statement names it.</summary>
    internal abstract string Journal { get; }

    /// <summary>The snapshots' table as a statement names it.</summary>
    internal abstract string Snapshots { get; }

    /// <summary>Whether there may be a journal. What a server has is known only when it is asked.</summary>
    internal abstract bool MayExist { get; }

    /// <summary>Where a run's journal is: what run.json says, and without such a word the file in its folder.</summary>
    /// <exception cref="InvalidDataException">run.json cannot be understood, and there is no such file.</exception>
    internal static JournalStore Of(RunPaths run) =>
        Described(run) is { Journal: { } place } info ? new PostgresStore(place, info.Id) : new SqliteStore(run.Journal, run.Snapshots);

    /// <summary>Opens the journal for reading, beside whoever writes it.</summary>
    /// <exception cref="FileNotFoundException">There is none yet.</exception>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    /// <exception cref="JournalUnavailableException">Its server cannot be used.</exception>
    internal abstract DbConnection OpenJournal();

    /// <summary>Opens the snapshots for reading; null when there are none.</summary>
    internal abstract DbConnection? TryOpenSnapshots();

    /// <summary>Lets all reads until its end see one moment.</summary>
    internal abstract DbTransaction BeginRead(DbConnection connection);

    /// <summary>Whether the tables have been made.</summary>
    internal abstract bool HasTables(DbConnection connection);

    /// <summary>What is said when reading fails.</summary>
    internal abstract Exception Unreadable(DbException error);

    private static RunInfo? Described(RunPaths run)
    {
        try
        {
            return File.Exists(run.RunInfo) ? RunInfo.Read(run.RunInfo) : null;
        }
        catch (Exception unreadable) when (unreadable is InvalidDataException or RunFolderException && File.Exists(run.Journal))
        {
            // A journal that has gone to a server leaves no file of this name.
            return null;
        }
    }
}
