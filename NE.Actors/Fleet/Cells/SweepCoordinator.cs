using Akka.Actor;
using Akka.Event;
using Akka.Persistence;
using NE.Actors.Fleet.Copies;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>
/// Decides which node works on which cell. Tells <see cref="CellPlacementModule"/> what it hears, stores what follows, and acts on it when it is stored: whoever takes
/// its place goes on from there. In an actor system of its own beside the fleet's, which has the journal.
/// </summary>
internal sealed class SweepCoordinator : ReceivePersistentActor, IWithTimers
{
    /// <summary>Between the end of a lease and the certainty that what it covered has ended: killing takes a moment.</summary>
    private static readonly TimeSpan Margin = TimeSpan.FromSeconds(3);

    private static readonly TimeSpan AgainPause = TimeSpan.FromSeconds(5);

    /// <summary>Sweeps that ended, for those who ask how.</summary>
    private const int Remembered = 32;

    private readonly NodeCells node;
    private readonly FleetPatience patience;
    private readonly CellBook book = new();
    private readonly Dictionary<string, ICoordinatedSweep> sweeps = [];
    private readonly BegunSweeps begun = new();
    private readonly Dictionary<string, List<IActorRef>> submitting = [];
    private readonly Queue<string> ended = new();
    private readonly Dictionary<string, Lease> leases = [];
    private readonly HashSet<string> warned = [];
    private readonly CopyDesk copies;
    private readonly ILoggingAdapter log = Context.GetLogger();

    /// <summary>What was decided.</summary>
    private CellPlacement placement = CellPlacementModule.empty;

    /// <summary>What of that is stored. Nobody is told of anything else: an epoch that was given and forgotten would be given twice.</summary>
    private CellPlacement stored = CellPlacementModule.empty;

    public SweepCoordinator(NodeCells node, string persistenceId, FleetPatience patience)
    {
        (this.node, this.patience, this.PersistenceId) = (node, patience, persistenceId);
        this.book.Coordinator = this.Self;
        this.copies = new CopyDesk(node.Folder.Runs, node.Folder.Copies);
        this.Recover<FleetEvent>(happened => this.stored = this.placement = CellPlacementModule.apply(this.placement, happened));
        this.Recover<RecoveryCompleted>(_ => this.Begin());
        this.Command<From>(from =>
        {
            switch (from.Message)
            {
                case Renew renew:
                    this.Take(renew, from.Sender);
                    break;
                case SubmitSweep submit:
                    this.Submit(submit.Submission, from.Sender);
                    break;
                case AskSweep ask:
                    from.Sender.Tell(new SweepShown(ask.Name, this.sweeps.GetValueOrDefault(ask.Name)?.Status ?? ""));
                    break;
                case StopSweep stop:
                    this.sweeps.GetValueOrDefault(stop.Name)?.RequestStop(stop.Reason);
                    break;
                case PieceWanted wanted:
                    from.Sender.Tell(this.copies.Give(wanted));
                    break;
                case ICopyMessage stale when !this.IsCurrent(stale.Cell, stale.Epoch):
                    from.Sender.Tell(CopyDesk.Stale(stale.Cell, stale.Epoch));
                    break;
                case CopyOffered offered:
                    this.copies.Receive(offered, from.Sender, this.Self);
                    break;
                case CopyWanted wanted:
                    this.copies.Offer(wanted, from.Sender, this.Self);
                    break;
            }
        });
        this.Command<Wish>(wish => this.Decide(wish.Input));
        this.Command<Began>(this.Take);
        this.Command<Refused>(this.Take);
        this.Command<TryAgain>(again =>
        {
            // It may have been stopped, or replaced by another one of its name, meanwhile.
            if (this.placement.Sweeps.Any(known => known.Value == again.Submission))
            {
                this.Work(again.Submission, again: true);
            }
        });
        this.Command<WorkEnded>(this.Take);
        this.Command<CopyDesk.Taken>(this.copies.Take);
        this.Command<CopyDesk.Received>(received => this.copies.Take(received, this.IsCurrent(received.Offer.Cell, received.Offer.Epoch), this.Self));
        this.Command<CopyDesk.Applied>(this.copies.Take);
        this.Command<Tick>(_ => this.EndLeases());
    }

    public override string PersistenceId { get; }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PostStop()
    {
        this.begun.AbandonAll();
        this.copies.Dispose();
        base.PostStop();
    }

    protected override void OnPersistFailure(Exception cause, object happened, long sequenceNr)
    {
        // Akka stops it now; another one begins from what is stored.
        this.log.Error(cause, "What became of a cell could not be stored; the coordinator begins anew");
        base.OnPersistFailure(cause, happened, sequenceNr);
    }

    /// <summary>What was under way goes on.</summary>
    private void Begin()
    {
        this.Timers.StartPeriodicTimer("tick", new Tick(), TimeSpan.FromSeconds(1));
        this.book.Show(this.placement);
        foreach (var (_, cell) in this.placement.Cells)
        {
            if (cell.Place is { } place)
            {
                // It may live, and has the time of a lease to say so.
                this.leases.TryAdd(place.Value.Item1, new Lease(place.Value.Item1, null, SteadyClock.Now, 0));
            }
        }
        foreach (var (sweep, submission) in this.placement.Sweeps)
        {
            this.log.Info("Sweep {Sweep} goes on under this coordinator", sweep);
            this.Work(submission, again: true);
        }
    }

