using Akka.Actor;
using Akka.Event;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Environments.Cycles;
using NE.Actors.Evaluation;
using NE.Actors.Journal;
using NE.Actors.Learning;
using NE.Actors.Replay;
using NE.Actors.Telemetry;
using NE.Actors.Video;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Runs;

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
public sealed class RunActor : ReceiveActor, IWithTimers
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
            if (this.stopReason is not null)
            {
                this.WatchTheStop();
            }
        });
        this.Receive<Learned>(learned => this.After(this.conductor.Take(learned)));
        // Sent ahead by the conductor, so a barrier may have come in between.
        this.Receive<RoundPassed>(passed => this.After(this.stage == Stage.Running && this.conductor.Take(passed)));

        this.Receive<Evaluated>(this.Take);
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

    // ---- beginning ----------------------------------------------------------------------------------------------------------------

    private void Recover(Recovered recovered)
    {
        if (this.stage != Stage.Recovering)
        {
            return;
        }
        this.nextId = recovered.NextId;
        var previous = this.request.From == ResumeFrom.Previous && !this.board.HasCommitted;
        this.TryToBegin(() =>
        {
            try
            {
                // What a crash left between two commits is named by none.
                SegmentFiles.Sweep(this.request.Paths.Replay, recovered.Manifests.Select(manifest => manifest.Replay).OfType<ReplayManifest>());
                var chosen = OpenedRun.Choose(this.request.Paths, recovered, previous);
                var run = OpenedRun.Open(this.request, EnvironmentCycle.Of(this.settings.Run.Environment), chosen);
                this.store = run.Store;
                if (previous && chosen is not null)
                {
                    // The newest commit counts until the one before is known to open, and the tables are cut when it counts no more.
                    this.rewinding = (this.nextId++, run);
                    this.journal.Tell(new Rewind(this.rewinding.Value.RecordId, chosen.Manifest.CommitId));
                    return;
                }
                this.Begin(run);
            }
            catch (DamagedCheckpointException damage) when (!previous && damage.PreviousStep is null && recovered.Manifests.Count > 1)
            {
                throw damage.Offering(recovered.Manifests[1].Step);
            }
            catch (DamagedCheckpointException damage) when (previous && damage.PreviousStep is not null)
            {
                throw damage.Offering(null);
            }
        });
    }

    private void TryToBegin(Action begin)
    {
        try
        {
            begin();
        }
        catch (Exception error)
        {
            // Another attempt would meet the same files, the same machine and the same configuration.
            this.log.Error(error, "The run cannot begin: {Reason}", error.Message);
            this.Fail(error.Message);
        }
    }

    /// <summary>Hands the opened run over to its actors.</summary>
    private void Begin(OpenedRun run)
    {
        this.starts = run.Starts;
        var tables = run.OpenTables(this.request.Paths);
        this.telemetry = Context.ActorOf(Props.Create(() => new TelemetryActor(tables)), "telemetry");
        var evaluator = Context.ActorOf(
            Props.Create(() => new EvaluatorActor(
                this.self, run.Environments.Create, this.settings.Run.Seed, this.settings.Evaluation.Episodes)), "evaluator");
        var policy = run.Agent.Policy();
        this.learner = Context.ActorOf(
            Props.Create(() => new LearnerActor(this.self, run.Agent, run.Store)).WithDispatcher(TrainingRun.CoreDispatcher), "learner");
        var replay = Context.ActorOf(Props.Create(() => new ReplayActor(run.Store)).WithDispatcher(TrainingRun.CoreDispatcher), "replay");
        this.video = this.CreateVideo(run.Environments);
        this.book = new RunBook(run.Ledger, this.telemetry, evaluator, this.video);
        foreach (var (step, evaluated) in run.Evaluations)
        {
            this.book.RepeatEvaluation(step, evaluated);
        }
        this.stage = Stage.StartingEnvironments;
        this.notReady = this.starts.Length;
        this.environments = [.. this.starts.Select(start =>
            Context.ActorOf(Props.Create(() => new EnvironmentActor(this.self, start)), $"environment-{start.Index}"))];
        var cast = new RunCast(this.self, this.learner, replay, this.environments);
        this.conductor = this.settings.Schedule.Kind.IsAsync
            ? new FreeConductor(this.settings, cast, this.book, this.clock, run.RowFloats, run.Store.Head, policy)
            : new LockstepConductor(this.settings, cast, this.book, this.clock, run.RowFloats, run.Store.Head, policy);
        this.Announce(run.From);
        if (run.BeginsPhase)
        {
            this.AnnouncePhase(run.Environments.Id);
        }
    }

    private IActorRef CreateVideo(TaskEnvironments task)
    {
        if (this.settings.Video.Every == 0)
        {
            return ActorRefs.Nobody;
        }
        var (paths, ffmpeg) = (this.request.Paths, this.request.Ffmpeg);
        // One thread: the other cores are the run's.
        Func<long, VideoTarget> target = step => new VideoTarget(paths.VideoOf(step, VideoTarget.Ending(ffmpeg)), VideoSize.WhileTraining, ffmpeg, Threads: 1);
        return Context.ActorOf(
            Props.Create(() => new VideoActor(task.Create, this.settings.Run.Seed, paths.Name, target)), "video");
    }

    private void Announce(LoadedCheckpoint? from)
    {
        var versions = string.Join(", ", this.request.Versions.Select(v => $"{v.Key} {v.Value}"));
        if (from is null)
        {
            this.book.Note(RunEvent.NewRunStarted(this.request.ConfigurationText, versions));
            this.log.Info("The run starts: {Steps} steps of {Task}", this.settings.Run.Steps, this.settings.Run.Environment);
            return;
        }
        if (!this.afterPhase)
        {
            this.Record(RunEvent.NewRunResumed(from.Manifest.Step, versions));
        }
        if (this.request.Changes.Count > 0 && !this.board.HasCommitted)
        {
            this.Record(RunEvent.NewConfigurationChanged(
                from.Manifest.Step, [.. this.request.Changes.Select(change => Tuple.Create(change.Key, change.Old, change.New))]));
        }
        this.board.GoesOnFrom(from.Manifest.Step, from.Manifest.GradientStep);
        this.board.Committed(from.Manifest.Step, from.Manifest.Bytes);
        this.log.Info("The run goes on from step {CommittedStep}", from.Manifest.Step);
    }

    private void AnnouncePhase(string task)
    {
        var phase = LedgerModule.phase(this.book.Ledger);
        this.book.RecordPhase(this.settings);
        this.log.Info(
            "Phase {PhaseNumber} of {Phases} begins at step {PhaseStep}: {PhaseTask}",
            phase.Index + 1, PhaseModule.count(this.settings), phase.Start, task);
    }

    private void Ready(EnvironmentReady ready)
    {
        if (this.stage == Stage.StartingEnvironments)
        {
            if (--this.notReady == 0)
            {
                this.board.Training();
                if (this.Due.Finished)
                {
                    // Resumed after its end: there is nothing to do, and nothing may change.
                    this.End(new RunOutcome(RunPhase.Completed, null, this.book.Position.Steps));
                    return;
                }
                // A new run commits its very beginning first; a resumed one has that commit and leaves its barrier at once.
                this.After(barrier: this.book.Position.Round == 0 && !this.board.HasCommitted, leaving: true);
            }
            return;
        }
        this.conductor.Repeat(ready.Environment);
        if (this.stage == Stage.Capturing)
        {
            this.environments[ready.Environment].Tell(new CaptureEnvironment());
        }
    }

    private void Failed(EnvironmentFailed failed)
    {
        var start = this.starts[failed.Environment];
        this.log.Warning(
            failed.Error, "Environment {Index} failed and starts again in {Pause:0.0} s", failed.Environment, failed.Pause.TotalSeconds);
        if (start.FailuresInARow >= MostFailuresInARow)
        {
            this.Fail($"environment {failed.Environment} failed {start.FailuresInARow} times in a row, the last time because: {failed.Error.Message}");
            return;
        }
        this.book.CountRestart();
        this.Record(RunEvent.NewEnvironmentRestarted(this.conductor.Steps, failed.Environment, failed.Error.Message));
    }

    // ---- barriers -----------------------------------------------------------------------------------------------------------------

    /// <summary>After every answer of the cast: nothing happens between barriers.</summary>
    private void After(bool barrier, bool leaving = false)
    {
        if (this.IsOver)
        {
            return;
        }
        if (barrier)
        {
            this.stage = Stage.AwaitingEvaluations;
            this.AtBarrier();
        }
        else if (leaving)
        {
            this.Leave();
        }
    }

    /// <summary>Nothing is in flight. Delivers, commits and ends as far as it is due; waits (and is called again) where it must.</summary>
    private void AtBarrier()
    {
        var due = this.Due;
        var scheduled = due.Commit || due.Finished;
        if (!scheduled && this.stopReason is null)
        {
            this.Leave();
            return;
        }
        if (this.stage == Stage.AwaitingEvaluations)
        {
            // Only a scheduled commit delivers, so that a stop in between changes nothing in the order of the history.
            if (scheduled && !this.book.EvaluationsFinished)
            {
                return;
            }
            if (scheduled)
            {
                this.book.DeliverEvaluations();
            }
            this.stage = Stage.AwaitingCommit;
        }
        if (this.stage == Stage.AwaitingCommit && this.commitInFlight is null)
        {
            this.Capture(scheduled);
        }
    }

    private void Capture(bool scheduled)
    {
        this.stage = Stage.Capturing;
        this.board.PauseBegins();
        this.parts = new CommitParts(this.environments.Length, scheduled);
        this.learner.Tell(new CaptureLearner());
        this.telemetry.Tell(new MarkFiles());
        foreach (var environment in this.environments)
        {
            environment.Tell(new CaptureEnvironment());
        }
    }

    private void TakePart(Action<CommitParts> add)
    {
        if (this.parts is null || this.IsOver)
        {
            return;
        }
        add(this.parts);
        if (!this.parts.Complete)
        {
            return;
        }
        var phaseOver = this.Due.Finished;
        this.finished = phaseOver && !LedgerModule.isSwitchDue(this.settings, this.book.Ledger);
        if (this.finished)
        {
            this.book.Note(RunEvent.NewRunCompleted(this.book.Position.Steps));
        }
        else if (this.stopReason is { } reason)
        {
            this.book.Note(RunEvent.NewRunInterrupted(this.book.Position.Steps, reason));
        }
        var (state, events) = this.parts.Freeze(this.book, this.store!.Capture());
        this.parts = null;
        this.commitInFlight = this.nextId++;
        this.journal.Tell(new Commit(this.commitInFlight.Value, state, events));
        this.log.Debug("Checkpoint of step {CommittedStep} begins", state.Step);
        this.board.PauseEnds();
        if (phaseOver || this.stopReason is not null)
        {
            this.stage = Stage.Ending;
        }
        else
        {
            this.Leave();
        }
    }

    private void Leave()
    {
        this.stage = Stage.Running;
        this.clock.Skip();
        this.conductor.Release();
        if (this.stopReason is not null)
        {
            this.conductor.Drain();
        }
    }

    private void Take(RoundStepped stepped)
    {
        if (stepped.Block.Divergences > 0)
        {
            var start = this.starts[stepped.Block.Environment];
            start.Divergences += stepped.Block.Divergences;
            this.log.Warning(
                "The simulation of environment {Index} diverged, so its episode ended early ({Divergences} so far); the run goes on",
                start.Index, start.Divergences);
        }
        this.After(this.conductor.Take(stepped));
    }

    private void Take(Evaluated evaluated)
    {
        this.book.Finished(evaluated);
        this.log.Info(
            "Evaluation of step {EvaluatedStep}: mean return {MeanReturn:0.0} of {Episodes} episodes",
            evaluated.Step, evaluated.Results.Returns.Average(), evaluated.Results.Returns.Length);
        if (this.stage == Stage.AwaitingEvaluations)
        {
            this.AtBarrier();
        }
    }

    private void Take(Committed committed)
    {
        if (committed.Id != this.commitInFlight)
        {
            return;
        }
        this.commitInFlight = null;
        this.commitRetrying = false;
        this.board.Committed(committed.Step, committed.Bytes);
        this.telemetry.Tell(this.board.Timing());
        this.log.Info("Checkpoint of step {CommittedStep}: {Bytes} bytes in {Took:0.0} ms", committed.Step, committed.Bytes, committed.Took.TotalMilliseconds);
        switch (this.stage)
        {
            case Stage.AwaitingCommit:
                this.AtBarrier();
                break;
            case Stage.Ending when this.finished:
                this.End(new RunOutcome(RunPhase.Completed, null, committed.Step));
                break;
            case Stage.Ending when this.stopReason is not null:
                this.End(new RunOutcome(RunPhase.Interrupted, this.stopReason, committed.Step));
                break;
            case Stage.Ending:
                this.EndPhase();
                break;
            case Stage.Failing:
                this.FinishFailing();
                break;
        }
    }

    // ---- ending -------------------------------------------------------------------------------------------------------------------

    private void Stop(StopRun stop)
    {
        if (this.stage == Stage.Ended)
        {
            // Whoever waits for the last video does not want to any more.
            this.Report();
            return;
        }
        if (this.stopReason is not null)
        {
            return;
        }
        this.stopReason = stop.Reason;
        this.board.Stopping(stop.Reason);
        this.WatchTheStop();
        if (this.stage is Stage.Recovering or Stage.StartingEnvironments)
        {
            // Nothing was done that is not committed already.
            this.End(new RunOutcome(RunPhase.Interrupted, stop.Reason, this.board.Status.CheckpointStep ?? 0));
            return;
        }
        if (this.stage == Stage.Running)
        {
            this.conductor.Drain();
        }
    }

    private void WatchTheStop() => this.Timers.StartSingleTimer("stopping", new GiveUpStopping(), this.request.StopPatience);

    /// <summary>A stop commits if it can. An environment that hangs and a disk that takes nothing do not hold it up for ever.</summary>
    private void EndAtTheLastCommit()
    {
        if (this.stage is Stage.Running or Stage.Capturing || (this.commitRetrying && this.stage is Stage.AwaitingCommit or Stage.Ending))
        {
            var step = this.board.Status.CheckpointStep ?? 0;
            this.log.Warning(
                "The run did not come to a commit within {Patience} s of the stop and ends at the last one, of step {CommittedStep}", this.request.StopPatience.TotalSeconds, step);
            this.End(new RunOutcome(RunPhase.Interrupted, this.stopReason, step));
            return;
        }
        if (!this.IsOver)
        {
            this.WatchTheStop();
        }
    }

    private void Pause(string reason)
    {
        this.log.Warning("The run waits for its storage: {Reason}", reason);
        this.board.Paused(reason);
    }

    /// <summary>Ends the run on an error that another attempt would meet again. The reason goes into the history if the journal still takes it.</summary>
    private void Fail(string reason)
    {
        if (this.IsOver)
        {
            return;
        }
        this.stage = Stage.Failing;
        this.log.Error("The run failed: {Reason}", reason);
        var step = this.board.Status.CheckpointStep ?? 0;
        this.failure = (this.nextId, reason);
        this.Record(RunEvent.NewRunFailed(step, reason));
        this.Timers.StartSingleTimer("failing", new GiveUpRecording(), RecordingPatience);
    }

    /// <summary>A failing run ends when its reason is recorded and a commit that was under way is done.</summary>
    private void FinishFailing()
    {
        if (this.failureRecorded && this.commitInFlight is null)
        {
            this.EndFailed();
        }
    }

    private void EndFailed()
    {
        if (this.failure is { } failing)
        {
            this.End(new RunOutcome(RunPhase.Failed, failing.Reason, this.board.Status.CheckpointStep ?? 0));
        }
    }

    private void End(RunOutcome outcome)
    {
        if (this.stage == Stage.Ended)
        {
            return;
        }
        this.Publish();
        this.stage = Stage.Ended;
        this.board.Ended(outcome);
        this.ended = outcome;
        this.ReportAfterVideo(outcome.Phase == RunPhase.Completed);
    }

    private void EndPhase()
    {
        this.Publish();
        this.stage = Stage.Ended;
        this.ReportAfterVideo(wait: true);
    }

    private void ReportAfterVideo(bool wait)
    {
        if (wait && !this.video.IsNobody())
        {
            this.video.Tell(new FinishVideo());
            this.Timers.StartSingleTimer("video", new VideoFinished(), VideoPatience);
            return;
        }
        this.Report();
    }

    /// <summary>The last word.</summary>
    private void Report() => Context.Parent.Tell(this.ended is { } outcome ? new RunEnded(outcome) : new PhaseEnded());

    private void Record(RunEvent happened) => this.journal.Tell(new RecordOperational(this.nextId++, happened));

    private void Publish()
    {
        if (this.conductor is not null && this.stage != Stage.Ended)
        {
            this.board.Publish(this.book, this.conductor, this.clock, this.starts, this.settings);
            if (this.published++ % PublishesPerTiming == 0)
            {
                this.telemetry.Tell(this.board.Timing());
            }
        }
    }

    private sealed record PublishStatus;

    private sealed record GiveUpRecording;

    private sealed record GiveUpStopping;
}
