using Akka.Actor;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet.Environments;

/// <summary>A node's offer to hold environments of runs elsewhere.</summary>
public sealed class EnvironmentOffer : IFleetPart
{
    private readonly KeptBoard board = new();

    public IReadOnlyList<WireMessages> Messages => [EnvironmentSerializer.Messages];

    /// <summary>What is held, a text each: the run's name and the environment's number. From any thread.</summary>
    public IReadOnlyList<string> Held => this.board.Held;

    void IFleetPart.Begin(ActorSystem system, FleetOptions options) =>
        system.ActorOf(Props.Create(() => new EnvironmentKeeper(this.board)), EnvironmentKeeper.Name);
}

/// <summary>The newest list of what is held.</summary>
internal sealed class KeptBoard
{
    private IReadOnlyList<string> held = [];

    public IReadOnlyList<string> Held => Volatile.Read(ref this.held);

    public void Show(IReadOnlyList<string> now) => Volatile.Write(ref this.held, now);
}
