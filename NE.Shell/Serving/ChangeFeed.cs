using System.Runtime.CompilerServices;
using System.Threading.Channels;
using NE.Shell.Serving.Data;

namespace NE.Shell.Serving;

/// <summary>A run of which something is new.</summary>
/// <param name="Run">Its name.</param>
/// <param name="What">Kinds of what has changed: run, checkpoint, log, video, eval, metrics, timing, topology; "gone" for a run that was deleted.</param>
internal sealed record RunChange(string Run, IReadOnlyList<string> What);

/// <summary>
/// Tells every open page what has changed. While no page is open nothing is looked at; however many are open, files are looked at once a second.
/// </summary>
internal sealed class ChangeFeed(IRunSource source, TimeProvider clock)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    /// <summary>Seconds after which an empty batch is sent.</summary>
    private const int Quiet = 15;

    /// <summary>A page that was asleep for so many changes reads everything anew.</summary>
    private const int Backlog = 64;

    private readonly Lock gate = new();
    private readonly List<Channel<IReadOnlyList<RunChange>>> listeners = [];
    private bool isWatching;

    /// <summary>What changes from now on, in batches; an empty batch now and then, so that a connection that has broken is noticed.</summary>
    public async IAsyncEnumerable<IReadOnlyList<RunChange>> Listen([EnumeratorCancellation] CancellationToken stop)
    {
        var channel = Channel.CreateBounded<IReadOnlyList<RunChange>>(new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest });
        // At once, so that the page knows that it is connected.
        channel.Writer.TryWrite([]);

        lock (this.gate)
        {
            this.listeners.Add(channel);

            if (!this.isWatching)
            {
                this.isWatching = true;
                _ = Task.Run(this.WatchOrEnd, CancellationToken.None);
            }
        }

        try
        {
            await foreach (IReadOnlyList<RunChange> changes in channel.Reader.ReadAllAsync(stop))
            {
                yield return changes;
            }
        }
        finally
        {
            lock (this.gate)
            {
                this.listeners.Remove(channel);
            }
        }
    }

    /// <summary>A page whose connection ends asks again by itself, and finds another watch; one that is told nothing any more would look as if nothing happened.</summary>
    private async Task WatchOrEnd()
    {
        try
        {
            await this.Watch();
        }
        catch (Exception mistake)
        {
            lock (this.gate)
            {
                this.isWatching = false;
                this.listeners.ForEach(listener => listener.Writer.TryComplete(mistake));
            }
        }
    }

    private async Task Watch()
    {
        var look = new Look(source);
        Read(look, 0);

        for (int second = 1, silent = 0; ; second++)
        {
            await Task.Delay(Interval, clock);
            RunChange[] changes = Read(look, second);
            silent = changes.Length > 0 ? 0 : silent + 1;

            lock (this.gate)
            {
                if (this.listeners.Count == 0)
                {
                    this.isWatching = false;
                    return;
                }

                if (changes.Length > 0 || silent % Quiet == 0)
                {
                    this.listeners.ForEach(listener => listener.Writer.TryWrite(changes));
                }
            }
        }
    }

    /// <summary>Nothing when the folder cannot be read at this moment.</summary>
    private static RunChange[] Read(Look look, int second)
    {
        try
        {
            return [.. look.Changes(second)];
        }
        catch (Exception passing) when (passing is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    /// <summary>What was seen of every run. One that has changed lately is looked at every second, the others in turn, so that a folder of many stored runs costs little.</summary>
    private sealed class Look(IRunSource source)
    {
        /// <summary>Seconds after which a run that has not changed is looked at less often.</summary>
        private const int Lately = 60;

        /// <summary>Seconds between looks at those, and between lists of all.</summary>
        private const int Turn = 10;

        private readonly Dictionary<string, (IReadOnlyDictionary<string, string> Stamp, int Changed)> seen = [];
        private IReadOnlyList<string> names = [];

        public IEnumerable<RunChange> Changes(int second)
        {
            if (second % Turn == 0)
            {
                this.names = source.Names();
            }

            foreach (string gone in this.seen.Keys.Except(this.names).ToArray())
            {
                this.seen.Remove(gone);
                yield return new(gone, ["gone"]);
            }

            for (int i = 0; i < this.names.Count; i++)
            {
                bool isKnown = this.seen.TryGetValue(this.names[i], out (IReadOnlyDictionary<string, string> Stamp, int Changed) before);

                if (isKnown && second - before.Changed > Lately && (second + i) % Turn != 0)
                {
                    continue;
                }

                IReadOnlyDictionary<string, string> now = source.Stamp(this.names[i]);
                string[] what = [.. now.Where(stamp => !isKnown || before.Stamp.GetValueOrDefault(stamp.Key) != stamp.Value).Select(stamp => stamp.Key)];

                if (what.Length > 0)
                {
                    // At the first look nothing is known to have changed just now.
                    this.seen[this.names[i]] = (now, second == 0 ? -Lately - 1 : second);
                    yield return new(this.names[i], what);
                }
            }
        }
    }
}
