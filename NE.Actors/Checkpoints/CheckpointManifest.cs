using NE.Actors.Replay;
using NE.Actors.Storage;
using NE.Model.Runs;

namespace NE.Actors.Checkpoints;

/// <summary>A blob: its content's SHA-256, which is also its file name, and its length in bytes.</summary>
public sealed record ComponentRef(string Sha256, long Length);

/// <summary>The parameters of the best evaluation so far. Only these are kept: an old best would hold gigabytes of replay.</summary>
/// <param name="Step">Environment step whose policy was evaluated.</param>
/// <param name="Parameters">The blob.</param>
public sealed record BestCheckpoint(long Step, ComponentRef Parameters);

/// <summary>Names everything stateful at one barrier. It is written last, so a manifest that can be read names files that are complete.</summary>
/// <param name="FormatVersion">Version of the state's layout; this program writes <see cref="CurrentFormat"/>.</param>
/// <param name="CommitId">The outbox's number of the commit, rising for the life of the run.</param>
/// <param name="Step">Environment steps of the whole run.</param>
/// <param name="GradientStep">Updates of the learner.</param>
/// <param name="Round">The barrier B(Round) at which the state was frozen.</param>
/// <param name="Scheduled">True for a commit that was due by cadence, false for one at a signal or at the end.</param>
/// <param name="Components">Blobs by name: parameters, targets, moments, masks, random, environments, counters, evaluations ...</param>
/// <param name="Replay">The replay window; null for a run without one.</param>
/// <param name="Files">What of each table and of the TensorBoard events, by name, belongs to this step; what lies behind is cut off at a resume.</param>
/// <param name="Best">The best evaluation so far; null before the first.</param>
/// <param name="HistoryOrdinal">Number of history events up to this step, hence the ordinal of the next one.</param>
/// <param name="RunId">Whose it is, as run.json names it; null in commits from before it was kept.</param>
public sealed record CheckpointManifest(
    int FormatVersion,
    long CommitId,
    long Step,
    long GradientStep,
    long Round,
    bool Scheduled,
    IReadOnlyDictionary<string, ComponentRef> Components,
    ReplayManifest? Replay,
    IReadOnlyDictionary<string, FileMark> Files,
    BestCheckpoint? Best,
    long HistoryOrdinal,
    string? RunId = null) : ICommit
{
    public const int CurrentFormat = 1;

    /// <summary>Ordinals below <see cref="HistoryOrdinal"/> that are kept for pending evaluations which were late for a commit.</summary>
    public IReadOnlyList<long> KeptOrdinals { get; init; } = [];

    /// <summary>Component that holds <see cref="PackedMasks"/>.</summary>
    public const string Masks = "masks";

    public string? MasksHash => this.Components.TryGetValue(Masks, out var masks) ? masks.Sha256 : null;

    /// <summary>Bytes of all blobs and of the replay rows in use.</summary>
    public long Bytes => this.Components.Values.Sum(c => c.Length)
        + (this.Replay is { } r ? r.Segments.Sum(s => s.Rows) * r.RowFloats * sizeof(float) : 0);

    /// <summary>Every blob that must stay while this manifest is retained.</summary>
    public IEnumerable<ComponentRef> Blobs => this.Best is { } best ? this.Components.Values.Append(best.Parameters) : this.Components.Values;
}