    /// <summary>Whoever hears nothing for a while hands it over again.</summary>
    private void Submit(string submission, IActorRef sender)
    {
        if (this.submitting.TryGetValue(submission, out var waiting))
        {
            waiting.Add(sender);
        }
        else if (this.placement.Sweeps.FirstOrDefault(known => known.Value == submission).Key is { } name)
        {
            // It is under way, or will be in a moment.
            if (this.sweeps.TryGetValue(name, out var sweep))
            {
                sender.Tell(new SweepAccepted(name, sweep.Greeting));
            }
        }
        else
        {
            this.submitting[submission] = [sender];
            this.Work(submission, again: false);
        }
    }

    private void Answer(string submission, ICellMessage answer)
    {
        if (this.submitting.Remove(submission, out var waiting))
        {
            waiting.ForEach(sender => sender.Tell(answer));
        }
    }

    /// <summary>Reading a sweep and trying out its environments takes seconds.</summary>
    private void Work(string submission, bool again)
    {
        var self = this.Self;
        Task.Run(() =>
        {
            try
            {
                var sweep = this.node.Sweeps.Begin(submission, again, this.book);
                this.begun.Add(sweep);
                self.Tell(new Began(sweep, submission, again));
            }
            catch (Exception refusal)
            {
                self.Tell(new Refused(submission, refusal.Message, again));
            }
        });
    }

    private void Take(Refused refused)
    {
        this.Answer(refused.Submission, new SweepRefused(refused.Reason));
        if (refused.Again)
        {
            // The coordinator before may not have let go of it yet.
            this.log.Warning("A sweep cannot go on under this coordinator yet: {Reason}", refused.Reason);
            this.TryAgainLater(refused.Submission);
        }
    }

    private void TryAgainLater(string submission)
    {
        var again = new TryAgain(submission);
        this.Timers.StartSingleTimer(again, again, AgainPause);
    }

    private void Take(Began began)
    {
        var sweep = began.Sweep;
        this.sweeps[sweep.Name] = sweep;
        void tell() => this.Answer(began.Submission, new SweepAccepted(sweep.Name, sweep.Greeting));
        if (began.Again)
        {
            tell();
        }
        else
        {
            this.Store(CellInput.NewBegin(sweep.Name, began.Submission), tell);
        }
        var self = this.Self;
        sweep.Work.ContinueWith(work => self.Tell(new WorkEnded(sweep, work.Exception?.GetBaseException())), TaskScheduler.Default);
    }

    private void Take(WorkEnded over)
    {
        this.begun.Remove(over.Sweep);
        if (over.Error is { } error)
        {
            // Its cells work on; a disk that was full for a moment does not end it.
            this.log.Error(error, "Work on sweep {Sweep} failed and begins again in {Seconds} s: {Reason}", over.Sweep.Name, AgainPause.TotalSeconds, error.Message);
            if (this.placement.Sweeps.TryFind(over.Sweep.Name) is { Value: { } submission })
            {
                this.TryAgainLater(submission);
                return;
            }
        }
        this.ended.Enqueue(over.Sweep.Name);
        if (this.ended.Count > Remembered && this.ended.Dequeue() is var old && this.sweeps.GetValueOrDefault(old)?.Work.IsCompleted == true)
        {
            this.sweeps.Remove(old);
        }
        this.Decide(CellInput.NewEnd(over.Sweep.Name));
    }

    private void Take(Renew renew, IActorRef sender)
    {
        // Commits of a journal on a server would be there before the files that they name are here.
        var isOurs = renew.IsOwnDisk ? this.node.Journal is null : renew.Folder == this.node.Folder.Id;
        if (!isOurs && this.warned.Add(renew.Node))
        {
            this.log.Warning(
                renew.IsOwnDisk
                    ? "Node {Node} has its runs on its own disk, and the journals are on a server, so it gets no cells. Give it the folder that the others share (--runs {Folder}, without --own-disk)"
                    : "Node {Node} has another folder of runs than the coordinator, so it gets no cells. Give all nodes one folder that they share (--runs DIR), or let it copy its commits (--own-disk); here it is {Folder}",
                renew.Name,
                this.node.Folder.Runs);
        }
        this.leases[renew.Node] = new Lease(renew.Name, sender, SteadyClock.Now, renew.SentAt);
        // First, so that what it gives back does not return to it.
        this.Decide(CellInput.NewNodeLives(renew.Node, new CellNode(isOurs ? renew.Slots : 0, renew.IsLeaving)));
        // A cell whose copy is just taking its place stays where it is until that is done. The node says it again.
        foreach (var cell in renew.Cells.Where(cell => !this.copies.IsTaking(cell.Name)))
        {
            if (cell.Returned)
            {
                this.Decide(CellInput.NewReturned(cell.Name, cell.Epoch, ReasonOf(renew, cell)));
            }
            else if (cell.End is { } end)
            {
                this.Decide(CellInput.NewEnded(cell.Name, cell.Epoch, end));
            }
        }
        this.DeferAsync(renew, _ => this.Grant(renew.Node));
    }

