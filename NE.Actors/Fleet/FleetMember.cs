using System.Diagnostics;
using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Fleet.Wire;

namespace NE.Actors.Fleet;

/// <summary>The fleet does not let this process in, or cannot be reached. The message says why and what to do.</summary>
public sealed class FleetException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>
/// A process of a fleet. When it is cut off, its actors end and others with another incarnation join again, as soon as that is possible. What must
/// outlive that is with whoever gives the parts.
/// </summary>
public sealed class FleetMember : IAsyncDisposable
{
    /// <summary>Of every process of every fleet.</summary>
    public const string SystemName = "ne-fleet";

    /// <summary>Of the first of a fleet's nodes, before it believes that machines that cannot be reached are no fleet, and begins one.</summary>
    private const int AttemptsToBegin = 5;

    /// <summary>Of a process that is told that it may join and then is not let in, before it gives up, or takes other connections if it was a member.</summary>
    private const int AttemptsToJoin = 2;

    /// <summary>In which nobody answers, though somebody listens, before this process takes its connections for what is wrong.</summary>
    private const int AttemptsUnheard = 3;

    /// <summary>In <see cref="JoinPause"/>: between two attempts to listen at an address that is gone.</summary>
    private const int LongestPause = 10;

    private static readonly TimeSpan ListenPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan JoinPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(10);

    private readonly IReadOnlyList<IFleetPart> parts;
    private readonly IReadOnlyList<WireMessages> messages;
    private readonly Func<NodeCard, NodeCard> describe;
    private readonly CancellationTokenSource leaving = new();
    private readonly DateTimeOffset started;
    private FleetOptions options;
    private ActorSystem system;
    private Task life = Task.CompletedTask;

    private FleetMember(FleetOptions options, Func<NodeCard, NodeCard> describe, IReadOnlyList<IFleetPart> parts, DateTimeOffset now)
    {
        (this.options, this.describe, this.parts, this.started) = (options, describe, parts, now);
        this.messages = [NodeSerializer.Messages, .. parts.SelectMany(part => part.Messages)];
        this.system = this.CreateSystem();
        if (options.Public is null)
        {
            // When it was cut off it is sought where it was.
            this.options = options with { Port = this.Address.Port };
        }
    }

    /// <summary>Where this process is reached.</summary>
    public FleetAddress Address => FleetAddress.Of(Cluster.Get(this.system).SelfAddress);

    /// <summary>For tests that make it fail.</summary>
    internal ActorSystem Actors => this.system;

    /// <summary>Ends when the process has left; fails when the fleet does not let it in again.</summary>
    public Task Life => this.life;

    /// <summary>Joins a fleet, or begins one.</summary>
    /// <param name="options">How.</param>
    /// <param name="card">What this process is, without what it works on now and where it is.</param>
    /// <param name="now">UTC.</param>
    /// <param name="parts">What it does in the fleet.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="FleetException">No process of the fleet can be reached, or it does not let this one in.</exception>
    /// <exception cref="OperationCanceledException">It was given up.</exception>
    public static async Task<FleetMember> Join(FleetOptions options, Func<NodeCard, NodeCard> card, DateTimeOffset now, IReadOnlyList<IFleetPart> parts, CancellationToken cancel = default)
    {
        var member = new FleetMember(options, card, parts, now);
        try
        {
            await member.Enter(options.Seeds, again: false, cancel);
        }
        catch
        {
            await member.system.Terminate();
            throw;
        }

        member.life = Task.Run(member.Live, CancellationToken.None);
        return member;
    }

