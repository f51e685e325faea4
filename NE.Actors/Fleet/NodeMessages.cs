using Akka.Actor;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet;

/// <summary>What processes of a fleet say to each other about themselves.</summary>
public interface INodeMessage;

/// <summary>Asks to be let in, before joining.</summary>
/// <param name="Build">See <see cref="FleetOptions.Build"/>.</param>
public sealed record Knock(string Name, string Build) : INodeMessage;

/// <param name="IsMember">The process that was asked is in a fleet, so that one can join by it.</param>
public sealed record Admitted(bool IsMember) : INodeMessage;

/// <param name="Reason">A sentence for people.</param>
public sealed record TurnedAway(string Reason) : INodeMessage;

/// <summary>Asks a process for its <see cref="NodeCard"/>.</summary>
public sealed record WhoAreYou : INodeMessage;

/// <summary>Asks any process of a fleet for a <see cref="FleetDescription"/>.</summary>
public sealed record DescribeFleet : INodeMessage;

/// <summary>A process of a fleet, as it describes itself.</summary>
public sealed record NodeCard : INodeMessage
{
    public required string Name { get; init; }

    public required FleetAddress Address { get; init; }

    /// <summary>Number of its incarnation: a process that was started again has another.</summary>
    public required int Incarnation { get; init; }

    public required IReadOnlyList<string> Roles { get; init; }

    public required string Build { get; init; }

    /// <summary>By name: ne, .NET, MuJoCo.</summary>
    public required IReadOnlyDictionary<string, string> Versions { get; init; }

    public required string Processor { get; init; }

    public required int Cores { get; init; }

    /// <summary>Cells of sweeps that it works on at a time.</summary>
    public required int Slots { get; init; }

    /// <summary>Environments that it offers to hold.</summary>
    public required int EnvironmentCapacity { get; init; }

    public required DateTimeOffset Started { get; init; }

    /// <summary>Cells that it works on, by name.</summary>
    public IReadOnlyList<string> Cells { get; init; } = [];

    /// <summary>What it decided lately about where cells or environments go, oldest first.</summary>
    public IReadOnlyList<FleetMove> Moves { get; init; } = [];

    /// <summary>Environments that it holds, a text each: the run's name and the environment's number.</summary>
    public IReadOnlyList<string> Environments { get; init; } = [];
}

/// <summary>Something went from one node to another.</summary>
/// <param name="At">UTC, by the clock of who decided it.</param>
/// <param name="What">A sentence for people: what, where, why.</param>
public sealed record FleetMove(DateTimeOffset At, string What);

/// <summary>The newest moves that a process decided. From any thread.</summary>
public sealed class FleetMoves
{
    private const int Kept = 50;

    private readonly Queue<FleetMove> moves = new();

    public IReadOnlyList<FleetMove> Newest
    {
        get
        {
            lock (this.moves)
            {
                return [.. this.moves];
            }
        }
    }

    public void Add(string what)
    {
        lock (this.moves)
        {
            this.moves.Enqueue(new FleetMove(DateTimeOffset.UtcNow, what));
            if (this.moves.Count > Kept)
            {
                this.moves.Dequeue();
            }
        }
    }
}

/// <summary>All processes of a fleet, as one of them sees them.</summary>
/// <param name="Nodes">Those that answered.</param>
/// <param name="Silent">Those that did not, or are out of reach.</param>
public sealed record FleetDescription(IReadOnlyList<NodeCard> Nodes, IReadOnlyList<FleetAddress> Silent) : INodeMessage;

/// <summary>Writes <see cref="INodeMessage"/>.</summary>
public sealed class NodeSerializer(ExtendedActorSystem system) : WireSerializer(system, forms)
{
    public static readonly WireMessages Messages = new("ne-node", typeof(NodeSerializer), typeof(INodeMessage));

    private static readonly WireForm[] forms =
    [
        WireForm.Of<Knock>("knock/1", (message, writer) => { writer.Write(message.Name); writer.Write(message.Build); }, reader => new(reader.ReadString(), reader.ReadString())),
        WireForm.Of<Admitted>("admitted/1", (message, writer) => writer.Write(message.IsMember), reader => new(reader.ReadBoolean())),
        WireForm.Of<TurnedAway>("turned-away/1", (message, writer) => writer.Write(message.Reason), reader => new(reader.ReadString())),
        WireForm.Of<WhoAreYou>("who/1", (_, _) => { }, _ => new()),
        WireForm.Of<DescribeFleet>("describe/1", (_, _) => { }, _ => new()),
        WireForm.Of<NodeCard>("card/1", Write, ReadCard),
        WireForm.Of<FleetDescription>(
            "fleet/1",
            (message, writer) =>
            {
                writer.WriteList(message.Nodes, card => Write(card, writer));
                writer.WriteList(message.Silent, address => Write(address, writer));
            },
            reader => new(reader.ReadList(() => ReadCard(reader)), reader.ReadList(() => ReadAddress(reader)))),
    ];

    public override int Identifier => 7_311;

    private static void Write(FleetAddress address, BinaryWriter writer)
    {
        writer.Write(address.Host);
        writer.Write(address.Port);
    }

    private static FleetAddress ReadAddress(BinaryReader reader) => new(reader.ReadString(), reader.ReadInt32());

    private static void Write(NodeCard card, BinaryWriter writer)
    {
        writer.Write(card.Name);
        Write(card.Address, writer);
        writer.Write(card.Incarnation);
        writer.WriteList(card.Roles, writer.Write);
        writer.Write(card.Build);
        writer.WriteList(
            card.Versions,
            version =>
            {
                writer.Write(version.Key);
                writer.Write(version.Value);
            });
        writer.Write(card.Processor);
        writer.Write(card.Cores);
        writer.Write(card.Slots);
        writer.Write(card.EnvironmentCapacity);
        writer.Write(card.Started.UtcTicks);
        writer.WriteList(card.Cells, writer.Write);
        writer.WriteList(card.Environments, writer.Write);
        writer.WriteList(card.Moves, move =>
        {
            writer.Write(move.At.UtcTicks);
            writer.Write(move.What);
        });
    }

    private static NodeCard ReadCard(BinaryReader reader) => new()
    {
        Name = reader.ReadString(),
        Address = ReadAddress(reader),
        Incarnation = reader.ReadInt32(),
        Roles = reader.ReadList(reader.ReadString),
        Build = reader.ReadString(),
        Versions = reader.ReadList(() => KeyValuePair.Create(reader.ReadString(), reader.ReadString())).ToDictionary(),
        Processor = reader.ReadString(),
        Cores = reader.ReadInt32(),
        Slots = reader.ReadInt32(),
        EnvironmentCapacity = reader.ReadInt32(),
        Started = new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero),
        Cells = reader.ReadList(reader.ReadString),
        Environments = reader.ReadList(reader.ReadString),
        Moves = reader.ReadList(() => new FleetMove(new DateTimeOffset(reader.ReadInt64(), TimeSpan.Zero), reader.ReadString())),
    };
}
