namespace NE.Actors.Fleet.Wire;

/// <summary>What an actor has for others, collected until its next turn: what is there by then goes together.</summary>
/// <param name="turn">Asks for that turn; called once for each <see cref="TakeAll"/>.</param>
internal sealed class Outbox<TReceiver, TItem>(Action turn)
    where TReceiver : notnull
{
    private Dictionary<TReceiver, List<TItem>> waiting = [];

    public void Put(TReceiver receiver, TItem item)
    {
        if (this.waiting.Count == 0)
        {
            turn();
        }
        if (!this.waiting.TryGetValue(receiver, out var items))
        {
            this.waiting[receiver] = items = [];
        }
        items.Add(item);
    }

    /// <summary>The receiver is not there any more.</summary>
    public void Forget(TReceiver receiver) => this.waiting.Remove(receiver);

    public IReadOnlyDictionary<TReceiver, List<TItem>> TakeAll()
    {
        var taken = this.waiting;
        this.waiting = [];
        return taken;
    }
}
