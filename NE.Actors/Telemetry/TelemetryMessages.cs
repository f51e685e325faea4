using NE.Actors.Storage;
using NE.Model.Agents;
using static NE.Model.History;

namespace NE.Actors.Telemetry;

/// <summary>A row of metrics.csv and the rows of layers.csv that belong to it: what the run was like at a step.</summary>
public sealed record MetricsRow(
    long Step,
    long GradientStep,
    long Episodes,
    double EpisodeReturn,
    double EpisodeLength,
    long ReplaySize,
    Measurement Measurement);

/// <summary>A row of eval.csv.</summary>
/// <param name="Inverted">See <see cref="Evaluation.EpisodeResults.Inverted"/>.</param>
public sealed record EvaluationRow(EvaluationEnded Evaluation, int[] Inverted);

/// <summary>A row of eval.csv that is known and will be delivered by a later commit.</summary>
public sealed record EvaluationShown(EvaluationRow Row);

/// <summary>A row of timing.csv: clocks and rates, which are never part of what makes two runs the same.</summary>
public sealed record TimingRow(
    long Step,
    DateTimeOffset Time,
    double ElapsedSeconds,
    double StepsPerSecond,
    double UpdatesPerSecond,
    double LearnerWaiting,
    double CheckpointPauseMilliseconds,
    long MemoryBytes);

/// <summary>To telemetry, at a barrier: hand all rows so far to the operating system (the commit syncs them) and answer with what belongs to the run.</summary>
public sealed record MarkFiles;

/// <summary>Bytes of every file, by name, that belong to the run so far.</summary>
public sealed record FilesMarked(IReadOnlyDictionary<string, FileMark> Marks);
