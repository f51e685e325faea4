using System.Collections.Concurrent;
using Akka.Actor;

namespace NE.Actors.Cast;

/// <summary>
/// Simulators of an actor system that nobody uses any more. To end one is to wait for the step that it is in, and one that hangs is never done with it: an actor that
/// waited in its last moment would keep all above it waiting, for ever, and with them the supervisor that is to begin the run anew. So they end beside the mailboxes, and
/// who needs what they have open (files, ports, memory, child processes) waits for them here, as long as it has patience.
/// </summary>
internal sealed class EndingSimulators : IExtension
{
    private readonly ConcurrentDictionary<Task, byte> ends = new();

    public static EndingSimulators Of(ActorSystem system) => system.WithExtension<EndingSimulators, Provider>();

    /// <summary>Ends it, on a thread of its own: those that hang would use up the pool's.</summary>
    public void End(IDisposable simulator)
    {
        var end = Task.Factory.StartNew(simulator.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);
        this.ends.TryAdd(end, 0);
        end.ContinueWith(over => this.ends.TryRemove(over, out _), TaskScheduler.Default);
    }

    /// <returns>How many have not ended by then. They are given up: nobody waits for them again.</returns>
    public async Task<int> Wait(TimeSpan patience)
    {
        Task[] all = [.. this.ends.Keys];
        await Task.WhenAny(Task.WhenAll(all), Task.Delay(patience));
        Task[] left = [.. all.Where(end => !end.IsCompleted)];
        foreach (var end in left)
        {
            this.ends.TryRemove(end, out _);
        }
        return left.Length;
    }

    private sealed class Provider : ExtensionIdProvider<EndingSimulators>
    {
        public override EndingSimulators CreateExtension(ExtendedActorSystem system) => new();
    }
}
