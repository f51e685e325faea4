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

    /// <summary>A page that was asleep for so many changes reads everything anew.</summary>
    private const int Backlog = 64;

    private readonly Lock gate = new();
    private readonly List<Channel<IReadOnlyList<RunChange>>> listeners = [];

    /// <summary>What changes from now on, in batches; an empty batch now and then, so that a connection that has broken is noticed.</summary>
    public async IAsyncEnumerable<IReadOnlyList<RunChange>> Listen([EnumeratorCancellation] CancellationToken stop)
    {
        var channel = Channel.CreateBounded<IReadOnlyList<RunChange>>(new BoundedChannelOptions(Backlog) { FullMode = BoundedChannelFullMode.DropOldest });
        // At once, so that the page knows that it is connected.
        channel.Writer.TryWrite([]);

        lock (this.gate)
        {
            this.listeners.Add(channel);

            if (this.listeners.Count == 1)
            {
                _ = Task.Run(this.Watch, CancellationToken.None);
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

    private async Task Watch()
    {
        const int Quiet = 15;
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> before = this.Look() ?? new Dictionary<string, IReadOnlyDictionary<string, string>>();

        for (int silent = 0; ;)
        {
            await Task.Delay(Interval, clock);
            IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> now = this.Look() ?? before;
            RunChange[] changes = [.. Changes(before, now)];
            before = now;
            silent = changes.Length > 0 ? 0 : silent + 1;

            lock (this.gate)
            {
                if (this.listeners.Count == 0)
                {
                    return;
                }

                if (changes.Length > 0 || silent % Quiet == 0)
                {
                    this.listeners.ForEach(listener => listener.Writer.TryWrite(changes));
                }
            }
        }
    }

    /// <summary>Null when the folder cannot be read at this moment.</summary>
    private IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>>? Look()
    {
        try
        {
            return source.Stamps();
        }
        catch (Exception passing) when (passing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static IEnumerable<RunChange> Changes(
        IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> before, IReadOnlyDictionary<string, IReadOnlyDictionary<string, string>> now)
    {
        foreach ((string run, IReadOnlyDictionary<string, string> stamps) in now)
        {
            IReadOnlyDictionary<string, string>? old = before.GetValueOrDefault(run);
            string[] what = [.. stamps.Where(stamp => old?.GetValueOrDefault(stamp.Key) != stamp.Value).Select(stamp => stamp.Key)];

            if (what.Length > 0)
            {
                yield return new(run, what);
            }
        }

        foreach (string gone in before.Keys.Except(now.Keys))
        {
            yield return new(gone, ["gone"]);
        }
    }
}
