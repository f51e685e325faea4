using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Instruments;
using NE.Actors.Journal;
using NE.Actors.Runs;
using NE.Actors.Storage;
using NE.Actors.Telemetry;
using NE.Actors.Video;
using NE.Model.Agents;
using NE.Model.Networks;
using NE.Model.Runs;

namespace NE.Actors.Conducting;

/// <summary>
/// The actors that a run consists of, and what travels among them: policies, blocks of rows, measurements, copies for a commit. Turns their
/// messages into what <see cref="Conductor"/> hears, and its orders into messages to them. Belongs to the run's actor.
/// </summary>
internal sealed class RunCast
{
    private readonly IActorRef journal;
    private readonly OpenedRun opened;
    private readonly string? runId;
    private readonly string name;
    private readonly ActivityContext trace;
    private readonly StatusBoard board;
    private readonly ILoggingAdapter log;
    private readonly IActorRef telemetry;
    private readonly IActorRef learner;
    private readonly IActorRef replay;
    private readonly IActorRef video;
    private readonly CastEvaluations evaluations;
    private readonly CastEnvironments environments;
    private readonly LearnerClock clock = new();
    private Policy policy;
    private Measurement? measurement;
    private RunSpan checkpoint;
    private RunSpan capture;

    /// <summary>Makes the actors.</summary>
    /// <param name="trace">The span of this process's work on the run.</param>
    /// <exception cref="DamagedCheckpointException">A table is not what it was at the commit.</exception>
    public RunCast(IActorContext context, IActorRef run, IActorRef journal, RunRequest request, OpenedRun opened, StatusBoard board, ActivityContext trace)
    {
        (this.journal, this.opened, this.board, this.runId, this.name, this.trace) = (journal, opened, board, request.RunId, request.Paths.Name, trace);
        this.log = context.GetLogger();
        var settings = request.Settings;
        var tables = opened.OpenTables(request.Paths);
        this.policy = opened.Learner.Policy();
        this.telemetry = context.ActorOf(Props.Create(() => new TelemetryActor(tables, settings)), "telemetry");
        var evaluator = context.ActorOf(
            Props.Create(() => new EvaluatorActor(run, opened.Environments.Create, settings.Run.Seed, settings.Evaluation.Episodes, this.LongestEvaluation, trace)),
            "evaluator");
        this.evaluations = new CastEvaluations(evaluator, opened.Evaluations, board, this.log);
        this.learner = context.ActorOf(
            Props.Create(() => new LearnerActor(run, opened.Learner, opened.Store, this.name, settings.Learner, trace)).WithDispatcher(TrainingRun.CoreDispatcher), "learner");
        this.replay = context.ActorOf(Props.Create(() => new ReplayActor(opened.Store, opened.CreateLinker())).WithDispatcher(TrainingRun.CoreDispatcher), "replay");
        this.video = settings.Video.Every == 0 ? ActorRefs.Nobody : context.ActorOf(this.VideoOf(request, opened.Environments), "video");
        this.environments = new CastEnvironments(context, run, request, opened, board, trace);
        this.Announce(settings, opened.From?.Manifest);
    }

    /// <summary>Copies for a commit that have arrived; null when none is being made.</summary>
    public CommitParts? Parts { get; private set; }

    private int LongestEvaluation => this.opened.Settings.Evaluation.LongestEpisode(this.opened.Environments.Spec.TimeLimit);

    public void CarryOut(Order order)
    {
        switch (order)
        {
            case Order.Prepare { Item2: var steps } prepare:
                this.environments.Prepare(prepare.environment, steps, this.policy);
                break;
            case Order.Step step:
                this.environments.Step(step.environment);
                break;
            case Order.RestartEnvironment restart:
                this.environments.Restart(restart);
                break;
            case Order.Append append:
                this.replay.Tell(new AppendRound(append.Item1, this.environments.BlocksOf(append.Item1), append.releaseBefore));
                break;
            case Order.Learn { Item: var task }:
                this.clock.Start();
                this.learner.Tell(new Learn(task));
                break;
            case Order.Evaluate evaluate:
                this.evaluations.Begin(evaluate.step, this.policy);
                break;
            case Order.EvaluateAgain again:
                this.evaluations.Play(again.step);
                break;
            case Order.Film film:
                this.video.Tell(new RecordVideo(film.step, this.policy));
                break;
            case { IsFinishVideo: true }:
                this.video.Tell(new FinishVideo());
                break;
            case Order.WriteTopology { Item: var change }:
                this.telemetry.Tell(change);
                break;
            case Order.WritePhase { Item: var phase }:
                this.log.Info(
                    "Phase {PhaseNumber} of {Phases} begins at step {PhaseStep}: {PhaseTask}",
                    phase.Phase + 1, PhaseModule.count(this.opened.Settings), phase.Step, phase.Task);
                this.telemetry.Tell(phase);
                break;
            case Order.WriteMetrics { Item: var at }:
                this.telemetry.Tell(new MetricsRow(
                    at.Step, at.GradientStep, at.Episodes, at.EpisodeReturn, at.EpisodeLength, at.ReplaySize, this.measurement!));
                break;
            case Order.ShowEvaluation { Item: var evaluation }:
                this.telemetry.Tell(this.evaluations.Show(evaluation));
                break;
            case Order.EvaluationsLate late:
                this.evaluations.AreLate(late);
                break;
            case Order.WriteEvaluation { Item: var evaluation }:
                this.telemetry.Tell(this.evaluations.Deliver(evaluation));
                break;
            case { IsCapture: true }:
                this.board.PauseBegins();
                this.checkpoint = RunSpan.Begin("checkpoint", this.trace);
                this.capture = RunSpan.Begin("capture", this.checkpoint.Context);
                this.Parts = new CommitParts(this.environments.Count);
                this.learner.Tell(new CaptureLearner());
                this.telemetry.Tell(new MarkFiles());
                this.environments.CaptureAll();
                break;
            case Order.CaptureEnvironment capture:
                this.environments.Capture(capture.environment);
                break;
            case Order.Commit { Item: var commitment }:
                this.Commit(commitment);
                break;
            case { IsLeaveBarrier: true }:
                this.clock.Skip();
                break;
            default:
                throw new NotSupportedException($"Nobody carries out {order}.");
        }
    }

