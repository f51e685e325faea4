using Akka.Actor;
using Akka.Event;
using NE.Actors.Runs;
using static NE.Model.History;

namespace NE.Actors.Telemetry;

/// <summary>A row of metrics.csv: what the run was like at a step.</summary>
public sealed record MetricsRow(
    long Step,
    long GradientStep,
    long Episodes,
    double EpisodeReturn,
    double EpisodeLength,
    long ReplaySize,
    (string Name, double Value)[] Metrics);

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

/// <summary>To telemetry, at a barrier: hand all rows so far to the disk and answer with the files' lengths.</summary>
public sealed record MarkFiles;

/// <summary>Bytes of every file, by name, that belong to the run so far.</summary>
public sealed record FilesMarked(IReadOnlyDictionary<string, long> Lengths);

/// <summary>
/// Writes the run's tables. Rows arrive in the order of the run, so the files are the same for a killed and resumed run as for one that
/// never stopped. A row that
/// cannot be written now is kept and tried again: a full disk loses nothing and does not stop training.
/// </summary>
public sealed class TelemetryActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    private readonly CsvFile metrics;
    private readonly CsvFile evaluations;
    private readonly CsvFile topology;
    private readonly CsvFile timing;
    private readonly ILoggingAdapter log = Context.GetLogger();

    /// <param name="lengths">Bytes of every file at the commit that the run continues from; empty for a new run.</param>
    public TelemetryActor(RunPaths paths, IReadOnlyDictionary<string, long> lengths)
    {
        CsvFile Open(string path) => new(path, lengths.GetValueOrDefault(Path.GetFileName(path)));
        this.metrics = Open(paths.Metrics);
        this.evaluations = Open(paths.Evaluations);
        this.topology = Open(paths.Topology);
        this.timing = Open(paths.Timing);

        this.Receive<MetricsRow>(this.Write);
        this.Receive<TimingRow>(this.Write);
        this.Receive<EvaluationEnded>(this.Write);
        this.Receive<TopologyChanged>(this.Write);
        this.Receive<MarkFiles>(_ => this.Mark(this.Sender));
        this.Receive<MarkAgain>(again => this.Mark(again.ReplyTo));
        this.Receive<Flush>(_ => this.TryAll(file => file.Flush()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private CsvFile[] Files => [this.metrics, this.evaluations, this.topology, this.timing];

    protected override void PreStart() => this.Timers.StartPeriodicTimer("flush", new Flush(), FlushInterval);

    protected override void PostStop()
    {
        this.TryAll(file => file.Flush());
        foreach (var file in this.Files)
        {
            file.Dispose();
        }
    }

    private void Write(MetricsRow row) => this.metrics.Append(
    [
        ("step", row.Step),
        ("gradientStep", row.GradientStep),
        ("episodes", row.Episodes),
        ("episodeReturn", row.EpisodeReturn),
        ("episodeLength", row.EpisodeLength),
        ("replaySize", row.ReplaySize),
        .. row.Metrics.Select(metric => (metric.Name, (object)metric.Value)),
    ]);

    private void Write(TimingRow row) => this.timing.Append(
        ("step", row.Step),
        ("time", row.Time.ToString("O")),
        ("elapsedSeconds", row.ElapsedSeconds),
        ("stepsPerSecond", row.StepsPerSecond),
        ("updatesPerSecond", row.UpdatesPerSecond),
        ("learnerWaiting", row.LearnerWaiting),
        ("checkpointPauseMilliseconds", row.CheckpointPauseMilliseconds),
        ("memoryBytes", row.MemoryBytes));

    private void Write(EvaluationEnded evaluation)
    {
        var mean = evaluation.Returns.Average();
        var deviation = Math.Sqrt(evaluation.Returns.Average(value => (value - mean) * (value - mean)));
        this.evaluations.Append(
        [
            ("step", evaluation.Step),
            ("mean", mean),
            ("deviation", deviation),
            ("best", evaluation.IsBest),
            ("meanLength", evaluation.Lengths.Average()),
            .. evaluation.Returns.Select((value, episode) => ($"return{episode}", (object)value)),
        ]);
    }

    private void Write(TopologyChanged change)
    {
        foreach (var layer in change.Layers)
        {
            this.topology.Append(
                ("gradientStep", change.Step),
                ("network", change.Network),
                ("stack", layer.Stack),
                ("layer", layer.Layer),
                ("active", layer.Active),
                ("size", layer.Size),
                ("density", (double)layer.Active / layer.Size),
                ("grown", layer.Grown.Length),
                ("pruned", layer.Pruned.Length),
                ("touched", layer.Touched.Length),
                ("dormant", layer.Dormant),
                ("minScore", layer.MinScore),
                ("maxScore", layer.MaxScore),
                ("outputShift", change.OutputShift));
        }
    }

    private void Mark(IActorRef replyTo)
    {
        if (!this.TryAll(file => file.Sync()))
        {
            this.Timers.StartSingleTimer("mark", new MarkAgain(replyTo), RetryPause);
            return;
        }
        replyTo.Tell(new FilesMarked(new Dictionary<string, long>
        {
            ["metrics.csv"] = this.metrics.Length,
            ["eval.csv"] = this.evaluations.Length,
            ["topology.csv"] = this.topology.Length,
            ["timing.csv"] = this.timing.Length,
        }));
    }

    /// <summary>False when a file could not be written; its rows wait for the next time.</summary>
    private bool TryAll(Action<CsvFile> action)
    {
        try
        {
            foreach (var file in this.Files)
            {
                action(file);
            }
            return true;
        }
        catch (IOException error)
        {
            this.log.Warning("The tables could not be written; their rows are kept and tried again: {Reason}", error.Message);
            return false;
        }
    }

    private sealed record Flush;

    private sealed record MarkAgain(IActorRef ReplyTo);
}
