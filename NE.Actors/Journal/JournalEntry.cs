using NE.Actors.Checkpoints;
using NE.Model;
using NE.Model.Runs;

namespace NE.Actors.Journal;

/// <summary>What the journal stores, in order. How it looks on disk is in <see cref="JournalCodec"/>.</summary>
public abstract record JournalEntry
{
    private JournalEntry() { }

    /// <summary>An event of the run.</summary>
    /// <param name="Id">Of the message that brought it: the commit's for history.</param>
    /// <param name="WithCommit">True when it was stored in one transaction with the commit of that id.</param>
    /// <param name="Event">What happened.</param>
    public sealed record EventStored(long Id, bool WithCommit, History.RunEvent Event) : JournalEntry;

    /// <summary>The training episodes of a commit: one entry, so that short episodes make no longer journal.</summary>
    /// <param name="Id">The commit's.</param>
    /// <param name="Total">Episodes of the history up to the last of these, those of entries of their own counted.</param>
    /// <param name="Episodes">At least one, each an EpisodeEnded, in the order of their ordinals.</param>
    public sealed record EpisodesStored(long Id, long Total, IReadOnlyList<History.RunEvent> Episodes) : JournalEntry;

    /// <summary>The state of this manifest is durable, and so is the history stored since the commit before.</summary>
    public sealed record CheckpointCommitted(CheckpointManifest Manifest) : JournalEntry;

    /// <summary>What a commit stores before its manifest. Its episodes lie where the first of them does.</summary>
    /// <param name="commit">Its history and the operational events that belong to it.</param>
    /// <param name="counts">Stored events by case name before it.</param>
    internal static IEnumerable<JournalEntry> OfCommit(Commit commit, IReadOnlyDictionary<string, long> counts)
    {
        History.RunEvent[] episodes = [.. commit.Events.Where(happened => happened.IsEpisodeEnded)];
        var total = counts.GetValueOrDefault(nameof(History.RunEvent.EpisodeEnded)) + episodes.Length;
        foreach (var happened in commit.Events)
        {
            if (!happened.IsEpisodeEnded)
            {
                yield return new EventStored(commit.Id, true, happened);
            }
            else if (ReferenceEquals(happened, episodes[0]))
            {
                yield return new EpisodesStored(commit.Id, total, episodes);
            }
        }
    }

    /// <summary>Commits and history behind this commit do not count: the run went on from it.</summary>
    public sealed record Rewound(long Id, long ToCommitId) : JournalEntry;
}

/// <summary>Content of the journal actor's snapshots.</summary>
/// <param name="Retained">The last two resumable commits, newest first.</param>
/// <param name="EventCounts">Stored events by case name.</param>
/// <param name="LastCommitId">Highest id of a commit or rewind.</param>
/// <param name="LastOperationalId">Highest id of an operational event.</param>
public sealed record JournalSnapshot(
    IReadOnlyList<RetainedCommit<CheckpointManifest>> Retained,
    IReadOnlyDictionary<string, long> EventCounts,
    long LastCommitId,
    long LastOperationalId);
