using NE.Actors.Replay;
using NE.Actors.Storage;
using NE.Model.Runs;

namespace NE.Actors.Checkpoints;

/// <summary>Copies of everything stateful at one barrier, ready to be committed while the run goes on. Nothing here may change any more.</summary>
/// <param name="Step">Environment steps of the whole run.</param>
/// <param name="GradientStep">Updates of the learner.</param>
/// <param name="Round">The barrier's round.</param>
/// <param name="Scheduled">True when the commit was due by cadence.</param>
/// <param name="Components">Bytes by component name; "masks" is <see cref="PackedMasks"/>.</param>
/// <param name="Replay">From <see cref="SegmentStore.Capture"/>; the journal disposes it once the commit is durable or given up.</param>
/// <param name="Files">What of each table and of the TensorBoard events belongs to this step, already handed to the operating system.</param>
/// <param name="Best">Parameters of a new best evaluation; null keeps the best of the commit before.</param>
/// <param name="HistoryOrdinal">Ordinal of the next history event after this commit's.</param>
/// <param name="RunId">The run's, of run.json; null where it has none.</param>
public sealed record FrozenState(
    long Step,
    long GradientStep,
    long Round,
    bool Scheduled,
    IReadOnlyDictionary<string, ReadOnlyMemory<byte>> Components,
    ReplayCapture? Replay,
    IReadOnlyDictionary<string, FileMark> Files,
    FrozenBest? Best,
    long HistoryOrdinal,
    string? RunId = null)
{
    /// <summary>See <see cref="CheckpointManifest.KeptOrdinals"/>.</summary>
    public IReadOnlyList<long> KeptOrdinals { get; init; } = [];
}

/// <summary>Parameters of the best evaluation so far and the environment step of their policy.</summary>
public sealed record FrozenBest(long Step, ReadOnlyMemory<byte> Parameters);
