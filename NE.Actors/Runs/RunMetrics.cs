using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using NE.Actors.Instruments;

namespace NE.Actors.Runs;

/// <summary>
/// What a run measures of itself, tagged with the run's name. It is read from the published status when a listener asks, so it costs a run nothing.
/// How far the run is, is a gauge and not a counter: a run goes back to its last checkpoint, where those who add up increases would see a new beginning.
/// </summary>
public sealed class RunMetrics : IDisposable
{
    private const string Run = "ne.run";
    private static readonly ConcurrentDictionary<RunMetrics, byte> Live = new();

    private static readonly Histogram<double> Pause = RunInstruments.Meter.CreateHistogram<double>(
        "ne.checkpoint.pause", "s", "How long the learner stood still for a checkpoint.");

    private static readonly Histogram<double> Duration = RunInstruments.Meter.CreateHistogram<double>(
        "ne.checkpoint.duration", "s", "From the journal's start on a checkpoint until it is durable.");

    private readonly string run;
    private readonly Func<RunStatus> status;

    static RunMetrics()
    {
        var meter = RunInstruments.Meter;
        meter.CreateObservableGauge("ne.environment.steps", () => All(now => now.Step), "{step}", "Environment steps of the run, all environments together.");
        meter.CreateObservableGauge("ne.environment.rate", () => All(now => now.StepsPerSecond), "{step}/s", "Environment steps a second, of the last few seconds.");
        meter.CreateObservableGauge("ne.learner.updates", () => All(now => now.GradientStep), "{update}", "Gradient steps of the run.");
        meter.CreateObservableGauge("ne.learner.rate", () => All(now => now.UpdatesPerSecond), "{update}/s", "Gradient steps a second, of the last few seconds.");
        meter.CreateObservableGauge("ne.episodes", () => All(now => now.Environments.Sum(environment => environment.Episodes)), "{episode}", "Finished training episodes of the run.");
        meter.CreateObservableCounter("ne.environment.restarts", Restarts, "{restart}", "How often an environment failed and was started anew in this process.");
        meter.CreateObservableGauge("ne.learner.waiting", () => All(now => now.LearnerWaiting), "1", "Share of the learner's time spent waiting for environments, of the last half second in which it worked.");
        meter.CreateObservableGauge("ne.replay.size", () => All(now => now.ReplaySize), "{transition}", "Transitions in the replay memory.");
    }

    /// <summary>Offers the measurements of a run until it is disposed.</summary>
    /// <param name="run">Its name.</param>
    /// <param name="status">Its newest published status; called from any thread.</param>
    public RunMetrics(string run, Func<RunStatus> status)
    {
        (this.run, this.status) = (run, status);
        Live[this] = 0;
    }

    public void Dispose() => Live.TryRemove(this, out _);

    internal static void CheckpointPaused(string run, double milliseconds) => Pause.Record(milliseconds / 1000, KeyValuePair.Create<string, object?>(Run, run));

    internal static void CheckpointTook(string run, TimeSpan time) => Duration.Record(time.TotalSeconds, KeyValuePair.Create<string, object?>(Run, run));

    private static IEnumerable<Measurement<T>> All<T>(Func<RunStatus, T> value)
        where T : struct =>
        Live.Keys.Select(live => new Measurement<T>(value(live.status()), KeyValuePair.Create<string, object?>(Run, live.run)));

    private static IEnumerable<Measurement<long>> Restarts() => Live.Keys.SelectMany(live => live.status().Environments.Select(environment => new Measurement<long>(
        environment.Restarts, KeyValuePair.Create<string, object?>(Run, live.run), KeyValuePair.Create<string, object?>("ne.environment", environment.Index))));
}
