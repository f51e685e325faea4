using Akka.Actor;
using NE.Actors.Configuration;
using NE.Actors.Environments;
using NE.Actors.Environments.Catalogue;
using NE.Model.Networks;
using NE.Model.Replay;
using NE.Model.Runs;

namespace NE.Actors.Fleet.Environments;

/// <summary>An environment of a run elsewhere, on a thread of this process. Its state is taken after every round.</summary>
internal sealed class KeptEnvironment : IDisposable
{
    private readonly Settings settings;
    private readonly Action<object> tell;
    private readonly SimulatorThread thread;
    private readonly long before;
    private RoundOrder? asked;

    // Of the simulator's thread.
    private EnvironmentWorker? worker;
    private TransitionBlock? block;

    /// <summary>Of pictures the run chooses no action.</summary>
    private bool showsPictures;

    /// <param name="run">Who places it.</param>
    /// <param name="open">How it begins.</param>
    /// <param name="tell">Called on its thread with <see cref="EnvironmentOpened"/>, a <see cref="RoundResult"/>, or the exception that ended it.</param>
    /// <exception cref="ConfigurationException">The run's configuration cannot be read here.</exception>
    /// <exception cref="ArgumentException">The environment's id is none.</exception>
    public KeptEnvironment(IActorRef run, OpenEnvironment open, Action<KeptEnvironment, object> tell)
    {
        (this.Run, this.Number, this.Epoch, this.RunName, this.Index, this.before) = (run, open.Number, open.Epoch, open.Run, open.Index, open.Round);
        this.tell = said => tell(this, said);
        this.settings = ConfigurationLayers.Read(open.Configuration, $"the configuration of {open.Run}");
        var fingerprint = open.Fingerprint is { } text ? EnvironmentFingerprint.OfText(text) : null;
        var cycle = EnvironmentCycle.Of(this.settings.Run.Environment);
        var start = new EnvironmentStart(open.Index, this.settings, () => TaskEnvironment.Create(this.settings, open.Task, fingerprint, cycle))
        {
            Task = open.Task,
            RandomUntil = open.RandomUntil,
            Restored = open.State,
            Episode = open.Episode,
            OnOtherMuJoCo = open.OnOtherMuJoCo,
        };
        this.thread = new SimulatorThread($"environment {open.Index} of {open.Run}", start.Create, this.tell);
        this.thread.Post(environment => this.BringUp(environment, start));
    }

    public IActorRef Run { get; }

    /// <summary>That the run gave it.</summary>
    public int Number { get; }

    public long Epoch { get; }

    public string RunName { get; }

    /// <summary>Number of the environment in the run.</summary>
    public int Index { get; }

    /// <summary>Null before the simulator is up.</summary>
    public EnvironmentOpened? Opened { get; set; }

    /// <summary>Of the last round; null before the first.</summary>
    public RoundResult? Result { get; set; }

    /// <summary>With whose answers that of the round under way goes; null where none is.</summary>
    public AnswerGroup? Group { get; set; }

    /// <summary>Begins a round, if it is the next one and not begun already.</summary>
    /// <param name="order">What to do.</param>
    /// <param name="policy">Acts where the order has no action.</param>
    /// <param name="group">Is told that its answer is to come.</param>
    public void Take(RoundOrder order, Policy? policy, AnswerGroup group)
    {
        var last = this.Result?.Round ?? this.before;
        if (this.Opened is not null && order.Round == last + 1 && this.asked?.Round != order.Round)
        {
            this.asked = order;
            this.Group = group;
            group.Expect();
            this.thread.Post(_ => this.Step(order, policy));
        }
    }

    public void Dispose() => this.thread.Dispose();

    private void BringUp(IEnvironment environment, EnvironmentStart start)
    {
        var created = start.BringUp(environment);
        (this.worker, this.showsPictures) = (created, !environment.Spec.Observation.IsVector);
        this.block = new TransitionBlock(
            this.Index, TransitionRows.create(environment.Spec.Observation, environment.Spec.ActionSize), Conductor.stepsAtOnce(this.settings));
        var opened = new EnvironmentOpened(this.Number, this.Epoch, created.Episode, created.Save(), created.Observation.ToArray());
        FleetConfiguration.CheckCrosses(opened.Bytes, this.Index);
        this.tell(opened);
    }

    private void Step(RoundOrder order, Policy? policy)
    {
        var (stepping, filled) = (this.worker!, this.block!);
        if (policy is null)
        {
            stepping.Step(order.Step, order.Action, filled);
        }
        else
        {
            stepping.Step(new StepRound(order.Step, order.Stride, order.Steps, policy, filled));
        }
        var result = new RoundResult(
            this.Number,
            this.Epoch,
            order.Round,
            filled.Rows.ToArray(),
            [.. filled.Episodes],
            filled.Divergences,
            filled.Episode,
            stepping.Save(),
            this.showsPictures ? [] : stepping.Observation.ToArray());
        FleetConfiguration.CheckCrosses(result.Bytes, this.Index);
        this.tell(result);
    }
}