    /// <summary>An actor system that can speak to those of a fleet.</summary>
    /// <exception cref="FleetException">The address or the port cannot be had.</exception>
    internal static ActorSystem Open(FleetOptions options, IReadOnlyList<WireMessages> messages)
    {
        ActorSystem created;
        try
        {
            created = ActorSystem.Create(SystemName, FleetConfiguration.Of(options, messages));
        }
        catch (Exception failure) when (failure is Akka.Remote.RemoteTransportException or System.Net.Sockets.SocketException or AggregateException)
        {
            throw new FleetException($"this process cannot listen on {options.Bind}:{options.Port}: {failure.GetBaseException().Message}", failure);
        }

        // While it ends, Akka falls back to the standard output, which belongs to the shell.
        CoordinatedShutdown.Get(created).AddTask(CoordinatedShutdown.PhaseBeforeActorSystemTerminate, "silence", () =>
        {
            created.EventStream.SetLogLevel(LogLevel.ErrorLevel);
            return Task.FromResult(Akka.Done.Instance);
        });
        return created;
    }

    /// <summary>The address to listen on in order to be reached by a fleet: loopback stays on this machine.</summary>
    /// <exception cref="FleetException">There is no way there, or its name is unknown.</exception>
    public static string BindFor(FleetAddress seed)
    {
        if (System.Net.IPAddress.TryParse(seed.Host, out var address) && System.Net.IPAddress.IsLoopback(address) || seed.Host is "localhost")
        {
            return "127.0.0.1";
        }
        try
        {
            return seed.OwnAddress();
        }
        catch (System.Net.Sockets.SocketException problem)
        {
            throw new FleetException($"there is no way to {seed.Host}: {problem.Message}. Is the name right, and is this machine's network up?", problem);
        }
    }

    /// <summary>Leaves: the others know at once that it is no accident.</summary>
    public async ValueTask DisposeAsync()
    {
        await this.leaving.CancelAsync();
        var last = this.system;
        var simulators = EndingSimulators.Of(last);
        await Task.WhenAny(CoordinatedShutdown.Get(last).Run(CoordinatedShutdown.ClrExitReason.Instance), Task.Delay(LeavePatience));
        await Task.WhenAny(last.Terminate(), Task.Delay(LeavePatience));
        // Their child processes would outlive this one.
        await simulators.Wait(LeavePatience);
        await Task.WhenAny(this.life, Task.Delay(LeavePatience));
        if (!ReferenceEquals(this.system, last))
        {
            // It was about to join again.
            await Task.WhenAny(this.system.Terminate(), Task.Delay(LeavePatience));
        }
        this.leaving.Dispose();
    }

    internal static FleetException Unreachable(IReadOnlyList<FleetAddress> addresses, FleetKey key) => new(
        $"no process of a fleet answers at {string.Join(", ", addresses)}. Is a node there (ne node), is the port open, and is its fleet key the same (this one is {key.Name})?");

    private FleetException NotLetIn(FleetAddress by, FleetAddress own) => new(
        $"{by} says that one may join by it, and the fleet has not let {this.options.Name} in for {this.options.Patience.Joining.TotalSeconds:0} s. Has it a process that is lost and not given up yet (ne fleet {by}), and can its processes reach this one at {own} (is the port open; is it another address from there: --public HOST:PORT)?");

    private ActorSystem CreateSystem()
    {
        var created = Open(this.options, this.messages);
        try
        {
            Func<NodeCard> card = () => this.Card(Cluster.Get(created));
            created.ActorOf(Props.Create(() => new NodeActor(card, this.options.Patience.Answer)), NodeActor.Name);
            foreach (var part in this.parts)
            {
                part.Begin(created, this.options);
            }
            return created;
        }
        catch
        {
            // It has a port.
            created.Terminate();
            throw;
        }
    }

    private bool IsNode => this.options.Roles.Contains(FleetOptions.NodeRole);

    /// <summary>Whether this process is a member no more. Where the daemon of the cluster fails, the actors stay.</summary>
    private bool IsOver => this.system.WhenTerminated.IsCompleted || Cluster.Get(this.system).IsTerminated;

