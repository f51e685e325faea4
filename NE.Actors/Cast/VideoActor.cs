using System.Globalization;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Environments;
using NE.Actors.Evaluation;
using NE.Actors.Video;
using NE.Model.Networks;

namespace NE.Actors.Cast;

/// <summary>To the video actor: film one episode of this policy, which must not change any more.</summary>
public sealed record RecordVideo(long Step, Policy Policy);

/// <summary>To the video actor: answer when nothing is being recorded.</summary>
public sealed record FinishVideo;

/// <summary>Nothing is being recorded.</summary>
public sealed record VideoFinished;

/// <summary>
/// Films policies of a run on an environment and a thread of its own, off the training path. Nothing waits for it: a policy that comes while
/// another one is filmed is left out, and what goes wrong here is a warning.
/// </summary>
public sealed class VideoActor : ReceiveActor
{
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly EndingSimulators ending = EndingSimulators.Of(Context.System);
    private readonly Func<IEnvironment> create;
    private readonly long seed;
    private readonly string run;
    private readonly Func<long, VideoTarget> target;
    private readonly int mostSteps;
    private readonly List<IActorRef> waiting = [];
    private SimulatorThread? thread;
    private RecordVideo? recording;
    private bool warned;
    private volatile bool stopping;

    /// <param name="create">Creates the environment, on its own thread.</param>
    /// <param name="seed">Seed of the run; the episode is the first one of its evaluations.</param>
    /// <param name="run">Name of the run, for the title.</param>
    /// <param name="target">Where the video of a step goes.</param>
    /// <param name="mostSteps">Of an episode.</param>
    public VideoActor(Func<IEnvironment> create, long seed, string run, Func<long, VideoTarget> target, int mostSteps)
    {
        (this.create, this.seed, this.run, this.target, this.mostSteps) = (create, seed, run, target, mostSteps);
        this.Receive<RecordVideo>(work =>
        {
            if (this.recording is { } busy)
            {
                this.log.Debug("The policy of step {SkippedStep} is not recorded: that of step {RecordedStep} still is", work.Step, busy.Step);
                return;
            }
            this.Record(work);
        });
        this.Receive<Recorded>(done =>
        {
            this.log.Info("Video of step {RecordedStep}: {Frames} frames, return {Return:0.0}, in {File}", done.Step, done.Frames, done.Return, done.File);
            this.Rest();
        });
        this.Receive<Fault>(fault =>
        {
            // The environment is gone with its thread, so this does not wait; the next recording makes a new one.
            this.thread?.Dispose();
            this.thread = null;
            this.Report(fault.Error);
            this.Rest();
        });
        this.Receive<FinishVideo>(_ =>
        {
            this.waiting.Add(this.Sender);
            if (this.recording is null)
            {
                this.Rest();
            }
        });
    }

    /// <summary>Says in a video what acts in it.</summary>
    public static IReadOnlyList<string> Title(string run, long step) => [run, string.Create(CultureInfo.InvariantCulture, $"policy of step {step:N0}")];

    protected override void PostStop()
    {
        // It looks after every step.
        this.stopping = true;
        if (this.thread is { } used)
        {
            this.ending.End(used);
        }
    }

    private void Record(RecordVideo work)
    {
        this.recording = work;
        this.log.Debug("Recording of step {RecordedStep} begins", work.Step);
        var self = this.Self;
        this.thread ??= new SimulatorThread("video", this.create, error => self.Tell(new Fault(error)));
        this.thread.Post(environment => self.Tell(this.Film(environment, work)));
    }

    /// <summary>On the environment's thread.</summary>
    private Recorded Film(IEnvironment environment, RecordVideo work)
    {
        var file = this.target(work.Step);
        using var video = new EpisodeVideo(EpisodeVideo.View(environment), file, Title(this.run, work.Step), episodes: 1);
        var results = EpisodeRunner.Run(environment, work.Policy, this.seed, 1, moment =>
        {
            if (this.stopping)
            {
                throw new OperationCanceledException("the run ends");
            }
            video.Watch(moment);
        }, this.mostSteps);
        video.Finish();
        return new Recorded(work.Step, video.Frames, results.Returns[0], file.Path);
    }

    private void Report(Exception error)
    {
        if (this.warned || error is OperationCanceledException or VideoException { IsInterruption: true })
        {
            this.log.Debug("The policy of step {RecordedStep} could not be recorded: {Reason}", this.recording?.Step, error.Message);
            return;
        }
        this.warned = true;
        this.log.Warning(
            "The policy of step {RecordedStep} could not be recorded; the run goes on, and further failures are only in its log at debug level: {Reason}",
            this.recording?.Step, error.Message);
    }

    private void Rest()
    {
        this.recording = null;
        this.waiting.ForEach(asking => asking.Tell(new VideoFinished()));
        this.waiting.Clear();
    }

    private sealed record Recorded(long Step, int Frames, double Return, string File);

    private sealed record Fault(Exception Error);
}
