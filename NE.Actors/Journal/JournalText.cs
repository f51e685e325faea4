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
    internal static string? HistoryProblem(Commit commit, long nextOrdinal)
    {
        var expected = nextOrdinal;
        foreach (var ordinal in commit.Events.Select(RunEvents.ordinalOf).OfType<long>())
        {
            if (ordinal != expected)
            {
                return $"Commit {commit.Id} at step {commit.State.Step:N0} should continue the history with ordinal {expected}, but brings {ordinal}: events would be lost or doubled.";
            }
            expected++;
        }
        return expected == commit.State.HistoryOrdinal
            ? null
            : $"Commit {commit.Id} at step {commit.State.Step:N0} says that the next ordinal is {commit.State.HistoryOrdinal}, but its events lead to {expected}.";
    }
}
