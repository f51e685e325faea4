using System.Diagnostics;
using Akka.Actor;

namespace NE.Actors.Fleet.Cells;

/// <summary>Speaks to the coordinator of a fleet's sweeps from a process that is no part of the fleet, by any of its nodes that answers.</summary>
public sealed class SweepDesk : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    /// <summary>A sweep with many cells takes a while to be checked.</summary>
    private static readonly TimeSpan SubmitPatience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(30);

    private readonly FleetClient client;
    private FleetAddress[] nodes;

    private SweepDesk(FleetClient client, FleetAddress[] nodes) => (this.client, this.nodes) = (client, nodes);

    /// <exception cref="FleetException">Nobody answers there, or nobody works on cells.</exception>
    public static async Task<SweepDesk> Open(FleetAddress address, FleetKey key, IReadOnlyList<string> loggers)
    {
        var client = FleetClient.Of(address, key, loggers, new FleetPatience(), [CellSerializer.Messages]);
        try
        {
            var fleet = await client.Describe();
            // The one that was named first, if it has to do with cells.
            FleetAddress[] nodes = [.. fleet.Nodes.Where(node => node.Roles.Contains(FleetOptions.CellsRole)).Select(node => node.Address).OrderByDescending(node => node == address)];
            return nodes.Length > 0 ? new SweepDesk(client, nodes) : throw new FleetException($"no node of the fleet at {address} coordinates sweeps: start one with ne node (with --slots of 1 or more, without --own-disk)");
        }
        catch
        {
            await client.DisposeAsync();
            throw;
        }
    }

    /// <summary>Hands over a sweep. Where the coordinator changes meanwhile, the next one gets it again.</summary>
    /// <exception cref="FleetException">It is refused, or nobody answers.</exception>
    public async Task<SweepAccepted> Submit(string submission)
    {
        for (var waited = Stopwatch.StartNew(); waited.Elapsed < SubmitPatience;)
        {
            switch (await this.Ask(new SubmitSweep(submission), AnswerPatience))
            {
                case SweepAccepted accepted:
                    return accepted;
                case SweepRefused refused:
                    throw new FleetException(refused.Reason);
            }
        }
        throw new FleetException("the coordinator of the fleet's sweeps could not be reached by any of its nodes; it may be moving, so try again in half a minute");
    }

    /// <summary>How a sweep is; empty when the coordinator does not know it; null when nobody answered now.</summary>
    public async Task<string?> Status(string name) => (await this.Ask(new AskSweep(name), Patience) as SweepShown)?.Status;

    public void Stop(string name, string reason) => this.At(this.nodes[0]).Tell(new StopSweep(name, reason));

    public async ValueTask DisposeAsync() => await this.client.DisposeAsync();

    /// <summary>A node that does not answer is asked last the next time.</summary>
    private async Task<object?> Ask(object question, TimeSpan patience)
    {
        try
        {
            return await this.At(this.nodes[0]).Ask<object>(question, patience);
        }
        catch (AskTimeoutException)
        {
            this.nodes = [.. this.nodes.Skip(1), this.nodes[0]];
            return null;
        }
    }

    private ActorSelection At(FleetAddress node) => this.client.System.ActorSelection(new RootActorPath(node.Akka) / "user" / NodeCells.Desk);
}
