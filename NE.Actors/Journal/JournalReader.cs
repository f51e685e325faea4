using System.Data.Common;
using NE.Actors.Checkpoints;
using NE.Actors.RunDirectory;
using NE.Actors.Stores;
using NE.Model;
using NE.Model.Runs;

namespace NE.Actors.Journal;

/// <summary>An event as stored.</summary>
/// <param name="SequenceNr">Place in the journal, from 1.</param>
/// <param name="Stored">UTC, when the row was written.</param>
/// <param name="CommitId">The commit that made it durable; null for an operational event outside commits.</param>
/// <param name="Event">What happened.</param>
public sealed record StoredRunEvent(long SequenceNr, DateTimeOffset Stored, long? CommitId, History.RunEvent Event);

/// <summary>A record of the journal as an examination finds it.</summary>
/// <param name="SequenceNr">Place in the journal.</param>
/// <param name="Problem">Why it cannot be read; null when it can.</param>
public sealed record AuditedRecord(long SequenceNr, string? Problem);

/// <summary>What `ne status` needs of a journal.</summary>
/// <param name="Manifests">The last two resumable checkpoints, newest first.</param>
/// <param name="CommittedAt">UTC time of the newest one; null before the first.</param>
/// <param name="EventCounts">Stored events by case name, history that was rewound not counted.</param>
/// <param name="LastEvaluation">The newest evaluation, with its ordinal; null before the first.</param>
/// <param name="LastOperational">The newest operational event (started, interrupted, failed ...); null when there is none.</param>
public sealed record JournalSummary(
    IReadOnlyList<CheckpointManifest> Manifests,
    DateTimeOffset? CommittedAt,
    IReadOnlyDictionary<string, long> EventCounts,
    History.EvaluationEnded? LastEvaluation,
    StoredRunEvent? LastOperational);

/// <summary>Reads a run's journal without Akka, wherever it is, also while a process writes it.</summary>
public sealed class JournalReader : IDisposable
{
    static readonly string[] OperationalManifests =
        [.. JournalCodec.EventNames.Where(name => !RunEvents.historyNames.Contains(name.Value)).Select(name => name.Key)];

    readonly JournalStore store;
    readonly DbConnection connection;

    private JournalReader(JournalStore store) => (this.store, this.connection) = (store, store.OpenJournal());

    /// <exception cref="FileNotFoundException">The run has no journal yet.</exception>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    /// <exception cref="JournalUnavailableException">It is on a server that cannot be used.</exception>
    public static JournalReader Open(RunPaths run) => new(JournalStore.Of(run));

    /// <summary>The journal of a run; null when it has none yet.</summary>
    /// <exception cref="InvalidDataException">It cannot be read.</exception>
    /// <exception cref="JournalUnavailableException">It is on a server that cannot be used.</exception>
    public static JournalReader? TryOpen(RunPaths run) => JournalStore.Of(run) is { MayExist: true } store ? new JournalReader(store) : null;

    /// <summary>
    /// Whether a run has ended, at so many steps or more. All steps may be committed while the last evaluation is still to come, so only the
    /// history says it. False before there is a journal.
    /// </summary>
    public static bool IsComplete(RunPaths run, long steps)
    {
        using var journal = TryOpen(run);
        // The end is stored with its commit. A run that went back to an earlier one has it before it again.
        return journal?.Manifests() is [var newest, ..]
            && journal.Operational().Any(stored => stored.Event is History.RunEvent.RunCompleted completed && completed.step >= steps && stored.CommitId == newest.CommitId);
    }

    /// <summary>The last two resumable checkpoints, newest first; empty before the first commit.</summary>
    public IReadOnlyList<CheckpointManifest> Manifests() => this.Read(() => this.Retained().Select(r => r.Manifest).ToList()) ?? [];

    /// <summary>All checkpoints that count, also those that are not retained, oldest first.</summary>
    public IReadOnlyList<CheckpointManifest> AllManifests() => this.Read(this.FoldManifests) ?? [];

    /// <summary>Place of the newest record; 0 for none.</summary>
    public long NewestRecord() => this.Read(() =>
    {
        using var command = this.Command($"SELECT COALESCE(MAX(sequence_number), 0) FROM {this.store.Journal} WHERE persistence_id = @id AND NOT deleted");
        return command.ExecuteScalar() ?? 0L;
    }) is long newest ? newest : 0;

    /// <summary>Every record, readable or not.</summary>
    public IReadOnlyList<AuditedRecord> Audit() => this.Read(() => this.RawRows("ORDER BY sequence_number", []).Select(row =>
    {
        try
        {
            JournalCodec.Decode(row.Manifest, row.Message);
            return new AuditedRecord(row.SequenceNr, null);
        }
        catch (InvalidDataException error)
        {
            return new AuditedRecord(row.SequenceNr, error.Message);
        }
    }).ToList()) ?? [];

