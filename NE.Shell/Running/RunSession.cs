using NE.Actors.Cast;
using NE.Actors.Hosting;
using NE.Actors.Runs;
using NE.Model;
using NE.Shell.Commands;
using NE.Shell.Host;
using NE.Shell.Logging;
using NE.Shell.Views;
using Serilog.Events;

namespace NE.Shell.Running;

/// <summary>One process's work on a run: its log, its signals, its view, and what it says at the end.</summary>
internal static class RunSession
{
    /// <summary>Runs to the end and returns the process's exit code.</summary>
    /// <param name="host">The outside world.</param>
    /// <param name="ready">The run, described on disk; the log is added here.</param>
    /// <param name="presentation">What the command line says about logs and view.</param>
    /// <param name="fleet">What holds the environments; null for threads of this process.</param>
    public static async Task<ExitCode> Execute(ShellHost host, ReadyRun ready, PresentationArguments presentation, RunFleet? fleet = null)
    {
        ready.Request = ready.Request with { Loggers = [SerilogLogger.TypeName] };
        Settings settings = ready.Request.Settings;
        var presenter = new RunPresenter(host, RunTitle.Of(ready.Request.Paths.Name, settings), presentation.Plain);
        using var log = RunLog.Open(
            new RunLogTargets
            {
                ClefFile = ready.Request.Paths.Log,
                Console = new ConsoleSink(presenter.Message),
                ConsoleLevel = presenter.IsLive ? LogEventLevel.Warning : LogEventLevel.Information,
                SeqUrl = SeqAddress.Of(presentation.Seq, host),
                SeqApiKey = host.SeqApiKey,
                SeqBuffer = Path.Combine(ready.Request.Paths.Logs, "seq-buffer"),
            },
            new RunLogIds(ready.Id, ready.Request.Paths.Name, host.Sweep),
            settings);
        using TelemetryExport? export = TelemetryExport.Of(host, ready.Id, ready.Request.Paths.Name);
        ready.Begin(host.Clock.GetUtcNow());
        fleet?.Attach(ready);
        RunRequest request = ready.Request;
        RunOutcome outcome = ready.Corrected(await Work(host, request, presenter, log, presentation, fleet));
        WriteLastWord(host, ready, outcome);
        return Say(host, request, outcome);
    }

    /// <summary>What ended the run, such as a full disk, may keep run.json from being written too; how it ended is said all the same.</summary>
    private static void WriteLastWord(ShellHost host, ReadyRun ready, RunOutcome outcome)
    {
        try
        {
            ready.End(outcome);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LastWords.Say(host.Error, $"ne: {failure.Message}\nrun.json still says that the run is running, so `ne status` will call it killed until it is resumed.");
        }
    }

    private static async Task<RunOutcome> Work(ShellHost host, RunRequest request, RunPresenter presenter, RunLog log, PresentationArguments presentation, RunFleet? fleet)
    {
        log.Logger.Information("{Run} begins in process {ProcessId}", request.Paths.Name, Environment.ProcessId);
        RunOutcome outcome;

        try
        {
            await using ITrainingRun run = host.StartRun(request);
            using StopSignals signals = new StopSignals(run.RequestStop, () => StopSignals.LeaveNow((int)ExitCode.Interrupted)).Listen();

            if (presentation.HasLease)
            {
                InputEnd.WatchLease(host.Input(), () => run.RequestStop("its node stopped"));
            }
            else if (presentation.StopAtEnd)
            {
                InputEnd.Watch(host.Input(), () => run.RequestStop("its sweep stopped"));
            }

            fleet?.WhenShutOut(reason => run.RequestStop($"it lost its fleet: {reason}"));
            log.CarryStep(() => run.Status.Step);
            Task progress = ProgressLog.Write(run, log.Logger, host.Clock);
            await presenter.Show(run);
            await progress;
            outcome = await run.Completion;
        }
        catch (Exception failure) when (Failures.IsExpected(failure))
        {
            outcome = new RunOutcome(RunPhase.Failed, failure.Message, 0);
        }

        log.Logger.Write(
            outcome.Phase is RunPhase.Failed ? LogEventLevel.Error : LogEventLevel.Information,
            "{Run} {Outcome:l} at step {Step}: {Reason}",
            request.Paths.Name,
            outcome.Phase.ToString().ToLowerInvariant(),
            outcome.Step,
            outcome.Message ?? "all steps are done");
        return outcome;
    }

    private static ExitCode Say(ShellHost host, RunRequest request, RunOutcome outcome)
    {
        string name = request.Paths.Name;

        switch (outcome.Phase)
        {
            case RunPhase.Completed:
                LastWords.Say(host.Output, $"{name} is complete: {Format.Counted(outcome.Step, "step")}.");

                foreach (string line in RunSummary.Lines(request.Paths))
                {
                    LastWords.Say(host.Output, line);
                }

                return ExitCode.Ok;
            case RunPhase.Interrupted:
                LastWords.Say(host.Error, $"ne: {name} was interrupted ({outcome.Message}) and is committed up to step {Format.Count(outcome.Step)}. Go on with: ne resume {name}");
                return ExitCode.Interrupted;
            default:
                string goOn = outcome.Step > 0
                    ? $"what was committed can be resumed: ne resume {name}"
                    : $"it learned nothing yet: when the cause is gone, ne resume {name} begins again, or ne train ... --overwrite with another configuration";
                LastWords.Say(host.Error, $"ne: {name} failed: {outcome.Message}\nWhat happened is in {request.Paths.Log}; {goOn}");
                return ExitCode.Failed;
        }
    }
}
