namespace NE.Actors.Fleet.Cells;

/// <summary>
/// The sweeps that a coordinator has begun and whose work is not over. One is begun beside the coordinator's mailbox, so it may come when that has stopped already. From
/// any thread.
/// </summary>
internal sealed class BegunSweeps
{
    private readonly Lock changing = new();
    private readonly List<ICoordinatedSweep> sweeps = [];
    private bool areAbandoned;

    public void Add(ICoordinatedSweep sweep)
    {
        lock (this.changing)
        {
            this.sweeps.Add(sweep);
            if (this.areAbandoned)
            {
                sweep.Abandon();
            }
        }
    }

    /// <summary>Its work is over.</summary>
    public void Remove(ICoordinatedSweep sweep)
    {
        lock (this.changing)
        {
            this.sweeps.Remove(sweep);
        }
    }

    /// <summary>Another coordinator goes on with all of them, and with those that are still to come.</summary>
    public void AbandonAll()
    {
        lock (this.changing)
        {
            this.areAbandoned = true;
            this.sweeps.ForEach(sweep => sweep.Abandon());
        }
    }
}
