using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Fleet.Wire;
using static Akka.Cluster.ClusterEvent;

namespace NE.Actors.Fleet.Environments;

/// <summary>
/// Holds environments for runs elsewhere. Whatever it is told a second time it answers a second time, and does once. When a run's process is gone,
/// so are its environments here; the run has their states.
/// </summary>
internal sealed class EnvironmentKeeper : ReceiveActor
{
    /// <summary>Under /user.</summary>
    public const string Name = "environments";

    private readonly Cluster cluster = Cluster.Get(Context.System);
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly EndingSimulators ending = EndingSimulators.Of(Context.System);
    private readonly Dictionary<(IActorRef Run, int Number), KeptEnvironment> kept = [];
    private readonly Dictionary<IActorRef, RunHere> runs = [];
    private readonly Outbox<IActorRef, RoundResult> outbox;
    private readonly KeptBoard board;

    /// <param name="board">Says what is held, for whoever asks.</param>
    public EnvironmentKeeper(KeptBoard board)
    {
        this.board = board;
        var self = this.Self;
        this.outbox = new(() => self.Tell(new Flush()));
        this.Receive<OpenEnvironment>(this.Open);
        this.Receive<CloseEnvironment>(close =>
        {
            if (this.Find(close.Number, close.Epoch) is { } environment)
            {
                this.Drop((this.Sender, close.Number), environment);
            }
        });
        this.Receive<PolicyPart>(part => this.Here(this.Sender).Policies.Add(part));
        this.Receive<StepEnvironments>(this.Step);
        this.Receive<Said>(said =>
        {
            if (this.kept.TryGetValue((said.Environment.Run, said.Environment.Number), out var held) && ReferenceEquals(held, said.Environment))
            {
                this.Take(held, said.What);
            }
        });
        this.Receive<Flush>(_ => this.SendResults());
        this.Receive<IMemberEvent>(change =>
        {
            if (change is MemberRemoved or MemberDowned)
            {
                this.DropAllOf(change.Member.Address);
            }
        });
        this.Receive<CurrentClusterState>(_ => { });
    }

    public static IActorRef At(ActorSystem system, Address address) =>
        ((ExtendedActorSystem)system).Provider.ResolveActorRef((new RootActorPath(address) / "user" / Name).ToString());

    protected override void PreStart()
    {
        SimulatorLog.Open();
        this.cluster.Subscribe(this.Self, typeof(IMemberEvent));
    }

    protected override void PostStop()
    {
        this.cluster.Unsubscribe(this.Self);
        foreach (var environment in this.kept.Values)
        {
            this.ending.End(environment);
        }
        this.board.Show([]);
    }

    private void Open(OpenEnvironment open)
    {
        var key = (this.Sender, open.Number);
        if (this.kept.TryGetValue(key, out var before))
        {
            if (before.Epoch == open.Epoch && before.Opened is { } opened)
            {
                this.Sender.Tell(opened);
            }
            if (before.Epoch >= open.Epoch)
            {
                return;
            }
            this.Drop(key, before);
        }
        var self = this.Self;
        try
        {
            this.kept[key] = new KeptEnvironment(this.Sender, open, (environment, what) => self.Tell(new Said(environment, what)));
        }
        catch (Exception problem) when (problem is ArgumentException or EnvironmentUnusableException or ConfigurationException)
        {
            this.Sender.Tell(new EnvironmentBroken(open.Number, open.Epoch, Unusable: true, problem.Sentence()));
        }
        this.Show();
    }

    private void Step(StepEnvironments work)
    {
        var run = this.Here(this.Sender);
        var policy = work.Policy == 0 ? null : run.Policies.Find(work.Policy);
        if (policy is null && work.Policy != 0)
        {
            this.Sender.Tell(new PolicyMissing(work.Policy));
            return;
        }
        var group = new AnswerGroup(run.AnswersTogether);
        foreach (var order in work.Rounds)
        {
            if (this.Find(order.Number, order.Epoch) is not { } environment)
            {
                this.Sender.Tell(new EnvironmentMissing(order.Number, order.Epoch));
                continue;
            }
            if (environment.Result is { } done && done.Round == order.Round)
            {
                // The answer was lost.
                this.outbox.Put(this.Sender, done);
            }
            else
            {
                environment.Take(order, policy, group);
            }
        }
    }

    private void Take(KeptEnvironment environment, object said)
    {
        switch (said)
        {
            case EnvironmentOpened opened:
                environment.Opened = opened;
                environment.Run.Tell(opened);
                break;
            case RoundResult result:
                this.Take(environment, result);
                break;
            case Exception error:
                this.log.Warning("Environment {Index} of {Run} failed here: {Reason}", environment.Index, environment.RunName, error.Message);
                environment.Run.Tell(new EnvironmentBroken(environment.Number, environment.Epoch, error is EnvironmentUnusableException, error.Message));
                this.Drop((environment.Run, environment.Number), environment);
                break;
        }
    }

    private void Take(KeptEnvironment environment, RoundResult result)
    {
        var group = environment.Group!;
        (environment.Result, environment.Group) = (result, null);
        this.Put(environment.Run, group.Add(result));
        if (group.WereTogether is { } together)
        {
            this.Here(environment.Run).AnswersTogether = together;
        }
    }

    private void Put(IActorRef run, IReadOnlyList<RoundResult> results)
    {
        foreach (var result in results)
        {
            this.outbox.Put(run, result);
        }
    }

    private void SendResults()
    {
        foreach (var (run, results) in this.outbox.TakeAll())
        {
            foreach (var message in Messages(results))
            {
                run.Tell(message);
            }
        }
    }

    /// <summary>As many results as fit into a message go together.</summary>
    private static IEnumerable<EnvironmentsStepped> Messages(List<RoundResult> results)
    {
        List<RoundResult> together = [];
        long bytes = 0;
        foreach (var result in results)
        {
            if (together.Count > 0 && bytes + result.Bytes > FleetConfiguration.LongestMessage / 4)
            {
                yield return new EnvironmentsStepped(together);
                (together, bytes) = ([], 0);
            }
            together.Add(result);
            bytes += result.Bytes;
        }
        yield return new EnvironmentsStepped(together);
    }

    private KeptEnvironment? Find(int number, long epoch) =>
        this.kept.TryGetValue((this.Sender, number), out var environment) && environment.Epoch == epoch ? environment : null;

    private RunHere Here(IActorRef run) => this.runs.TryGetValue(run, out var known) ? known : this.runs[run] = new RunHere();

    private void DropAllOf(Address address)
    {
        foreach (var (key, environment) in this.kept.Where(pair => pair.Key.Run.Path.Address.Equals(address)).ToArray())
        {
            this.Drop(key, environment);
        }
        foreach (var run in this.runs.Keys.Where(run => run.Path.Address.Equals(address)).ToArray())
        {
            this.runs.Remove(run);
            this.outbox.Forget(run);
        }
    }

    private void Drop((IActorRef, int) key, KeptEnvironment environment)
    {
        this.kept.Remove(key);
        if (environment.Group is { } group)
        {
            this.Put(environment.Run, group.Settle());
        }
        this.ending.End(environment);
        this.Show();
    }

    private void Show() => this.board.Show([.. this.kept.Values.Select(environment => $"{environment.RunName} {environment.Index}")]);

    private sealed class RunHere
    {
        public PolicyShelf Policies { get; } = new();

        /// <summary>Its simulators were done at about the same time when it last asked.</summary>
        public bool AnswersTogether { get; set; } = true;
    }

    private sealed record Said(KeptEnvironment Environment, object What);

    private sealed record Flush;
}