    /// <summary>Another actor system in the place of this one, which ends. A machine without its cable may be without its address for a while, too.</summary>
    private async Task BeginAgain(CancellationToken cancel)
    {
        await Task.WhenAny(this.system.Terminate(), Task.Delay(LeavePatience, cancel));
        // Those of the one before may still have ports or child processes open.
        await EndingSimulators.Of(this.system).Wait(LeavePatience);
        FleetException? reason = null;
        var since = Stopwatch.StartNew();
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                this.system = this.CreateSystem();
                if (reason is not null)
                {
                    // Nobody hears what the one before says.
                    this.system.Log.Warning("For {Seconds:0} s {Reason:l}", since.Elapsed.TotalSeconds, reason.Message);
                }
                return;
            }
            catch (FleetException problem)
            {
                if (reason is null)
                {
                    Serilog.Log.Logger.Warning("{Reason:l}. It tries again", problem.Message);
                }
                reason = problem;
                await Task.Delay(JoinPause * Math.Min(attempt, LongestPause), cancel);
            }
        }
    }

    private NodeCard Card(Cluster cluster) => this.describe(new NodeCard
    {
        Name = this.options.Name,
        Address = FleetAddress.Of(cluster.SelfAddress),
        Incarnation = cluster.SelfUniqueAddress.Uid,
        Roles = this.options.Roles,
        Build = this.options.Build,
        Versions = new Dictionary<string, string>(),
        Processor = RunDirectory.Hardware.Processor,
        Cores = System.Environment.ProcessorCount,
        Slots = 0,
        EnvironmentCapacity = 0,
        Started = this.started,
    });

    /// <summary>Whether this process comes to be a member by what it begins. Whom it asks may die meanwhile, or this system, and Akka would wait for ever.</summary>
    private async Task<bool> Joins(Func<CancellationToken, Task> begin, CancellationToken cancel)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        patience.CancelAfter(this.options.Patience.Joining);
        try
        {
            await await Task.WhenAny(begin(patience.Token), this.system.WhenTerminated);
            return !this.IsOver;
        }
        catch (Exception givenUp) when (givenUp is OperationCanceledException or ClusterJoinFailedException)
        {
            cancel.ThrowIfCancellationRequested();
            return false;
        }
    }

    /// <summary>Until it leaves: whenever the fleet has gone on without it, it joins again.</summary>
    private async Task Live()
    {
        FleetAddress[] known = [];
        while (true)
        {
            var cluster = Cluster.Get(this.system);
            while (!this.IsOver)
            {
                // Runs come and go; a fleet is where its nodes are.
                var others = cluster.State.Members
                    .Where(member => !member.Address.Equals(cluster.SelfAddress) && member.HasRole(FleetOptions.NodeRole))
                    .Select(member => FleetAddress.Of(member.Address))
                    .ToArray();
                if (others.Length == 0 && !this.IsNode)
                {
                    // The last node has left. Another one begins a fleet, and it is no member of that.
                    break;
                }
                known = others.Length > 0 ? others : known;
                await Task.WhenAny(this.system.WhenTerminated, Task.Delay(JoinPause));
            }
            if (this.leaving.IsCancellationRequested)
            {
                return;
            }
            try
            {
                await this.BeginAgain(this.leaving.Token);
                this.system.Log.Warning("This process was cut off from its fleet; what it held is held by others now. It joins again as a new one");
                await this.Enter([.. this.options.Seeds.Union(known)], again: true, this.leaving.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <param name="known">Processes to join by; none begins a fleet.</param>
    /// <param name="again">This process was a member: it tries for ever, and begins no fleet beside one that it cannot see.</param>
    /// <param name="cancel">Gives up.</param>
    private async Task Enter(IReadOnlyList<FleetAddress> known, bool again, CancellationToken cancel)
    {
        var own = this.Address;
        FleetAddress[] others = [.. known.Where(address => address != own)];
        var waited = Stopwatch.StartNew();
        var (joinings, unheard) = (0, 0);
        for (var attempt = 1; ; attempt++)
        {
            if (this.IsOver)
            {
                // Akka ends when a connection that it makes breaks before both sides know each other.
                await this.BeginAgain(cancel);
            }
            var cluster = Cluster.Get(this.system);
            var answers = await Task.WhenAll(others.Select(address => this.KnockAt(address, cancel)));
            if (answers.OfType<TurnedAway>().FirstOrDefault() is { } refusal)
            {
                throw new FleetException($"the fleet does not let {this.options.Name} in: {refusal.Reason}");
            }
            if (Array.FindIndex(answers, answer => answer is Admitted { IsMember: true }) is >= 0 and var open)
            {
                if (await this.Joins(patience => cluster.JoinSeedNodesAsync([others[open].Akka], patience), cancel))
                {
                    return;
                }
                var notLetIn = this.NotLetIn(by: others[open], own);
                var isGivenUp = ++joinings % AttemptsToJoin == 0;
                if (isGivenUp && !again)
                {
                    throw notLetIn;
                }
                if (!this.IsOver)
                {
                    this.system.Log.Warning("{Reason} It tries again", notLetIn.Message);
                }
                if (isGivenUp)
                {
                    await this.BeginAgain(cancel);
                }
                continue;
            }
            if (others.Length == 0 || await this.MayBegin(own, known, others, answers, again, mayAsk: attempt > 1, sure: attempt >= AttemptsToBegin))
            {
                if (await this.Joins(patience => cluster.JoinAsync(cluster.SelfAddress, patience), cancel))
                {
                    return;
                }
                continue;
            }
            if (!again && known[0] != own && waited.Elapsed > this.options.Patience.Join)
            {
                throw Unreachable(others, this.options.Key);
            }
            unheard = Array.TrueForAll(answers, answer => answer is null) ? unheard + 1 : 0;
            if (unheard >= AttemptsUnheard && await this.SomebodyListens(others))
            {
                // Of two connections that are made at once each side may keep the other one: then neither hears the other, for as long as both live (akka-core 24393).
                unheard = 0;
                await this.BeginAgain(cancel);
            }
            await Task.Delay(JoinPause, cancel);
        }
    }

    /// <summary>
    /// Whether this process begins a fleet although it knows of others. The first of a fleet's nodes does when each of the others is not there, or in none yet. One that was
    /// cut off does when each of them is gone, or was cut off too and leaves it to this one. Neither does while there may be a fleet that it cannot see, and a run, which
    /// is no node, never does: it waits for one.
    /// </summary>
    private async Task<bool> MayBegin(FleetAddress own, IReadOnlyList<FleetAddress> known, FleetAddress[] others, object?[] answers, bool again, bool mayAsk, bool sure)
    {
        if (again ? !this.IsNode : known[0] != own || (answers.Contains(null) && !mayAsk))
        {
            return false;
        }
        var listens = await Task.WhenAll(others.Select((address, i) => answers[i] is null ? address.Listens(ListenPatience) : Task.FromResult<bool?>(true)));
        // Of a machine that says nothing at all it is not known; the first of a fleet's nodes believes it after a while, since somebody has to begin.
        bool isGone(int i) => listens[i] == false || (listens[i] is null && !again && sure);
        bool leavesItToThis(int i) => answers[i] is Admitted { IsMember: false } && (!again || string.CompareOrdinal(own.ToString(), others[i].ToString()) < 0);
        return Enumerable.Range(0, others.Length).All(i => isGone(i) || leavesItToThis(i));
    }

    private async Task<bool> SomebodyListens(FleetAddress[] others) =>
        (await Task.WhenAll(others.Select(address => address.Listens(ListenPatience)))).Contains(true);

    private async Task<object?> KnockAt(FleetAddress address, CancellationToken cancel)
    {
        try
        {
            return await NodeActor.At(this.system, address.Akka).Ask<object>(new Knock(this.options.Name, this.options.Build), this.options.Patience.Answer, cancel);
        }
        catch (AskTimeoutException)
        {
            return null;
        }
    }
}