    /// <summary>All events that count, in order; history that was rewound is left out.</summary>
    public IReadOnlyList<StoredRunEvent> Events() => this.Read(this.FoldEvents) ?? [];

    /// <summary>The operational events alone (started, resumed, restarted ...), in order; without reading the history between them.</summary>
    public IReadOnlyList<StoredRunEvent> Operational() => this.Read(() => this.Rows("ORDER BY sequence_number", OperationalManifests)
        .Select(row => (row.SequenceNr, row.Stored, Entry: (JournalEntry.EventStored)row.Entry))
        .Select(row => new StoredRunEvent(row.SequenceNr, row.Stored, row.Entry.WithCommit ? row.Entry.Id : null, row.Entry.Event))
        .ToList()) ?? [];

    /// <summary>A few short reads; the whole journal is folded only when the run was rewound.</summary>
    public JournalSummary Summary() => this.Read(this.Summarise) ?? new([], null, new Dictionary<string, long>(), null, null);

    public void Dispose() => this.connection.Dispose();

    /// <summary>In one read transaction, since a writer may commit in between; null before the journal's tables are there.</summary>
    private T? Read<T>(Func<T> read)
        where T : class
    {
        try
        {
            using var transaction = this.store.BeginRead(this.connection);
            return this.store.HasTables(this.connection) ? read() : null;
        }
        catch (DbException error)
        {
            throw this.store.Unreadable(error);
        }
    }

    private List<StoredRunEvent> FoldEvents()
    {
        var events = new List<StoredRunEvent>();
        var eventsAtCommit = new Dictionary<long, int>();
        foreach (var (sequenceNr, stored, entry) in this.Rows("ORDER BY sequence_number", []))
        {
            switch (entry)
            {
                case JournalEntry.EventStored e:
                    events.Add(new(sequenceNr, stored, e.WithCommit ? e.Id : null, e.Event));
                    break;
                case JournalEntry.EpisodesStored e:
                    events.AddRange(e.Episodes.Select(episode => new StoredRunEvent(sequenceNr, stored, e.Id, episode)));
                    break;
                case JournalEntry.CheckpointCommitted e:
                    eventsAtCommit[e.Manifest.CommitId] = events.Count;
                    break;
                case JournalEntry.Rewound e:
                    var kept = eventsAtCommit[e.ToCommitId];
                    events = [.. events.Take(kept), .. events.Skip(kept).Where(s => !RunEvents.isHistory(s.Event))];
                    break;
            }
        }
        return InOrder(events);
    }

    /// <summary>
    /// History lies with its commit. Its order is that of its ordinals: the episodes of a commit lie together, and a late evaluation has an
    /// earlier place than its commit.
    /// </summary>
    private static List<StoredRunEvent> InOrder(List<StoredRunEvent> events)
    {
        var history = new Queue<StoredRunEvent>(events.Where(stored => RunEvents.isHistory(stored.Event)).OrderBy(stored => RunEvents.ordinalOf(stored.Event)));
        return [.. events.Select(stored => RunEvents.isHistory(stored.Event) ? history.Dequeue() : stored)];
    }

    private List<CheckpointManifest> FoldManifests()
    {
        var manifests = new List<CheckpointManifest>();
        foreach (var (_, _, entry) in this.Rows("ORDER BY sequence_number", [JournalCodec.Checkpoint, JournalCodec.Rewound]))
        {
            if (entry is JournalEntry.Rewound rewound)
            {
                manifests.RemoveAll(manifest => manifest.CommitId > rewound.ToCommitId);
            }
            else if (entry is JournalEntry.CheckpointCommitted committed)
            {
                manifests.Add(committed.Manifest);
            }
        }
        return manifests;
    }

    private JournalSummary Summarise()
    {
        var retained = this.Retained();
        var manifests = retained.Select(r => r.Manifest).ToList();
        var committed = retained.Count > 0 ? retained[0].Stored : (DateTimeOffset?)null;
        var counts = this.Counts();
        if (counts.ContainsKey(JournalCodec.Rewound))
        {
            var events = this.FoldEvents();
            return new(
                manifests,
                committed,
                events.CountBy(e => RunEvents.nameOf(e.Event)).ToDictionary(c => c.Key, c => (long)c.Value),
                events.Select(e => e.Event).OfType<History.RunEvent.EvaluationEnded>().LastOrDefault()?.Item2,
                events.LastOrDefault(e => !RunEvents.isHistory(e.Event)));
        }
        var byName = counts.Where(c => JournalCodec.EventNames.ContainsKey(c.Key)).ToDictionary(c => JournalCodec.EventNames[c.Key], c => c.Value);
        if (this.Rows("ORDER BY sequence_number DESC LIMIT 1", [JournalCodec.Episodes]).Select(row => row.Entry).SingleOrDefault() is JournalEntry.EpisodesStored newest)
        {
            byName[nameof(History.RunEvent.EpisodeEnded)] = newest.Total;
        }
        var evaluation = this.Last([JournalCodec.Evaluation])?.Event as History.RunEvent.EvaluationEnded;
        return new(
            manifests,
            committed,
            byName,
            evaluation?.Item2,
            this.Last(OperationalManifests));
    }

