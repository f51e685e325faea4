using System.Diagnostics;
using System.Reflection;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// Stands above a run: starts it anew from its last commit when it fails, at most five times without a new commit, and when a phase of its
/// cycle is over; says once how it ended.
/// </summary>
public sealed class RunSupervisor : ReceiveActor
{
    private const int MostRestarts = 5;

    private readonly RunRequest request;
    private readonly TaskCompletionSource<RunOutcome> completion;
    private readonly StatusBoard board;
    private readonly ActivityContext trace;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private IActorRef run = ActorRefs.Nobody;
    private Exception? lastError;
    private long? failedAfter;
    private StopRun? stop;
    private int incarnations;
    private int failures;
    private bool phaseEnded;

    /// <param name="trace">The span of this process's work on the run.</param>
    public RunSupervisor(RunRequest request, StatusBoard board, TaskCompletionSource<RunOutcome> completion, ActivityContext trace)
    {
        (this.request, this.board, this.completion, this.trace) = (request, board, completion, trace);
        this.Receive<StopRun>(stop =>
        {
            this.stop = stop;
            this.run.Tell(stop);
        });
        this.Receive<RunEnded>(ended => this.completion.TrySetResult(ended.Outcome));
        this.Receive<PhaseEnded>(_ =>
        {
            // More than once when a stop hurries a last video along.
            if (this.Sender.Equals(this.run))
            {
                this.phaseEnded = true;
                Context.Stop(this.run);
            }
        });
        this.Receive<Terminated>(_ => this.StartAgain());
        this.Start();
    }

    /// <summary>
    /// A failed run is stopped, not restarted in place: its successor is another actor, so that what simulators and writers of the old one
    /// still send reaches nobody.
    /// </summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(error =>
    {
        this.lastError = error;
        // An error that comes back before the next commit comes back for ever.
        this.failures = this.board.Status.CheckpointStep == this.failedAfter ? this.failures + 1 : 1;
        this.failedAfter = this.board.Status.CheckpointStep;
        return Directive.Stop;
    });

    private void Start()
    {
        this.incarnations++;
        var afterPhase = this.phaseEnded;
        this.phaseEnded = false;
        this.run = Context.ActorOf(
            Props.Create(() => new RunActor(this.request, this.board, afterPhase, this.trace)).WithDispatcher(TrainingRun.CoreDispatcher),
            this.incarnations == 1 ? "run" : $"run-{this.incarnations}");
        Context.Watch(this.run);
        if (this.stop is { } asked)
        {
            this.run.Tell(asked);
        }
    }

    private void StartAgain()
    {
        if (this.completion.Task.IsCompleted)
        {
            return;
        }
        if (this.phaseEnded)
        {
            this.Start();
            return;
        }
        if (this.failures > MostRestarts)
        {
            this.completion.TrySetResult(this.Failure());
            return;
        }
        this.log.Error(this.lastError, "The run failed and goes back to its last checkpoint: {Reason}", Cause(this.lastError));
        this.Start();
    }

    /// <summary>Akka wraps what goes wrong while an actor is made.</summary>
    private static string Cause(Exception? error) => error is ActorInitializationException or TargetInvocationException or TypeLoadException
        ? error.InnerException is null ? error.Message : Cause(error.InnerException)
        : error?.Message ?? "unknown";

    private RunOutcome Failure() => new(
        RunPhase.Failed,
        $"the run failed {this.failures} times after the checkpoint of step {this.failedAfter ?? 0:N0}, the last time because: {Cause(this.lastError)}",
        this.board.Status.CheckpointStep ?? 0);
}
