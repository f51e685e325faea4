using Akka.Actor;
using Akka.Cluster;
using Akka.Event;
using NE.Actors.Fleet.Copies;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>
/// Works on the cells that the coordinator gives to this node, each in a process of its own. While the coordinator does not answer for as long as a lease is,
/// all of them end: by then another node may have them.
/// </summary>
internal sealed class CellKeeper : ReceiveActor, IWithTimers
{
    /// <summary>Under /user.</summary>
    public const string Name = "cells";

    /// <summary>A node that could not begin a cell wants no other one for so long: what it lacks, such as room on its disk, others may have.</summary>
    private static readonly TimeSpan Convalescence = TimeSpan.FromMinutes(1);

    private readonly NodeCells node;
    private readonly IActorRef coordinator;
    private readonly FleetPatience patience;
    private readonly string id = IdOf(Cluster.Get(Context.System).SelfUniqueAddress);
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly Dictionary<(string Name, long Epoch), Held> held = [];
    private long validUntil;
    private long unwellUntil;
    private bool isRebuilt;
    private TaskCompletionSource? left;

    /// <param name="node">What this node does for sweeps.</param>
    /// <param name="coordinator">Wherever it is.</param>
    /// <param name="patience">How long things may take.</param>
    public CellKeeper(NodeCells node, IActorRef coordinator, FleetPatience patience)
    {
        (this.node, this.coordinator, this.patience) = (node, coordinator, patience);
        this.Receive<Tick>(_ =>
        {
            this.EndWhatIsOver();
            this.Renew();
        });
        this.Receive<Grant>(this.Take);
        this.Receive<Ended>(this.Take);
        this.Receive<RunCopier.Ready>(ready =>
        {
            if (this.held.TryGetValue((ready.Cell, ready.Epoch), out var cell))
            {
                this.Start((ready.Cell, ready.Epoch), cell);
            }
        });
        this.Receive<RunCopier.Complete>(complete =>
        {
            if (this.held.TryGetValue((complete.Cell, complete.Epoch), out var cell))
            {
                this.Finish(cell);
            }
        });
        this.Receive<Terminated>(gone =>
        {
            foreach (var (key, cell) in this.held.Where(pair => pair.Value.Copier.Equals(gone.ActorRef)).ToArray())
            {
                this.GiveBack(key, cell, "its run could not be brought to this node, or not copied from it");
            }
        });
        this.Receive<Leave>(leave =>
        {
            this.left = leave.Left;
            foreach (var cell in this.held.Values)
            {
                cell.IsGivenBack = true;
                cell.Process?.RequestStop();
            }
            this.Renew();
        });
    }

    public ITimerScheduler Timers { get; set; } = null!;

    /// <summary>A copier that failed is not begun anew under a process that works on its files.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Stop);

    protected override void PreStart()
    {
        this.Timers.StartPeriodicTimer("renew", new Tick(), TimeSpan.Zero, this.patience.Repeat);
    }

    /// <summary>This incarnation of the node is no part of the fleet any more; its cells are others'.</summary>
    protected override void PostStop()
    {
        foreach (var cell in this.held.Values)
        {
            cell.Process?.Kill();
        }
        this.node.Show([]);
    }

    /// <summary>Another incarnation of the process has another one. People read it where they cannot be told the name.</summary>
    private static string IdOf(UniqueAddress address) => $"{FleetAddress.Of(address.Address)}#{address.Uid}";

    private void Renew() => this.coordinator.Tell(new Renew
    {
        Node = this.id,
        Name = this.node.NodeName,
        SentAt = SteadyClock.Now,
        Slots = this.isRebuilt || SteadyClock.Now < this.unwellUntil ? 0 : this.node.Slots,
        IsLeaving = this.left is not null,
        Folder = this.node.Folder.Id,
        IsOwnDisk = this.node.OwnDisk is not null,
        Cells = [.. this.held.Select(pair => new HeldCell(pair.Key.Name, pair.Key.Epoch, pair.Value.End, pair.Value.IsReturned))],
    });

    private void Take(Grant grant)
    {
        this.validUntil = Math.Max(this.validUntil, grant.SentAt + (long)this.patience.Lease.TotalMilliseconds);
        var wanted = grant.Tasks.ToDictionary(task => (task.Name, task.Epoch));
        foreach (var (key, cell) in this.held.ToArray())
        {
            if (!wanted.TryGetValue(key, out var task))
            {
                // The coordinator knows how it ended, or has given it to another node.
                cell.Process?.Kill();
                Context.Unwatch(cell.Copier);
                Context.Stop(cell.Copier);
                this.held.Remove(key);
            }
            else
            {
                cell.Process?.Renew(this.validUntil);
                if (task.IsStopping && !cell.WasToStop)
                {
                    cell.WasToStop = true;
                    cell.Process?.RequestStop();
                }
            }
        }
        foreach (var (key, task) in wanted.Where(pair => !this.held.ContainsKey(pair.Key)))
        {
            this.Begin(key, task);
        }
        this.Show();
        if (this.left is not null && this.held.Count == 0 && wanted.Count == 0)
        {
            this.left.TrySetResult();
        }
    }

