using Akka.Actor;
using Akka.Event;

namespace NE.Actors.Runs;

/// <summary>
/// Stands above a run: starts it anew from its last commit when it fails, at most five times a minute, and says once how it ended.
/// </summary>
public sealed class RunSupervisor : ReceiveActor
{
    private const int MostRestarts = 5;
    private static readonly TimeSpan Within = TimeSpan.FromMinutes(1);

    private readonly TaskCompletionSource<RunOutcome> completion;
    private readonly StatusBoard board;
    private readonly IActorRef run;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private Exception? lastError;

    public RunSupervisor(RunRequest request, StatusBoard board, TaskCompletionSource<RunOutcome> completion)
    {
        (this.board, this.completion) = (board, completion);
        this.run = Context.ActorOf(Props.Create(() => new RunActor(request, board)).WithDispatcher(TrainingRun.CoreDispatcher), "run");
        Context.Watch(this.run);
        this.Receive<StopRun>(this.run.Forward);
        this.Receive<RunEnded>(ended => this.completion.TrySetResult(ended.Outcome));
        this.Receive<Terminated>(_ => this.completion.TrySetResult(this.Failure()));
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(MostRestarts, Within, error =>
    {
        this.lastError = error;
        this.log.Error(error, "The run failed and goes back to its last checkpoint: {Reason}", error.Message);
        return Directive.Restart;
    });

    private RunOutcome Failure() => new(
        RunPhase.Failed,
        $"the run failed more than {MostRestarts} times within a minute, the last time because: {this.lastError?.Message ?? "unknown"}",
        this.board.Status.CheckpointStep ?? 0);
}
