using NE.Actors.Cast;
using NE.Actors.Fleet;

namespace NE.Shell.Serving.Data;

/// <summary>Asks a process of a fleet when a page wants to know, at most every few seconds, however many pages look.</summary>
/// <param name="address">Of the process.</param>
/// <param name="key">The fleet's.</param>
/// <param name="clock">Of this machine.</param>
internal sealed class AskedFleet(FleetAddress address, FleetKey key, TimeProvider clock) : IFleetSource, IAsyncDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(3);

    private readonly FleetClient client = FleetClient.Of(address, key, [SerilogLogger.TypeName]);
    private readonly SemaphoreSlim gate = new(1);
    private FleetPicture? newest;
    private long asked;

    public string Address => address.ToString();

    public async Task<FleetPicture> Now()
    {
        await this.gate.WaitAsync();

        try
        {
            if (this.newest is null || clock.GetElapsedTime(this.asked) > Fresh)
            {
                this.newest = Picture(await this.client.Describe(), clock.GetUtcNow());
                this.asked = clock.GetTimestamp();
            }

            return this.newest;
        }
        finally
        {
            this.gate.Release();
        }
    }

    public ValueTask DisposeAsync() => this.client.DisposeAsync();

    private static FleetPicture Picture(FleetDescription fleet, DateTimeOffset now) => new(
        [
            .. fleet.Nodes.OrderBy(node => node.Roles.Contains(FleetOptions.RunRole)).ThenBy(node => node.Name, StringComparer.Ordinal).Select(node => new FleetPictureNode(
                node.Name,
                node.Address.ToString(),
                node.Roles.Contains(FleetOptions.RunRole),
                node.Cores,
                node.Processor,
                node.Slots,
                node.Cells,
                node.EnvironmentCapacity,
                node.Environments,
                (now - node.Started).TotalSeconds,
                node.Versions.GetValueOrDefault("MuJoCo"))),
        ],
        [.. fleet.Silent.Select(silent => silent.ToString())],
        [.. fleet.Nodes.SelectMany(node => node.Moves).OrderByDescending(move => move.At).Take(100).Select(move => new FleetPictureMove(move.At, move.What))],
        fleet.Nodes[0].Build);
}
