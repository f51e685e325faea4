using NE.Shell.Host;
using NE.Shell.Sweeps.Processes;
using NE.Shell.Views;
using Spectre.Console;

namespace NE.Shell.Running;

/// <summary>Shows a sweep until it ends: a live view on a terminal, a line per event and per interval elsewhere.</summary>
internal sealed class SweepPresenter(ShellHost host, bool plain)
{
    private static readonly TimeSpan LiveInterval = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan PlainInterval = TimeSpan.FromMinutes(1);

    /// <summary>Returns when the work has ended. A terminal that went away ends the view, not the sweep.</summary>
    public async Task Show(IShownSweep sweep, Task work)
    {
        try
        {
            await (host.Interactive && !plain ? this.ShowLive(sweep, work) : this.ShowPlain(sweep, work));
        }
        catch (IOException)
        {
        }

        await work;
    }

    private async Task ShowLive(IShownSweep sweep, Task work)
    {
        IAnsiConsole console = Tables.Console(host);
        console.FitTo(host);
        await console.Live(new Cropped(SweepView.Live(sweep.Status))).Overflow(VerticalOverflow.Ellipsis).StartAsync(async context =>
        {
            bool ended;

            do
            {
                ended = work.IsCompleted;

                while (sweep.News.TryDequeue(out string? line))
                {
                    console.WriteLine(line);
                }

                console.FitTo(host);
                context.UpdateTarget(new Cropped(SweepView.Live(sweep.Status)));
                await Task.WhenAny(work, Task.Delay(LiveInterval, host.Clock));
            }
            while (!ended);
        });
    }

    private async Task ShowPlain(IShownSweep sweep, Task work)
    {
        long next = host.Clock.GetTimestamp();
        bool ended;

        do
        {
            ended = work.IsCompleted;

            while (sweep.News.TryDequeue(out string? line))
            {
                host.Output.WriteLine($"{host.Clock.GetLocalNow():HH:mm:ss} {line}");
            }

            if (host.Clock.GetTimestamp() >= next || ended)
            {
                host.Output.WriteLine(SweepView.Plain(sweep.Status));
                next = host.Clock.GetTimestamp() + (long)(PlainInterval.TotalSeconds * host.Clock.TimestampFrequency);
            }

            host.Output.Flush();
            await Task.WhenAny(work, Task.Delay(LiveInterval, host.Clock));
        }
        while (!ended);
    }
}
