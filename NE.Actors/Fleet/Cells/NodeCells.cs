using Akka.Actor;
using Akka.Cluster.Tools.Singleton;
using NE.Actors.Fleet.Copies;
using NE.Actors.Fleet.Wire;
using NE.Actors.RunDirectory;

namespace NE.Actors.Fleet.Cells;

/// <summary>What a node does for sweeps: it works on cells, it may be the one that coordinates them, and others can speak to the coordinator by it.</summary>
/// <param name="name">Of the node.</param>
/// <param name="slots">Cells at a time.</param>
/// <param name="folder">Of the runs.</param>
/// <param name="journal">Server for the coordinator's journal; null for files of the folder.</param>
/// <param name="starter">Begins processes.</param>
/// <param name="sweeps">Works on sweeps where this node coordinates.</param>
public sealed class NodeCells(string name, int slots, SharedFolder folder, JournalPlace? journal, ICellStarter starter, ISweepHost sweeps) : IFleetPart
{
    /// <summary>Under /user: hands messages to the coordinator, wherever that is.</summary>
    internal const string Desk = "sweeps";

    private IReadOnlyList<string> held = [];
    private IActorRef keeper = ActorRefs.Nobody;

    public IReadOnlyList<WireMessages> Messages => [CellSerializer.Messages, CopySerializer.Messages];

    /// <summary>Cells that are worked on here, by name. From any thread.</summary>
    public IReadOnlyList<string> Held => Volatile.Read(ref this.held);

    /// <summary>Which cell went where lately, if the coordinator is here.</summary>
    public FleetMoves Moves { get; } = new();

    public string NodeName => name;

    public int Slots => slots;

    public SharedFolder Folder => folder;

    public JournalPlace? Journal => journal;

    /// <summary>Where this node has the runs that it works on, and copies every commit of them to the coordinator; null where it works in the folder that all share.
    /// Such a node does not coordinate.</summary>
    public OwnDisk? OwnDisk { get; init; }

    public ICellStarter Starter => starter;

    public ISweepHost Sweeps => sweeps;

    void IFleetPart.Begin(ActorSystem system, FleetOptions options)
    {
        if (this.OwnDisk is null)
        {
            system.ActorOf(
                ClusterSingletonManager.Props(
                    Props.Create(() => new CoordinatorSingleton(this, options)), PoisonPill.Instance, ClusterSingletonManagerSettings.Create(system).WithRole(FleetOptions.CellsRole).WithSingletonName("coordinator")),
                "coordination");
        }
        IActorRef coordinator = system.ActorOf(
            ClusterSingletonProxy.Props("/user/coordination", ClusterSingletonProxySettings.Create(system).WithRole(FleetOptions.CellsRole).WithSingletonName("coordinator").WithBufferSize(100)), Desk);
        Volatile.Write(ref this.keeper, system.ActorOf(Props.Create(() => new CellKeeper(this, coordinator, options.Patience)), CellKeeper.Name));
    }

    /// <summary>Gives back what this node works on: every process commits, and other nodes go on. Returns when the coordinator knows, or after so long.</summary>
    public async Task Leave(TimeSpan patience)
    {
        var left = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Volatile.Read(ref this.keeper).Tell(new CellKeeper.Leave(left));
        await Task.WhenAny(left.Task, Task.Delay(patience));
    }

    internal void Show(IReadOnlyList<string> now) => Volatile.Write(ref this.held, now);
}
