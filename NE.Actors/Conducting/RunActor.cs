using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using Microsoft.FSharp.Core;
using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Actors.Instruments;
using NE.Actors.Journal;
using NE.Actors.Runs;
using NE.Actors.Telemetry;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>To the run: commit at the next barrier and end as interrupted.</summary>
public sealed record StopRun(string Reason);

/// <summary>From the run to its supervisor: a phase of its cycle is over and committed. The next one is begun by another actor, from that commit.</summary>
public sealed record PhaseEnded;

/// <summary>From the run to its supervisor: it is over and everything that can be committed is.</summary>
public sealed record RunEnded(RunOutcome Outcome);

/// <summary>
/// The mailbox of one run: tells <see cref="Conductor"/>, a pure function, what it hears, and carries out what that orders. When the learner or
/// this actor fails, the supervisor starts a new one from the last commit, so the whole run rewinds together. On a cycle of tasks it works on
/// one phase: the switch to the next task is made while beginning from the commit that ended a phase, so a kill at any moment repeats it.
/// </summary>
public sealed class RunActor : ReceiveActor, IWithTimers
{
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>How long a failing run waits for its reason to be recorded and for a commit under way.</summary>
    private static readonly TimeSpan RecordingPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long a complete run waits for its last video.</summary>
    private static readonly TimeSpan VideoPatience = TimeSpan.FromMinutes(2);

    private readonly RunRequest request;
    private readonly StatusBoard board;
    private readonly bool afterPhase;
    private readonly ActivityContext trace;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private IActorRef journal = ActorRefs.Nobody;
    private OpenedRun? opened;
    private RunCast? cast;
    private RunState state;
    private RunSpan opening;
    private RunSpan recovery;

    /// <param name="afterPhase">Its predecessor in this process has ended a phase; it has not failed.</param>
    /// <param name="trace">The span of this process's work on the run.</param>
    public RunActor(RunRequest request, StatusBoard board, bool afterPhase, ActivityContext trace)
    {
        (this.request, this.board, this.afterPhase, this.trace) = (request, board, afterPhase, trace);
        this.state = Conductor.start(request.Settings, OptionModule.OfNullable(board.Status.CheckpointStep));

        this.Receive<Recovered>(this.Open);
        this.Receive<EnvironmentReady>(ready => this.Hear(this.cast!.Take(ready)));
        this.Receive<EnvironmentFailed>(failed => this.Hear(this.cast!.Take(failed)));
        this.Receive<RoundStepped>(stepped => this.Hear(this.cast!.Take(stepped)));
        this.Receive<RoundAppended>(appended => this.Hear(Input.NewAppended(appended.Rows, appended.Head)));
        this.Receive<LearningProgress>(progress => this.Hear(this.cast!.Take(progress)));
        this.Receive<Learned>(learned => this.Hear(this.cast!.Take(learned)));
        this.Receive<Evaluated>(evaluated => this.Hear(this.cast!.Take(evaluated)));
        this.Receive<EnvironmentCaptured>(copy => this.Copied(parts => parts.Add(copy)));
        this.Receive<LearnerCaptured>(copy => this.Copied(parts => parts.Add(copy)));
        this.Receive<FilesMarked>(copy => this.Copied(parts => parts.Add(copy)));
        this.Receive<Committed>(this.Take);
        this.Receive<Recorded>(recorded => this.Hear(Input.NewRecorded(recorded.Id)));
        this.Receive<CommitRetrying>(trouble => this.Retries(
            Input.NewJournalRetries, $"{trouble.Reason} (attempt {trouble.Attempt}, next in {trouble.Delay.TotalSeconds:0.#} s)"));
        this.Receive<StorageRetrying>(trouble => this.Retries(Input.NewRowsRetry, $"{trouble.Reason} (attempt {trouble.Attempt})"));
        this.Receive<CommitFailed>(failed => this.Hear(Input.NewJournalGaveUp(failed.Reason)));
        this.Receive<Status.Failure>(failure => this.Hear(Input.NewBroke(failure.Cause.Message)));
        this.Receive<LearnerFailed>(failed => this.Hear(Input.NewBroke(failed.Reason)));
        this.Receive<EvaluationFailed>(failed => this.Hear(Input.NewBroke(failed.Reason)));
        this.Receive<VideoFinished>(_ => this.Hear(Input.VideoFinished));
        this.Receive<StopRun>(stop => this.Hear(Input.NewStopRequested(stop.Reason)));
        this.Receive<EvaluationPatienceOver>(_ => this.Hear(Input.EvaluationPatienceOver));
        this.Receive<StopPatienceOver>(_ => this.Hear(Input.StopPatienceOver));
        this.Receive<RecordingPatienceOver>(_ => this.Hear(Input.RecordingPatienceOver));
        this.Receive<PublishStatus>(_ => this.cast?.Publish(this.state));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        this.board.Reset(this.request.Settings);
        this.opening = RunSpan.Begin("opening", this.trace);
        this.recovery = RunSpan.Begin("journal recovery", this.opening.Context);
        this.journal = Context.ActorOf(JournalOutbox.Props(this.request.Paths, this.Self), "journal");
        this.journal.Tell(new GetRecovered());
        this.Timers.StartPeriodicTimer("status", new PublishStatus(), StatusInterval);
    }

