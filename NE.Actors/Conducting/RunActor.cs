using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Actors.Journal;
using NE.Actors.Replay;
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
/// One run. Starts the other actors from the journal's last commit (or from nothing), lets a conductor say who may step and who may learn,
/// and stands at every barrier: delivers evaluations, commits, ends. When the learner or this actor fails, the supervisor starts a new one
/// from the last commit, so the whole run rewinds together. On a cycle of tasks it works on one phase: the switch to the next task is made
/// while beginning from the commit that ended a phase, so a kill at any moment repeats it.
/// </summary>
public sealed partial class RunActor : ReceiveActor, IWithTimers
{
    private const int MostFailuresInARow = 10;
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>A row of timing.csv every so many times that the status is published, hence every 10 s.</summary>
    private const int PublishesPerTiming = 20;

    /// <summary>How long a failing run waits for its reason to be recorded and for a commit under way.</summary>
    private static readonly TimeSpan RecordingPatience = TimeSpan.FromSeconds(10);

    /// <summary>How long a complete run waits for its last video.</summary>
    private static readonly TimeSpan VideoPatience = TimeSpan.FromMinutes(2);

    private readonly RunRequest request;
    private readonly Settings settings;
    private readonly StatusBoard board;
    private readonly bool afterPhase;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly IActorRef self;
    private IActorRef journal = ActorRefs.Nobody;
    private IActorRef learner = ActorRefs.Nobody;
    private IActorRef telemetry = ActorRefs.Nobody;
    private IActorRef video = ActorRefs.Nobody;
    private IActorRef[] environments = [];
    private EnvironmentStart[] starts = [];
    private SegmentStore? store;
    private (long RecordId, OpenedRun Run)? rewinding;
    private RunBook book = null!;
    private IConductor conductor = null!;
    private readonly LearnerClock clock = new();

    private long nextId;
    private long? commitInFlight;
    private CommitParts? parts;
    private int notReady;
    private long published;
    private Stage stage = Stage.Recovering;
    private bool commitRetrying;
    private bool finished;
    private string? stopReason;
    private (long RecordId, string Reason)? failure;
    private bool failureRecorded;
    private RunOutcome? ended;

    /// <param name="afterPhase">Its predecessor in this process has ended a phase; it has not failed.</param>
    public RunActor(RunRequest request, StatusBoard board, bool afterPhase)
    {
        (this.request, this.settings, this.board, this.self) = (request, request.Settings, board, this.Self);
        this.afterPhase = afterPhase;

        this.Receive<Recovered>(this.Recover);
        this.Receive<EnvironmentReady>(this.Ready);
        this.Receive<EnvironmentFailed>(this.Failed);

        this.Receive<RoundStepped>(this.Take);
        this.Receive<RoundAppended>(appended =>
        {
            if (!this.commitRetrying)
            {
                this.board.StorageIsBack();
            }
            this.After(this.conductor.Take(appended));
        });
        this.Receive<LearningProgress>(progress =>
        {
            this.board.Learning(progress);
            this.StopGoesOn();
        });
        this.Receive<Learned>(learned => this.After(this.conductor.Take(learned)));
        // Sent ahead by the conductor, so a barrier may have come in between.
        this.Receive<RoundPassed>(passed => this.After(this.stage == Stage.Running && this.conductor.Take(passed)));

        this.Receive<Evaluated>(this.Take);
        this.Receive<EpisodePlayed>(_ => this.EvaluationGoesOn());
        this.Receive<EnvironmentCaptured>(captured => this.TakePart(p => p.Add(captured)));
        this.Receive<LearnerCaptured>(captured => this.TakePart(p => p.Add(captured)));
        this.Receive<FilesMarked>(marked => this.TakePart(p => p.Add(marked)));
        this.Receive<Committed>(this.Take);
        this.Receive<Recorded>(recorded =>
        {
            if (!this.IsOver && this.commitInFlight is null)
            {
                this.commitRetrying = false;
                this.board.StorageIsBack();
            }
            if (recorded.Id == this.rewinding?.RecordId && this.stage == Stage.Recovering)
            {
                this.TryToBegin(() => this.Begin(this.rewinding.Value.Run));
            }
            this.failureRecorded |= recorded.Id == this.failure?.RecordId;
            this.FinishFailing();
        });
        this.Receive<GiveUpRecording>(_ => this.EndFailed());

        this.Receive<CommitRetrying>(retrying =>
        {
            this.commitRetrying = true;
            this.Pause($"{retrying.Reason} (attempt {retrying.Attempt}, next in {retrying.Delay.TotalSeconds:0.#} s)");
        });
        this.Receive<StorageRetrying>(retrying => this.Pause($"{retrying.Reason} (attempt {retrying.Attempt})"));
        this.Receive<CommitFailed>(failed =>
        {
            this.commitInFlight = null;
            this.Fail(failed.Reason);
        });
        this.Receive<Status.Failure>(failure => this.Fail(failure.Cause.Message));
        this.Receive<LearnerFailed>(failed => this.Fail(failed.Reason));
        this.Receive<EvaluationFailed>(failed => this.Fail(failed.Reason));
        this.Receive<VideoFinished>(_ =>
        {
            if (this.stage == Stage.Ended)
            {
                this.Report();
            }
        });
        this.Receive<StopRun>(this.Stop);
        this.Receive<GiveUpStopping>(_ => this.EndAtTheLastCommit());
        this.Receive<PublishStatus>(_ => this.Publish());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    private bool IsOver => this.stage is Stage.Failing or Stage.Ended;

    /// <summary>What is due at the barrier of the book.</summary>
    private Due Due => LedgerModule.due(this.settings, this.book.Ledger);

    /// <summary>Where the run stands between barriers.</summary>
    private enum Stage
    {
        Recovering,
        StartingEnvironments,
        Running,
        AwaitingEvaluations,
        AwaitingCommit,
        Capturing,
        Ending,
        Failing,
        Ended,
    }

    protected override void PreStart()
    {
        this.board.Reset(this.settings);
        this.journal = Context.ActorOf(JournalOutbox.Props(this.request.Paths, this.Self), "journal");
        this.journal.Tell(new GetRecovered());
        this.Timers.StartPeriodicTimer("status", new PublishStatus(), StatusInterval);
    }

    protected override void PostStop() => this.store?.Dispose();

    /// <summary>An environment is its own failure; everything else takes the run back to its last commit.</summary>
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(error => error switch
    {
        EnvironmentFailedException => Directive.Restart,
        _ => Directive.Escalate,
    });

    private sealed record PublishStatus;

    private sealed record GiveUpRecording;

    private sealed record GiveUpStopping;
}
