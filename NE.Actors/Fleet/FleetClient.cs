using Akka.Actor;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet;

/// <summary>Speaks to a fleet from a process that is no part of it.</summary>
public sealed class FleetClient : IAsyncDisposable
{
    private readonly FleetAddress address;
    private readonly FleetOptions options;
    private readonly IReadOnlyList<WireMessages> messages;
    private ActorSystem? system;

    private FleetClient(FleetAddress address, FleetOptions options, IReadOnlyList<WireMessages> messages) =>
        (this.address, this.options, this.messages) = (address, options, messages);

    /// <summary>Akka ends its actor system when a connection that it makes breaks before both sides know each other; the next question has another one.</summary>
    internal ActorSystem System => this.system is { WhenTerminated.IsCompleted: false } alive ? alive : this.system = FleetMember.Open(this.options, this.messages);

    /// <summary>Nothing is sent before something is asked.</summary>
    /// <param name="address">Of any process of the fleet.</param>
    /// <param name="key">Its key.</param>
    /// <param name="loggers">Akka loggers, as HOCON type names.</param>
    /// <param name="patience">Null for the usual one.</param>
    public static FleetClient Of(FleetAddress address, FleetKey key, IReadOnlyList<string> loggers, FleetPatience? patience = null) => Of(address, key, loggers, patience ?? new(), []);

    internal static FleetClient Of(FleetAddress address, FleetKey key, IReadOnlyList<string> loggers, FleetPatience patience, IReadOnlyList<WireMessages> more) => new(
        address,
        new FleetOptions { Key = key, Name = "", Build = "", Roles = [], Bind = FleetMember.BindFor(address), Loggers = loggers, Patience = patience },
        [NodeSerializer.Messages, .. more]);

    /// <summary>What the fleet consists of.</summary>
    /// <exception cref="FleetException">The process cannot be reached.</exception>
    public async Task<FleetDescription> Describe()
    {
        try
        {
            return await NodeActor.At(this.System, this.address.Akka).Ask<FleetDescription>(new DescribeFleet(), this.options.Patience.Answer * 2);
        }
        catch (AskTimeoutException)
        {
            throw FleetMember.Unreachable([this.address], this.options.Key);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (this.system is { } opened)
        {
            await opened.Terminate();
        }
    }
}
