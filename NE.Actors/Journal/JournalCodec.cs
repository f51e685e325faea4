using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using NE.Model;

namespace NE.Actors.Journal;

/// <summary>
/// Journal entries to bytes and back. A manifest name (record and version) is stored beside the bytes; it chooses the reader, so an old
/// version stays readable beside a new one.
/// </summary>
public static class JournalCodec
{
    // Stored in every run: see the warning in StoredRecords.cs.
    internal const string Topology = "topology-changed:1";
    internal const string Episode = "episode-ended:1";
    internal const string Episodes = "episodes-ended:1";
    internal const string Evaluation = "evaluation-ended:1";
    internal const string Phase = "phase-started:1";
    internal const string Started = "run-started:1";
    internal const string Resumed = "run-resumed:1";
    internal const string Configuration = "configuration-changed:1";
    internal const string EnvironmentRestarted = "environment-restarted:1";
    internal const string Interrupted = "run-interrupted:1";
    internal const string Failed = "run-failed:1";
    internal const string Completed = "run-completed:1";
    internal const string Checkpoint = "checkpoint-committed:1";
    internal const string Rewound = "rewound:1";
    internal const string Snapshot = "snapshot:1";

    /// <summary>Manifest names of run events that are stored alone, with their case names.</summary>
    internal static readonly IReadOnlyDictionary<string, string> EventNames = new Dictionary<string, string>
    {
        [Topology] = nameof(History.RunEvent.TopologyChanged),
        [Episode] = nameof(History.RunEvent.EpisodeEnded),
        [Evaluation] = nameof(History.RunEvent.EvaluationEnded),
        [Phase] = nameof(History.RunEvent.PhaseStarted),
        [Started] = nameof(History.RunEvent.RunStarted),
        [Resumed] = nameof(History.RunEvent.RunResumed),
        [Configuration] = nameof(History.RunEvent.ConfigurationChanged),
        [EnvironmentRestarted] = nameof(History.RunEvent.EnvironmentRestarted),
        [Interrupted] = nameof(History.RunEvent.RunInterrupted),
        [Failed] = nameof(History.RunEvent.RunFailed),
        [Completed] = nameof(History.RunEvent.RunCompleted),
    };

    private static StoredJson Types => StoredJson.Default;

    /// <summary>The manifest name of an entry or snapshot.</summary>
    public static string ManifestOf(object entry) => entry switch
    {
        JournalEntry.CheckpointCommitted => Checkpoint,
        JournalEntry.EpisodesStored => Episodes,
        JournalEntry.Rewound => Rewound,
        JournalSnapshot => Snapshot,
        JournalEntry.EventStored stored => stored.Event switch
        {
            History.RunEvent.TopologyChanged => Topology,
            History.RunEvent.EpisodeEnded => Episode,
            History.RunEvent.EvaluationEnded => Evaluation,
            History.RunEvent.PhaseStarted => Phase,
            History.RunEvent.RunStarted => Started,
            History.RunEvent.RunResumed => Resumed,
            History.RunEvent.ConfigurationChanged => Configuration,
            History.RunEvent.EnvironmentRestarted => EnvironmentRestarted,
            History.RunEvent.RunInterrupted => Interrupted,
            History.RunEvent.RunFailed => Failed,
            History.RunEvent.RunCompleted => Completed,
            _ => throw Unknown(stored.Event),
        },
        _ => throw Unknown(entry),
    };

    /// <summary>The bytes of an entry or snapshot, with their checksum.</summary>
    public static byte[] Encode(object entry) => RecordSeal.Close(ManifestOf(entry), Json(entry));

