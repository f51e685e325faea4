using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using Akka.Remote;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Fleet.Wire;
using NE.Model.Fleet;
using NE.Model.Networks;
using static Akka.Cluster.ClusterEvent;

namespace NE.Actors.Fleet.Environments;

/// <summary>
/// Places the environments of a run on the nodes of its fleet and carries rounds between them. Decides nothing: tells
/// <see cref="EnvironmentPlacementModule"/> who came and went and what was said, and does what that orders. What goes to one node at the same time goes in one message.
/// </summary>
internal sealed class EnvironmentPlacer : ReceiveActor, IWithTimers
{
    /// <summary>Under /user.</summary>
    public const string Name = "environment-placer";

    /// <summary>[bytes] Of a policy in one message: little enough for what is made of it on its way to be collected young, and for signs of life to pass.</summary>
    private const int PolicyPartBytes = 60 << 10;

    private readonly string run;
    private readonly string? mujoco;
    private readonly FleetCounts counts;
    private readonly FleetMoves moves;
    private readonly Cluster cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly Dictionary<int, RemoteEnvironment> environments = [];
    private readonly Dictionary<int, string> lastNames = [];
    private readonly Dictionary<string, Node> nodes = [];

    /// <summary>Names of nodes that are not there any more, and why.</summary>
    private readonly Dictionary<string, string> gone = [];
    private readonly Dictionary<int, (EnvironmentOpened? Opened, RoundResult? Result, Exception? Error)> said = [];
    private readonly Outbox<string, (Policy? Policy, RoundOrder Order)> outbox;
    private EnvironmentPlacement placement = EnvironmentPlacementModule.empty;
    private Policy? policy;
    private PolicyPart[] policyParts = [];
    private long policyVersion;
    private string? configuration;
    private Settings? configured;
    private bool isHomeless;

    /// <param name="run">Its name.</param>
    /// <param name="mujoco">Version of MuJoCo that a node must have; null for any.</param>
    /// <param name="counts">Counts on.</param>
    /// <param name="moves">Says what went where.</param>
    /// <param name="repeat">Before something is said once more that may have been lost.</param>
    public EnvironmentPlacer(string run, string? mujoco, FleetCounts counts, FleetMoves moves, TimeSpan repeat)
    {
        (this.run, this.mujoco, this.counts, this.moves) = (run, mujoco, counts, moves);
        var self = this.Self;
        this.outbox = new(() => self.Tell(new Flush()));
        this.Receive<EnvironmentWanted>(this.Take);
        this.Receive<RoundWanted>(wanted => this.Want(wanted.Environment, wanted.Round));
        this.Receive<EnvironmentsStepped>(stepped => Array.ForEach([.. stepped.Rounds], this.Take));
        this.Receive<EnvironmentOpened>(this.Take);
        this.Receive<EnvironmentBroken>(this.Take);
        this.Receive<EnvironmentMissing>(missing => this.Decide(PlacementInput.NewMissing(missing.Number, missing.Epoch)));
        this.Receive<PolicyMissing>(_ =>
        {
            // What it was asked for is asked again with the policy.
            if (this.NodeOf(this.Sender) is { } node)
            {
                node.PolicyVersion = 0;
                this.Decide(PlacementInput.Nudged);
            }
        });
        this.Receive<Flush>(_ => this.SendRounds());
        this.Receive<NodeAnswered>(this.Take);
        this.Receive<IMemberEvent>(this.Take);
        this.Receive<UnreachableMember>(unreachable => this.Lose(unreachable.Member.UniqueAddress, "does not answer"));
        this.Receive<ReachableMember>(reachable => this.Ask(reachable.Member));
        this.Receive<DisassociatedEvent>(gone => this.LoseAt(gone.RemoteAddress));
        this.Receive<Tick>(_ => this.Repeat());
        this.Receive<CurrentClusterState>(_ => { });
        this.Timers!.StartPeriodicTimer("repeat", new Tick(), repeat);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        this.cluster.Subscribe(this.Self, SubscriptionInitialStateMode.InitialStateAsEvents, typeof(IMemberEvent), typeof(IReachabilityEvent));
        // A process that dies takes its connection along, long before its silence is noticed.
        Context.System.EventStream.Subscribe(this.Self, typeof(DisassociatedEvent));
    }

    protected override void PostStop() => this.cluster.Unsubscribe(this.Self);

