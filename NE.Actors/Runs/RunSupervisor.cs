using System.Reflection;
using Akka.Actor;
using Akka.Event;

namespace NE.Actors.Runs;

/// <summary>
/// Stands above a run: starts it anew from its last commit when it fails, at most five times without a new commit, and says once how it
/// ended.
/// </summary>
public sealed class RunSupervisor : ReceiveActor
{
    private const int MostRestarts = 5;

    private readonly TaskCompletionSource<RunOutcome> completion;
    private readonly StatusBoard board;
    private readonly IActorRef run;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private Exception? lastError;
    private long? failedAfter;
    private int restarts;

    public RunSupervisor(RunRequest request, StatusBoard board, TaskCompletionSource<RunOutcome> completion)
    {
        (this.board, this.completion) = (board, completion);
        this.run = Context.ActorOf(Props.Create(() => new RunActor(request, board)).WithDispatcher(TrainingRun.CoreDispatcher), "run");
        Context.Watch(this.run);
        this.Receive<StopRun>(this.run.Forward);
        this.Receive<RunEnded>(ended => this.completion.TrySetResult(ended.Outcome));
        this.Receive<Terminated>(_ => this.completion.TrySetResult(this.Failure()));
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(error =>
    {
        this.lastError = error;
        // An error that comes back before the next commit comes back for ever.
        this.restarts = this.board.Status.CheckpointStep == this.failedAfter ? this.restarts + 1 : 1;
        this.failedAfter = this.board.Status.CheckpointStep;
        if (this.restarts > MostRestarts)
        {
            return Directive.Stop;
        }
        this.log.Error(error, "The run failed and goes back to its last checkpoint: {Reason}", error.Message);
        return Directive.Restart;
    });

    /// <summary>Akka wraps what goes wrong while an actor is made.</summary>
    private static string Cause(Exception? error) => error is ActorInitializationException or TargetInvocationException or TypeLoadException
        ? error.InnerException is null ? error.Message : Cause(error.InnerException)
        : error?.Message ?? "unknown";

    private RunOutcome Failure() => new(
        RunPhase.Failed,
        $"the run failed {this.restarts} times after the checkpoint of step {this.failedAfter ?? 0:N0}, the last time because: {Cause(this.lastError)}",
        this.board.Status.CheckpointStep ?? 0);
}