    protected override void PostStop()
    {
        this.opened?.Store.Dispose();
        this.cast?.EndSpans();
        this.recovery.End();
        this.opening.End();
    }

    /// <summary>An environment handles its own failures; what any other actor of the run cannot handle takes the run back to its last commit.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(_ => Directive.Escalate);

    private void Hear(Input input)
    {
        var wasOver = Conductor.isOver(this.state);
        var (next, orders) = Conductor.decide(this.request.Settings, this.state, input);
        this.state = next;
        if (!wasOver && Conductor.isOver(next))
        {
            this.cast?.Publish(next);
        }
        this.board.Show(next);
        foreach (var order in orders)
        {
            this.CarryOut(order);
        }
    }

    private void CarryOut(Order order)
    {
        switch (order)
        {
            case Order.Rewind rewind:
                this.journal.Tell(new Rewind(rewind.id, rewind.toCommit));
                break;
            case Order.Record record:
                this.journal.Tell(new RecordOperational(record.id, record.Item2));
                break;
            case { IsBegin: true }:
                this.Begin();
                break;
            case { IsWatchStop: true }:
                this.Timers.StartSingleTimer("stopping", new StopPatienceOver(), this.request.StopPatience);
                break;
            case { IsWatchEvaluations: true }:
                this.Timers.StartSingleTimer("evaluations", new EvaluationPatienceOver(), this.request.EvaluationPatience);
                break;
            case { IsWatchRecording: true }:
                this.log.Error("The run failed: {Reason}", this.state.Failure!.Value.Reason);
                this.Timers.StartSingleTimer("failing", new RecordingPatienceOver(), RecordingPatience);
                break;
            case { IsFinishVideo: true }:
                this.cast!.CarryOut(order);
                this.Timers.StartSingleTimer("video", new VideoFinished(), VideoPatience);
                break;
            case Order.End end:
                Context.Parent.Tell(end.Item.IsPhaseOver ? new PhaseEnded() : new RunEnded(StatusBoard.OutcomeOf(end.Item, this.state)));
                break;
            default:
                this.cast!.CarryOut(order);
                break;
        }
    }

    private void Open(Recovered recovered)
    {
        this.recovery.Tag("Checkpoints", recovered.Manifests.Count).End();
        this.Hear(Input.NewRecovered(recovered.NextId));
        var hasCommitted = this.board.HasCommitted;
        this.Try(() =>
        {
            this.opened = OpenedRun.Of(this.request, recovered, hasCommitted);
            return Input.NewOpened(this.opened.Opening(this.request, hasCommitted, this.afterPhase));
        });
    }

    private void Begin() => this.Try(() =>
    {
        this.cast = new RunCast(Context, this.Self, this.journal, this.request, this.opened!, this.board, this.trace);
        this.opening.Tag("CommittedStep", this.opened!.From?.Manifest.Step ?? 0).End();
        return Input.Begun;
    });

    /// <summary>What goes wrong while a run begins would go wrong again: another attempt meets the same files, machine and configuration.</summary>
    private void Try(Func<Input> begin)
    {
        Input input;
        try
        {
            input = begin();
        }
        catch (Exception error)
        {
            using (this.opening.Enter())
            {
                this.log.Error(error, "The run cannot begin: {Reason}", error.Message);
            }
            this.opening.Fail(error.Message);
            input = Input.NewBroke(error.Message);
        }
        this.Hear(input);
    }

    private void Copied(Action<CommitParts> add)
    {
        if (this.cast?.Parts is { } parts)
        {
            add(parts);
            this.Hear(parts.Complete ? Input.Captured : Input.CopyArrived);
        }
    }

    private void Take(Committed committed)
    {
        if (OptionModule.ToNullable(this.state.CommitInFlight) == committed.Id)
        {
            this.cast!.Take(committed);
        }
        this.Hear(Input.NewCommitted(committed.Id, committed.Step));
    }

    private void Retries(Func<string, Input> input, string reason)
    {
        this.log.Warning("The run waits for its storage: {Reason}", reason);
        this.Hear(input(reason));
    }

    private sealed record PublishStatus;

    private sealed record EvaluationPatienceOver;

    private sealed record StopPatienceOver;

    private sealed record RecordingPatienceOver;
}