    private void Begin((string Name, long Epoch) key, CellTask task)
    {
        var cell = this.held[key] = new Held { WasToStop = task.IsStopping, Order = task.Order };
        if (!this.isRebuilt && !this.node.Starter.IsSameBuild)
        {
            this.isRebuilt = true;
            this.log.Warning("The program was rebuilt: this node begins no further cell, since it would not compare with those before. Start the node again");
        }
        if (this.left is not null || this.isRebuilt)
        {
            (cell.IsGivenBack, cell.End) = (true, new CellEnd(CellExitCode.Interrupted, 0, ""));
            this.Renew();
            return;
        }
        if (this.node.OwnDisk is { } disk)
        {
            cell.Copier = Context.Watch(disk.Copier(Context, task.Name, task.Epoch, this.coordinator, this.patience.Repeat));
        }
        else
        {
            this.Start(key, cell);
        }
    }

    private void Start((string Name, long Epoch) key, Held cell)
    {
        if (cell.End is not null || cell.IsGivenBack || SteadyClock.Now >= this.validUntil)
        {
            (cell.IsGivenBack, cell.End) = (true, cell.End ?? new CellEnd(CellExitCode.Interrupted, 0, ""));
            return;
        }
        try
        {
            cell.Process = this.node.Starter.Start(key.Name, cell.Order, this.node.OwnDisk?.RunsOf(key.Name, key.Epoch));
            cell.Process.Renew(this.validUntil);
            if (cell.WasToStop)
            {
                cell.Process.RequestStop();
            }
            this.log.Info("Cell {Cell} begins here (epoch {Epoch})", key.Name, key.Epoch);
            cell.Process.End.PipeTo(
                this.Self, success: end => new Ended(key, end), failure: error => new Ended(key, new CellEnd(CellExitCode.Unusable, 0, error.GetBaseException().Message)));
        }
        catch (InvalidDataException problem)
        {
            // No other node would understand it.
            cell.End = new CellEnd(CellExitCode.Unusable, 0, problem.Message);
            this.Renew();
        }
        catch (Exception problem) when (problem is IOException or UnauthorizedAccessException or System.ComponentModel.Win32Exception)
        {
            this.GiveBack(key, cell, $"it could not be begun: {problem.Message}");
        }
    }

    /// <summary>What this node cannot do another one may.</summary>
    private void GiveBack((string Name, long Epoch) key, Held cell, string reason)
    {
        this.log.Warning("Cell {Cell}: {Reason:l}. It is given back, and this node takes no other for {Seconds} s", key.Name, reason, Convalescence.TotalSeconds);
        this.unwellUntil = SteadyClock.Now + (long)Convalescence.TotalMilliseconds;
        cell.Process?.Kill();
        Context.Unwatch(cell.Copier);
        Context.Stop(cell.Copier);
        (cell.IsGivenBack, cell.End, cell.Copier) = (true, new CellEnd(CellExitCode.Interrupted, 0, reason), ActorRefs.Nobody);
        this.Renew();
    }

    private void Take(Ended ended)
    {
        if (this.held.TryGetValue(ended.Key, out var cell))
        {
            (cell.Outcome, var process) = (ended.End, cell.Process);
            cell.Process = null;
            cell.HasRunOut |= ended.End.ExitCode == CellExitCode.LeaseIsOver;
            process?.Dispose();
            this.log.Info("The process of cell {Cell} ended with exit code {ExitCode}", ended.Key.Name, ended.End.ExitCode);
            this.Show();
            if (cell.Copier.IsNobody())
            {
                this.Finish(cell);
            }
            else
            {
                // Its end is told when the coordinator has what it did.
                cell.Copier.Tell(new RunCopier.WorkEnded());
            }
        }
    }

    private void Finish(Held cell)
    {
        cell.End ??= cell.Outcome;
        this.Renew();
    }

    private void EndWhatIsOver()
    {
        if (SteadyClock.Now < this.validUntil)
        {
            return;
        }
        foreach (var (key, cell) in this.held.Where(pair => pair.Value.Process is not null))
        {
            this.log.Warning("The coordinator has not answered for {Seconds} s: cell {Cell} ends here, since another node may have it", this.patience.Lease.TotalSeconds, key.Name);
            cell.HasRunOut = true;
            cell.Process!.Kill();
        }
    }

    private void Show() => this.node.Show([.. this.held.Where(pair => pair.Value.Process is not null).Select(pair => pair.Key.Name)]);

    /// <summary>To it: give back what is held.</summary>
    internal sealed record Leave(TaskCompletionSource Left);

    private sealed record Tick;

    private sealed record Ended((string Name, long Epoch) Key, CellEnd End);

    private sealed class Held
    {
        /// <summary>Null when it has ended.</summary>
        public ICellProcess? Process { get; set; }

        /// <summary>As the coordinator is to know it.</summary>
        public CellEnd? End { get; set; }

        /// <summary>How its process ended.</summary>
        public CellEnd? Outcome { get; set; }

        /// <summary>What the process is to do.</summary>
        public string Order { get; init; } = "";

        /// <summary>Where the run is on this node's own disk.</summary>
        public IActorRef Copier { get; set; } = ActorRefs.Nobody;

        /// <summary>The coordinator wanted it to stop.</summary>
        public bool WasToStop { get; set; }

        /// <summary>It stops, or was not begun, for reasons of this node alone.</summary>
        public bool IsGivenBack { get; set; }

        /// <summary>Nobody renewed its right in time, as this node saw or its process.</summary>
        public bool HasRunOut { get; set; }

        /// <summary>What stops only because of this node is not at its end. Of what was to stop anyway, the coordinator knows how to end it.</summary>
        public bool IsReturned => this.End is { ExitCode: not 0 } && (this.HasRunOut || (this.IsGivenBack && !this.WasToStop));
    }
}
