using System.Diagnostics;
using Microsoft.FSharp.Core;
using NE.Actors.Cast;
using NE.Actors.Runs;
using NE.Actors.Telemetry;
using NE.Model;
using NE.Model.Agents;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Conducting;

/// <summary>
/// The newest <see cref="RunStatus"/> for whoever looks at it. Written by the run's actor alone; outlives its incarnations.
/// </summary>
public sealed class StatusBoard
{
    private const int RememberedReturns = 60;

    /// <summary>A row of timing.csv every so many times that the status is published, hence every 10 s.</summary>
    private const int PublishesPerTiming = 20;

    private readonly long began = Stopwatch.GetTimestamp();
    private readonly Queue<double> returns = new();
    private readonly List<(long Step, double Mean)> evaluations = [];
    private (string Name, double Value)[] metrics = [];
    private Settings? settings;
    private long published;
    private RunStatus status = new() { Phase = RunPhase.Starting };
    private long lapSince = Stopwatch.GetTimestamp();
    private long lapSteps;
    private long lapUpdates;
    private LearningProgress? learning;
    private long committedAt;
    private long pausedAt;

    public RunStatus Status => Volatile.Read(ref this.status);

    /// <summary>True when this process has committed, or has begun from a commit.</summary>
    internal bool HasCommitted => this.Status.CheckpointStep is not null;

    internal void Reset(Settings settings)
    {
        this.settings = settings;
        // What a learner of an earlier incarnation said is not true of this one, which may have no commit to go on from.
        this.learning = null;
        this.returns.Clear();
        this.evaluations.Clear();
        this.metrics = [];
        this.published = 0;
        this.Set(this.Status with { Phase = RunPhase.Starting, Steps = settings.Run.Steps, ReplayCapacity = settings.Learner.BufferSize.Value });
    }

    /// <summary>Where the run is before its first step of this process.</summary>
    internal void GoesOnFrom(long step, long gradientStep)
    {
        (this.lapSteps, this.lapUpdates) = (step, gradientStep);
        this.Set(this.Status with { Step = step, GradientStep = gradientStep });
    }

    /// <summary>What the run is doing.</summary>
    internal void Show(RunState state)
    {
        var (phase, message) = PhaseOf(state);
        if (phase != this.Status.Phase || message != this.Status.Message)
        {
            this.Set(this.Status with { Phase = phase, Message = message });
        }
    }

    internal void PauseBegins() => this.pausedAt = Stopwatch.GetTimestamp();

    /// <summary>The run goes on while its copies are written.</summary>
    internal void PauseEnds() =>
        this.Set(this.Status with { CheckpointPauseMilliseconds = Stopwatch.GetElapsedTime(this.pausedAt).TotalMilliseconds });

    internal void Committed(long step, long bytes)
    {
        this.committedAt = Stopwatch.GetTimestamp();
        this.Set(this.Status with { CheckpointStep = step, CheckpointBytes = bytes });
    }

    /// <summary>The learner is in the middle of many gradient steps.</summary>
    internal void Learning(LearningProgress progress) => this.learning = progress;

    internal void EpisodesEnded(IEnumerable<EpisodeEnded> episodes)
    {
        foreach (var episode in episodes)
        {
            this.returns.Enqueue(episode.Return);
        }
        while (this.returns.Count > RememberedReturns)
        {
            this.returns.Dequeue();
        }
    }

    /// <summary>An evaluation is over; it may be delivered later.</summary>
    internal void Evaluated(long step, double mean) => this.evaluations.Add((step, mean));

    internal void Measured(Measurement measurement) => this.metrics = measurement.Metrics;

