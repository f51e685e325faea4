using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Fleet.Copies;
using NE.Actors.RunDirectory;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>The one of a fleet that hands messages to its <see cref="SweepCoordinator"/>, whose journal it opens. While another process still has the journal, it tries again.</summary>
internal sealed class CoordinatorSingleton : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);

    private readonly NodeCells node;
    private readonly FleetOptions options;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private string? said;
    private RunLock? held;
    private ActorSystem? system;
    private IActorRef coordinator = ActorRefs.Nobody;

    public CoordinatorSingleton(NodeCells node, FleetOptions options)
    {
        (this.node, this.options) = (node, options);
        this.Receive<Open>(_ => this.TryOpen());
        this.Receive<ICellMessage>(message => this.coordinator.Tell(new SweepCoordinator.From(message, this.Sender)));
        this.Receive<ICopyMessage>(message => this.coordinator.Tell(new SweepCoordinator.From(message, this.Sender)));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => this.TryOpen();

    /// <summary>The next one opens the journal when this returns.</summary>
    protected override void PostStop()
    {
        if (this.system is { } opened)
        {
            opened.EventStream.SetLogLevel(LogLevel.ErrorLevel);
            opened.Terminate().Wait(EndPatience);
        }
        JournalConfig.Release(this.node.Folder.Coordinator);
        this.held?.Dispose();
    }

    private void TryOpen()
    {
        var id = $"fleet {this.node.Folder.Id}";
        try
        {
            // Where two fleets have the same folder, one of them coordinates.
            this.held ??= RunLock.Take(this.node.Folder.CoordinatorLock, "The coordinator of the fleet's sweeps");
            this.system = ActorSystem.Create("ne-coordinator", JournalConfig.SystemSetup(this.node.Folder.Coordinator, this.node.Journal, id, this.Configuration()));
#pragma warning disable AK1008 // Another actor system than the one that this actor is in.
            this.coordinator = this.system.ActorOf(Props.Create(() => new Guardian(this.node, id, this.options.Patience)), "guardian");
#pragma warning restore AK1008
            this.log.Info("The coordinator of the fleet's sweeps is here");
        }
        catch (Exception problem)
        {
            var reason = problem.GetBaseException().Message;
            if (reason != this.said)
            {
                this.log.Warning("The coordinator of the fleet's sweeps cannot begin here yet: {Reason}", this.said = reason);
            }
            this.Timers.StartSingleTimer("open", new Open(), Pause);
        }
    }

    private Config Configuration()
    {
        return ConfigurationFactory.ParseString($$"""
            {{Hocon.Loggers(this.options.Loggers)}}
            {{Hocon.CoarseTimers}}
            akka.loglevel = INFO
            akka.stdout-loglevel = OFF
            akka.actor {
              serializers.ne-fleet-events = "{{typeof(FleetEventSerializer).AssemblyQualifiedName}}"
              serialization-bindings { "{{typeof(FleetEvent).AssemblyQualifiedName}}" = ne-fleet-events }
            }
            """);
    }

    private sealed record Open;

    /// <summary>Begins the coordinator anew when its journal failed it.</summary>
    private sealed class Guardian : ReceiveActor, IWithTimers
    {
        private readonly Func<IActorRef> create;
        private IActorRef child = ActorRefs.Nobody;

        public Guardian(NodeCells node, string persistenceId, FleetPatience patience)
        {
            this.create = () => Context.ActorOf(Props.Create(() => new SweepCoordinator(node, persistenceId, patience)));
            this.Receive<Open>(_ => this.Start());
            this.Receive<Terminated>(_ => this.Timers.StartSingleTimer("open", new Open(), Pause));
            this.ReceiveAny(message => this.child.Forward(message));
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => this.Start();

        protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

        private void Start()
        {
            this.child = this.create();
            Context.Watch(this.child);
        }
    }
}
