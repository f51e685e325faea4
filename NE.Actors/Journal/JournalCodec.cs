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

    private static StoredJson Json => StoredJson.Default;

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

    public static byte[] Encode(object entry) => entry switch
    {
        JournalEntry.CheckpointCommitted committed => Write(StoredConversion.Store(committed.Manifest), Json.StoredManifest),
        JournalEntry.EpisodesStored stored => Write(StoredConversion.Store(stored), Json.StoredEpisodesEnded),
        JournalEntry.Rewound rewound => Write(new(rewound.Id, rewound.ToCommitId), Json.StoredRewound),
        JournalSnapshot snapshot => Write(StoredConversion.Store(snapshot), Json.StoredSnapshot),
        JournalEntry.EventStored(var id, var with, var happened) => happened switch
        {
            History.RunEvent.TopologyChanged e => Write(StoredConversion.Store(id, with, e), Json.StoredTopologyChanged),
            History.RunEvent.EpisodeEnded { ordinal: var n, Item2: var e } => Write(
                new(id, with, n, e.Step, e.Environment, e.Episode, e.Return, e.Length, e.Terminated), Json.StoredEpisodeEnded),
            History.RunEvent.EvaluationEnded { ordinal: var n, Item2: var e } => Write(
                new(id, with, n, e.Step, e.Returns, e.Lengths, e.IsBest), Json.StoredEvaluationEnded),
            History.RunEvent.PhaseStarted { ordinal: var n, Item2: var e } => Write(
                new(id, with, n, e.Step, e.GradientStep, e.Phase, e.Cycle, e.Task), Json.StoredPhaseStarted),
            History.RunEvent.RunStarted e => Write(new(id, with, e.configuration, e.versions), Json.StoredRunStarted),
            History.RunEvent.RunResumed e => Write(new(id, with, e.step, e.versions), Json.StoredRunResumed),
            History.RunEvent.ConfigurationChanged e => Write(
                new(id, with, e.step, [.. e.changes.Select(c => new StoredSettingChange(c.Item1, c.Item2, c.Item3))]), Json.StoredConfigurationChanged),
            History.RunEvent.EnvironmentRestarted e => Write(new(id, with, e.step, e.environment, e.reason), Json.StoredEnvironmentRestarted),
            History.RunEvent.RunInterrupted e => Write(new(id, with, e.step, e.reason), Json.StoredRunInterrupted),
            History.RunEvent.RunFailed e => Write(new(id, with, e.step, e.reason), Json.StoredRunFailed),
            History.RunEvent.RunCompleted e => Write(new(id, with, e.step), Json.StoredRunCompleted),
            _ => throw Unknown(happened),
        },
        _ => throw Unknown(entry),
    };

    /// <returns>A <see cref="JournalEntry"/> or a <see cref="JournalSnapshot"/>.</returns>
    /// <exception cref="InvalidDataException">Written by a newer program, or not by this one.</exception>
    public static object Decode(string manifest, ReadOnlySpan<byte> bytes)
    {
        try
        {
            return manifest switch
            {
                Topology => StoredConversion.Load(Read(bytes, Json.StoredTopologyChanged)),
                Episode => StoredConversion.Load(Read(bytes, Json.StoredEpisodeEnded)),
                Episodes => StoredConversion.Load(Read(bytes, Json.StoredEpisodesEnded)),
                Evaluation => StoredConversion.Load(Read(bytes, Json.StoredEvaluationEnded)),
                Phase => StoredConversion.Load(Read(bytes, Json.StoredPhaseStarted)),
                Started => StoredConversion.Load(Read(bytes, Json.StoredRunStarted)),
                Resumed => StoredConversion.Load(Read(bytes, Json.StoredRunResumed)),
                Configuration => StoredConversion.Load(Read(bytes, Json.StoredConfigurationChanged)),
                EnvironmentRestarted => StoredConversion.Load(Read(bytes, Json.StoredEnvironmentRestarted)),
                Interrupted => StoredConversion.Load(Read(bytes, Json.StoredRunInterrupted)),
                Failed => StoredConversion.Load(Read(bytes, Json.StoredRunFailed)),
                Completed => StoredConversion.Load(Read(bytes, Json.StoredRunCompleted)),
                Checkpoint => new JournalEntry.CheckpointCommitted(StoredConversion.Load(Read(bytes, Json.StoredManifest))),
                Rewound => Read(bytes, Json.StoredRewound) is var (id, to) ? new JournalEntry.Rewound(id, to) : throw new JsonException(),
                Snapshot => StoredConversion.Load(Read(bytes, Json.StoredSnapshot)),
                _ => throw new InvalidDataException($"The journal holds a record '{manifest}' that this program does not know. It was written by a newer one; use that."),
            };
        }
        catch (JsonException error)
        {
            throw new InvalidDataException($"A record '{manifest}' of the journal cannot be read: {error.Message}", error);
        }
    }

    private static byte[] Write<T>(T record, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(record, type);

    private static T Read<T>(ReadOnlySpan<byte> bytes, JsonTypeInfo<T> type)
        where T : class => JsonSerializer.Deserialize(bytes, type) ?? throw new JsonException("it is empty");

    private static NotSupportedException Unknown(object entry) => new($"The journal has no stored form for {entry.GetType().FullName}.");
}
