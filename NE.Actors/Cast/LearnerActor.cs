using System.Diagnostics;
using Akka.Actor;
using NE.Actors.Instruments;
using NE.Model;
using NE.Model.Agents;
using NE.Model.Replay;
using NE.Model.Runs;
using static NE.Model.History;

namespace NE.Actors.Cast;

/// <summary>
/// Owns the learner: networks, optimiser, topology scheduler and device, on one thread for life. Samples the replay memory directly, within
/// the window that it is handed.
/// </summary>
public sealed class LearnerActor : ReceiveActor
{
    /// <summary>Gradient steps between two looks at the thread's other messages.</summary>
    private const int Slice = 8;

    /// <summary>Between two words about work that takes long, such as heavy priming.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(1);

    private readonly ILearner learner;
    private readonly ITransitionSource source;
    private readonly IActorRef run;
    private readonly string name;
    private readonly LearnerSettings settings;
    private readonly ActivityContext trace;
    private readonly List<TopologyChanged> changes = [];
    private long spoke;

    /// <param name="learner">Belongs to this actor's thread from now on.</param>
    /// <param name="name">The run's.</param>
    /// <param name="settings">Have the rates at which it learns, for those who are to lower them.</param>
    /// <param name="trace">The span of this process's work on the run.</param>
    public LearnerActor(IActorRef run, ILearner learner, ITransitionSource source, string name, LearnerSettings settings, ActivityContext trace)
    {
        (this.run, this.learner, this.source, this.name, this.settings, this.trace) = (run, learner, source, name, settings, trace);
        this.Receive<Learn>(learn => this.Guard(() => this.Begin(learn.Task)));
        this.Receive<Continue>(work => this.Guard(() => this.Work(work)));
        this.Receive<CaptureLearner>(_ => this.Guard(this.Capture));
    }

    protected override void PostStop() => this.learner.Dispose();

    private void Begin(LearningTask task)
    {
        var metrics = task.Measure ? this.learner.Measure(this.source, task.Window, task.Probe) : null;
        this.spoke = Stopwatch.GetTimestamp();
        this.Work(new Continue(task.Window, task.Updates, metrics));
    }

    private void Work(Continue work)
    {
        var now = Math.Min(Slice, work.Left);
        for (var i = 0; i < now; i++)
        {
            var began = RunInstruments.Spans.HasListeners() ? DateTimeOffset.UtcNow : default;
            this.learner.Update(this.source, work.Window);
            var changed = this.learner.TakeTopologyChanges();
            this.changes.AddRange(changed);
            foreach (var change in changed)
            {
                this.Show(change, began);
            }
        }
        if (work.Left > now)
        {
            var left = work.Left - now;
            if (Stopwatch.GetElapsedTime(this.spoke) > Silence)
            {
                this.spoke = Stopwatch.GetTimestamp();
                this.run.Tell(new LearningProgress(this.learner.GradientStep, left));
            }
            this.Self.Tell(work with { Left = left });
            return;
        }
        var all = this.changes.ToArray();
        this.changes.Clear();
        this.run.Tell(new Learned(this.learner.GradientStep, this.learner.Policy(), all, work.Metrics));
    }

    /// <summary>The gradient step in which an event of the topology happened, as a span.</summary>
    private void Show(TopologyChanged change, DateTimeOffset began)
    {
        if (began != default)
        {
            TopologySpan.Of(change, RunSpan.Begin("topology event", this.trace, began)).End();
        }
    }

    private void Capture()
    {
        if (this.learner.FindNonFinite() is { } tensor)
        {
            this.Fail(tensor, this.learner.GradientStep);
            return;
        }
        this.run.Tell(new LearnerCaptured(this.learner.Save(), this.learner.Policy().ToBytes()));
    }

    /// <summary>A loss that is no number is the run's end, not a reason to try again; everything else is the supervisor's.</summary>
    private void Guard(Action work)
    {
        try
        {
            work();
        }
        catch (NonFiniteException error)
        {
            this.Fail(error.Tensor, error.Step);
        }
    }

    private void Fail(string tensor, long step) => this.run.Tell(new LearnerFailed(NonFinite.sentence(this.settings, this.name, tensor, step)));

    private sealed record Continue(Window Window, long Left, Measurement? Metrics);
}
