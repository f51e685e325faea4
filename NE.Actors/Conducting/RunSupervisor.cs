using System.Diagnostics;
using System.Reflection;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
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
        this.Receive<Terminated>(_ => this.AwaitSimulators());
        this.Receive<SimulatorsEnded>(ended => this.StartAgain(ended.Left));
        this.Start();
    }

    /// <summary>
    /// A failed run is stopped, not restarted in place: its successor is another actor, so that what simulators and writers of the old one
    /// still send reaches nobody.
    /// </summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(
        error =>
        {
            this.lastError = error;
            // An error that comes back before the next commit comes back for ever.
            this.failures = this.board.Status.CheckpointStep == this.failedAfter ? this.failures + 1 : 1;
            this.failedAfter = this.board.Status.CheckpointStep;
            // Here, not when the last of its actors has ended; and in the place of Akka's own line.
            this.log.Error(error, "The run failed: {Reason}", Cause(error));
            return Directive.Stop;
        },
        loggingEnabled: false);

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

    /// <summary>The run's actors are gone. What its simulators have open, the next ones may need.</summary>
    private void AwaitSimulators()
    {
        if (this.completion.Task.IsCompleted)
        {
            return;
        }
        if (!this.phaseEnded && this.failures > MostRestarts)
        {
            this.completion.TrySetResult(this.Failure());
            return;
        }
        EndingSimulators.Of(Context.System).Wait(this.request.EndPatience).PipeTo(this.Self, success: left => new SimulatorsEnded(left));
    }

    /// <param name="left">Simulators of the run before that have not ended.</param>
    private void StartAgain(int left)
    {
        if (left > 0)
        {
            this.log.Warning(
                "{Simulators} of the run's simulators have not ended within {Seconds} s, so it goes on without them; if they hang, their threads end with the process",
                left, this.request.EndPatience.TotalSeconds);
        }
        if (!this.phaseEnded)
        {
            this.log.Info("The run goes back to its last checkpoint");
        }
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

    private sealed record SimulatorsEnded(int Left);
}
