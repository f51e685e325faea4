using Akka.Actor;
using Akka.Event;
using NE.Actors.Environments;

namespace NE.Actors.Cast;

/// <summary>A simulator failed; the supervisor decides what becomes of its actor.</summary>
public sealed class EnvironmentFailedException(int environment, Exception inner)
    : Exception($"environment {environment} failed: {inner.Message}", inner);

/// <summary>
/// Owns one environment on a thread of its own. Rounds go straight to that thread and their results straight to the run, so the mailbox
/// is free for lifecycle: when the simulator fails, this actor fails, and its next incarnation starts a new simulator after a pause.
/// </summary>
public sealed class EnvironmentActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan ShortestPause = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(8);

    private readonly IActorRef run;
    private readonly EnvironmentStart start;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private SimulatorThread? thread;
    private EnvironmentWorker? worker;

    /// <param name="run">Receives <see cref="RoundStepped"/>, <see cref="EnvironmentCaptured"/>, <see cref="EnvironmentReady"/>, <see cref="EnvironmentFailed"/>.</param>
    /// <param name="start">How to create the environment; survives restarts of the actor.</param>
    public EnvironmentActor(IActorRef run, EnvironmentStart start)
    {
        (this.run, this.start) = (run, start);
        this.Receive<StepRound>(work =>
        {
            // The next incarnation must not begin an episode again whose beginning is stored already.
            this.Thread.Post(_ =>
            {
                this.worker!.Step(work);
                this.start.Episode = work.Block.Episode;
                this.start.Drill?.Invoke(work.Step + (long)work.Steps * work.Stride);
                this.start.FailuresInARow = 0;
                if (work.Block.Episodes.Count > 0)
                {
                    this.start.LastReturn = work.Block.Episodes[^1].Episode.Return;
                }
                run.Tell(new RoundStepped(work.Block));
            });
        });
        this.Receive<CaptureEnvironment>(_ =>
            this.Thread.Post(_ => run.Tell(new EnvironmentCaptured(start.Index, this.worker!.Save()))));
        this.Receive<Fault>(fault => throw new EnvironmentFailedException(start.Index, fault.Error));
        this.Receive<Begin>(_ => this.StartSimulator());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private SimulatorThread Thread => this.thread ?? throw new InvalidOperationException("a round arrived before the environment was ready");

    protected override void PreStart()
    {
        if (this.start.Failures == 0)
        {
            this.StartSimulator();
            return;
        }
        var pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, ShortestPause.Ticks << Math.Min(10, this.start.FailuresInARow - 1)));
        this.Timers.StartSingleTimer("begin", new Begin(), pause);
        this.run.Tell(new EnvironmentFailed(this.start.Index, this.start.LastError!, pause));
    }

    protected override void PreRestart(Exception reason, object message)
    {
        this.start.Failures++;
        this.start.FailuresInARow++;
        this.start.LastError = reason.InnerException ?? reason;
        base.PreRestart(reason, message);
    }

    protected override void PostStop() => this.thread?.Dispose();

    private void StartSimulator()
    {
        var self = this.Self;
        this.thread = new SimulatorThread($"environment {this.start.Index}", this.start.Create, error => self.Tell(new Fault(error)));
        this.thread.Post(environment =>
        {
            var created = new EnvironmentWorker(environment, this.start.Settings, this.start.Index, this.start.RandomUntil);
            if (this.start.Restored is { } state)
            {
                created.Restore(state);
                this.start.Restored = null;
            }
            else
            {
                created.Begin(this.start.Failures == 0 ? this.start.Episode : this.start.Episode + 1);
            }
            this.start.Episode = Math.Max(this.start.Episode, created.Episode);
            this.worker = created;
            this.run.Tell(new EnvironmentReady(this.start.Index));
        });
        this.log.Debug("Environment {Index} starts", this.start.Index);
    }

    private sealed record Begin;

    private sealed record Fault(Exception Error);
}

/// <summary>What outlives an incarnation of an environment's actor.</summary>
/// <param name="Index">Number of the environment.</param>
/// <param name="Create">Creates the simulator, on its own thread.</param>
public sealed record EnvironmentStart(int Index, Settings Settings, Func<IEnvironment> Create)
{
    /// <summary>State to continue from, used once; null begins with an episode.</summary>
    public byte[]? Restored { get; set; }

    /// <summary>Actions are uniformly random before this step of the run.</summary>
    public required long RandomUntil { get; init; }

    /// <summary>Called after every round with the run's step: a fault drill throws here.</summary>
    public Action<long>? Drill { get; init; }

    /// <summary>Return of the last finished episode, for people to look at.</summary>
    public double LastReturn { get; set; } = double.NaN;

    /// <summary>Episode that the environment was last in; at first the one that it begins with.</summary>
    public long Episode { get; set; }

    /// <summary>Episodes that ended because the simulation left the numbers, in this process.</summary>
    public int Divergences { get; set; }

    public int Failures { get; set; }

    /// <summary>Failures since a round was last completed.</summary>
    public int FailuresInARow { get; set; }

    public Exception? LastError { get; set; }
}
