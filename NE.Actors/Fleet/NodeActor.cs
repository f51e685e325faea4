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
    private readonly Dictionary<UniqueAddress, NodeCard> known = [];
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
        this.Receive<Knock>(this.Answer);
        this.Receive<DescribeFleet>(_ => this.Gather().PipeTo(this.Sender));
        this.Receive<Introduced>(introduced => this.known[introduced.Member] = introduced.Card);
        this.Receive<ClusterEvent.IMemberEvent>(change =>
        {
            if (change is ClusterEvent.MemberRemoved)
            {
                this.known.Remove(change.Member.UniqueAddress);
            }
            else if (!this.known.ContainsKey(change.Member.UniqueAddress) && !change.Member.UniqueAddress.Equals(this.cluster.SelfUniqueAddress))
            {
                this.Meet(change.Member.UniqueAddress);
            }
        });
        this.Receive<Status.Failure>(_ => { });
    }

    /// <summary>Where a process speaks for itself.</summary>
    public static ActorSelection At(ActorSystem system, Address address) => system.ActorSelection(new RootActorPath(address) / "user" / Name);

    protected override void PreStart() => this.cluster.Subscribe(this.Self, ClusterEvent.SubscriptionInitialStateMode.InitialStateAsEvents, typeof(ClusterEvent.IMemberEvent));

    protected override void PostStop() => this.cluster.Unsubscribe(this.Self);

    private void Meet(UniqueAddress member) =>
        At(Context.System, member.Address).Ask<NodeCard>(new WhoAreYou(), this.patience).PipeTo(this.Self, success: card => new Introduced(member, card));

    /// <summary>At once, by what is known: whoever waits would take a late answer for none, and begin a fleet of its own.</summary>
    private void Answer(Knock knock)
    {
        var own = this.describe();
        var state = this.cluster.State;
        // What one said of itself may come when it has gone.
        var here = state.Members.Except(state.Unreachable).Select(member => member.UniqueAddress).ToHashSet();
        var taken = knock.Name == own.Name ? own : this.known.FirstOrDefault(pair => pair.Value.Name == knock.Name && here.Contains(pair.Key)).Value;
        var reason = knock.Build != own.Build
            ? $"it is another build of ne: {knock.Name} has {knock.Build}, the fleet has {own.Build} (as {own.Name} at {own.Address} says). Processes of different builds do not make the same run: build all from one commit"
            : taken is not null && FleetAddress.Of(this.Sender.Path.Address) != taken.Address
            ? $"{taken.Address} has the name {knock.Name} already; give another one (--name)"
            : null;
        if (reason is null)
        {
            this.Sender.Tell(new Admitted(this.cluster.SelfMember.IsHere()));
            return;
        }
        this.log.Warning("{Node} was turned away: {Reason}", knock.Name, reason);
        this.Sender.Tell(new TurnedAway(reason));
    }

    private async Task<FleetDescription> Gather()
    {
        var own = this.describe();
        var system = this.cluster.System;
        var unreachable = this.cluster.State.Unreachable.Select(member => member.UniqueAddress).ToHashSet();
        var others = this.cluster.State.Members
            .Where(member => member.IsHere() && !member.UniqueAddress.Equals(this.cluster.SelfUniqueAddress))
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

    private sealed record Introduced(UniqueAddress Member, NodeCard Card);
}
