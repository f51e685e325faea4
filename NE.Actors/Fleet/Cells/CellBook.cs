using System.Collections.Concurrent;
using Akka.Actor;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>What the sweeps of a coordinator wait for. Filled by the coordinator, read from any thread.</summary>
internal sealed class CellBook : ICellPlaces
{
    private readonly ConcurrentDictionary<string, Entry> entries = new();
    private CellPlacement placement = CellPlacementModule.empty;

    /// <summary>Who places cells.</summary>
    public IActorRef Coordinator { get; set; } = ActorRefs.Nobody;

    public int Slots => CellPlacementModule.slots(Volatile.Read(ref this.placement));

    public ICellAtWork Start(string cell, string order, Action<string> tell)
    {
        var entry = this.entries[cell] = new Entry(this, cell, tell);
        this.Coordinator.Tell(new SweepCoordinator.Wish(CellInput.NewWant(cell, order)));
        return entry;
    }

    public ICellAtWork? Attach(string cell, Action<string> tell)
    {
        var entry = this.entries.GetOrAdd(cell, name => new Entry(this, name, tell));
        // What is wanted now ends later, and then this entry is found.
        if (Volatile.Read(ref this.placement).Cells.ContainsKey(cell))
        {
            return entry;
        }
        this.entries.TryRemove(cell, out _);
        return null;
    }

    /// <summary>What was decided. A cell is not in it any more before its end is told.</summary>
    public void Show(CellPlacement decided) => Volatile.Write(ref this.placement, decided);

    public void Tell(string cell, string sentence)
    {
        if (this.entries.TryGetValue(cell, out var entry))
        {
            entry.Tell(sentence);
        }
    }

    public void End(string cell, CellEnd end)
    {
        if (this.entries.TryRemove(cell, out var entry))
        {
            entry.Complete(end);
        }
    }

    private sealed class Entry(CellBook book, string cell, Action<string> tell) : ICellAtWork
    {
        private readonly TaskCompletionSource<CellEnd> end = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<CellEnd> End => this.end.Task;

        public void RequestStop() => book.Coordinator.Tell(new SweepCoordinator.Wish(CellInput.NewStop(cell)));

        public void Tell(string sentence) => tell(sentence);

        public void Complete(CellEnd how) => this.end.TrySetResult(how);
    }
}
