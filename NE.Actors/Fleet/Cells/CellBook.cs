using System.Collections.Concurrent;
using Akka.Actor;
using NE.Model.Fleet;

namespace NE.Actors.Fleet.Cells;

/// <summary>What the sweeps of a coordinator wait for. Filled by the coordinator, read from any thread.</summary>
internal sealed class CellBook : ICellPlaces
{
    private readonly ConcurrentDictionary<string, Entry> entries = new();
    private readonly ConcurrentDictionary<string, bool> known = new();
    private int slots;

    /// <summary>Who places cells.</summary>
    public IActorRef Coordinator { get; set; } = ActorRefs.Nobody;

    public int Slots => Volatile.Read(ref this.slots);

    public ICellAtWork Start(string cell, string order, Action<string> tell)
    {
        var entry = this.entries[cell] = new Entry(this, cell, tell);
        this.Coordinator.Tell(new SweepCoordinator.Wish(CellInput.NewWant(cell, order)));
        return entry;
    }

    public ICellAtWork? Attach(string cell, Action<string> tell) => this.known.ContainsKey(cell) ? this.entries.GetOrAdd(cell, name => new Entry(this, name, tell)) : null;

    /// <summary>What is placed, or waits for a place.</summary>
    public void Show(CellPlacement placement)
    {
        Volatile.Write(ref this.slots, CellPlacementModule.slots(placement));
        foreach (var (cell, _) in placement.Cells)
        {
            this.known[cell] = true;
        }
    }

    public void Tell(string cell, string sentence)
    {
        if (this.entries.TryGetValue(cell, out var entry))
        {
            entry.Tell(sentence);
        }
    }

    public void End(string cell, CellEnd end)
    {
        this.known.TryRemove(cell, out _);
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
