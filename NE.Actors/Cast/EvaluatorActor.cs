using System.Diagnostics;
using Akka.Actor;
using Akka.Event;
using NE.Actors.Environments;
using NE.Actors.Evaluation;
using NE.Actors.Instruments;
using NE.Model.Networks;

namespace NE.Actors.Cast;

/// <summary>To the evaluator: play this policy. The policy is the evaluator's own copy.</summary>
public sealed record Evaluate(long Step, Policy Policy);

/// <summary>The episodes of the policy of a step are played.</summary>
public sealed record Evaluated(long Step, EpisodeResults Results);

/// <summary>A policy could not be played; trying again would end the same way.</summary>
public sealed record EvaluationFailed(string Reason);

/// <summary>Plays noise-free episodes on an environment and a thread of its own, off the training path, one policy after the other.</summary>
public sealed class EvaluatorActor : ReceiveActor, IWithTimers
{
    private const int MostAttempts = 3;
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);

    private readonly Func<IEnvironment> create;
    private readonly long seed;
    private readonly int episodes;
    private readonly int mostSteps;
    private readonly ActivityContext trace;
    private readonly ILoggingAdapter log = Context.GetLogger();
    private readonly EndingSimulators ending = EndingSimulators.Of(Context.System);
    private readonly Queue<Evaluate> waiting = [];
    private SimulatorThread? thread;
    private int attempts;
    private RunSpan playing;
    private volatile bool stopping;

    /// <param name="mostSteps">Of an episode.</param>
    /// <param name="trace">The span of this process's work on the run.</param>
    public EvaluatorActor(IActorRef run, Func<IEnvironment> create, long seed, int episodes, int mostSteps, ActivityContext trace)
    {
        (this.create, this.seed, this.episodes, this.mostSteps, this.trace) = (create, seed, episodes, mostSteps, trace);
        this.Receive<Evaluate>(work =>
        {
            this.waiting.Enqueue(work);
            if (this.waiting.Count == 1)
            {
                this.Play(work);
            }
        });
        this.Receive<Evaluated>(done =>
        {
            this.waiting.Dequeue();
            this.playing.Tag("MeanReturn", done.Results.Returns.Average()).End();
            this.attempts = 0;
            run.Tell(done);
            if (this.waiting.TryPeek(out var next))
            {
                this.Play(next);
            }
        });
        this.Receive<Fault>(fault =>
        {
            // The environment is gone with its thread, so this does not wait.
            this.thread?.Dispose();
            this.thread = null;
            if (++this.attempts == MostAttempts)
            {
                this.playing.Fail(fault.Error.Message);
                run.Tell(new EvaluationFailed(
                    $"the policy of step {this.waiting.Peek().Step:N0} could not be evaluated in {MostAttempts} attempts: {fault.Error.Message}"));
                return;
            }
            using (this.playing.Enter())
            {
                this.log.Warning(fault.Error, "The evaluation environment failed; it is started anew and the evaluation repeated: {Reason}", fault.Error.Message);
            }
            this.playing.Fail(fault.Error.Message);
            this.Timers.StartSingleTimer("again", new Again(), RetryPause);
        });
        this.Receive<Again>(_ => this.Play(this.waiting.Peek()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PostStop()
    {
        // It looks after every step.
        this.stopping = true;
        if (this.thread is { } used)
        {
            this.ending.End(used);
        }
        this.playing.Fail("the evaluator was stopped");
    }

    private void Play(Evaluate work)
    {
        this.playing = RunSpan.Begin("evaluation", this.trace).Tag("EvaluatedStep", work.Step).Tag("Episodes", this.episodes).Tag("Attempt", this.attempts + 1);
        using (this.playing.Enter())
        {
            this.log.Debug("Evaluation of step {EvaluatedStep} begins", work.Step);
        }
        var self = this.Self;
        this.thread ??= new SimulatorThread("evaluation", this.create, error => self.Tell(new Fault(error)));
        this.thread.Post(environment => self.Tell(new Evaluated(work.Step, this.Results(environment, work.Policy))));
    }

    /// <summary>On the environment's thread.</summary>
    private EpisodeResults Results(IEnvironment environment, Policy policy) => EpisodeRunner.Run(
        environment,
        policy,
        this.seed,
        this.episodes,
        _ =>
        {
            if (this.stopping)
            {
                throw new OperationCanceledException("the run ends");
            }
        },
        this.mostSteps);

    private sealed record Again;

    private sealed record Fault(Exception Error);
}
