using NE.Actors.Runs;
using NE.Shell.Logging;
using Serilog;

namespace NE.Shell.Running;

/// <summary>Writes where a run is into its log, once a second and never per step.</summary>
internal static class ProgressLog
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Returns when the run has ended.</summary>
    public static async Task Write(ITrainingRun run, ILogger logger, TimeProvider clock)
    {
        ILogger progress = logger.ForContext(RunLog.Progress, true);

        while (!run.Completion.IsCompleted)
        {
            await Task.WhenAny(run.Completion, Task.Delay(Interval, clock));
            RunStatus status = run.Status;
            progress.Information(
                "Step {Step} of {Steps}, {StepsPerSecond:0.0} steps/s, {UpdatesPerSecond:0.0} updates/s, learner waits {LearnerWaiting:0.000}, replay {ReplaySize}",
                status.Step,
                status.Steps,
                status.StepsPerSecond,
                status.UpdatesPerSecond,
                status.LearnerWaiting,
                status.ReplaySize);
        }
    }
}