    /// <returns>True now and then: a row of timings is due.</returns>
    internal bool Publish(RunState state, LearnerClock clock)
    {
        var (learned, settings) = (Conductor.gradientSteps(state), this.settings!);
        // What the learner said last is old when its work has been taken.
        this.learning = this.learning?.GradientSteps > learned ? this.learning : null;
        var (steps, updates) = (Conductor.steps(state), this.learning?.GradientSteps ?? learned);
        var seconds = Stopwatch.GetElapsedTime(this.lapSince).TotalSeconds;
        var learnsFrom = PhaseModule.learnFrom(settings, LedgerModule.phase(state.Ledger));
        // Random steps are fast, and at the last of them a learner may be primed.
        var isLearning = this.lapSteps > learnsFrom;
        var (lapSteps, lapUpdates) = (steps - this.lapSteps, updates - this.lapUpdates);
        (this.lapSince, this.lapSteps, this.lapUpdates) = (Stopwatch.GetTimestamp(), steps, updates);
        var first = lapSteps == steps;
        this.Set(this.Status with
        {
            Step = steps,
            GradientStep = updates,
            GradientStepsOwed = this.learning?.Left ?? 0,
            ElapsedSeconds = Stopwatch.GetElapsedTime(this.began).TotalSeconds,
            StepsPerSecond = first ? this.Status.StepsPerSecond : Smooth(this.Status.StepsPerSecond, lapSteps / seconds),
            LearningStepsPerSecond = isLearning ? Smooth(this.Status.LearningStepsPerSecond, lapSteps / seconds) : this.Status.LearningStepsPerSecond,
            WarmUpSteps = Math.Max(0, learnsFrom - steps),
            UpdatesPerSecond = first ? this.Status.UpdatesPerSecond : Smooth(this.Status.UpdatesPerSecond, lapUpdates / seconds),
            SampleToInsert = steps == 0 ? 0 : (double)updates * settings.Learner.BatchSize / steps,
            LearnerWaiting = clock.TakeWaitingShare() is var share && double.IsNaN(share) ? this.Status.LearnerWaiting : share,
            EpisodeReturns = [.. this.returns],
            Evaluations = [.. this.evaluations],
            LateEvaluations = Late(state),
            Metrics = this.metrics.ToDictionary(metric => metric.Name, metric => metric.Value),
            Task = TaskOf(state, settings),
            ReplaySize = Math.Min(state.Head - LedgerModule.phase(state.Ledger).Head, settings.Learner.BufferSize.Value),
            CheckpointAgeSeconds = this.HasCommitted ? Stopwatch.GetElapsedTime(this.committedAt).TotalSeconds : 0,
            Environments = [.. state.Environments.Select((e, i) => new EnvironmentStatus(i, e.Episode, e.LastReturn, e.Failures, e.Divergences))],
        });
        return this.published++ % PublishesPerTiming == 0;
    }

    /// <summary>How the run ended, for whoever started it.</summary>
    internal static RunOutcome OutcomeOf(Ending ending, RunState state)
    {
        var step = OptionModule.ToNullable(state.CommittedStep) ?? 0;
        return ending switch
        {
            Ending.Interrupted interrupted => new(RunPhase.Interrupted, interrupted.reason, step),
            Ending.Failed failed => new(RunPhase.Failed, failed.reason, step),
            _ => new(RunPhase.Completed, null, step),
        };
    }

    private static (RunPhase Phase, string? Message) PhaseOf(RunState state) => state switch
    {
        { Stage: Stage.Filming { Item.IsPhaseOver: false, Item: var ending } } => (OutcomeOf(ending, state).Phase, OutcomeOf(ending, state).Message),
        { Stage: Stage.Ended { Item.IsPhaseOver: false, Item: var ending } } => (OutcomeOf(ending, state).Phase, OutcomeOf(ending, state).Message),
        { JournalTrouble.Value: var trouble } => (RunPhase.Paused, trouble),
        { RowsTrouble.Value: var trouble } => (RunPhase.Paused, trouble),
        { StopReason: not null } => (RunPhase.Stopping, "writing the last checkpoint"),
        { Stage: { IsRecovering: true } or { IsStartingEnvironments: true } } => (RunPhase.Starting, null),
        { Stage.IsAwaitingEvaluations: true } => (RunPhase.Training, "waiting for evaluations before the checkpoint"),
        _ => (RunPhase.Training, null),
    };

    /// <summary>What the status says about time, for the run's table of timings.</summary>
    internal TimingRow Timing() => new(
        this.Status.Step,
        DateTimeOffset.UtcNow,
        Stopwatch.GetElapsedTime(this.began).TotalSeconds,
        this.Status.StepsPerSecond,
        this.Status.UpdatesPerSecond,
        this.Status.LearnerWaiting,
        this.Status.CheckpointPauseMilliseconds,
        Environment.WorkingSet);

    private static long[] Late(RunState state) =>
        [.. state.Ledger.Pending.Where(pending => pending.Ordinal.HasValue && !state.Evaluated.ContainsKey(pending.Step)).Select(pending => pending.Step)];

    /// <summary>Where a cycle is; null for another run.</summary>
    private static string? TaskOf(RunState state, Settings settings)
    {
        var phase = LedgerModule.phase(state.Ledger);
        return TaskCycle.isCycle(settings.Run.Environment)
            ? $"{PhaseModule.task(settings, phase)}, phase {phase.Index + 1} of {PhaseModule.count(settings)}"
            : null;
    }

    /// <summary>The mean of the last few seconds; what stands still ends at 0.</summary>
    private static double Smooth(double before, double now) =>
        before == 0 ? now : 0.7 * before + 0.3 * now is > 1e-3 and var mean ? mean : 0;

    private void Set(RunStatus next) => Volatile.Write(ref this.status, next);
}
