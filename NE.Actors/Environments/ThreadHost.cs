namespace NE.Actors.Environments;

/// <summary>An environment on a <see cref="SimulatorThread"/> of this process. The listener is called on that thread.</summary>
public sealed class ThreadHost : IEnvironmentHost
{
    private readonly EnvironmentStart start;
    private readonly IEnvironmentListener listener;
    private SimulatorThread? thread;
    private EnvironmentWorker? worker;

    public ThreadHost(EnvironmentStart start, IEnvironmentListener listener) => (this.start, this.listener) = (start, listener);

    public void Begin()
    {
        this.thread = new SimulatorThread($"environment {this.start.Index}", this.start.Create, this.listener.Failed);
        this.thread.Post(this.BringUp);
    }

    public void Step(StepRound round) => this.thread!.Post(_ =>
    {
        this.worker!.Step(round);
        this.start.Drill?.Invoke(round.Step + (long)round.Steps * round.Stride);
        this.listener.Stepped(round.Block);
    });

    public void Capture() => this.thread!.Post(_ => this.listener.Captured(this.worker!.Save()));

    public void Dispose() => this.thread?.Dispose();

    private void BringUp(IEnvironment environment)
    {
        this.worker = this.start.BringUp(environment);
        this.listener.Ready(this.worker.Episode);
    }
}