    /// <summary>What it knew is gone with it, so the process leaves its fleet as if it were cut off: another placer begins in a fleet that knows nothing of this one, and is
    /// told again what the run wants.</summary>
    protected override void PreRestart(Exception reason, object message)
    {
        this.log.Error(reason, "What places the run's environments failed at {Message:l}; it begins anew, and so do their places", message?.GetType().Name ?? "its start");
        base.PreRestart(reason, message);
        Context.System.Terminate();
    }

    private void Take(EnvironmentWanted wish)
    {
        var number = wish.Environment.Number;
        if (!wish.Wanted)
        {
            this.Decide(PlacementInput.NewGivenUp(number));
            this.environments.Remove(number);
            this.lastNames.Remove(number);
            this.said.Remove(number);
        }
        else if (wish.Environment is { State: not null, Start.Spec.SavesState: false } && !this.environments.ContainsKey(number))
        {
            // The placer before this one had it.
            wish.Environment.Fail(new RemoteEnvironmentException($"this process was cut off from its fleet, and the episode is lost: {wish.Environment.Start.Task} cannot save its state"));
        }
        else if (this.environments.TryAdd(number, wish.Environment))
        {
            this.Decide(PlacementInput.NewWanted(number, wish.Environment.Start.Index, wish.Environment.Start.Spec!.SavesState));
            if (wish.Environment.Pending is { } round)
            {
                this.Want(wish.Environment, round);
            }
        }
    }

    private void Want(RemoteEnvironment environment, StepRound round)
    {
        // What was told twice, to this placer and to the one before, is wanted once.
        if (this.environments.ContainsKey(environment.Number) && ReferenceEquals(environment.Pending, round) && this.RoundOf(environment).IsNoRound)
        {
            this.Decide(PlacementInput.NewRoundAsked(environment.Number));
        }
    }

    private RoundProgress RoundOf(RemoteEnvironment environment) => this.placement.Environments.TryFind(environment.Number) is { } found
        ? found.Value.Round
        : RoundProgress.Sent;

    private void Take(EnvironmentOpened opened)
    {
        this.said[opened.Number] = (opened, null, null);
        this.Decide(PlacementInput.NewOpened(opened.Number, opened.Epoch));
    }

    private void Take(RoundResult result)
    {
        if (this.environments.TryGetValue(result.Number, out var environment) && result.Round == environment.Round + 1)
        {
            this.said[result.Number] = (null, result, null);
            this.Decide(PlacementInput.NewStepped(result.Number, result.Epoch));
        }
    }

    private void Take(EnvironmentBroken broken)
    {
        var message = $"{broken.Message} (at node {this.NodeOf(this.Sender)?.Name ?? "unknown"})";
        this.said[broken.Number] = (null, null, broken.Unusable ? new EnvironmentUnusableException(message) : new RemoteEnvironmentException(message));
        this.Decide(PlacementInput.NewFailed(broken.Number, broken.Epoch));
    }

    private void Take(IMemberEvent change)
    {
        switch (change)
        {
            // One that has joined can be used before all have agreed that it is there.
            case MemberJoined or MemberWeaklyUp or MemberUp:
                this.Ask(change.Member);
                break;
            case MemberLeft or MemberExited:
                this.Lose(change.Member.UniqueAddress, "leaves");
                break;
            case MemberDowned or MemberRemoved:
                this.Lose(change.Member.UniqueAddress, "is gone");
                break;
        }
    }

    /// <summary>Asks a process of the fleet what it offers.</summary>
    private void Ask(Member member)
    {
        if (member.UniqueAddress.Equals(this.cluster.SelfUniqueAddress) || !member.HasRole(FleetOptions.NodeRole))
        {
            return;
        }
        NodeActor.At(Context.System, member.Address).Ask<NodeCard>(new WhoAreYou(), TimeSpan.FromSeconds(2)).PipeTo(
            this.Self,
            success: card => new NodeAnswered(member.UniqueAddress, card),
            failure: _ => new NodeAnswered(member.UniqueAddress, null));
    }

