using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Checkpoints;
using NE.Actors.Environments;
using NE.Actors.Evaluation;
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
    private readonly IActorRefFactory context;
    private readonly IActorRef run;
    private readonly IActorRef journal;
    private readonly OpenedRun opened;
    private readonly string? runId;
    private readonly string name;
    private readonly ActivityContext trace;
    private readonly StatusBoard board;
    private readonly ILoggingAdapter log;
    private readonly IActorRef telemetry;
    private readonly IActorRef evaluator;
    private readonly IActorRef learner;
    private readonly IActorRef replay;
    private readonly IActorRef video;
    private readonly LearnerClock clock = new();
    private readonly EnvironmentStart[] starts;
    private readonly Exception?[] errors;
    private readonly string?[] told;
    private readonly IActorRef[] environments;
    private readonly TransitionBlock[] blocks;
    private readonly RunSpan[] restarting;
    private readonly StepRound?[] prepared;
    private readonly Func<EnvironmentStart, IEnvironmentListener, IEnvironmentHost> hosts;
    private readonly Dictionary<long, Policy> evaluating;
    private readonly Dictionary<long, EpisodeResults> evaluated = [];

    private Policy policy;
    private Measurement? measurement;
    private FrozenBest? newBest;
    private RunSpan checkpoint;
    private RunSpan capture;

    /// <summary>Makes the actors.</summary>
    /// <param name="trace">The span of this process's work on the run.</param>
    /// <exception cref="DamagedCheckpointException">A table is not what it was at the commit.</exception>
    public RunCast(IActorContext context, IActorRef run, IActorRef journal, RunRequest request, OpenedRun opened, StatusBoard board, ActivityContext trace)
    {
        (this.context, this.run, this.journal, this.opened, this.board, this.runId) = (context, run, journal, opened, board, request.RunId);
        (this.name, this.trace) = (request.Paths.Name, trace);
        this.log = context.GetLogger();
        var settings = request.Settings;
        var tables = opened.OpenTables(request.Paths);
        this.policy = opened.Learner.Policy();
        this.evaluating = opened.Evaluations.ToDictionary(pending => pending.Step, pending => pending.Policy);
        this.telemetry = context.ActorOf(Props.Create(() => new TelemetryActor(tables, settings)), "telemetry");
        this.evaluator = context.ActorOf(
            Props.Create(() => new EvaluatorActor(run, opened.Environments.Create, settings.Run.Seed, settings.Evaluation.Episodes, this.LongestEvaluation, trace)),
            "evaluator");
        this.learner = context.ActorOf(
            Props.Create(() => new LearnerActor(run, opened.Learner, opened.Store, trace)).WithDispatcher(TrainingRun.CoreDispatcher), "learner");
        this.replay = context.ActorOf(Props.Create(() => new ReplayActor(opened.Store, opened.CreateLinker())).WithDispatcher(TrainingRun.CoreDispatcher), "replay");
        this.video = settings.Video.Every == 0 ? ActorRefs.Nobody : context.ActorOf(this.VideoOf(request, opened.Environments), "video");
        this.hosts = request.EnvironmentHosts;
        this.starts = opened.Starts;
        this.errors = new Exception?[this.starts.Length];
        this.told = new string?[this.starts.Length];
        this.restarting = new RunSpan[this.starts.Length];
        this.blocks = [.. this.starts.Select(start => new TransitionBlock(start.Index, opened.Layout, Conductor.stepsAtOnce(settings)))];
        this.prepared = new StepRound?[this.starts.Length];
        this.environments = [.. this.starts.Select(start => this.Start(start, $"environment-{start.Index}"))];
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
                this.prepared[prepare.environment] = new StepRound(steps.Step, steps.Stride, steps.Steps, this.policy, this.blocks[prepare.environment]);
                break;
            case Order.Step step:
                this.environments[step.environment].Tell(this.prepared[step.environment]);
                break;
            case Order.RestartEnvironment restart:
                this.Restart(restart);
                break;
            case Order.Append append:
                var rows = append.Item1 is Rows.OfEnvironment only ? [this.blocks[only.environment]] : this.blocks;
                this.replay.Tell(new AppendRound(append.Item1, rows, append.releaseBefore));
                break;
            case Order.Learn { Item: var task }:
                this.clock.Start();
                this.learner.Tell(new Learn(task));
                break;
            case Order.Evaluate evaluate:
                this.evaluating[evaluate.step] = this.policy;
                this.Evaluate(evaluate.step);
                break;
            case Order.EvaluateAgain again:
                this.Evaluate(again.step);
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
                this.telemetry.Tell(new EvaluationShown(new EvaluationRow(evaluation, this.evaluated[evaluation.Step].Inverted)));
                break;
            case Order.EvaluationsLate late:
                this.log.Warning(
                    late.waits
                        ? "All steps are taken; the run waits for the evaluation of step {EvaluatedSteps}. A stop commits what there is"
                        : "The evaluation of step {EvaluatedSteps} is late: the checkpoint is made without it, and its place in the history is kept",
                    string.Join(", ", late.steps));
                break;
            case Order.WriteEvaluation { Item: var evaluation }:
                this.Deliver(evaluation);
                break;
            case { IsCapture: true }:
                this.board.PauseBegins();
                this.checkpoint = RunSpan.Begin("checkpoint", this.trace);
                this.capture = RunSpan.Begin("capture", this.checkpoint.Context);
                this.Parts = new CommitParts(this.environments.Length);
                this.learner.Tell(new CaptureLearner());
                this.telemetry.Tell(new MarkFiles());
                foreach (var environment in this.environments)
                {
                    environment.Tell(new CaptureEnvironment());
                }
                break;
            case Order.CaptureEnvironment capture:
                this.environments[capture.environment].Tell(new CaptureEnvironment());
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

    public Input Take(EnvironmentReady ready)
    {
        this.restarting[ready.Environment].End();
        // The state that it went on from is used up.
        this.starts[ready.Environment] = this.starts[ready.Environment] with { Restored = null };
        return Input.NewEnvironmentReady(ready.Environment, ready.Episode);
    }

    public Input Take(EnvironmentFailed failed)
    {
        this.errors[failed.Environment] = failed.Error;
        this.restarting[failed.Environment].Fail(failed.Error.Message);
        return Input.NewEnvironmentFailed(failed.Environment, failed.Error.Message);
    }

    public Input Take(RoundStepped stepped)
    {
        var block = stepped.Block;
        if (block.Divergences > 0)
        {
            this.log.Warning(
                "The simulation of environment {Index} diverged, so its episode ended early ({Divergences} in this round); the run goes on",
                block.Environment, block.Divergences);
        }
        var episodes = block.Episodes.ToArray();
        this.board.EpisodesEnded(episodes);
        return Input.NewStepped(new SteppedRound(block.Environment, episodes, block.Episode, block.Divergences));
    }

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

    public Input Take(Evaluated done)
    {
        var (returns, lengths) = (done.Results.Returns, done.Results.Lengths);
        this.evaluated[done.Step] = done.Results;
        this.board.Evaluated(done.Step, returns.Average());
        this.log.Info(
            "Evaluation of step {EvaluatedStep}: mean return {MeanReturn:0.0} of {Episodes} episodes", done.Step, returns.Average(), returns.Length);
        return Input.NewEvaluated(done.Step, returns, lengths);
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
        foreach (var span in (RunSpan[])[this.capture, this.checkpoint, .. this.restarting])
        {
            span.Fail("the run's actors were stopped");
        }
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

    private IActorRef Start(EnvironmentStart start, string name) =>
        this.context.ActorOf(Props.Create(() => new EnvironmentActor(this.run, start, this.hosts)), name);

    private void Restart(Order.RestartEnvironment restart)
    {
        var i = restart.environment;
        var reason = this.errors[i]?.Message;
        var number = this.starts[i].Incarnation;
        this.restarting[i] = RunSpan.Begin("environment restart", this.trace)
            .Tag("Index", i).Tag("Restart", number).Tag("Reason", reason).Tag("Pause", restart.pause.TotalSeconds);
        using var scope = this.restarting[i].Enter();
        if (reason is not null && reason == this.told[i])
        {
            this.log.Warning("Environment {Index} failed in the same way and starts again in {Pause:0.0} s (restart {Restart})", i, restart.pause.TotalSeconds, number);
        }
        else
        {
            this.log.Warning(
                this.errors[i], "Environment {Index} failed and starts again in {Pause:0.0} s (restart {Restart}): {Reason}", i, restart.pause.TotalSeconds, number, reason);
            this.told[i] = reason;
        }

        this.starts[i] = this.starts[i] with { Incarnation = this.starts[i].Incarnation + 1, Episode = restart.episode, Pause = restart.pause };
        this.environments[i] = this.Start(this.starts[i], $"environment-{i}-{this.starts[i].Incarnation}");
    }

    private void Evaluate(long step) => this.evaluator.Tell(new Evaluate(step, this.evaluating[step]));

    private void Deliver(Model.History.EvaluationEnded evaluation)
    {
        this.evaluated.Remove(evaluation.Step, out var results);
        this.evaluating.Remove(evaluation.Step, out var played);
        this.telemetry.Tell(new EvaluationRow(evaluation, results!.Inverted));
        if (evaluation.IsBest)
        {
            this.newBest = new FrozenBest(evaluation.Step, played!.ToBytes());
        }
    }

    private void Commit(Commitment commitment)
    {
        var policies = commitment.Ledger.Pending.Select(pending => this.evaluating[pending.Step].ToBytes());
        var state = this.Parts!.Freeze(commitment, [.. policies], this.opened.Store.Capture(), this.newBest, this.runId);
        (this.Parts, this.newBest) = (null, null);
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
