using System.Collections.Concurrent;
using System.Text.Json;
using NE.Actors.Fleet;
using NE.Actors.Fleet.Cells;
using NE.Shell.Host;
using NE.Shell.Sweeps.Cells;
using NE.Shell.Sweeps.Processes;

namespace NE.Shell.Sweeps.Fleet;

/// <summary>A sweep that a fleet works on, seen from elsewhere. It goes on whatever becomes of this process.</summary>
/// <param name="desk">Whom to ask.</param>
/// <param name="name">Of the sweep.</param>
/// <param name="clock">When to ask.</param>
internal sealed class WatchedSweep(SweepDesk desk, string name, TimeProvider clock) : IShownSweep
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Another coordinator needs less than that to take over.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private SweepStatus status = new() { Name = name };
    private string? stop;
    private string? coordinator;
    private int seen;

    public SweepStatus Status => Volatile.Read(ref this.status);

    public ConcurrentQueue<string> News { get; } = new();

    public void RequestStop(string reason) => Volatile.Write(ref this.stop, reason);

    /// <summary>Returns when the sweep has ended.</summary>
    /// <exception cref="FleetException">Nobody has known of it for minutes.</exception>
    public async Task Watch()
    {
        long heard = clock.GetTimestamp();

        while (true)
        {
            string? text = await desk.Status(name);

            if (!string.IsNullOrEmpty(text))
            {
                heard = clock.GetTimestamp();
                ShownSweep shown = JsonSerializer.Deserialize<ShownSweep>(text, Json.Options)!;
                this.Take(shown);

                if (shown.Ended)
                {
                    return;
                }
            }
            else if (clock.GetElapsedTime(heard) > Patience)
            {
                throw new FleetException($"nobody in the fleet has known of the sweep '{name}' for {Patience.TotalMinutes:0} minutes. What it did is in its runs (ne status {name}); the same command again goes on with it");
            }

            // Until it is heard: the coordinator may be moving.
            if (Volatile.Read(ref this.stop) is { } reason && this.Status.Stopping is null)
            {
                desk.Stop(name, reason);
            }

            await Task.Delay(Interval, clock);
        }
    }

    private void Take(ShownSweep shown)
    {
        if (shown.Coordinator != this.coordinator)
        {
            if (this.coordinator is not null)
            {
                this.News.Enqueue("another coordinator goes on with the sweep");
            }

            (this.coordinator, this.seen) = (shown.Coordinator, 0);
        }

        foreach (string line in shown.News.Skip(Math.Max(0, this.seen - shown.FirstNews)))
        {
            this.News.Enqueue(line);
        }

        this.seen = shown.FirstNews + shown.News.Count;
        Volatile.Write(ref this.status, shown.Status);
    }
}