    public Input Take(EnvironmentReady ready) => this.environments.Take(ready);

    public Input Take(EnvironmentFailed failed) => this.environments.Take(failed);

    public Input Take(RoundStepped stepped) => this.environments.Take(stepped);

    public Input Take(Evaluated done) => this.evaluations.Take(done);

    public Input Take(LearningProgress progress)
    {
        this.board.Learning(progress);
        return Input.LearningGoesOn;
    }

    public Input Take(Learned learned)
    {
        this.clock.Stop();
        this.policy = learned.Policy;
        this.measurement = learned.Metrics ?? this.measurement;
        if (learned.Metrics is { } metrics)
        {
            this.board.Measured(metrics);
        }
        return Input.NewLearned(new LearnedSteps(learned.GradientSteps, learned.Changes, learned.Metrics is not null));
    }

    public void Take(Committed committed)
    {
        this.board.Committed(committed.Step, committed.Bytes);
        this.telemetry.Tell(this.board.Timing());
        RunMetrics.CheckpointTook(this.name, committed.Took);
        using (this.checkpoint.Enter())
        {
            this.log.Info("Checkpoint of step {CommittedStep}: {Bytes} bytes in {Took:0.0} ms", committed.Step, committed.Bytes, committed.Took.TotalMilliseconds);
        }
        this.checkpoint.Tag("Bytes", committed.Bytes).Tag("Took", committed.Took.TotalMilliseconds).End();
    }

    /// <summary>Nothing will end what is under way: the run is over, or begins anew.</summary>
    public void EndSpans()
    {
        const string reason = "the run's actors were stopped";
        this.capture.Fail(reason);
        this.checkpoint.Fail(reason);
        this.environments.FailSpans(reason);
    }

    /// <summary>Puts where the run is onto its board, and now and then into its table of timings.</summary>
    public void Publish(RunState state)
    {
        if (this.board.Publish(state, this.clock))
        {
            this.telemetry.Tell(this.board.Timing());
        }
    }

    private void Announce(Settings settings, CheckpointManifest? from)
    {
        if (this.opened.Environments.Spec.TimeLimit == EnvironmentSpec.NoTimeLimit)
        {
            this.log.Warning(
                "{Task} has no time limit, so an episode may never end. {Evaluations}",
                this.opened.Environments.Id,
                this.LongestEvaluation == EnvironmentSpec.NoTimeLimit
                    ? "Nor may an evaluation: give evaluation.maxSteps"
                    : $"Those of evaluations are cut after {this.LongestEvaluation:N0} steps (evaluation.maxSteps)");
        }
        if (from is null)
        {
            this.log.Info("The run starts: {Steps} steps of {Task}", settings.Run.Steps, settings.Run.Environment);
            return;
        }
        this.board.GoesOnFrom(from.Step, from.GradientStep);
        this.board.Committed(from.Step, from.Bytes);
        this.log.Info("The run goes on from step {CommittedStep}", from.Step);
    }

    private Props VideoOf(RunRequest request, TaskEnvironments task)
    {
        var (paths, ffmpeg) = (request.Paths, request.Ffmpeg);
        // One thread: the other cores are the run's.
        Func<long, VideoTarget> target = step => new VideoTarget(paths.VideoOf(step, VideoTarget.Ending(ffmpeg)), VideoSize.WhileTraining, ffmpeg, Threads: 1);
        return Props.Create(() => new VideoActor(task.Create, request.Settings.Run.Seed, paths.Name, target, this.LongestEvaluation));
    }

    private void Commit(Commitment commitment)
    {
        var state = this.Parts!.Freeze(commitment, this.evaluations.Freeze(commitment.Ledger), this.opened.Store.Capture(), this.evaluations.TakeBest(), this.runId);
        this.Parts = null;
        this.capture.End();
        this.journal.Tell(new Commit(commitment.Id, state, [.. commitment.Events]) { Trace = this.checkpoint.Context });
        this.board.PauseEnds();
        var pause = this.board.Status.CheckpointPauseMilliseconds;
        RunMetrics.CheckpointPaused(this.name, pause);
        this.checkpoint.Tag("CommittedStep", state.Step).Tag("Pause", pause / 1000).Tag("Scheduled", commitment.IsScheduled);
        using (this.checkpoint.Enter())
        {
            this.log.Debug("Checkpoint of step {CommittedStep} begins", state.Step);
        }
    }
}