    private static byte[] Json(object entry) => entry switch
    {
        JournalEntry.CheckpointCommitted committed => Write(StoredConversion.Store(committed.Manifest), Types.StoredManifest),
        JournalEntry.EpisodesStored stored => Write(StoredConversion.Store(stored), Types.StoredEpisodesEnded),
        JournalEntry.Rewound rewound => Write(new(rewound.Id, rewound.ToCommitId), Types.StoredRewound),
        JournalSnapshot snapshot => Write(StoredConversion.Store(snapshot), Types.StoredSnapshot),
        JournalEntry.EventStored(var id, var with, var happened) => happened switch
        {
            History.RunEvent.TopologyChanged e => Write(StoredConversion.Store(id, with, e), Types.StoredTopologyChanged),
            History.RunEvent.EpisodeEnded { ordinal: var n, Item2: var e } => Write(
                new(id, with, n, e.Step, e.Environment, e.Episode, e.Return, e.Length, e.Terminated), Types.StoredEpisodeEnded),
            History.RunEvent.EvaluationEnded { ordinal: var n, Item2: var e } => Write(
                new(id, with, n, e.Step, e.Returns, e.Lengths, e.IsBest), Types.StoredEvaluationEnded),
            History.RunEvent.PhaseStarted { ordinal: var n, Item2: var e } => Write(
                new(id, with, n, e.Step, e.GradientStep, e.Phase, e.Cycle, e.Task), Types.StoredPhaseStarted),
            History.RunEvent.RunStarted e => Write(new(id, with, e.configuration, e.versions), Types.StoredRunStarted),
            History.RunEvent.RunResumed e => Write(new(id, with, e.step, e.versions), Types.StoredRunResumed),
            History.RunEvent.ConfigurationChanged e => Write(
                new(id, with, e.step, [.. e.changes.Select(c => new StoredSettingChange(c.Item1, c.Item2, c.Item3))]), Types.StoredConfigurationChanged),
            History.RunEvent.EnvironmentRestarted e => Write(new(id, with, e.step, e.environment, e.reason), Types.StoredEnvironmentRestarted),
            History.RunEvent.RunInterrupted e => Write(new(id, with, e.step, e.reason), Types.StoredRunInterrupted),
            History.RunEvent.RunFailed e => Write(new(id, with, e.step, e.reason), Types.StoredRunFailed),
            History.RunEvent.RunCompleted e => Write(new(id, with, e.step), Types.StoredRunCompleted),
            _ => throw Unknown(happened),
        },
        _ => throw Unknown(entry),
    };

    /// <returns>A <see cref="JournalEntry"/> or a <see cref="JournalSnapshot"/>.</returns>
    /// <exception cref="InvalidDataException">Damaged, written by a newer program, or not by this one.</exception>
    public static object Decode(string manifest, ReadOnlySpan<byte> stored)
    {
        var bytes = RecordSeal.Open(manifest, stored);
        try
        {
            return manifest switch
            {
                Topology => StoredConversion.Load(Read(bytes, Types.StoredTopologyChanged)),
                Episode => StoredConversion.Load(Read(bytes, Types.StoredEpisodeEnded)),
                Episodes => StoredConversion.Load(Read(bytes, Types.StoredEpisodesEnded)),
                Evaluation => StoredConversion.Load(Read(bytes, Types.StoredEvaluationEnded)),
                Phase => StoredConversion.Load(Read(bytes, Types.StoredPhaseStarted)),
                Started => StoredConversion.Load(Read(bytes, Types.StoredRunStarted)),
                Resumed => StoredConversion.Load(Read(bytes, Types.StoredRunResumed)),
                Configuration => StoredConversion.Load(Read(bytes, Types.StoredConfigurationChanged)),
                EnvironmentRestarted => StoredConversion.Load(Read(bytes, Types.StoredEnvironmentRestarted)),
                Interrupted => StoredConversion.Load(Read(bytes, Types.StoredRunInterrupted)),
                Failed => StoredConversion.Load(Read(bytes, Types.StoredRunFailed)),
                Completed => StoredConversion.Load(Read(bytes, Types.StoredRunCompleted)),
                Checkpoint => new JournalEntry.CheckpointCommitted(StoredConversion.Load(Read(bytes, Types.StoredManifest))),
                Rewound => Read(bytes, Types.StoredRewound) is var (id, to) ? new JournalEntry.Rewound(id, to) : throw new JsonException(),
                Snapshot => StoredConversion.Load(Read(bytes, Types.StoredSnapshot)),
                _ => throw new InvalidDataException($"The journal holds a record '{manifest}' that this program does not know. It was written by a newer one; use that. If it was not, the journal is damaged."),
            };
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"A record '{manifest}' of the journal is damaged: {error.Message}", error);
        }
    }

    private static byte[] Write<T>(T record, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(record, type);

    private static T Read<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
        where T : class => JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("it is empty");

    private static NotSupportedException Unknown(object entry) => new($"The journal has no stored form for {entry.GetType().FullName}.");
}
