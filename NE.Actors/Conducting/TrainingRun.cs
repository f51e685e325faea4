using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using NE.Actors.Cast;
using NE.Actors.Instruments;
using NE.Actors.MuJoCo;
using NE.Actors.RunDirectory;
using NE.Actors.Runs;

namespace NE.Actors.Conducting;

/// <summary>The actor system of one run. A run whose directory has commits goes on from the last one, any other begins.</summary>
public sealed class TrainingRun : ITrainingRun
{
    /// <summary>Dispatcher of the actors that take part in every round.</summary>
    internal const string CoreDispatcher = "ne.core-dispatcher";

    /// <summary>For the actors, of which the journal and the tables have something to close.</summary>
    private static readonly TimeSpan ActorsPatience = TimeSpan.FromSeconds(20);

    private readonly StatusBoard board = new();
    private readonly TaskCompletionSource<RunOutcome> completion = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly IActorRef supervisor;
    private readonly EndingSimulators simulators;
    private readonly RunPaths paths;
    private readonly TimeSpan endPatience;
    private readonly RunSpan span;
    private readonly RunMetrics metrics;

    private TrainingRun(RunRequest request)
    {
        (this.paths, this.endPatience) = (request.Paths, request.EndPatience);
        this.span = RunSpan.Begin("run").Tag("Run", request.Paths.Name).Tag("RunId", request.RunId).Tag("Environment", request.Settings.Run.Environment);
        this.metrics = new RunMetrics(request.Paths.Name, () => this.board.Status);
        SimulatorLog.Open();
        this.System = ActorSystem.Create("ne", JournalConfig.SystemSetup(request.Paths, Configuration(request.Loggers)));
        this.simulators = EndingSimulators.Of(this.System);
        var physics = Akka.Event.Logging.GetLogger(this.System, "NE.Actors.MuJoCo");
        foreach (var plugin in MuJoCoLibrary.Loaded?.Plugins.Where(plugin => plugin.Problem is not null) ?? [])
        {
            physics.Warning("A plugin library of MuJoCo cannot be opened, so models cannot use it: {Problem}", plugin.Problem);
        }

        this.supervisor = this.System.ActorOf(
            Props.Create(() => new RunSupervisor(request, this.board, this.completion, this.span.Context)), "supervisor");
        // An actor system that ends by itself must not leave anybody waiting.
        this.System.WhenTerminated.ContinueWith(
            _ => this.completion.TrySetResult(new RunOutcome(RunPhase.Failed, "the actor system ended unexpectedly", this.board.Status.CheckpointStep ?? 0)),
            TaskScheduler.Default);
    }

    public RunStatus Status => this.board.Status;

    /// <summary>For tests that make an actor fail.</summary>
    internal ActorSystem System { get; }

    public Task<RunOutcome> Completion => this.completion.Task;

    /// <summary>Starts or continues the run of a directory that this process has locked.</summary>
    public static TrainingRun Start(RunRequest request) => new(request);

    public void RequestStop(string reason) => this.supervisor.Tell(new StopRun(reason));

    public async ValueTask DisposeAsync()
    {
        // While it ends, Akka falls back to the standard output, which belongs to the shell.
        this.System.EventStream.SetLogLevel(LogLevel.ErrorLevel);
        await Task.WhenAny(this.System.Terminate(), Task.Delay(ActorsPatience));
        await this.simulators.Wait(this.endPatience);
        JournalConfig.Release(this.paths);
        this.metrics.Dispose();
        this.EndSpan();
    }

    private void EndSpan()
    {
        if (this.completion.Task is not { IsCompletedSuccessfully: true, Result: var outcome })
        {
            this.span.End();
            return;
        }
        this.span.Tag("Outcome", outcome.Phase.ToString().ToLowerInvariant()).Tag("CommittedStep", outcome.Step);
        if (outcome.Phase is RunPhase.Failed)
        {
            this.span.Fail(outcome.Message ?? "");
        }
        else
        {
            this.span.End();
        }
    }

    private static Config Configuration(IReadOnlyList<string> loggers)
    {
        return ConfigurationFactory.ParseString($$"""
            {{Hocon.Loggers(loggers)}}
            akka.loglevel = DEBUG
            akka.stdout-loglevel = WARNING
            akka.log-dead-letters = off
            # One thread for life for the run, the replay memory and the learner: a round passes among them without a change of thread, which
            # on a busy machine costs more than the gradient step. Environments, evaluation, journal and telemetry are on threads of their own.
            {{CoreDispatcher}} {
              type = ForkJoinDispatcher
              throughput = 1
              dedicated-thread-pool { thread-count = 1, threadtype = background }
            }
            """);
    }
}
