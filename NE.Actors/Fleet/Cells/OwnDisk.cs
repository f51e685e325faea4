using Akka.Actor;
using NE.Actors.Fleet.Copies;
using NE.Actors.RunDirectory;

namespace NE.Actors.Fleet.Cells;

/// <summary>The disk of a node that shares no folder: the runs that it works on are there while it does, each placement of a cell in a folder of its own. What an earlier
/// one of the same cell leaves, as a process that is only just dying, is not in its way.</summary>
public sealed class OwnDisk : IDisposable
{
    private const string LockFile = "node.lock";

    private readonly RunLock held;

    private OwnDisk(string folder, RunLock held) => (this.Folder, this.held) = (folder, held);

    private string Folder { get; }

    /// <summary>Takes a folder below one that is given, and deletes what nodes that are gone have left there.</summary>
    /// <param name="folder">Of runs, on a disk of this machine.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public static OwnDisk Of(string folder)
    {
        var all = Path.Combine(Path.GetFullPath(folder), ".fleet", "nodes");
        Directory.CreateDirectory(all);
        foreach (var left in Directory.GetDirectories(all).Where(left => RunLock.Holder(Path.Combine(left, LockFile)) is null))
        {
            Directory.Delete(left, recursive: true);
        }
        var own = Path.Combine(all, Guid.NewGuid().ToString("N"));
        Directory.CreateDirectory(own);
        return new OwnDisk(own, RunLock.Take(Path.Combine(own, LockFile), $"The folder {own}"));
    }

    public void Dispose()
    {
        this.held.Dispose();
        try
        {
            Directory.Delete(this.Folder, recursive: true);
        }
        catch (IOException)
        {
            // A process is only just ending. The next node deletes it.
        }
    }

    /// <summary>Folder of the runs, of which there is one, of a placement.</summary>
    internal string RunsOf(string cell, long epoch) => RunCopier.RunsIn(this.PlaceOf(cell, epoch));

    internal IActorRef Copier(IActorContext context, string cell, long epoch, IActorRef coordinator, TimeSpan repeat)
    {
        var place = this.PlaceOf(cell, epoch);
        return context.ActorOf(Props.Create(() => new RunCopier(cell, place, epoch, coordinator, repeat)));
    }

    private string PlaceOf(string cell, long epoch) => Path.Combine(this.Folder, $"{cell}-{epoch}");
}
