using NE.Actors.Checkpoints;
using NE.Actors.Stores;
using NE.Model.Runs;

namespace NE.Actors.Journal;

/// <summary>Sentences about what went wrong.</summary>
internal static class JournalText
{
    /// <summary>The innermost message: wrappers of tasks and plugins say nothing that helps.</summary>
    internal static string Of(Exception error)
    {
        var root = error is AggregateException many ? many.Flatten().InnerExceptions[0] : error;
        return root switch
        {
            Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 5 or 6 } => "The journal's database is locked by another process.",
            Microsoft.Data.Sqlite.SqliteException { SqliteErrorCode: 13 } => "The disk is full: the journal's database cannot grow.",
            Microsoft.Data.Sqlite.SqliteException sql => $"The journal's database failed: {sql.Message}",
            IOException or RunDirectory.RunFolderException => root.Message,
            _ when PostgresText.Of(root) is { } sentence => sentence,
            _ when root.InnerException is { } inner => Of(inner),
            _ => $"{root.GetType().Name}: {root.Message}",
        };
    }

    /// <summary>Whether a writer was displaced by another process, for good.</summary>
    internal static bool IsDisplaced(Exception error) =>
        error is JournalLeaseException || PostgresText.IsDisplaced(PostgresText.Find(error));

    /// <summary>Why a commit's events do not continue the journal's history; null when they do.</summary>
    internal static string? HistoryProblem(Commit commit, HistoryState<CheckpointManifest> before)
    {
        var (brought, state) = (commit.Events.Select(RunEvents.ordinalOf).OfType<long>(), commit.State);
        var problem = HistoryFold.ordinalsProblem(
            HistoryFold.nextOrdinal(before), HistoryFold.keptOrdinals(before), brought, state.HistoryOrdinal, state.KeptOrdinals);
        return problem is null ? null : $"Commit {commit.Id} at step {state.Step:N0} {problem}.";
    }
}
