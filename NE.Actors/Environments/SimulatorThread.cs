using System.Collections.Concurrent;
using System.Diagnostics;
using NE.Actors.MuJoCo;

namespace NE.Actors.Environments;

/// <summary>A dedicated background thread that owns one environment. Work is handed over with low latency: the thread spins for about 20
/// microseconds before it blocks. The first exception (of creating the environment, of work, or a fatal MuJoCo error) is its fault: it
/// is reported once, and no more work is done.</summary>
public sealed class SimulatorThread : IDisposable
{
    private static readonly long spinTicks = Stopwatch.Frequency * 20 / 1_000_000;

    private readonly ConcurrentQueue<Action<IEnvironment>> queue = new();
    private readonly AutoResetEvent wake = new(false);
    private readonly ManualResetEventSlim ended = new(false);
    private readonly Func<IEnvironment> create;
    private readonly Action<Exception> onFault;
    private readonly Thread thread;
    private readonly CancellationTokenSource stoppingSource = new();
    private IEnvironment? environment;
    private int sleeping;
    private int faulted;
    private int stopping;

    /// <param name="name">The thread's name in debuggers and error messages.</param>
    /// <param name="create">Makes the environment; called on the new thread, which is also the one that frees it.</param>
    /// <param name="onFault">Gets the fault, on the faulted thread. It must return and must not throw: after a fatal MuJoCo error native
    /// frames lie below it.</param>
    public SimulatorThread(string name, Func<IEnvironment> create, Action<Exception> onFault)
    {
        this.create = create;
        this.onFault = onFault;
        this.thread = new Thread(this.Run) { IsBackground = true, Name = name };
        this.thread.Start();
    }

    /// <summary>Whether a fault was reported.</summary>
    public bool IsFaulted => Volatile.Read(ref this.faulted) != 0;

    /// <summary>Queues work; it runs in the order of posting. After a fault it is dropped: the fault was reported. Throws
    /// ObjectDisposedException after Dispose.</summary>
    public void Post(Action<IEnvironment> work)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref this.stopping) != 0, this);
        if (this.IsFaulted)
        {
            return;
        }

        this.queue.Enqueue(work);
        this.Wake();
    }

    /// <summary>Ends the thread after the work it is doing (queued work is dropped) and waits until the environment is freed. Does not
    /// wait when called on the thread itself, nor for a thread that a fatal MuJoCo error has parked: that one is leaked on purpose.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref this.stopping, 1) == 0)
        {
            this.stoppingSource.Cancel();
            this.Wake();
        }

        if (Thread.CurrentThread != this.thread)
        {
            this.ended.Wait();
        }
    }

    private void Run()
    {
        StoppingThread.Token = this.stoppingSource.Token;
        MuJoCoHandlers.OwnThread(this.OnMuJoCoError);
        try
        {
            this.environment = this.create();
            while (this.Next() is { } work)
            {
                work(this.environment);
            }

            this.Free();
            this.ended.Set();
        }
        catch (Exception e)
        {
            this.FreeAfterFault();
            this.ended.Set();
            this.Report(e);
        }
    }

    /// <summary>The next work, or null when the thread shall end.</summary>
    private Action<IEnvironment>? Next()
    {
        while (Volatile.Read(ref this.stopping) == 0)
        {
            var start = Stopwatch.GetTimestamp();
            do
            {
                if (this.queue.TryDequeue(out var work))
                {
                    return work;
                }

                Thread.SpinWait(10);
            }
            while (Stopwatch.GetTimestamp() - start < spinTicks && Volatile.Read(ref this.stopping) == 0);

            // The exchange is a full fence: whoever enqueues after the check below sees that we sleep, and wakes us.
            Interlocked.Exchange(ref this.sleeping, 1);
            if (this.queue.IsEmpty && Volatile.Read(ref this.stopping) == 0)
            {
                this.wake.WaitOne();
            }

            Interlocked.Exchange(ref this.sleeping, 0);
        }

        return null;
    }

    private void Wake()
    {
        Interlocked.MemoryBarrier();
        if (Interlocked.Exchange(ref this.sleeping, 0) != 0)
        {
            this.wake.Set();
        }
    }

    /// <summary>Runs inside MuJoCo's error handler; the thread never comes back.</summary>
    private void OnMuJoCoError(string message)
    {
        if (this.environment is { } broken)
        {
            LostEnvironments.Keep(broken);
        }

        this.queue.Clear();
        this.ended.Set();
        this.Report(new MuJoCoErrorException($"MuJoCo reported a fatal error on the thread '{this.thread.Name}', whose environment is lost: {message}"));
    }

    private void Report(Exception fault)
    {
        if (Interlocked.Exchange(ref this.faulted, 1) == 0)
        {
            this.onFault(fault);
        }
    }

    private void Free()
    {
        this.environment?.Dispose();
        this.environment = null;
    }

    private void FreeAfterFault()
    {
        this.queue.Clear();
        try
        {
            this.Free();
        }
        catch (Exception)
        {
            // The first exception is the one that explains.
        }
    }
}

/// <summary>Environments lost to a fatal MuJoCo error. Their memory must never be freed: a parked thread still stands in it.</summary>
internal static class LostEnvironments
{
    private static readonly ConcurrentBag<IDisposable> all = [];

    internal static void Keep(IDisposable environment) => all.Add(environment);
}

/// <summary>What an environment can ask the simulator thread that it is on.</summary>
internal static class StoppingThread
{
    [ThreadStatic]
    private static CancellationToken token;

    /// <summary>Is cancelled when the simulator thread that asks shall end, so that an environment that waits for another process waits no longer;
    /// never on other threads.</summary>
    internal static CancellationToken Token
    {
        get => token;
        set => token = value;
    }
}
