using System.Diagnostics;
using NE.Actors.Checkpoints;
using NE.Model;

namespace NE.Actors.Journal;

// The protocol of JournalOutbox (which others talk to) and of JournalActor (its child; the same messages, resent until acknowledged).
// Ids: one rising sequence for Commit, RecordOperational and Rewind, chosen by the sender, starting at Recovered.NextId.

/// <summary>Makes a frozen state and the history since the commit before durable, together. Answered with <see cref="Committed"/>.</summary>
/// <param name="Id">Above every id used before.</param>
/// <param name="State">Frozen copies; the journal disposes its replay capture.</param>
/// <param name="Events">History events since the last commit, in ordinal order, and operational ones that belong with them.</param>
public sealed record Commit(long Id, FrozenState State, IReadOnlyList<History.RunEvent> Events)
{
    /// <summary>The span of the checkpoint that it is a part of.</summary>
    public ActivityContext Trace { get; init; }
}

/// <summary>The commit is durable.</summary>
/// <param name="Id">Of the <see cref="Commit"/>.</param>
/// <param name="Step">Environment steps of the committed state.</param>
/// <param name="Bytes">Blobs and replay rows that the manifest names.</param>
/// <param name="Took">From the journal's start on it to the SQL commit.</param>
public sealed record Committed(long Id, long Step, long Bytes, TimeSpan Took);

/// <summary>Stores an operational event (run started, environment restarted, interrupted ...) now. Answered with <see cref="Recorded"/>.</summary>
/// <remarks>History events are refused: persisted before their commit they would be doubled by a resume.</remarks>
public sealed record RecordOperational(long Id, History.RunEvent Event);

public sealed record Recorded(long Id);

/// <summary>
/// The run goes on from a retained commit that is not the newest one: commits and history behind it no longer count. Answered with
/// <see cref="Recorded"/>. Send it before the first new commit.
/// </summary>
public sealed record Rewind(long Id, long ToCommitId);

/// <summary>Asks what the journal knows. Answered with <see cref="Recovered"/>, also while a commit is being written.</summary>
public sealed record GetRecovered;

/// <summary>What the journal holds.</summary>
/// <param name="Manifests">The last two resumable checkpoints, newest first.</param>
/// <param name="Masks">Packed masks of the newest checkpoint, folded from snapshot and events; null when there are none or they contradict it.</param>
/// <param name="MasksProblem">Why <paramref name="Masks"/> could not be had or differ from the manifest's; null when all is well.</param>
/// <param name="HistoryOrdinal">Ordinal of the next history event.</param>
/// <param name="EventCounts">Stored events by case name, for example "EpisodeEnded".</param>
/// <param name="NextId">The first id that a sender may use.</param>
public sealed record Recovered(
    IReadOnlyList<CheckpointManifest> Manifests,
    ReadOnlyMemory<byte>? Masks,
    string? MasksProblem,
    long HistoryOrdinal,
    IReadOnlyDictionary<string, long> EventCounts,
    long NextId);

/// <summary>To the listener: an attempt to write failed and will be repeated; nothing that was committed is lost. The run may pause.</summary>
/// <param name="Id">The oldest unacknowledged message; 0 when only the recovery is waiting.</param>
/// <param name="Reason">One sentence.</param>
/// <param name="Attempt">Failed attempts so far.</param>
/// <param name="Delay">Until the next one.</param>
public sealed record CommitRetrying(long Id, string Reason, int Attempt, TimeSpan Delay);

/// <summary>To the listener: writing failed for longer than allowed; no further attempt is made and the message is dropped.</summary>
/// <param name="Id">The message that was given up; 0 when the journal could not be opened.</param>
/// <param name="Reason">One sentence.</param>
/// <param name="After">Since the first failed attempt.</param>
public sealed record CommitFailed(long Id, string Reason, TimeSpan After);
