namespace NE.Actors.Runs;

/// <summary>How a run ended.</summary>
/// <param name="Phase">Completed, Interrupted or Failed.</param>
/// <param name="Message">Why, in one sentence; null when it completed.</param>
/// <param name="Step">Environment steps committed.</param>
public sealed record RunOutcome(RunPhase Phase, string? Message, long Step);

/// <summary>A run in this process: the actor system, and what the shell may ask of it.</summary>
public interface ITrainingRun : IAsyncDisposable
{
    /// <summary>The newest published status; never null, changes about twice a second.</summary>
    RunStatus Status { get; }

    /// <summary>Finishes with the run; never faults.</summary>
    Task<RunOutcome> Completion { get; }

    /// <summary>Commits at the next barrier and ends the run as interrupted. Safe to call from a signal handler, and more than once.</summary>
    void RequestStop(string reason);
}
