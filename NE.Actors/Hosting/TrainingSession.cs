using System.Runtime.CompilerServices;
using NE.Actors.Conducting;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;

namespace NE.Actors.Hosting;

/// <summary>A run at work in this process. Its members may be used from any thread.</summary>
public sealed class TrainingSession : IAsyncDisposable
{
    private static readonly TimeSpan BetweenStatuses = TimeSpan.FromMilliseconds(500);

    private readonly ReadyRun ready;
    private readonly TrainingRun run;

    private TrainingSession(ReadyRun ready, TrainingRun run)
    {
        (this.ready, this.run) = (ready, run);
        this.Completion = this.Finish();
    }

    /// <summary>Its name, which is its folder's.</summary>
    public string Name => this.Paths.Name;

    /// <summary>Where its files lie.</summary>
    public RunPaths Paths => this.ready.Request.Paths;

    /// <summary>Resolved: no `auto` is left.</summary>
    public Settings Settings => this.ready.Request.Settings;

    /// <summary>What it is doing: steps, rates, returns, evaluations, checkpoint. A new value about twice a second; after the end, the last one.</summary>
    public RunStatus Status => this.Completion is { IsCompletedSuccessfully: true, Result: var outcome }
        ? this.run.Status with { Phase = outcome.Phase, Message = outcome.Message }
        : this.run.Status;

    /// <summary>
    /// Finishes when the run has ended and its directory is free again: completed, interrupted by <see cref="Stop"/>, or failed, with the reason as
    /// its message and the environment steps that are committed. Never faults.
    /// </summary>
    public Task<RunOutcome> Completion { get; }

    /// <summary>Commits at the next barrier and ends the run as interrupted; <see cref="Completion"/> says when. May be called more than once.</summary>
    /// <param name="reason">A clause for run.json and the journal.</param>
    public void Stop(string reason = "its program stopped it") => this.run.RequestStop(reason);

    /// <summary>The run's statuses as they come, and the last one when it has ended. Who leaves the loop does not stop the run.</summary>
    /// <param name="interval">Time between two of them; null is half a second.</param>
    /// <param name="cancellation">Ends the watching.</param>
    public async IAsyncEnumerable<RunStatus> Watch(TimeSpan? interval = null, [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        while (!this.Completion.IsCompleted)
        {
            yield return this.Status;
            await Task.WhenAny(this.Completion, Task.Delay(interval ?? BetweenStatuses, cancellation)).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
        }

        yield return this.Status;
    }

    /// <summary>Stops the run if it works, and returns when it has ended.</summary>
    public async ValueTask DisposeAsync()
    {
        if (!this.Completion.IsCompleted)
        {
            this.Stop();
        }

        await this.Completion.ConfigureAwait(false);
    }

    /// <summary>Starts a run that is ready; it belongs to the session from now on.</summary>
    internal static TrainingSession Begin(ReadyRun ready)
    {
        try
        {
            ready.Begin(DateTimeOffset.UtcNow);
            return new TrainingSession(ready, TrainingRun.Start(ready.Request));
        }
        catch
        {
            ready.Dispose();
            throw;
        }
    }

    private async Task<RunOutcome> Finish()
    {
        RunOutcome outcome = this.ready.Corrected(await this.run.Completion.ConfigureAwait(false));
        await this.run.DisposeAsync().ConfigureAwait(false);

        try
        {
            this.ready.End(outcome);
            return outcome;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return outcome with { Message = string.Join("; ", ((string?[])[outcome.Message, $"run.json still says that it is running: {failure.Message}"]).OfType<string>()) };
        }
        finally
        {
            this.ready.Dispose();
        }
    }
}
