using System.Collections.Concurrent;
using Akka.Actor;
using NE.Actors.Environments;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet.Environments;

/// <summary>The environments of a run, held by the nodes of a fleet. Lives as long as the run; what places them begins anew when this process was cut off.</summary>
/// <param name="run">Name of the run.</param>
/// <param name="mujoco">Version of the library that the run began with: nodes with another one do not count.</param>
public sealed class RunEnvironments(string run, string? mujoco) : IFleetPart
{
    private readonly ConcurrentDictionary<int, RemoteEnvironment> environments = new();
    private IActorRef placer = ActorRefs.Nobody;
    private int last;

    public IReadOnlyList<WireMessages> Messages => [EnvironmentSerializer.Messages];

    /// <summary>Rounds that were handed to the run, and environments that went from one node to another.</summary>
    public FleetCounts Counts { get; } = new();

    /// <summary>Which environment went where lately.</summary>
    public FleetMoves Moves { get; } = new();

    /// <summary>Makes the place of one environment: see <see cref="NE.Actors.Runs.RunRequest.EnvironmentHosts"/>.</summary>
    public IEnvironmentHost Host(EnvironmentStart start, IEnvironmentListener listener) =>
        new RemoteEnvironment(this, Interlocked.Increment(ref this.last), start, listener);

    void IFleetPart.Begin(ActorSystem system, FleetOptions options)
    {
        var created = system.ActorOf(Props.Create(() => new EnvironmentPlacer(run, mujoco, this.Counts, this.Moves, options.Patience.Repeat)), EnvironmentPlacer.Name);
        Volatile.Write(ref this.placer, created);
        // Every wish is kept before it is told: what was told to the one before is found here, what comes now is told to this one.
        foreach (var environment in this.environments.Values)
        {
            created.Tell(new EnvironmentWanted(environment, Wanted: true));
        }
    }

    internal void Tell(object message) => Volatile.Read(ref this.placer).Tell(message);

    internal void Want(RemoteEnvironment environment)
    {
        this.environments[environment.Number] = environment;
        this.Tell(new EnvironmentWanted(environment, Wanted: true));
    }

    internal void GiveUp(RemoteEnvironment environment)
    {
        this.environments.TryRemove(environment.Number, out _);
        this.Tell(new EnvironmentWanted(environment, Wanted: false));
    }
}

/// <summary>What a fleet has done for a run.</summary>
public sealed class FleetCounts
{
    private long rounds;
    private long moves;

    /// <summary>Rounds of one environment that nodes have taken.</summary>
    public long Rounds => Interlocked.Read(ref this.rounds);

    /// <summary>Environments that went on at another node than before.</summary>
    public long Moves => Interlocked.Read(ref this.moves);

    internal void CountRound() => Interlocked.Increment(ref this.rounds);

    internal void CountMove() => Interlocked.Increment(ref this.moves);
}
