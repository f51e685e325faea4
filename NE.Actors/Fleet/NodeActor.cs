using Akka.Actor;
using Akka.Cluster;
using Akka.Event;

namespace NE.Actors.Fleet;

/// <summary>Speaks for a process of a fleet: lets others in, says what it is, and asks all others on behalf of whoever wants to see the fleet. Ends
/// nothing and decides nothing else.</summary>
internal sealed class NodeActor : ReceiveActor
{
    /// <summary>Under /user.</summary>
    public const string Name = "node";

    private readonly Cluster cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly Func<NodeCard> describe;
    private readonly TimeSpan patience;

    /// <param name="describe">What this process is now; from any thread.</param>
    /// <param name="patience">How long whoever asks this process waits for it.</param>
    public NodeActor(Func<NodeCard> describe, TimeSpan patience)
    {
        this.describe = describe;
        // One that does not answer this process must not keep it from answering.
        this.patience = patience * 0.6;
        this.Receive<WhoAreYou>(_ => this.Sender.Tell(describe()));
        this.Receive<Knock>(knock => this.Answer(knock).PipeTo(this.Sender));
        this.Receive<DescribeFleet>(_ => this.Gather().PipeTo(this.Sender));
    }

    /// <summary>Where a process speaks for itself.</summary>
    public static ActorSelection At(ActorSystem system, Address address) => system.ActorSelection(new RootActorPath(address) / "user" / Name);

    private async Task<INodeMessage> Answer(Knock knock)
    {
        var own = this.describe();
        var reason = knock.Build != own.Build
            ? $"it is another build of ne: {knock.Name} has {knock.Build}, the fleet has {own.Build} (as {own.Name} at {own.Address} says). Processes of different builds do not make the same run: build all from one commit"
            : (await this.Gather()).Nodes.FirstOrDefault(node => node.Name == knock.Name) is { } taken
            ? $"{taken.Address} has the name {knock.Name} already; give another one (--name)"
            : null;
        if (reason is null)
        {
            return new Admitted(this.cluster.SelfMember.Status is MemberStatus.Up or MemberStatus.Joining or MemberStatus.WeaklyUp);
        }
        this.log.Warning("{Node} was turned away: {Reason}", knock.Name, reason);
        return new TurnedAway(reason);
    }

    private async Task<FleetDescription> Gather()
    {
        var own = this.describe();
        var system = this.cluster.System;
        var unreachable = this.cluster.State.Unreachable.Select(member => member.UniqueAddress).ToHashSet();
        var others = this.cluster.State.Members
            .Where(member => member.Status is MemberStatus.Up or MemberStatus.WeaklyUp or MemberStatus.Joining && !member.UniqueAddress.Equals(this.cluster.SelfUniqueAddress))
            .ToArray();
        var answers = await Task.WhenAll(others.Select(async member =>
        {
            try
            {
                if (unreachable.Contains(member.UniqueAddress))
                {
                    return null;
                }
                var card = await At(system, member.Address).Ask<NodeCard>(new WhoAreYou(), this.patience);
                // A process that died and is there again answers where the dead one is still a member, and is none.
                return card.Incarnation == member.UniqueAddress.Uid ? card : null;
            }
            catch (AskTimeoutException)
            {
                return null;
            }
        }));
        return new FleetDescription(
            [own, .. answers.OfType<NodeCard>()],
            [.. others.Where((_, i) => answers[i] is null).Select(member => FleetAddress.Of(member.Address))]);
    }
}
