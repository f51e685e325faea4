using System.Text.Json.Serialization;

namespace NE.Actors.Journal;

// WARNING: these records are the bytes of every run on disk. Renaming, removing or re-typing a property, or changing a manifest name in
// JournalCodec, makes old runs unreadable. New optional properties may be added; anything else is a new record with a new manifest name.
// tests/data/golden/journal holds bytes that must stay readable.

/// <summary>Index arrays are delta-varint coded (<see cref="IndexCoding"/>), in JSON as base64.</summary>
internal sealed record StoredLayerChange(
    int Stack,
    int Layer,
    byte[] Grown,
    byte[] Pruned,
    byte[] Touched,
    int Dormant,
    int Active,
    int Size,
    float MinScore,
    float MaxScore);

internal sealed record StoredTopologyChanged(long Id, bool WithCommit, long Ordinal, long Step, string Network, StoredLayerChange[] Layers, double OutputShift);

internal sealed record StoredEpisodeEnded(long Id, bool WithCommit, long Ordinal, long Step, int Environment, long Episode, double Return, int Length, bool Terminated);

/// <summary>
/// The episodes of a commit by columns (<see cref="ColumnCoding"/>), in JSON as base64. Whole numbers are differences to the row before, of
/// <paramref name="Episodes"/> to the row before of the same environment. <paramref name="Terminated"/> has a bit per row, the lowest first.
/// </summary>
internal sealed record StoredEpisodesEnded(
    long Id,
    int Count,
    long Total,
    byte[] Ordinals,
    byte[] Steps,
    byte[] Environments,
    byte[] Episodes,
    byte[] Returns,
    byte[] Lengths,
    byte[] Terminated);

internal sealed record StoredEvaluationEnded(long Id, bool WithCommit, long Ordinal, long Step, double[] Returns, int[] Lengths, bool IsBest);

internal sealed record StoredPhaseStarted(long Id, bool WithCommit, long Ordinal, long Step, long GradientStep, long Phase, long Cycle, string Task);

internal sealed record StoredRunStarted(long Id, bool WithCommit, string Configuration, string Versions);

internal sealed record StoredRunResumed(long Id, bool WithCommit, long Step, string Versions);

internal sealed record StoredSettingChange(string Key, string Old, string New);

internal sealed record StoredConfigurationChanged(long Id, bool WithCommit, long Step, StoredSettingChange[] Changes);

internal sealed record StoredEnvironmentRestarted(long Id, bool WithCommit, long Step, int Environment, string Reason);

internal sealed record StoredRunInterrupted(long Id, bool WithCommit, long Step, string Reason);

internal sealed record StoredRunFailed(long Id, bool WithCommit, long Step, string Reason);

internal sealed record StoredRunCompleted(long Id, bool WithCommit, long Step);

internal sealed record StoredComponent(string Sha256, long Length);

internal sealed record StoredBest(long Step, StoredComponent Parameters);

internal sealed record StoredSegment(int Index, int Epoch, string File, long Rows, string Sha256);

internal sealed record StoredReplay(long First, long Head, int RowFloats, int SegmentRows, StoredSegment[] Segments);

internal sealed record StoredManifest(
    int FormatVersion,
    long CommitId,
    long Step,
    long GradientStep,
    long Round,
    bool Scheduled,
    SortedDictionary<string, StoredComponent> Components,
    StoredReplay? Replay,
    SortedDictionary<string, long> CsvLengths,
    StoredBest? Best,
    long HistoryOrdinal,
    long[]? KeptOrdinals = null,
    SortedDictionary<string, string>? CsvHashes = null,
    string? RunId = null);

internal sealed record StoredRewound(long Id, long ToCommitId);

internal sealed record StoredCommit(StoredManifest Manifest, byte[]? Masks, SortedDictionary<string, long> EventCounts);

internal sealed record StoredSnapshot(StoredCommit[] Retained, SortedDictionary<string, long> EventCounts, long LastCommitId, long LastOperationalId);

// A diverged run has NaN and infinite returns; they are stored by name.
[JsonSourceGenerationOptions(
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(StoredTopologyChanged))]
[JsonSerializable(typeof(StoredEpisodeEnded))]
[JsonSerializable(typeof(StoredEpisodesEnded))]
[JsonSerializable(typeof(StoredEvaluationEnded))]
[JsonSerializable(typeof(StoredPhaseStarted))]
[JsonSerializable(typeof(StoredRunStarted))]
[JsonSerializable(typeof(StoredRunResumed))]
[JsonSerializable(typeof(StoredConfigurationChanged))]
[JsonSerializable(typeof(StoredEnvironmentRestarted))]
[JsonSerializable(typeof(StoredRunInterrupted))]
[JsonSerializable(typeof(StoredRunFailed))]
[JsonSerializable(typeof(StoredRunCompleted))]
[JsonSerializable(typeof(StoredManifest))]
[JsonSerializable(typeof(StoredRewound))]
[JsonSerializable(typeof(StoredSnapshot))]
internal sealed partial class StoredJson : JsonSerializerContext;
