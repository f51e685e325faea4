using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Actors.Journal;
using NE.Actors.Replay;
using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Actors.Video;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Conducting;

/// <summary>How a run begins: from the journal's last commit, or from nothing.</summary>
public sealed partial class RunActor
{
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
                    // The newest commit stays valid until the one before it has been opened; the tables are cut only once the rewind is stored.
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
            catch (DamagedCheckpointException damage) when (previous)
            {
                throw damage.KeepingNewest(recovered.Manifests[0].Step);
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
        this.telemetry = Context.ActorOf(Props.Create(() => new TelemetryActor(tables, this.settings)), "telemetry");
        var evaluator = Context.ActorOf(
            Props.Create(() => new EvaluatorActor(
                this.self, run.Environments.Create, this.settings.Run.Seed, this.settings.Evaluation.Episodes)), "evaluator");
        var policy = run.Learner.Policy();
        this.learner = Context.ActorOf(
            Props.Create(() => new LearnerActor(this.self, run.Learner, run.Store)).WithDispatcher(TrainingRun.CoreDispatcher), "learner");
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
}
