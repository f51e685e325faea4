using Akka.Actor;
using Akka.Event;
using NE.Actors.Telemetry;
using static NE.Model.History;

namespace NE.Actors.Cast;

/// <summary>
/// Writes the run's tables and TensorBoard events. Rows arrive in the order of the run, so the files are the same for a killed and resumed run as for one that
/// never stopped. A row that
/// cannot be written now is kept and tried again: a full disk loses nothing and does not stop training.
/// </summary>
public sealed class TelemetryActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan FlushInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    /// <summary>An event that moves an output by more than this part of its standard deviation is worth a word, once per network (docs/algorithm.md 1.6).</summary>
    private const double NotableShift = 0.1;

    private readonly RunTables tables;
    private readonly ReviewWatch review;
    private readonly HashSet<string> shifted = [];

    /// <summary>Rows of evaluations that no commit has delivered, in the order in which they will be.</summary>
    private readonly List<EvaluationRow> undelivered = [];
    private readonly ILoggingAdapter log = Context.GetLogger();
    private int attempts;
    private bool failing;

    /// <param name="tables">Belong to this actor from now on.</param>
    public TelemetryActor(RunTables tables, Settings settings)
    {
        (this.tables, this.review) = (tables, ReviewWatch.Of(settings));
        this.Receive<MetricsRow>(this.Write);
        this.Receive<TimingRow>(this.Write);
        this.Receive<EvaluationShown>(shown => this.Show(shown.Row));
        this.Receive<EvaluationRow>(this.Write);
        this.Receive<TopologyChanged>(this.Write);
        this.Receive<PhaseStarted>(this.Write);
        this.Receive<MarkFiles>(_ => this.Mark(this.Sender));
        this.Receive<MarkAgain>(again => this.Mark(again.ReplyTo));
        this.Receive<Flush>(_ => this.TryFlush(out string _));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        if (this.tables.Events?.Problem is { } problem)
        {
            this.log.Warning("The TensorBoard events of the run so far are lost: {Reason}", problem);
        }
        this.Timers.StartPeriodicTimer("flush", new Flush(), FlushInterval);
    }

    protected override void PostStop()
    {
        this.TryFlush(out string _);
        this.tables.Dispose();
    }

    private void Write(MetricsRow row)
    {
        this.tables.Metrics.Append(
        [
            ("step", row.Step),
            ("gradientStep", row.GradientStep),
            ("episodes", row.Episodes),
            ("episodeReturn", row.EpisodeReturn),
            ("episodeLength", row.EpisodeLength),
            ("replaySize", row.ReplaySize),
            .. Named(row.Measurement.Metrics),
        ]);
        foreach (var (name, value) in row.Measurement.Metrics)
        {
            if (name == "review_probability" && this.review.HasNeverMoved(row.GradientStep, value))
            {
                this.log.Warning(
                    "The probability of experience review has been {Probability} in all of the first {Rows} rows of metrics in which it could adapt, up to gradient "
                    + "step {GradientStep}: the bound ne.reviewThreshold decides, or the signal does not move. Look at review_epsilon in metrics.csv, and at "
                    + "ne.reviewThreshold and ne.reviewWindow",
                    value, ReviewWatch.Rows, row.GradientStep);
            }
        }
        foreach (var layer in row.Measurement.Layers)
        {
            this.tables.Layers.Append(
            [
                ("step", row.Step),
                ("gradientStep", row.GradientStep),
                ("network", layer.Network),
                ("stack", layer.Stack),
                ("layer", layer.Layer),
                .. Named(layer.Columns),
            ]);
        }
        this.tables.Events?.Append(row.Step, EventTags.Of(row));
    }

    private static IEnumerable<(string, object)> Named((string Name, double Value)[] values) =>
        values.Select(value => (value.Name, (object)value.Value));

    private void Write(TimingRow row)
    {
        this.tables.Timing.Append(
            ("step", row.Step),
            ("time", row.Time.ToString("O")),
            ("elapsedSeconds", row.ElapsedSeconds),
            ("stepsPerSecond", row.StepsPerSecond),
            ("updatesPerSecond", row.UpdatesPerSecond),
            ("learnerWaiting", row.LearnerWaiting),
            ("checkpointPauseMilliseconds", row.CheckpointPauseMilliseconds),
            ("memoryBytes", row.MemoryBytes));
        this.tables.Events?.Append(row.Step, EventTags.Of(row));
    }

    private void Show(EvaluationRow row)
    {
        this.undelivered.Add(row);
        this.ShowUndelivered();
        this.tables.Events?.Append(row.Evaluation.Step, EventTags.Of(row.Evaluation));
    }

    private void Write(EvaluationRow row)
    {
        this.undelivered.RemoveAll(shown => shown.Evaluation.Step == row.Evaluation.Step);
        this.tables.Evaluations.Append(HistoryRows.Of(row.Evaluation, row.Inverted));
        this.ShowUndelivered();
    }

    /// <summary>They are behind the rows of the run, for those who watch.</summary>
    private void ShowUndelivered() => this.tables.Evaluations.Show(this.undelivered.Select(row => HistoryRows.Of(row.Evaluation, row.Inverted)));

    private void Write(PhaseStarted phase) => this.tables.Phases?.Append(HistoryRows.Of(phase));

    private void Write(TopologyChanged change)
    {
        if (change.OutputShift > NotableShift && this.shifted.Add(change.Network))
        {
            this.log.Warning(
                "The topology event at gradient step {GradientStep} moved the {Network}'s output by {OutputShift:0.00} standard deviations: grown weights did "
                + "not begin at 0 (ne.growInit), or a neuron was reset that was not silent. Every event's shift is in topology.csv",
                change.Step, change.Network, change.OutputShift);
        }
        foreach (var row in HistoryRows.Of(change))
        {
            this.tables.Topology.Append(row);
        }
    }

    private void Mark(IActorRef replyTo)
    {
        if (this.TryFlush(out var reason))
        {
            this.attempts = 0;
            replyTo.Tell(new FilesMarked(this.tables.Marks));
            return;
        }
        replyTo.Tell(new StorageRetrying(reason, ++this.attempts));
        this.Timers.StartSingleTimer("mark", new MarkAgain(replyTo), RetryPause);
    }

    /// <summary>False when a table could not be written; its rows wait for the next time.</summary>
    private bool TryFlush(out string reason)
    {
        try
        {
            this.tables.Flush();
            this.failing = false;
            reason = "";
            return true;
        }
        catch (IOException error)
        {
            if (!this.failing)
            {
                this.log.Warning("The tables could not be written; their rows are kept and tried again: {Reason}", error.Message);
            }
            this.failing = true;
            reason = error.Message;
            return false;
        }
    }

    private sealed record Flush;

    private sealed record MarkAgain(IActorRef ReplyTo);
}
