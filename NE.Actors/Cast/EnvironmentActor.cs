using Akka.Actor;
using Akka.Event;
using NE.Actors.Environments;

namespace NE.Actors.Cast;

/// <summary>
/// Owns one environment, wherever it lives. Rounds go straight there and their results straight to the run, so the mailbox is free for lifecycle:
/// when the simulator fails, this actor says so and ends, and the run makes another one.
/// </summary>
public sealed class EnvironmentActor : ReceiveActor, IWithTimers
{
    private readonly EnvironmentStart start;
    private readonly Func<IEnvironmentHost> create;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly EndingSimulators ending = EndingSimulators.Of(Context.System);
    private IEnvironmentHost? host;

    /// <param name="run">Receives <see cref="RoundStepped"/>, <see cref="EnvironmentCaptured"/>, <see cref="EnvironmentReady"/>, <see cref="EnvironmentFailed"/>.</param>
    /// <param name="start">How it begins.</param>
    /// <param name="hosts">Makes the place where it lives.</param>
    public EnvironmentActor(IActorRef run, EnvironmentStart start, Func<EnvironmentStart, IEnvironmentListener, IEnvironmentHost> hosts)
    {
        this.start = start;
        var listener = new Listener(start.Index, run, this.Self);
        this.create = () => hosts(start, listener);
        this.Receive<StepRound>(work => this.host!.Step(work));
        // One that is not up yet is asked again when it is.
        this.Receive<CaptureEnvironment>(_ => this.host?.Capture());
        this.Receive<Fault>(fault =>
        {
            run.Tell(new EnvironmentFailed(start.Index, fault.Error));
            Context.Stop(this.Self);
        });
        this.Receive<Begin>(_ => this.StartHost());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        if (this.start.Pause == TimeSpan.Zero)
        {
            this.StartHost();
        }
        else
        {
            this.Timers.StartSingleTimer("begin", new Begin(), this.start.Pause);
        }
    }

    protected override void PostStop()
    {
        if (this.host is { } used)
        {
            this.ending.End(used);
        }
    }

    private void StartHost()
    {
        this.host = this.create();
        this.host.Begin();
        this.log.Debug("Environment {Index} starts", this.start.Index);
    }

    private sealed class Listener(int index, IActorRef run, IActorRef self) : IEnvironmentListener
    {
        public void Ready(long episode) => run.Tell(new EnvironmentReady(index, episode));

        public void Stepped(TransitionBlock block) => run.Tell(new RoundStepped(block));

        public void Captured(byte[] state) => run.Tell(new EnvironmentCaptured(index, state));

        public void Failed(Exception error) => self.Tell(new Fault(error));
    }

    private sealed record Begin;

    private sealed record Fault(Exception Error);
}