    /// <summary>Why a node gives a cell back.</summary>
    private static string ReasonOf(Renew renew, HeldCell cell) =>
        cell.End is { ProcessId: 0, LastWords: { Length: > 0 } words } ? $"node {renew.Name}: {words}"
        : renew.IsLeaving ? $"node {renew.Name} leaves"
        : $"node {renew.Name} heard nothing of the coordinator";

    /// <summary>Whether that is the placement that was stored last.</summary>
    private bool IsCurrent(string cell, long epoch) => this.stored.Cells.TryFind(cell) is { Value.Place: { } place } && place.Value.Item2 == epoch;

    /// <summary>Whether a copy of one of its cells is just taking its place here.</summary>
    private bool IsTakingFrom(string node) => CellPlacementModule.heldBy(node, this.placement).Any(held => this.copies.IsTaking(held.Item1));

    private void EndLeases()
    {
        var over = SteadyClock.Now - (long)(this.patience.Lease + Margin).TotalMilliseconds;
        foreach (var (node, lease) in this.leases.Where(pair => pair.Value.HeardAt < over && !this.IsTakingFrom(pair.Key)).ToArray())
        {
            this.leases.Remove(node);
            this.log.Warning("Node {Node} has said nothing for {Seconds} s; its cells go on elsewhere", lease.Name, (this.patience.Lease + Margin).TotalSeconds);
            this.Decide(CellInput.NewNodeLost(node, $"node {lease.Name} was lost"));
        }
    }

    private void Decide(CellInput input) => this.Store(input, () => { });

    private void Store(CellInput input, Action then)
    {
        var (known, events) = CellPlacementModule.decide(this.placement, input);
        this.placement = events.Aggregate(known, CellPlacementModule.apply);
        this.book.Show(this.placement);
        this.PersistAll(events, happened =>
        {
            this.stored = CellPlacementModule.apply(this.stored, happened);
            this.Tell(happened);
        });
        // After the last of them, or of those before.
        this.DeferAsync(events, _ =>
        {
            foreach (var node in events.OfType<FleetEvent.CellPlaced>().Select(placed => placed.node).Distinct())
            {
                this.Grant(node);
            }
            then();
        });
    }

    private void Tell(FleetEvent happened)
    {
        switch (happened)
        {
            case FleetEvent.CellPlaced placed:
                this.node.Moves.Add($"{placed.cell} went to {this.NameOf(placed.node)}");
                this.book.Tell(placed.cell, $"{placed.cell} is worked on at node {this.NameOf(placed.node)}");
                break;
            case FleetEvent.CellReturned returned:
                this.copies.Forget(returned.cell);
                this.log.Warning("Cell {Cell} goes on elsewhere: {Reason}", returned.cell, returned.reason);
                this.node.Moves.Add($"{returned.cell} goes on elsewhere: {returned.reason}");
                this.book.Tell(returned.cell, $"{returned.cell} goes on elsewhere: {returned.reason}");
                break;
            case FleetEvent.CellEnded ended:
                this.copies.Drop(ended.cell);
                this.book.End(ended.cell, ended.outcome);
                break;
        }
    }

    /// <summary>Says to a node all that it is to work on. The lease counts from when it asked.</summary>
    private void Grant(string node)
    {
        if (this.leases.GetValueOrDefault(node) is not { Sender: { } sender } lease)
        {
            return;
        }
        CellTask[] tasks = [.. CellPlacementModule.heldBy(node, this.stored).Select(held => new CellTask(held.Item1, held.Item2.Place!.Value.Item2, held.Item2.Order, held.Item2.IsStopping))];
        sender.Tell(new Grant(lease.SentAt, tasks));
    }

    private string NameOf(string node) => this.leases.GetValueOrDefault(node)?.Name ?? node;

    /// <summary>What came from elsewhere, with whom to answer.</summary>
    internal sealed record From(object Message, IActorRef Sender);

    /// <summary>Of a sweep.</summary>
    internal sealed record Wish(CellInput Input);

    /// <param name="Again">It was under way before.</param>
    private sealed record Refused(string Submission, string Reason, bool Again);

    private sealed record TryAgain(string Submission);

    private sealed record Began(ICoordinatedSweep Sweep, string Submission, bool Again);

    private sealed record WorkEnded(ICoordinatedSweep Sweep, Exception? Error);

    private sealed record Tick;

    /// <param name="Name">Of the node.</param>
    /// <param name="Sender">Where it is; null before it was heard.</param>
    /// <param name="HeardAt">[ms] By the clock here.</param>
    /// <param name="SentAt">[ms] By the clock there.</param>
    private sealed record Lease(string Name, IActorRef? Sender, long HeardAt, long SentAt);
}
