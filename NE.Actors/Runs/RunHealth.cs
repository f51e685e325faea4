namespace NE.Actors.Runs;

/// <summary>How well a run is, in the three words of health checks.</summary>
public enum RunCondition
{
    /// <summary>It works, or has ended as it should.</summary>
    Healthy,

    /// <summary>It goes on, but not as it should: it waits for its storage, or an environment keeps failing.</summary>
    Degraded,

    /// <summary>It failed, or nothing moves any more.</summary>
    Unhealthy,
}

/// <summary>What a health check says of a run.</summary>
/// <param name="Condition">How well it is.</param>
/// <param name="Description">One sentence for a person.</param>
public sealed record RunHealthReport(RunCondition Condition, string Description);

/// <summary>
/// Tells from what a run publishes whether it is well. A host asks it now and then, and hands the answer to its own health checks; two calls
/// from different threads at once are not allowed.
/// </summary>
/// <param name="status">The run's newest status.</param>
/// <param name="patience">How long a run that trains may take no step of any kind; null is 10 minutes.</param>
/// <param name="clock">Null is the system's.</param>
public sealed class RunHealth(Func<RunStatus> status, TimeSpan? patience = null, TimeProvider? clock = null)
{
    private readonly TimeSpan patience = patience ?? TimeSpan.FromMinutes(10);
    private readonly TimeProvider clock = clock ?? TimeProvider.System;
    private (long Step, long GradientStep, RunPhase Phase)? seen;
    private int restarts;
    private long movedAt;

    /// <summary>How the run is now.</summary>
    public RunHealthReport Check()
    {
        var now = status();
        var (place, restarts) = ((now.Step, now.GradientStep, now.Phase), now.Environments.Sum(environment => environment.Restarts));
        var restarted = this.seen is not null && restarts > this.restarts;
        this.restarts = restarts;
        if (place != this.seen)
        {
            (this.seen, this.movedAt) = (place, this.clock.GetTimestamp());
        }
        var still = this.clock.GetElapsedTime(this.movedAt);
        return now.Phase switch
        {
            RunPhase.Failed => new(RunCondition.Unhealthy, $"the run failed: {now.Message}"),
            RunPhase.Paused => new(RunCondition.Degraded, $"the run waits for its storage: {now.Message}"),
            RunPhase.Completed or RunPhase.Interrupted => new(RunCondition.Healthy, $"the run is {now.Phase.ToString().ToLowerInvariant()} at step {now.Step}"),
            _ when still > this.patience => new(RunCondition.Unhealthy, $"nothing has moved since step {now.Step} for {still.TotalMinutes:0} minutes"),
            _ when restarted => new(RunCondition.Degraded, $"an environment failed since the last check and was started anew; {restarts} times in this process"),
            _ => new(RunCondition.Healthy, $"step {now.Step} of {now.Steps}"),
        };
    }
}
