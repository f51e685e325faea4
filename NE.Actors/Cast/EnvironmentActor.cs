using Akka.Actor;
using Akka.Event;
using NE.Actors.Environments;

namespace NE.Actors.Cast;

/// <summary>How an incarnation of an environment's actor begins.</summary>
/// <param name="Index">Number of the environment.</param>
/// <param name="Create">Creates the simulator, on its own thread.</param>
public sealed record EnvironmentStart(int Index, Settings Settings, Func<IEnvironment> Create)
{
    /// <summary>Actions are uniformly random before this step of the run.</summary>
    public required long RandomUntil { get; init; }

    /// <summary>State to continue from; null begins with an episode.</summary>
    public byte[]? Restored { get; init; }

    /// <summary>When another version of MuJoCo simulated that state's episode, the next one is begun.</summary>
    public bool OnOtherMuJoCo { get; init; }

    /// <summary>Number of the episode that it begins with, unless it continues.</summary>
    public long Episode { get; init; }

    /// <summary>How long it waits before it begins.</summary>
    public TimeSpan Pause { get; init; }

    /// <summary>Simulators of this environment that the run has made, this one included.</summary>
    public int Incarnation { get; init; } = 1;

    /// <summary>Called after every round with the run's step: a fault drill throws here.</summary>
    public Action<long>? Drill { get; init; }
}

/// <summary>
/// Owns one environment on a thread of its own. Rounds go straight to that thread and their results straight to the run, so the mailbox
/// is free for lifecycle: when the simulator fails, this actor says so and ends, and the run makes another one.
/// </summary>
public sealed class EnvironmentActor : ReceiveActor, IWithTimers
{
    private readonly IActorRef run;
    private readonly EnvironmentStart start;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private SimulatorThread? thread;
    private EnvironmentWorker? worker;

    /// <param name="run">Receives <see cref="RoundStepped"/>, <see cref="EnvironmentCaptured"/>, <see cref="EnvironmentReady"/>, <see cref="EnvironmentFailed"/>.</param>
    public EnvironmentActor(IActorRef run, EnvironmentStart start)
    {
        (this.run, this.start) = (run, start);
        this.Receive<StepRound>(work => this.thread!.Post(_ =>
        {
            this.worker!.Step(work);
            start.Drill?.Invoke(work.Step + (long)work.Steps * work.Stride);
            run.Tell(new RoundStepped(work.Block));
        }));
        // One that is not up yet is asked again when it is.
        this.Receive<CaptureEnvironment>(_ => this.thread?.Post(_ => run.Tell(new EnvironmentCaptured(start.Index, this.worker!.Save()))));
        this.Receive<Fault>(fault =>
        {
            run.Tell(new EnvironmentFailed(start.Index, fault.Error));
            Context.Stop(this.Self);
        });
        this.Receive<Begin>(_ => this.StartSimulator());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        if (this.start.Pause == TimeSpan.Zero)
        {
            this.StartSimulator();
        }
        else
        {
            this.Timers.StartSingleTimer("begin", new Begin(), this.start.Pause);
        }
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
                created.Restore(state, this.start.OnOtherMuJoCo);
            }
            else
            {
                created.Begin(this.start.Episode);
            }
            this.worker = created;
            this.run.Tell(new EnvironmentReady(this.start.Index, created.Episode));
        });
        this.log.Debug("Environment {Index} starts", this.start.Index);
    }

    private sealed record Begin;

    private sealed record Fault(Exception Error);
}
