using Akka.Actor;
using NE.Actors.RunDirectory;

namespace NE.Actors.Fleet.Copies;

/// <summary>The coordinator's side of copies: takes those that nodes offer into its folder of runs, and gives them to the nodes that go on. Belongs to one actor, whose
/// messages it makes.</summary>
internal sealed class CopyDesk : IDisposable
{
    private readonly string runs;
    private readonly string work;

    /// <summary>What nodes that go on are given, by cell.</summary>
    private readonly Dictionary<string, RunSnapshot> given = [];

    /// <summary>Cells whose copy is on its way here, or is just being taken.</summary>
    private readonly HashSet<string> busy = [];

    /// <summary>Copies that are just taking their places, by cell.</summary>
    private readonly Dictionary<string, Task> taking = [];

    /// <summary>Of what is here, by cell.</summary>
    private readonly Dictionary<string, PieceHashes> hashes = [];

    /// <param name="runs">Folder of the runs.</param>
    /// <param name="work">A folder of its own on the same disk; what another desk left there goes.</param>
    public CopyDesk(string runs, string work)
    {
        (this.runs, this.work) = (runs, work);
        RunSnapshot.Delete(work);
    }

    /// <summary>Receives what a node offers; the actor gets a <see cref="Received"/> when all of it is here.</summary>
    public void Receive(CopyOffered copy, IActorRef node, IActorRef self)
    {
        if (!this.busy.Add(copy.Cell))
        {
            return;
        }
        this.Forget(copy.Cell);
        var known = this.HashesOf(copy.Cell);
        Task.Run(() => ReceivedCopy.Receive(
            RunPaths.Of(this.runs, copy.Cell),
            copy.Manifest,
            Path.Combine(this.work, "received", copy.Cell),
            known,
            (file, piece) => PieceWanted.From(node, copy.Cell, copy.Epoch, file, piece)))
            .PipeTo(self, success: received => new Received(copy, node, received, null), failure: problem => new Received(copy, node, null, problem));
    }

    /// <summary>Whether a copy of the cell's run is just taking its place. Until that is done nobody else may have the cell, or look at the run as at its end.</summary>
    public bool IsTaking(string cell) => this.taking.ContainsKey(cell);

    /// <summary>Puts a copy into its place, beside the mailbox: the disk may take a while, and the actor renews leases meanwhile. It gets an <see cref="Applied"/>.</summary>
    /// <param name="received">What has come.</param>
    /// <param name="isCurrent">The node still has the cell.</param>
    /// <param name="self">The actor.</param>
    public void Take(Received received, bool isCurrent, IActorRef self)
    {
        var offer = received.Offer;
        if (isCurrent && received.Copy is { } copy)
        {
            var applying = this.taking[offer.Cell] = Task.Run(copy.Apply);
            applying.PipeTo(self, success: () => new Applied(offer, received.Node, copy, null), failure: problem => new Applied(offer, received.Node, copy, problem));
            return;
        }
        this.busy.Remove(offer.Cell);
        if (isCurrent)
        {
            this.Refuse(offer, received.Node, received.Problem!);
        }
        else
        {
            received.Node.Tell(Stale(offer.Cell, offer.Epoch));
        }
    }

    /// <summary>Tells the node.</summary>
    public void Take(Applied applied)
    {
        var offer = applied.Offer;
        this.busy.Remove(offer.Cell);
        this.taking.Remove(offer.Cell);
        if (applied.Problem is { } problem)
        {
            this.Refuse(offer, applied.Node, problem);
        }
        else
        {
            applied.Node.Tell(new CopyTaken(offer.Cell, offer.Epoch, offer.Number, applied.Copy.Received));
        }
    }

    /// <summary>Offers a node what is here of a cell's run, on which nobody works here; the actor gets a <see cref="Taken"/> before.</summary>
    public void Offer(CopyWanted wanted, IActorRef node, IActorRef self)
    {
        if (this.given.TryGetValue(wanted.Cell, out var known))
        {
            node.Tell(new CopyOffered(wanted.Cell, wanted.Epoch, 0, known.Manifest));
        }
        else if (this.busy.Add(wanted.Cell))
        {
            var hashes = this.HashesOf(wanted.Cell);
            Task.Run(() => RunSnapshot.Take(RunPaths.Of(this.runs, wanted.Cell), Path.Combine(this.work, "given"), hashes))
                .PipeTo(self, success: snapshot => new Taken(wanted, node, snapshot, null), failure: problem => new Taken(wanted, node, null, problem));
        }
    }

    /// <summary>Tells the node.</summary>
    public void Take(Taken taken)
    {
        var (cell, epoch) = (taken.Wanted.Cell, taken.Wanted.Epoch);
        this.busy.Remove(cell);
        if (taken.Problem is { } problem)
        {
            taken.Node.Tell(new CopyRefused(cell, epoch, problem.GetBaseException().Message));
        }
        else if (taken.Snapshot is { } snapshot)
        {
            this.given[cell] = snapshot;
            taken.Node.Tell(new CopyOffered(cell, epoch, 0, snapshot.Manifest));
        }
        else
        {
            taken.Node.Tell(new NothingCopied(cell, epoch));
        }
    }

    /// <summary>A piece of what was offered.</summary>
    public PieceSent Give(PieceWanted wanted) => PieceSent.Of(wanted, this.given.GetValueOrDefault(wanted.Cell));

    public static CopyRefused Stale(string cell, long epoch) => new(cell, epoch, "another node has the cell now");

    /// <summary>What was given of it is not the newest any more.</summary>
    public void Forget(string cell)
    {
        if (this.given.Remove(cell, out var snapshot))
        {
            snapshot.Dispose();
        }
    }

    /// <summary>The cell has ended.</summary>
    public void Drop(string cell)
    {
        this.Forget(cell);
        this.hashes.Remove(cell);
    }

    public void Dispose()
    {
        // Another coordinator may give their cells away at once. One that does not wait for this takes the received files away, and with them this copy fails.
        Task.WhenAny(Task.WhenAll(this.taking.Values)).Wait();
        foreach (var cell in this.given.Keys.ToArray())
        {
            this.Forget(cell);
        }
    }

    private void Refuse(CopyOffered offer, IActorRef node, Exception problem)
    {
        // They may be wrong.
        this.hashes.Remove(offer.Cell);
        node.Tell(new CopyRefused(offer.Cell, offer.Epoch, problem.GetBaseException().Message));
    }

    private PieceHashes HashesOf(string cell) => this.hashes.TryGetValue(cell, out var known) ? known : this.hashes[cell] = new PieceHashes();

    internal sealed record Received(CopyOffered Offer, IActorRef Node, ReceivedCopy? Copy, Exception? Problem);

    internal sealed record Applied(CopyOffered Offer, IActorRef Node, ReceivedCopy Copy, Exception? Problem);

    internal sealed record Taken(CopyWanted Wanted, IActorRef Node, RunSnapshot? Snapshot, Exception? Problem);
}
