using NE.Actors.RunDirectory;

namespace NE.Actors.Stores;

/// <summary>What is done with a server outside of a run's actors.</summary>
public static class JournalServer
{
    /// <summary>Makes a place ready for journals; changes nothing where all is there.</summary>
    /// <exception cref="JournalUnavailableException">It cannot be reached, does not let us in, or does not keep what it commits.</exception>
    public static void Prepare(JournalPlace place) => PostgresSchema.Prepare(place);

    /// <summary>Looks at a place and leaves it as it is.</summary>
    /// <returns>The server in words, and whether our tables are there.</returns>
    /// <exception cref="JournalUnavailableException">As above.</exception>
    public static string Examine(JournalPlace place) => PostgresSchema.Examine(place);

    /// <summary>Takes the journal of a run for this process, where it is on a server, until the result is disposed; nothing for files.</summary>
    /// <exception cref="RunFolderException">Another process holds it; the message names it.</exception>
    /// <exception cref="JournalUnavailableException">The server cannot be used.</exception>
    public static IDisposable Hold(RunPaths run)
    {
        if (JournalStore.Of(run) is PostgresStore store)
        {
            PostgresSchema.Prepare(store.Place);
            PostgresLease.Hold(run, store.Place, store.PersistenceId);
        }
        return new Held(run);
    }

    /// <summary>Deletes all that a server has of a run.</summary>
    /// <exception cref="RunFolderException">A process works on it.</exception>
    /// <exception cref="JournalUnavailableException">The server cannot be used.</exception>
    public static void Delete(JournalPlace place, string runId)
    {
        PostgresSchema.Prepare(place);
        using var lease = PostgresLease.Take(place, runId);
        using var connection = PostgresConnections.Open(place, lease.Epoch, pooled: false);
        PostgresConnections.Saying(place, () =>
        {
            using var transaction = connection.BeginTransaction();
            foreach (var table in (string[])["journal", "snapshot", "lease"])
            {
                connection.DeleteRun($"{place.Schema}.{table}", runId);
            }
            transaction.Commit();
            return true;
        });
    }

    /// <summary>Deletes a schema with all journals in it, for those who made one of their own.</summary>
    /// <exception cref="JournalUnavailableException">The server cannot be used.</exception>
    public static void DropSchema(JournalPlace place) => PostgresSchema.Drop(place);

    private sealed class Held(RunPaths run) : IDisposable
    {
        public void Dispose() => PostgresLease.Release(run);
    }
}
