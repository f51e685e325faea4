using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NE.Actors.Runs;

namespace NE.Actors.Hosting;

/// <summary>Which run a host trains.</summary>
/// <param name="Folder">Holds runs; created when absent.</param>
/// <param name="Name">The run's.</param>
/// <param name="Settings">Keys and values, as for <see cref="Training.Start"/>.</param>
/// <param name="StopHost">Stop the host when the run has ended by itself, complete or failed: for a host that has nothing else to do.</param>
public sealed record HostedTraining(string Folder, string Name, IReadOnlyDictionary<string, string> Settings, bool StopHost = false);

/// <summary>
/// A run as a service of a Generic Host: begun, or gone on with, when the host starts; stopped with a commit when it shuts down. It is its own health
/// check. Registered by <see cref="TrainingServices.AddTraining"/>.
/// </summary>
public sealed partial class TrainingService(HostedTraining training, ILogger<TrainingService> logger, IHostApplicationLifetime host) : IHostedService, IHealthCheck
{
    private readonly Lock gate = new();
    private RunHealth? health;
    private bool isComplete;

    /// <summary>The run at work; null before the host has started, and when the run has nothing left to do.</summary>
    public TrainingSession? Session { get; private set; }

    /// <summary>Throws what <see cref="Training.StartOrResume"/> throws: a host does not start with settings that cannot be used.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        // Files are checked and an agent is built: more than a host's start should wait for on its own thread.
        var session = await Task.Run(() => Training.StartOrResume(training.Folder, training.Name, training.Settings), cancellationToken);
        lock (this.gate)
        {
            this.Session = session;
            this.isComplete = session is null;
            this.health = session is null ? null : new RunHealth(() => session.Status);
        }
        if (session is null)
        {
            LogComplete(logger, training.Name);
            this.StopHostIfAsked();
            return;
        }
        LogWorks(logger, training.Name, session.Status.Step);
        _ = this.Follow(session);
    }

    /// <summary>Stops the run and waits for its commit, as long as the host's shutdown timeout lets it; what was committed before is never lost.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        if (this.Session is { } session)
        {
            session.Stop("its host stops");
            await session.Completion.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Unhealthy: it failed, or nothing moves. Degraded: it waits for its storage, or an environment was restarted since the last check.</summary>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (this.gate)
        {
            return Task.FromResult(this.health?.Check() switch
            {
                null => HealthCheckResult.Healthy(this.isComplete ? "the run is complete" : "the run has not begun"),
                { Condition: RunCondition.Healthy } well => HealthCheckResult.Healthy(well.Description),
                { Condition: RunCondition.Degraded } unwell => HealthCheckResult.Degraded(unwell.Description),
                var ill => HealthCheckResult.Unhealthy(ill.Description),
            });
        }
    }

    private async Task Follow(TrainingSession session)
    {
        var outcome = await session.Completion;
        if (outcome.Phase is RunPhase.Failed)
        {
            LogFailed(logger, training.Name, outcome.Step, outcome.Message);
        }
        else
        {
            LogEnded(logger, training.Name, outcome.Phase, outcome.Step);
        }
        if (outcome.Phase is not RunPhase.Interrupted)
        {
            this.StopHostIfAsked();
        }
    }

    private void StopHostIfAsked()
    {
        if (training.StopHost)
        {
            host.StopApplication();
        }
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} works, from step {Step}")]
    private static partial void LogWorks(ILogger logger, string run, long step);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} has done all its steps")]
    private static partial void LogComplete(ILogger logger, string run);

    [LoggerMessage(Level = LogLevel.Information, Message = "{Run} {Outcome}, committed up to step {Step}")]
    private static partial void LogEnded(ILogger logger, string run, RunPhase outcome, long step);

    [LoggerMessage(Level = LogLevel.Error, Message = "{Run} failed, committed up to step {Step}: {Reason}")]
    private static partial void LogFailed(ILogger logger, string run, long step, string? reason);
}
