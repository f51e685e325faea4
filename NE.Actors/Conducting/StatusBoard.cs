using System.Diagnostics;
using NE.Actors.Cast;
using NE.Actors.Runs;
using NE.Actors.Telemetry;
using NE.Model;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// The newest <see cref="RunStatus"/> for whoever looks at it. Written by the run's actor alone; outlives its incarnations.
/// </summary>
public sealed class StatusBoard
{
    private readonly long began = Stopwatch.GetTimestamp();
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
        // What a learner of an earlier incarnation said is not true of this one, which may have no commit to go on from.
        this.learning = null;
        this.Set(this.Status with { Phase = RunPhase.Starting, Steps = settings.Run.Steps, ReplayCapacity = settings.Td3.BufferSize.Value });
    }

    /// <summary>Where the run is before its first step of this process.</summary>
    internal void GoesOnFrom(long step, long gradientStep)
    {
        (this.lapSteps, this.lapUpdates) = (step, gradientStep);
        this.Set(this.Status with { Step = step, GradientStep = gradientStep });
    }

    internal void Training() => this.Set(this.Status with { Phase = RunPhase.Training, Message = null });

    internal void Paused(string reason) => this.Set(this.Status with { Phase = RunPhase.Paused, Message = reason });

    /// <summary>Transitions can be written again.</summary>
    internal void StorageIsBack()
    {
        if (this.Status.Phase == RunPhase.Paused)
        {
            this.GoOn();
        }
    }

    /// <summary>Why a stop was asked for; null while none was. Outlives a restart of the run.</summary>
    internal string? StopReason { get; private set; }

    internal void Stopping(string reason)
    {
        this.StopReason = reason;
        this.Set(this.Status with { Phase = RunPhase.Stopping, Message = "writing the last checkpoint" });
    }

    internal void Ended(RunOutcome outcome) => this.Set(this.Status with { Phase = outcome.Phase, Message = outcome.Message });

    internal void PauseBegins() => this.pausedAt = Stopwatch.GetTimestamp();

    /// <summary>The run goes on while its copies are written.</summary>
    internal void PauseEnds() =>
        this.Set(this.Status with { CheckpointPauseMilliseconds = Stopwatch.GetElapsedTime(this.pausedAt).TotalMilliseconds });

    internal void Committed(long step, long bytes)
    {
        this.committedAt = Stopwatch.GetTimestamp();
        this.Set(this.Status with { CheckpointStep = step, CheckpointBytes = bytes });
        this.StorageIsBack();
    }

    /// <summary>The learner is in the middle of many gradient steps.</summary>
    internal void Learning(LearningProgress progress) => this.learning = progress;

    internal void Publish(RunBook book, IConductor conductor, LearnerClock clock, IReadOnlyList<EnvironmentStart> environments, Settings settings)
    {
        // What the learner said last is old when its work has been taken.
        this.learning = this.learning?.GradientSteps > conductor.GradientSteps ? this.learning : null;
        var (steps, updates) = (conductor.Steps, this.learning?.GradientSteps ?? conductor.GradientSteps);
        var seconds = Stopwatch.GetElapsedTime(this.lapSince).TotalSeconds;
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
            UpdatesPerSecond = first ? this.Status.UpdatesPerSecond : Smooth(this.Status.UpdatesPerSecond, lapUpdates / seconds),
            SampleToInsert = steps == 0 ? 0 : (double)updates * settings.Td3.BatchSize / steps,
            LearnerWaiting = clock.TakeWaitingShare() is var share && double.IsNaN(share) ? this.Status.LearnerWaiting : share,
            EpisodeReturns = [.. book.RecentReturns],
            Evaluations = [.. book.Evaluations],
            Metrics = book.Metrics.ToDictionary(metric => metric.Name, metric => metric.Value),
            Task = TaskOf(book, settings),
            ReplaySize = Math.Min(conductor.Head - LedgerModule.phase(book.Ledger).Head, settings.Td3.BufferSize.Value),
            CheckpointAgeSeconds = this.HasCommitted ? Stopwatch.GetElapsedTime(this.committedAt).TotalSeconds : 0,
            Environments = [.. environments.Select(e => new EnvironmentStatus(e.Index, e.Episode, e.LastReturn, e.Failures, e.Divergences))],
        });
    }

    private void GoOn()
    {
        if (this.StopReason is { } reason)
        {
            this.Stopping(reason);
        }
        else
        {
            this.Training();
        }
    }

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

    /// <summary>Where a cycle is; null for another run.</summary>
    private static string? TaskOf(RunBook book, Settings settings)
    {
        var phase = LedgerModule.phase(book.Ledger);
        return TaskCycle.isCycle(settings.Run.Environment)
            ? $"{PhaseModule.task(settings, phase)}, phase {phase.Index + 1} of {PhaseModule.count(settings)}"
            : null;
    }

    /// <summary>The mean of the last few seconds; what stands still ends at 0.</summary>
    private static double Smooth(double before, double now) =>
        before == 0 ? now : 0.7 * before + 0.3 * now is > 1e-3 and var mean ? mean : 0;

    private void Set(RunStatus next) => Volatile.Write(ref this.status, next);
}
