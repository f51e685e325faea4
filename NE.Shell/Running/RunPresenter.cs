using System.Collections.Concurrent;
using NE.Actors.Runs;
using NE.Shell.Host;
using NE.Shell.Views;
using Spectre.Console;

namespace NE.Shell.Running;

/// <summary>Shows a run until it ends: a live view on a terminal, a plain line per interval elsewhere.</summary>
public sealed class RunPresenter(ShellHost host, RunTitle title, bool plain)
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromSeconds(10);
    private readonly ConcurrentQueue<string> messages = new();

    /// <summary>True when the live view is used.</summary>
    public bool IsLive { get; } = host.Interactive && !plain;

    /// <summary>A log line for the person who watches; from any thread.</summary>
    public void Message(string line)
    {
        if (this.IsLive)
        {
            // The view writes them above itself; only one thread may write to the terminal.
            this.messages.Enqueue(line);
        }
        else
        {
            host.Error.WriteLine(line);
        }
    }

    /// <summary>Returns when the run has ended. A terminal that went away ends the view, not the run.</summary>
    public async Task Show(ITrainingRun run)
    {
        try
        {
            await (this.IsLive ? this.ShowLive(run) : this.ShowPlain(run));
        }
        catch (IOException)
        {
            await run.Completion;
        }
    }

    private async Task ShowLive(ITrainingRun run)
    {
        IAnsiConsole console = Tables.Console(host);
        console.FitTo(host);
        await console.Live(new Cropped(LiveView.Render(title, run.Status))).Overflow(VerticalOverflow.Ellipsis).StartAsync(async context =>
        {
            while (!run.Completion.IsCompleted)
            {
                console.FitTo(host);
                this.WriteMessages(console);
                context.UpdateTarget(new Cropped(LiveView.Render(title, run.Status)));
                await Task.WhenAny(run.Completion, Task.Delay(LiveInterval, host.Clock));
            }

            this.WriteMessages(console);
            context.UpdateTarget(new Cropped(LiveView.Render(title, run.Status)));
        });
    }

    private void WriteMessages(IAnsiConsole console)
    {
        while (this.messages.TryDequeue(out string? line))
        {
            console.WriteLine(line, Style.Parse(line.Contains(" error ", StringComparison.Ordinal) ? "red" : "yellow"));
        }
    }

    private async Task ShowPlain(ITrainingRun run)
    {
        host.Output.WriteLine($"{title.Name}: {title.Description}");
        RunPhase? shown = null;
        long next = host.Clock.GetTimestamp();

        while (!run.Completion.IsCompleted)
        {
            RunStatus status = run.Status;

            // A change of phase is news at once; the rest can wait for the interval.
            if (host.Clock.GetTimestamp() >= next || (shown is not null && shown != status.Phase))
            {
                host.Output.WriteLine(PlainView.Line(status));
                host.Output.Flush();
                shown = status.Phase;
                next = host.Clock.GetTimestamp() + (long)(PlainInterval.TotalSeconds * host.Clock.TimestampFrequency);
            }

            await Task.WhenAny(run.Completion, Task.Delay(LiveInterval, host.Clock));
        }

        host.Output.WriteLine(PlainView.Line(run.Status));
    }
}