    /// <summary>The last two commits; folded with the rewinds where there are any, since those let a commit's blobs go.</summary>
    private List<(CheckpointManifest Manifest, DateTimeOffset Stored)> Retained()
    {
        var newest = this.Rows("ORDER BY sequence_number DESC LIMIT 1", [JournalCodec.Rewound]).Any()
            ? this.FoldRetained()
            : this.Rows("ORDER BY sequence_number DESC LIMIT 2", [JournalCodec.Checkpoint]);
        return [.. newest.Select(r => (((JournalEntry.CheckpointCommitted)r.Entry).Manifest, r.Stored))];
    }

    private IEnumerable<(long SequenceNr, DateTimeOffset Stored, object Entry)> FoldRetained()
    {
        var state = JournalFold.Empty;
        var rows = this.Rows("ORDER BY sequence_number", [JournalCodec.Checkpoint, JournalCodec.Rewound]).ToList();
        foreach (var (_, _, entry) in rows)
        {
            state = state.Apply((JournalEntry)entry);
        }
        return state.Retained.Select(c => rows.Last(r => r.Entry is JournalEntry.CheckpointCommitted e && e.Manifest == c.Manifest));
    }

    private StoredRunEvent? Last(string[] manifests)
    {
        foreach (var (sequenceNr, stored, entry) in this.Rows("ORDER BY sequence_number DESC", manifests))
        {
            if (entry is JournalEntry.EventStored e)
            {
                return new(sequenceNr, stored, e.WithCommit ? e.Id : null, e.Event);
            }
        }
        return null;
    }

    private Dictionary<string, long> Counts()
    {
        using var command = this.Command($"SELECT manifest, COUNT(*) FROM {this.store.Journal} WHERE persistence_id = @id AND NOT deleted GROUP BY manifest");
        using var rows = command.ExecuteReader();
        var counts = new Dictionary<string, long>();
        while (rows.Read())
        {
            counts[rows.GetString(0)] = rows.GetInt64(1);
        }
        return counts;
    }

    /// <param name="order">The ORDER BY clause.</param>
    /// <param name="manifests">Only entries of these manifest names; all when empty.</param>
    private IEnumerable<(long SequenceNr, DateTimeOffset Stored, object Entry)> Rows(string order, string[] manifests)
    {
        foreach (var (sequenceNr, stored, manifest, message) in this.RawRows(order, manifests))
        {
            object entry;
            try
            {
                entry = JournalCodec.Decode(manifest, message);
            }
            catch (InvalidDataException error)
            {
                throw new InvalidDataException($"{this.store.Where}, record {sequenceNr:N0}: {error.Message}", error);
            }
            yield return (sequenceNr, stored, entry);
        }
    }

    private IEnumerable<(long SequenceNr, DateTimeOffset Stored, string Manifest, byte[] Message)> RawRows(string order, string[] manifests)
    {
        var filter = manifests.Length == 0 ? "" : $"AND manifest IN ({string.Join(", ", manifests.Select((_, i) => $"@m{i}"))})";
        using var command = this.Command($"SELECT sequence_number, created, manifest, message FROM {this.store.Journal} WHERE persistence_id = @id AND NOT deleted {filter} {order}");
        for (var i = 0; i < manifests.Length; i++)
        {
            Give(command, $"@m{i}", manifests[i]);
        }
        using var rows = command.ExecuteReader();
        while (rows.Read())
        {
            // The plugin writes .NET ticks of UTC.
            var stored = new DateTimeOffset(rows.GetInt64(1), TimeSpan.Zero);
            yield return (rows.GetInt64(0), stored, rows.GetString(2), rows.GetFieldValue<byte[]>(3));
        }
    }

    private DbCommand Command(string text)
    {
        var command = this.connection.CreateCommand();
        command.CommandText = text;
        Give(command, "@id", this.store.PersistenceId);
        return command;
    }

    private static void Give(DbCommand command, string name, string value)
    {
        var parameter = command.CreateParameter();
        (parameter.ParameterName, parameter.Value) = (name, value);
        command.Parameters.Add(parameter);
    }
}