    private void Take(NodeAnswered answer)
    {
        var id = answer.Member.ToString();
        // One that did not answer is asked again by the next tick.
        if (answer.Card is not { } card || card.Incarnation != answer.Member.Uid || this.nodes.ContainsKey(id) || !this.IsUp(answer.Member))
        {
            return;
        }
        if (this.mujoco is not null && card.EnvironmentCapacity > 0 && card.Versions.GetValueOrDefault("MuJoCo") is var theirs && theirs != this.mujoco)
        {
            this.log.Warning("Node {Node} has MuJoCo {Theirs}, this run {Ours}: it gets no environments", card.Name, theirs ?? "none", this.mujoco);
        }
        else if (card.EnvironmentCapacity > 0)
        {
            this.nodes[id] = new Node(answer.Member.Address, card.Name, EnvironmentKeeper.At(Context.System, answer.Member.Address));
            this.log.Info("Node {Node} at {Address} offers to hold {Capacity} environments", card.Name, card.Address, card.EnvironmentCapacity);
            this.gone.Remove(card.Name);
            this.Decide(PlacementInput.NewWorkerUp(new Worker(id, card.EnvironmentCapacity)));
            return;
        }
        // Nothing to be had there; it need not be asked again.
        this.nodes[id] = new Node(answer.Member.Address, card.Name, null);
    }

    private bool IsUp(UniqueAddress address) =>
        this.cluster.State.Members.Any(member => member.UniqueAddress.Equals(address) && member.IsHere())
        && !this.cluster.State.Unreachable.Any(member => member.UniqueAddress.Equals(address));

    private void LoseAt(Address address)
    {
        foreach (var member in this.cluster.State.Members.Where(member => member.Address.Equals(address)))
        {
            this.Lose(member.UniqueAddress, "has lost its connection");
        }
    }

    private void Lose(UniqueAddress address, string what)
    {
        var id = address.ToString();
        if (this.nodes.Remove(id, out var node) && node.Keeper is not null)
        {
            this.log.Warning("Node {Node} {What:l}; its environments go on elsewhere", node.Name, what);
            this.gone[node.Name] = what;
            this.Decide(PlacementInput.NewWorkerGone(id));
        }
        this.outbox.Forget(id);
    }

    private void Repeat()
    {
        foreach (var member in this.cluster.State.Members.Where(member => this.IsUp(member.UniqueAddress) && !this.nodes.ContainsKey(member.UniqueAddress.ToString())))
        {
            this.Ask(member);
        }
        this.Decide(PlacementInput.Nudged);
    }

    private void Decide(PlacementInput input)
    {
        var (next, orders) = EnvironmentPlacementModule.decide(this.placement, input);
        this.placement = next;
        foreach (var order in orders)
        {
            this.CarryOut(order);
        }
        var homeless = this.placement.Homeless;
        if (homeless > 0 != this.isHomeless)
        {
            this.isHomeless = homeless > 0;
            this.log.Warning(this.isHomeless ? "No node of the fleet is there to hold {Environments} environments; the run waits for one" : "Every environment has a node again", homeless);
        }
    }

    private void CarryOut(PlacementOrder order)
    {
        switch (order)
        {
            case PlacementOrder.Open open:
                this.Open(this.environments[open.environment], this.nodes[open.worker], open.epoch);
                break;
            case PlacementOrder.Close close:
                this.nodes[close.worker].Keeper!.Tell(new CloseEnvironment(close.environment, close.epoch));
                break;
            case PlacementOrder.Send send:
                this.Put(this.environments[send.environment], send.worker, send.epoch);
                break;
            case PlacementOrder.Announce { environment: var number }:
                // After this process was cut off the run knows it already.
                if (this.environments[number].State is null)
                {
                    var opened = this.said[number].Opened!;
                    TakeUp(this.environments[number], opened);
                }
                break;
            case PlacementOrder.Deliver { environment: var number }:
                this.Deliver(this.environments[number], this.said[number].Result!);
                break;
            case PlacementOrder.ReportFailure { environment: var number }:
                this.environments[number].Fail(this.said[number].Error!);
                break;
            case PlacementOrder.ReportLoss loss:
                this.environments[loss.environment].Fail(new RemoteEnvironmentException(
                    $"node {this.lastNames.GetValueOrDefault(loss.environment, loss.worker)} has it no more, and the episode is lost: {this.environments[loss.environment].Start.Task} cannot save its state"));
                break;
            default:
                throw new NotSupportedException($"Nobody carries out {order}.");
        }
    }

