using NE.Actors.Checkpoints;
using NE.Actors.Storage;
using NE.Model;

namespace NE.Actors.Journal;

/// <summary>What the journal knows after its entries so far: a fold, the same for the actor's recovery and for a reader of the file.</summary>
public sealed record JournalState
{
    const int RetainedCommits = 2;

    public static readonly JournalState Empty = new();

    /// <summary>The last two resumable commits, newest first.</summary>
    public IReadOnlyList<RetainedCommit> Retained { get; init; } = [];

    public IReadOnlyDictionary<string, long> EventCounts { get; init; } = new Dictionary<string, long>();

    /// <summary>Highest id of a commit or rewind; ids start at 1.</summary>
    public long LastCommitId { get; init; }

    /// <summary>Highest id of an operational event.</summary>
    public long LastOperationalId { get; init; }

    /// <summary>Why the newest commit's masks could not be folded, or differ from the manifest's; null when all is well, or there is nothing to fold from.</summary>
    public string? MasksProblem { get; init; }

    /// <summary>Topology events since the newest commit; empty between commits, since they are stored with the next.</summary>
    private IReadOnlyList<History.TopologyChanged> Pending { get; init; } = [];

    public long HistoryOrdinal => this.Retained.Count == 0 ? 0 : this.Retained[0].Manifest.HistoryOrdinal;

    public JournalSnapshot ToSnapshot() => new(this.Retained, this.EventCounts, this.LastCommitId, this.LastOperationalId);

    public static JournalState FromSnapshot(JournalSnapshot snapshot) => new()
    {
        Retained = snapshot.Retained,
        EventCounts = snapshot.EventCounts,
        LastCommitId = snapshot.LastCommitId,
        LastOperationalId = snapshot.LastOperationalId,
    };

    public JournalState Apply(JournalEntry entry) => entry switch
    {
        JournalEntry.EventStored stored => this.Count(stored),
        JournalEntry.CheckpointCommitted committed => this.Commit(committed.Manifest, null),
        JournalEntry.Rewound rewound => this.Rewind(rewound),
        _ => throw new NotSupportedException($"The journal cannot fold {entry.GetType().Name}."),
    };

    /// <param name="manifest">Just made durable.</param>
    /// <param name="masks">Its packed masks where they are at hand; otherwise they are folded from the commit before.</param>
    public JournalState Commit(CheckpointManifest manifest, byte[]? masks)
    {
        var (folded, problem) = masks is null ? this.FoldMasks(manifest) : (masks, null);
        return this with
        {
            Retained = [new RetainedCommit(manifest, folded, this.EventCounts), .. this.Retained.Take(RetainedCommits - 1)],
            LastCommitId = Math.Max(this.LastCommitId, manifest.CommitId),
            MasksProblem = problem,
            Pending = [],
        };
    }

    /// <summary>The newest commit's masks from its blob, for a journal whose snapshots are gone.</summary>
    public JournalState WithMasks(byte[] masks) =>
        this with { Retained = [this.Retained[0] with { Masks = masks }, .. this.Retained.Skip(1)] };

    private JournalState Count(JournalEntry.EventStored stored)
    {
        var counts = new Dictionary<string, long>(this.EventCounts);
        var name = RunEvents.NameOf(stored.Event);
        counts[name] = counts.GetValueOrDefault(name) + 1;
        return this with
        {
            EventCounts = counts,
            LastOperationalId = stored.WithCommit ? this.LastOperationalId : Math.Max(this.LastOperationalId, stored.Id),
            Pending = stored.Event is History.RunEvent.TopologyChanged e ? [.. this.Pending, e.Item2] : this.Pending,
        };
    }

    private JournalState Rewind(JournalEntry.Rewound rewound)
    {
        var kept = this.Retained.SkipWhile(c => c.Manifest.CommitId != rewound.ToCommitId).ToList();
        if (kept.Count == 0)
        {
            throw new InvalidDataException($"The journal was rewound to commit {rewound.ToCommitId}, which it does not hold.");
        }
        // History behind the commit is void; what the operator did is not.
        var counts = this.EventCounts.ToDictionary(c => c.Key, c => RunEvents.HistoryNames.Contains(c.Key) ? kept[0].EventCounts.GetValueOrDefault(c.Key) : c.Value);
        return this with { Retained = kept, EventCounts = counts, LastCommitId = Math.Max(this.LastCommitId, rewound.Id), Pending = [], MasksProblem = null };
    }

    private (byte[]? Masks, string? Problem) FoldMasks(CheckpointManifest manifest)
    {
        if (!manifest.Components.TryGetValue(CheckpointManifest.Masks, out var named))
        {
            return (null, null);
        }
        if (this.Retained.Count == 0 || this.Retained[0].Masks is not { } before)
        {
            return (null, null);
        }
        try
        {
            // Without an event the bytes stay as they are, whatever their format.
            var after = before;
            if (this.Pending.Count > 0)
            {
                var masks = PackedMasks.Parse(before);
                foreach (var change in this.Pending)
                {
                    masks.Apply(change);
                }
                after = masks.ToBytes();
            }
            return DurableFile.Sha256(after) == named.Sha256
                ? (after, null)
                : (null, $"The masks folded from the topology events up to step {manifest.Step:N0} differ from the checkpoint's.");
        }
        catch (InvalidDataException error)
        {
            return (null, error.Message);
        }
    }
}
