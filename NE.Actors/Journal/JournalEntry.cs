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

    /// <summary>The state of this manifest is durable, and so is the history stored since the commit before.</summary>
    public sealed record CheckpointCommitted(CheckpointManifest Manifest) : JournalEntry;

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