    private void Open(RemoteEnvironment environment, Node node, long epoch)
    {
        var (start, state) = (environment.Start, environment.State ?? environment.Start.Restored);
        try
        {
            FleetConfiguration.CheckCrosses(state?.Length ?? 0, start.Index);
        }
        catch (EnvironmentUnusableException tooLarge)
        {
            environment.Fail(tooLarge);
            return;
        }
        if (!ReferenceEquals(this.configured, start.Settings))
        {
            (this.configured, this.configuration) = (start.Settings, ConfigurationWriter.Yaml(start.Settings));
        }
        if (this.lastNames.GetValueOrDefault(environment.Number, node.Name) is var before && before != node.Name)
        {
            this.counts.CountMove();
            this.moves.Add($"environment {start.Index} of {this.run} went from {before} to {node.Name}{(this.gone.TryGetValue(before, out var why) ? $": {before} {why}" : ", where there was more room")}");
            this.log.Info("Environment {Index} goes from node {Before} to node {Node}", start.Index, before, node.Name);
        }
        this.lastNames[environment.Number] = node.Name;
        node.Keeper!.Tell(new OpenEnvironment
        {
            Number = environment.Number,
            Epoch = epoch,
            Round = environment.Round,
            Run = this.run,
            Index = start.Index,
            Configuration = this.configuration!,
            Task = start.Task,
            Fingerprint = start.Spec!.Fingerprint?.Text,
            RandomUntil = start.RandomUntil,
            State = state,
            Episode = start.Episode,
            OnOtherMuJoCo = environment.State is null && start.OnOtherMuJoCo,
        });
    }

    private void Put(RemoteEnvironment environment, string worker, long epoch)
    {
        var round = environment.Pending!;
        var action = environment.Action;
        this.outbox.Put(worker, (
            action.Length > 0 ? null : round.Policy,
            new RoundOrder(environment.Number, epoch, environment.Round + 1, round.Step, round.Stride, round.Steps, action)));
    }

    private void SendRounds()
    {
        foreach (var (worker, rounds) in this.outbox.TakeAll())
        {
            foreach (var group in rounds.GroupBy(round => round.Policy))
            {
                var node = this.nodes[worker];
                if (group.Key is { } acting)
                {
                    this.Send(acting, node);
                }
                node.Keeper!.Tell(new StepEnvironments(group.Key is null ? 0 : node.PolicyVersion, [.. group.Select(round => round.Order)]));
            }
        }
    }

    /// <summary>A policy crosses once to each node.</summary>
    private void Send(Policy acting, Node node)
    {
        if (!ReferenceEquals(acting, this.policy))
        {
            this.policy = acting;
            this.policyParts = Parts(acting, ++this.policyVersion);
        }
        if (node.PolicyVersion != this.policyVersion)
        {
            node.PolicyVersion = this.policyVersion;
            Array.ForEach(this.policyParts, part => node.Keeper!.Tell(part));
        }
    }

    private static PolicyPart[] Parts(Policy policy, long version)
    {
        var bytes = policy.ToBytes();
        var count = (bytes.Length + PolicyPartBytes - 1) / PolicyPartBytes;
        return [.. Enumerable.Range(0, count).Select(part => new PolicyPart(
            version, part, count, policy.Exploration, bytes[(part * PolicyPartBytes)..Math.Min((part + 1) * PolicyPartBytes, bytes.Length)]))];
    }

    private static void TakeUp(RemoteEnvironment environment, EnvironmentOpened opened)
    {
        try
        {
            environment.TakeUp(opened);
        }
        catch (InvalidDataException failure)
        {
            environment.Fail(failure);
        }
    }

    private void Deliver(RemoteEnvironment environment, RoundResult result)
    {
        this.said.Remove(environment.Number);
        this.counts.CountRound();
        try
        {
            environment.Take(result);
        }
        catch (Exception failure)
        {
            // A fault drill, or rows that cannot be.
            environment.Fail(failure);
        }
    }

    private Node? NodeOf(IActorRef sender) => this.nodes.Values.FirstOrDefault(node => node.Address.Equals(sender.Path.Address));

    private sealed class Node(Address address, string name, IActorRef? keeper)
    {
        public Address Address => address;

        public string Name => name;

        /// <summary>Null for a node that holds no environments.</summary>
        public IActorRef? Keeper => keeper;

        /// <summary>Of the newest policy that was sent there.</summary>
        public long PolicyVersion { get; set; }
    }

    private sealed record NodeAnswered(UniqueAddress Member, NodeCard? Card);

    private sealed record Flush;

    private sealed record Tick;
}
